// A rate with a burst: so many units per second, saved up for a while.
#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>

namespace bahi::server {

/// Not thread-safe. Times may come out of order by a little; a step back counts as none.
class TokenBucket {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  TokenBucket(double per_second, double burst, TimePoint now)
      : per_second_(per_second), burst_(burst), units_(burst), filled_(now) {}

  /// Something is left. What is taken then may be more: whoever comes next waits until that is made good. So one large
  /// request passes, and none is overtaken by a smaller one.
  [[nodiscard]] bool open(TimePoint now) {
    fill(now);
    return units_ > 0;
  }
  void take(double units) { units_ -= units; }
  [[nodiscard]] bool full(TimePoint now) {
    fill(now);
    return units_ >= burst_;
  }
  /// How long until `open`.
  [[nodiscard]] std::uint32_t wait_ms() const {
    constexpr double kLongest = 3'600'000;
    return static_cast<std::uint32_t>(std::min(kLongest, std::floor(std::max(0.0, -units_) / per_second_ * 1000) + 1));
  }

 private:
  void fill(TimePoint now) {
    if (now <= filled_) return;
    units_ = std::min(burst_, units_ + per_second_ * std::chrono::duration<double>(now - filled_).count());
    filled_ = now;
  }

  double per_second_;
  double burst_;
  double units_;
  TimePoint filled_;
};

}  // namespace bahi::server
