// The injectable clock. Order in Bahi never comes from a clock; time is only recorded.
#pragma once

#include <atomic>

#include "bahi/base/types.hpp"

namespace bahi {

/// Thread-safe source of UTC time.
class Clock {
 public:
  Clock() = default;
  Clock(const Clock&) = delete;
  Clock& operator=(const Clock&) = delete;
  virtual ~Clock() = default;
  [[nodiscard]] virtual Timestamp now() const = 0;
};

/// CLOCK_REALTIME.
class SystemClock final : public Clock {
 public:
  [[nodiscard]] Timestamp now() const override;
  static const SystemClock& instance();
};

/// A clock that stands still until told otherwise; for tests and simulation.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(Timestamp start) : nanos_(start.nanos) {}
  [[nodiscard]] Timestamp now() const override { return {nanos_.load(std::memory_order_relaxed)}; }
  void set(Timestamp time) { nanos_.store(time.nanos, std::memory_order_relaxed); }

 private:
  std::atomic<std::int64_t> nanos_;
};

}  // namespace bahi
