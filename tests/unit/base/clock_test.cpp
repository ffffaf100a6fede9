#include "bahi/base/clock.hpp"

#include <catch2/catch.hpp>

namespace bahi {
namespace {

TEST_CASE("clock: a manual clock stands still until it is set", "[base][clock]") {
  ManualClock clock(Timestamp{42});
  CHECK(clock.now() == Timestamp{42});
  CHECK(clock.now() == Timestamp{42});
  clock.set(Timestamp{-7});
  CHECK(clock.now() == Timestamp{-7});
}

TEST_CASE("clock: the system clock gives nanoseconds since 1970", "[base][clock]") {
  constexpr std::int64_t kYear2024 = 1'704'067'200'000'000'000;
  constexpr std::int64_t kYear2200 = 7'258'118'400'000'000'000;
  const Timestamp now = SystemClock::instance().now();
  CHECK(now.nanos > kYear2024);
  CHECK(now.nanos < kYear2200);
}

}  // namespace
}  // namespace bahi
