// Takes snapshots of the read models when it is time.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>

#include "bahi/base/result.hpp"
#include "bahi/engine/options.hpp"

namespace bahi::projections {

/// Thread-safe, except the destructor.
class SnapshotKeeper {
 public:
  struct Schedule {
    std::uint64_t events = 0;          ///< folded since the last one; 0: never by events
    std::chrono::seconds interval{0};  ///< since the last one, when there is news; 0: never by time
    std::chrono::seconds pause{0};     ///< at least, between two that are taken by events
  };
  /// `folded`: events folded by all read models; another number is news. `take` takes one and thins the old ones out;
  /// both are called on a thread of the keeper's own.
  SnapshotKeeper(Schedule schedule, std::function<std::uint64_t()> folded, std::function<Status()> take, LogSink log);
  ~SnapshotKeeper() { stop(); }
  SnapshotKeeper(const SnapshotKeeper&) = delete;
  SnapshotKeeper& operator=(const SnapshotKeeper&) = delete;
  void stop();

 private:
  void run();
  [[nodiscard]] bool is_time(std::uint64_t folded, std::chrono::steady_clock::duration passed) const;

  const Schedule schedule_;
  const std::function<std::uint64_t()> folded_;
  const std::function<Status()> take_;
  const LogSink log_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;          // protected by mutex_
  std::uint64_t last_folded_ = 0;  // of the thread's own
  std::thread thread_;
};

}  // namespace bahi::projections
