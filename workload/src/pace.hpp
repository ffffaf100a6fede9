// The time in a history.
#pragma once

#include <cstdint>

#include "bahi/base/types.hpp"
#include "bahi/workload/random.hpp"

namespace bahi::workload {

inline constexpr std::int64_t kSecond = 1'000'000'000;
inline constexpr std::int64_t kMinute = 60 * kSecond;
inline constexpr std::int64_t kHour = 60 * kMinute;
inline constexpr std::int64_t kDay = 24 * kHour;

[[nodiscard]] constexpr Timestamp operator+(Timestamp time, std::int64_t nanos) {
  return {time.nanos + nanos};
}

/// Days since 1970-01-01 in India.
[[nodiscard]] std::int32_t indian_date(Timestamp at) noexcept;

/// Moves on act by act: so many a day on average, most of them in the morning and evening of India, few at night.
class Pace {
 public:
  Pace(Timestamp from, std::uint64_t acts_per_day);
  /// The time of the next act; later than that of the one before.
  Timestamp next(Random& random);

 private:
  Timestamp now_;
  const std::int64_t mean_gap_nanos_;
};

}  // namespace bahi::workload
