#include "bahi/client/batcher.hpp"

#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

namespace bahi::client {

class Batcher::Impl {
 public:
  Impl(Client& client, const BatcherOptions& options)
      : client_(client), options_(options), builder_({options.codec, 1}), thread_([this] { run(); }) {}
  ~Impl() {
    {
      const std::scoped_lock lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_one();
    thread_.join();
    flush();
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  Status add(const NewEvent& event, EventHandler done) {
    const std::scoped_lock lock(mutex_);
    Status added = builder_.add(event);
    if (!added && added.error().code() == ErrorCode::kBatchTooLarge && !handlers_.empty()) {
      send();
      added = builder_.add(event);
    }
    if (!added) return added;
    handlers_.push_back(std::move(done));
    if (handlers_.size() == 1) {
      due_ = std::chrono::steady_clock::now() + options_.linger;
      changed_.notify_one();
    }
    if (handlers_.size() >= options_.events_max || builder_.raw_size_estimate() >= options_.bytes_max) send();
    return {};
  }

  void flush() {
    const std::scoped_lock lock(mutex_);
    send();
  }

 private:
  void run() {
    std::unique_lock lock(mutex_);
    while (!stopping_) {
      if (handlers_.empty()) {
        changed_.wait(lock);
      } else if (std::chrono::steady_clock::now() >= due_) {
        send();
      } else {
        const auto due = due_;  // `due_` may move while the lock is given up
        changed_.wait_until(lock, due);
      }
    }
  }

  /// With mutex_ held, so that batches go out in their order.
  void send() {
    if (handlers_.empty()) return;
    auto handlers = std::make_shared<std::vector<EventHandler>>(std::move(handlers_));
    handlers_.clear();
    Result<EncodedBody> body = builder_.finish();
    const auto tell = [handlers](const Result<AppendResult>& result) {
      for (std::size_t i = 0; i < handlers->size(); ++i) {
        (*handlers)[i](result ? Result<Offset>(result->first_offset + i) : Result<Offset>(result.error()));
      }
    };
    if (!body) return tell(body.error());
    AppendRequest request;
    request.body = std::move(*body);
    client_.submit(std::move(request), tell);
  }

  Client& client_;
  const BatcherOptions options_;
  std::mutex mutex_;
  std::condition_variable changed_;
  BatchBuilder builder_;                       // protected by mutex_
  std::vector<EventHandler> handlers_;         // of the events in builder_; protected by mutex_
  std::chrono::steady_clock::time_point due_;  // protected by mutex_
  bool stopping_ = false;                      // protected by mutex_
  std::thread thread_;
};

Batcher::Batcher(Client& client, BatcherOptions options) : impl_(std::make_unique<Impl>(client, options)) {}
Batcher::~Batcher() = default;
Status Batcher::add(const NewEvent& event, EventHandler done) {
  return impl_->add(event, std::move(done));
}
void Batcher::flush() {
  impl_->flush();
}

}  // namespace bahi::client
