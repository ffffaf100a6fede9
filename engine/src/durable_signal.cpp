#include "durable_signal.hpp"

#include <algorithm>

namespace bahi {

void DurableSignal::run_ripe(const std::function<bool(const Watcher&)>& ripe) {
  std::vector<Watcher> due;
  {
    const std::scoped_lock lock(mutex_);
    if (waiters_ > 0) moved_.notify_all();
    if (watchers_.empty()) return;
    const auto first = std::stable_partition(watchers_.begin(), watchers_.end(),
                                             [&ripe](const Watcher& watcher) { return !ripe(watcher); });
    due.assign(std::make_move_iterator(first), std::make_move_iterator(watchers_.end()));
    watchers_.erase(first, watchers_.end());
    for (const Watcher& watcher : due) running_.emplace(watcher.handle, std::this_thread::get_id());
  }
  for (const Watcher& watcher : due) {
    watcher.callback();
    const std::scoped_lock lock(mutex_);
    running_.erase(watcher.handle);
    callback_done_.notify_all();
  }
}

void DurableSignal::advance(TenantId tenant, Offset next_offset) {
  run_ripe([&](const Watcher& watcher) { return watcher.tenant == tenant.value && next_offset > watcher.offset; });
}

void DurableSignal::close() {
  {
    const std::scoped_lock lock(mutex_);
    closed_ = true;
    moved_.notify_all();
  }
  run_ripe([](const Watcher&) { return true; });
}

Status DurableSignal::wait(const std::function<Offset()>& current, Offset offset, std::chrono::nanoseconds timeout) {
  const auto longest = std::chrono::hours(24 * 365);
  const auto deadline = std::chrono::steady_clock::now() + std::min<std::chrono::nanoseconds>(timeout, longest);
  std::unique_lock lock(mutex_);
  ++waiters_;
  const bool woken = moved_.wait_until(lock, deadline, [&] { return closed_ || current() > offset; });
  --waiters_;
  if (current() > offset) return {};
  if (closed_) return Error{ErrorCode::kShuttingDown, "the engine is closing"};
  (void)woken;
  return Error{ErrorCode::kDeadlineExceeded, "no event became durable in time"};
}

std::uint64_t DurableSignal::notify(TenantId tenant, const std::function<Offset()>& current, Offset offset,
                                    std::function<void()> callback) {
  std::uint64_t handle = 0;
  {
    const std::scoped_lock lock(mutex_);
    handle = next_handle_++;
    // The durable offset is published before `advance` takes this lock, so one of the two sees the other.
    if (!closed_ && current() <= offset) {
      watchers_.push_back({handle, tenant.value, offset, std::move(callback)});
      return handle;
    }
  }
  callback();
  return handle;
}

void DurableSignal::cancel(std::uint64_t handle) {
  std::unique_lock lock(mutex_);
  std::erase_if(watchers_, [handle](const Watcher& watcher) { return watcher.handle == handle; });
  // A callback may cancel itself; it must not wait for its own end.
  callback_done_.wait(lock, [&] {
    const auto found = running_.find(handle);
    return found == running_.end() || found->second == std::this_thread::get_id();
  });
}

}  // namespace bahi
