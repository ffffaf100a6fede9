// Bounds the requests of one writer that have no answer yet.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <mutex>

namespace bahi::faults {

/// Thread-safe.
class Window {
 public:
  explicit Window(std::size_t max) : max_(max) {}
  /// Waits for room. False: the window was closed meanwhile.
  bool enter() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return closed_ || now_ < max_; });
    if (closed_) return false;
    ++now_;
    return true;
  }
  void leave() {
    const std::scoped_lock lock(mutex_);
    --now_;
    changed_.notify_all();
  }
  /// Waits for all answers. False: the window was closed before they had come.
  bool drain() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return closed_ || now_ == 0; });
    return now_ == 0;
  }
  /// Lets nobody wait any more.
  void close() {
    const std::scoped_lock lock(mutex_);
    closed_ = true;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t now_ = 0;  // protected by mutex_
  bool closed_ = false;  // protected by mutex_
  const std::size_t max_;
};

}  // namespace bahi::faults
