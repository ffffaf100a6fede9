#include "answer_mailbox.hpp"

#include <utility>

#include <boost/asio/post.hpp>

#include "bahi/base/failpoint.hpp"
#include "connection.hpp"

namespace bahi::server {

void AnswerMailbox::put(std::shared_ptr<Connection> connection, std::uint64_t request, Result<AppendResult> result) {
  const std::scoped_lock lock(mutex_);
  letters_.push_back({std::move(connection), request, std::move(result)});
  ++to_be_counted_off_;
}

void AnswerMailbox::wake() {
  std::uint64_t count = 0;
  bool post = false;
  {
    const std::scoped_lock lock(mutex_);
    count = std::exchange(to_be_counted_off_, 0);
    post = !letters_.empty() && !std::exchange(posted_, true);
  }
  if (post) boost::asio::post(context_, [self = shared_from_this()] { self->deliver(); });
  // The last: whoever waits for zero ends the context then.
  if (count != 0 && in_flight_.fetch_sub(count, std::memory_order_acq_rel) == count) in_flight_.notify_all();
}

void AnswerMailbox::deliver() {
  {
    const std::scoped_lock lock(mutex_);
    posted_ = false;
    delivering_.swap(letters_);
  }
  for (const Letter& letter : delivering_) letter.connection->take_answer(letter.request, letter.result);
  (void)failpoint::hit("answer_queued");
  for (const Letter& letter : delivering_) letter.connection->answers_taken();
  delivering_.clear();
}

}  // namespace bahi::server
