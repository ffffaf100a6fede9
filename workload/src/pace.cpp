#include "pace.hpp"

#include <algorithm>
#include <array>

namespace bahi::workload {
namespace {

constexpr std::int64_t kIndianOffset = 5 * kHour + 30 * kMinute;

/// Of each hour of the day; 1000 on average.
constexpr std::array<std::int64_t, 24> kBusyness{250,  150,  100,  100,  100,  200,  400,  700,  1000, 1400, 1700, 1700,
                                                 1500, 1200, 1000, 1000, 1100, 1400, 1800, 2100, 1900, 1500, 1100, 600};

constexpr std::int64_t sum() {
  std::int64_t total = 0;
  for (const std::int64_t each : kBusyness) total += each;
  return total;
}
static_assert(sum() == 24'000);

}  // namespace

std::int32_t indian_date(Timestamp at) noexcept {
  return static_cast<std::int32_t>((at.nanos + kIndianOffset) / kDay);
}

Pace::Pace(Timestamp from, std::uint64_t acts_per_day)
    : now_(from), mean_gap_nanos_(kDay / static_cast<std::int64_t>(acts_per_day)) {}

Timestamp Pace::next(Random& random) {
  const auto hour = static_cast<std::size_t>((now_.nanos + kIndianOffset) / kHour % 24);
  const std::int64_t mean = std::max<std::int64_t>(1, mean_gap_nanos_ * 1000 / kBusyness[hour]);
  now_.nanos += random.between(1, 2 * mean);
  return now_;
}

}  // namespace bahi::workload
