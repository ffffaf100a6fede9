#include <atomic>
#include <thread>

#include "durable_signal.hpp"
#include "engine_fixture.hpp"

using namespace bahi;
using namespace bahi::test;

TEST_CASE("waiting: returns when the event is durable, or when time is up", "[engine][wait]") {
  const auto engine = memory_engine();
  const TenantId tenant = engine->create_tenant("shop").value();
  CHECK(engine->wait_for(tenant, {0}, std::chrono::milliseconds(5)).error().code() == ErrorCode::kDeadlineExceeded);
  std::thread writer([&] { REQUIRE(append(*engine, tenant, {{"order-1"}, {"order-2"}})); });
  CHECK(engine->wait_for(tenant, {1}, std::chrono::seconds(30)).has_value());
  writer.join();
  CHECK(engine->wait_for(tenant, {1}, std::chrono::seconds(0)).has_value());
  CHECK(engine->wait_for(tenant, {2}, std::chrono::milliseconds(1)).has_error());
}

TEST_CASE("waiting: a close wakes everybody", "[engine][wait]") {
  const auto engine = memory_engine();
  const TenantId tenant = engine->create_tenant("shop").value();
  std::thread waiter([&] {
    CHECK(engine->wait_for(tenant, {5}, std::chrono::hours(1)).error().code() == ErrorCode::kShuttingDown);
  });
  std::atomic<int> notified{0};
  engine->notify_after(tenant, {5}, [&] { ++notified; });
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  REQUIRE(engine->close());
  waiter.join();
  CHECK(notified == 1);
}

TEST_CASE("notify: each watcher once, cancelled ones never", "[engine][wait]") {
  const auto engine = memory_engine();
  const TenantId tenant = engine->create_tenant("shop").value();
  std::atomic<int> first{0};
  std::atomic<int> second{0};
  std::atomic<int> cancelled{0};
  engine->notify_after(tenant, {0}, [&] { ++first; });
  engine->notify_after(tenant, {1}, [&] { ++second; });
  const auto handle = engine->notify_after(tenant, {0}, [&] { ++cancelled; });
  engine->cancel_notify(handle);
  REQUIRE(append(*engine, tenant, {{"order-1"}}));
  CHECK(first == 1);
  CHECK(second == 0);
  REQUIRE(append(*engine, tenant, {{"order-1"}}));
  REQUIRE(append(*engine, tenant, {{"order-1"}}));
  CHECK(first == 1);
  CHECK(second == 1);
  CHECK(cancelled == 0);
  engine->notify_after(tenant, {0}, [&] { ++first; });
  CHECK(first == 2);
}

TEST_CASE("notify: a watcher that re-arms itself sees every event without polling", "[engine][wait]") {
  const auto engine = memory_engine();
  const TenantId tenant = engine->create_tenant("shop").value();
  std::atomic<std::uint64_t> seen{0};
  std::function<void()> look = [&] {
    const std::uint64_t end = engine->durable_offset(tenant).value;
    seen = std::max(seen.load(), end);
    if (end < 100) engine->notify_after(tenant, {end}, look);
  };
  look();
  for (int i = 0; i < 100; ++i) REQUIRE(append(*engine, tenant, {{"order-1"}}));
  CHECK(seen == 100);
}
