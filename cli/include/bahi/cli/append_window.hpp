// Appends of one source, several under way at a time, whose answers are taken in the order of the appends; and the
// question how much of the source the log holds already.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "bahi/cli/tenant_log.hpp"

namespace bahi::cli {

/// The append that is stored under `position`, if there is one; stores nothing. `body` is any body that the log would
/// take, `stream` one of its streams. Errors: those of TenantLog::append.
[[nodiscard]] Result<std::optional<AppendResult>> find_append(TenantLog& log, ProducerPosition position,
                                                              EncodedBody body, std::string_view stream);

/// `Payload` is kept with each append until its answer is taken. Not thread-safe. Before it goes away, `settle` until
/// nothing is under way: the answers refer to it.
template <class Payload>
class AppendWindow {
 public:
  explicit AppendWindow(TenantLog& log) : log_(log) {}
  AppendWindow(const AppendWindow&) = delete;
  AppendWindow& operator=(const AppendWindow&) = delete;

  void submit(AppendRequest request, Payload payload) {
    auto entry = std::make_unique<Entry>();
    entry->bytes = request.body.raw_size;
    entry->payload = std::move(payload);
    bytes_ += entry->bytes;
    Entry* const waiting = entry.get();
    entries_.push_back(std::move(entry));
    log_.submit(std::move(request), [this, waiting](Result<AppendResult> answer) {
      const std::lock_guard lock(mutex_);
      waiting->answer = std::move(answer);
      answered_.notify_one();
    });
  }

  [[nodiscard]] bool empty() const noexcept { return entries_.empty(); }

  /// Waits until at most `count_max` appends with `bytes_max` bytes before compression are under way; gives each answer
  /// to `take(Payload&&, Result<AppendResult>&&)`, whose error ends it. `take` may submit.
  template <class Take>
  Status settle(std::size_t count_max, std::size_t bytes_max, Take take) {
    while (entries_.size() > count_max || bytes_ > bytes_max) {
      {
        std::unique_lock lock(mutex_);
        answered_.wait(lock, [this] { return entries_.front()->answer.has_value(); });
      }
      const std::unique_ptr<Entry> entry = std::move(entries_.front());
      entries_.pop_front();
      bytes_ -= entry->bytes;
      BAHI_TRY(take(std::move(entry->payload), std::move(*entry->answer)));
    }
    return {};
  }

 private:
  struct Entry {
    Payload payload;
    std::size_t bytes = 0;
    std::optional<Result<AppendResult>> answer;
  };

  TenantLog& log_;
  std::mutex mutex_;
  std::condition_variable answered_;
  std::deque<std::unique_ptr<Entry>> entries_;  // in order; their answers are guarded by mutex_
  std::size_t bytes_ = 0;
};

}  // namespace bahi::cli
