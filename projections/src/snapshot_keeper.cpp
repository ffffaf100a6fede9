#include "snapshot_keeper.hpp"

#include <pthread.h>

#include <fmt/format.h>

namespace bahi::projections {
namespace {

constexpr std::chrono::milliseconds kLook{500};

}  // namespace

SnapshotKeeper::SnapshotKeeper(Schedule schedule, std::function<std::uint64_t()> folded, std::function<Status()> take,
                               LogSink log)
    : schedule_(schedule), folded_(std::move(folded)), take_(std::move(take)), log_(std::move(log)) {
  if (schedule_.events == 0 && schedule_.interval.count() == 0) return;
  last_folded_ = folded_();
  thread_ = std::thread([this] { run(); });
  ::pthread_setname_np(thread_.native_handle(), "bahi-snapshot");
}

void SnapshotKeeper::stop() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

bool SnapshotKeeper::is_time(std::uint64_t folded, std::chrono::steady_clock::duration passed) const {
  if (folded == last_folded_) return false;
  if (schedule_.interval.count() != 0 && passed >= schedule_.interval) return true;
  // A read model that was dropped or is built anew makes the number smaller.
  const std::uint64_t news = folded > last_folded_ ? folded - last_folded_ : 0;
  return schedule_.events != 0 && news >= schedule_.events && passed >= schedule_.pause;
}

void SnapshotKeeper::run() {
  auto last = std::chrono::steady_clock::now();
  std::unique_lock lock(mutex_);
  while (!changed_.wait_for(lock, kLook, [this] { return stopping_; })) {
    lock.unlock();
    const std::uint64_t folded = folded_();
    const auto now = std::chrono::steady_clock::now();
    if (is_time(folded, now - last)) {
      // Also after a failure it waits for the next time: the disk may be full.
      last = now;
      last_folded_ = folded;
      if (const Status taken = take_(); !taken && log_) {
        log_(LogLevel::kWarning, fmt::format("no snapshot of the read models: {}", taken.error().to_string()));
      }
    }
    lock.lock();
  }
}

}  // namespace bahi::projections
