// Rates, meters and the choice of denials that are recorded; the time is what they are told.
#include <catch2/catch.hpp>

#include "catch_result.hpp"
#include "denial_limiter.hpp"
#include "tenant_meter.hpp"

namespace bahi::server {
namespace {

using namespace std::chrono_literals;
using TimePoint = TokenBucket::TimePoint;

TEST_CASE("token bucket: a burst, then the rate", "[server][limits]") {
  TimePoint now{};
  TokenBucket bucket(10, 5, now);
  for (int i = 0; i < 5; ++i) {
    CHECK(bucket.open(now));
    bucket.take(1);
  }
  CHECK_FALSE(bucket.open(now));
  now += 99ms;
  CHECK(bucket.open(now));
  bucket.take(1);
  CHECK_FALSE(bucket.open(now));
  CHECK(bucket.wait_ms() >= 1);
  CHECK(bucket.wait_ms() <= 11);
  now += 10s;
  CHECK(bucket.full(now));
}

TEST_CASE("token bucket: what is too large passes once, and is made good", "[server][limits]") {
  TimePoint now{};
  TokenBucket bucket(10, 10, now);
  bucket.take(1010);
  CHECK_FALSE(bucket.open(now + 99s));
  CHECK(bucket.wait_ms() <= 1001);
  CHECK(bucket.open(now + 101s));
  CHECK_FALSE(TokenBucket(10, 0, now).open(now - 1h));
}

TEST_CASE("meter: neither unit may be exceeded; new limits begin afresh", "[server][limits]") {
  TimePoint now{};
  std::uint64_t stored = 0;
  const auto meter = std::make_shared<TenantMeter>("shop", [&stored] { return stored; });
  CHECK(meter->admit_append(1'000'000, 1'000, now));
  TenantLimits limits;
  limits[TenantLimit::kBytesPerSecond] = 1000;
  limits[TenantLimit::kEventsPerSecond] = 10;
  limits[TenantLimit::kStoredBytes] = 100'000;
  meter->set_limits(limits);
  CHECK(meter->admit_append(10, 10, now));
  CHECK(meter->admit_append(10, 1, now).error().code() == ErrorCode::kOverloaded);
  now += 200ms;
  CHECK(meter->admit_append(2000, 1, now));
  now += 200ms;
  const Status refused = meter->admit_append(1, 1, now);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message().find("bytes per second") != std::string::npos);
  now += std::chrono::milliseconds(refused.error().retry_after_ms());
  CHECK(meter->admit_append(1, 1, now));
  stored = 99'999;
  CHECK(meter->admit_append(2, 0, now).error().code() == ErrorCode::kTenantFull);
  meter->set_limits(limits);
  stored = 0;
  CHECK(meter->admit_append(10, 10, now));
  meter->set_limits({});
  CHECK(meter->admit_append(1'000'000, 1'000, now));
}

TEST_CASE("meter: tickets count as long as they live", "[server][limits]") {
  const auto meter = std::make_shared<TenantMeter>("shop", [] { return 0; });
  TenantLimits limits;
  limits[TenantLimit::kConnections] = 1;
  meter->set_limits(limits);
  auto ticket = meter->open_connection();
  REQUIRE(ticket);
  CHECK_FALSE(meter->open_connection());
  CHECK(meter->connections() == 1);
  auto subscription = meter->open_subscription();
  CHECK(subscription);
  CHECK(meter->subscriptions() == 1);
  *ticket = {};
  CHECK(meter->connections() == 0);
  CHECK(meter->open_connection());
}

TEST_CASE("denials: a source's flood is counted, not recorded, and crowds out nobody", "[server][limits]") {
  TimePoint now{};
  DenialLimiter limiter(now);
  int recorded = 0;
  for (int i = 0; i < 1000; ++i) recorded += limiter.admit("address 10.0.0.1", now) ? 1 : 0;
  CHECK(recorded == static_cast<int>(DenialLimiter::kBurstPerSource));
  CHECK(limiter.admit("address 10.0.0.2", now) == 0);
  CHECK(limiter.take_left_out(now, false).empty());
  now += 10s;
  const auto after = limiter.admit("address 10.0.0.1", now);
  REQUIRE(after);
  CHECK(*after == 980);
  limiter.give_back("address 10.0.0.1", *after + 1, now);
  now += 10s;
  const auto told = limiter.take_left_out(now, false);
  REQUIRE(told.size() == 1);
  CHECK(told[0].source == "address 10.0.0.1");
  CHECK(told[0].count == 981);
  CHECK(limiter.take_left_out(now, true).empty());
}

TEST_CASE("denials: of however many sources, a bounded number is kept and all are counted", "[server][limits]") {
  TimePoint now{};
  DenialLimiter limiter(now);
  constexpr int kSources = 5000;
  int recorded = 0;
  for (int i = 0; i < kSources; ++i) recorded += limiter.admit("address " + std::to_string(i), now) ? 1 : 0;
  CHECK(recorded == static_cast<int>(DenialLimiter::kBurstOfAll));
  const auto told = limiter.take_left_out(now, true);
  CHECK(told.size() <= DenialLimiter::kSourcesMax + 1);
  std::int64_t left_out = 0;
  for (const auto& source : told) left_out += source.count;
  CHECK(recorded + left_out == kSources);
  // Those that have been quiet make room.
  now += 1h;
  CHECK(limiter.admit("address new", now) == 0);
}

}  // namespace
}  // namespace bahi::server
