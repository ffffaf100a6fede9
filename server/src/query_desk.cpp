#include "query_desk.hpp"

#include <atomic>

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>

namespace bahi::server {
namespace {

namespace asio = boost::asio;

constexpr std::chrono::milliseconds kTimeoutMax{60'000};
/// Of a command that gives none.
constexpr std::chrono::milliseconds kCommandTimeout{10'000};
/// Of a question about the past that gives none.
constexpr std::chrono::milliseconds kPastTimeout{10'000};

Error no_read_models() {
  return {ErrorCode::kUnknownProjection, "this server has no read models"};
}

std::chrono::milliseconds bounded(std::uint32_t timeout_ms) {
  return std::min(std::chrono::milliseconds(timeout_ms), kTimeoutMax);
}

}  // namespace

/// A query, perhaps in front of a read model that has to fold on first.
struct QueryDesk::Waiting {
  Waiting(asio::thread_pool& threads, projections::QueryRequest wanted, Done when_done,
          std::chrono::milliseconds longest)
      : request(std::move(wanted)),
        done(std::move(when_done)),
        deadline(std::chrono::steady_clock::now() + longest),
        strand(asio::make_strand(threads)),
        timer(strand, deadline) {}

  const projections::QueryRequest request;
  const Done done;
  const std::chrono::steady_clock::time_point deadline;
  asio::strand<asio::thread_pool::executor_type> strand;  // of the timer, and of every step
  asio::steady_timer timer;
  std::atomic<bool> waited{false};
};

void QueryDesk::ask(const Credential& credential, wire::Query query, Done done) {
  if (projections_ == nullptr) return done(wire::Failure{no_read_models()});
  const auto longest = bounded(query.timeout_ms);
  projections::QueryRequest request{credential.tenant, std::move(query.projection), std::move(query.query),
                                    std::move(query.arguments), query.min_offset};
  request.at_offset = query.at_offset;
  request.at_time = query.at_time;
  request.trace_to = query.trace_to;
  if (request.at_offset || request.at_time) return ask_past(std::move(request), std::move(done), longest);
  auto waiting = std::make_shared<Waiting>(threads_, std::move(request), std::move(done), longest);
  asio::post(waiting->strand, [this, waiting] { answer_or_wait(waiting); });
}

void QueryDesk::ask_past(projections::QueryRequest request, Done done, std::chrono::milliseconds longest) {
  if (past_questions_.fetch_add(1) >= kPastQuestionsMax) {
    --past_questions_;
    return done(wire::Failure{Error{ErrorCode::kOverloaded, "too many questions about the past wait for their turn"}});
  }
  request.deadline = std::chrono::steady_clock::now() + (longest.count() == 0 ? kPastTimeout : longest);
  asio::post(past_threads_, [this, request = std::move(request), done = std::move(done)] {
    Result<projections::QueryAnswer> answer = projections_->query(request);
    --past_questions_;
    if (!answer) return done(wire::Failure{answer.error()});
    done(wire::QueryAnswer{answer->offset, std::move(answer->json)});
  });
}

void QueryDesk::answer_or_wait(const std::shared_ptr<Waiting>& waiting) {
  Result<projections::QueryAnswer> answer = projections_->query(waiting->request);
  const bool behind = !answer && answer.error().code() == ErrorCode::kProjectionBehind;
  if (behind && !waiting->waited && std::chrono::steady_clock::now() < waiting->deadline) return wait(waiting);
  if (!answer) return waiting->done(wire::Failure{answer.error()});
  waiting->done(wire::QueryAnswer{answer->offset, std::move(answer->json)});
}

/// Until the read model is there, time is up, or the server stops: whichever comes first asks once more.
void QueryDesk::wait(const std::shared_ptr<Waiting>& waiting) {
  {
    const std::scoped_lock lock(mutex_);
    waiting_.insert(waiting);
  }
  const projections::QueryRequest& request = waiting->request;
  auto cancel = projections_->notify_at(request.tenant, request.projection, request.min_offset,
                                        [this, waiting] { go_on(waiting); });
  waiting->timer.async_wait([this, waiting, cancel = std::move(cancel)](const boost::system::error_code&) {
    cancel();
    go_on(waiting);
  });
  if (stopping_) go_on(waiting);
}

void QueryDesk::go_on(const std::shared_ptr<Waiting>& waiting) {
  if (waiting->waited.exchange(true)) return;
  {
    const std::scoped_lock lock(mutex_);
    waiting_.erase(waiting);
  }
  asio::post(waiting->strand, [this, waiting] {
    waiting->timer.cancel();
    answer_or_wait(waiting);
  });
}

void QueryDesk::begin_shutdown() {
  stopping_ = true;
  if (projections_ != nullptr) projections_->end_past_questions();
  std::set<std::shared_ptr<Waiting>> waiting;
  {
    const std::scoped_lock lock(mutex_);
    waiting = waiting_;
  }
  for (const auto& each : waiting) go_on(each);
}

void QueryDesk::ask(const Credential& credential, wire::Command command, Done done) {
  if (projections_ == nullptr) return done(wire::Failure{no_read_models()});
  projections::CommandRequest request;
  request.tenant = credential.tenant;
  request.projection = std::move(command.projection);
  request.command = std::move(command.command);
  request.arguments = std::move(command.arguments);
  request.actor = credential.label();
  request.producer = command.producer;
  request.deadline =
      std::chrono::steady_clock::now() + (command.timeout_ms == 0 ? kCommandTimeout : bounded(command.timeout_ms));
  projections_->command(std::move(request), [done = std::move(done)](Result<projections::CommandAnswer> answer) {
    if (!answer) return done(wire::Failure{answer.error()});
    const AppendResult& stored = answer->appended;
    done(wire::CommandAnswer{stored.first_offset, stored.event_count, stored.recorded_at, stored.duplicate,
                             std::move(answer->json)});
  });
}

void QueryDesk::stop() {
  threads_.join();
  past_threads_.join();
}

}  // namespace bahi::server
