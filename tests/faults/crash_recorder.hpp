// What the clients of bahi_crash do and see, in the order of one clock: that of this lock.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <mutex>
#include <utility>
#include <vector>

#include <sys/eventfd.h>
#include <unistd.h>

#include "crash_message.hpp"

namespace bahi::faults {

/// Thread-safe.
class Recorder {
 public:
  Recorder() : signal_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (signal_ < 0) std::abort();
  }
  ~Recorder() { ::close(signal_); }
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  void record(const Message& message) {
    const std::scoped_lock lock(mutex_);
    messages_.push_back(message);
    if (messages_.size() == 1) ::eventfd_write(signal_, 1);
  }
  /// Everything since the last call.
  [[nodiscard]] std::vector<Message> take() {
    const std::scoped_lock lock(mutex_);
    eventfd_t ignored = 0;
    ::eventfd_read(signal_, &ignored);
    return std::exchange(messages_, {});
  }
  /// Readable while there is something to take.
  [[nodiscard]] int descriptor() const { return signal_; }

 private:
  const int signal_;
  std::mutex mutex_;
  std::vector<Message> messages_;  // protected by mutex_
};

}  // namespace bahi::faults
