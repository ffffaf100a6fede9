// Limits of tenants: what is above them is refused with a clear answer, nobody else is, and they outlive a restart.
#include <atomic>

#include "bahi/server/quotas.hpp"
#include "raw_peer.hpp"
#include "server_fixture.hpp"

namespace bahi::test {
namespace {

void limit(TestServer& server, TenantLimit which, std::uint64_t value, const std::string& tenant = "shop") {
  REQUIRE(server.client("system")->set_tenant_limits({tenant, {{which, value}}}));
}

wire::TenantList::Entry shown(TestServer& server, const std::string& tenant = "shop") {
  const auto list = server.client("system")->tenants();
  REQUIRE(list);
  for (const auto& entry : list->tenants) {
    if (entry.name == tenant) return entry;
  }
  FAIL("no tenant " << tenant);
  return {};
}

std::vector<Event> events(std::size_t count) {
  return std::vector<Event>(count, Event{"order-1"});
}

TEST_CASE("e2e: appends above a tenant's rate wait, and are stored in their order", "[e2e][limits]") {
  TestServer server;
  limit(server, TenantLimit::kEventsPerSecond, 1'000);
  const auto client = server.client();
  constexpr std::size_t kAppends = 150;
  std::atomic<std::size_t> stored{0};
  std::atomic<std::size_t> answered{0};
  for (std::size_t i = 0; i < kAppends; ++i) {
    std::vector<Event> batch = events(10);
    batch.front().data = std::to_string(i);
    client->submit(request_of({}, batch), [&](const Result<AppendResult>& result) {
      if (result) stored.fetch_add(1);
      answered.fetch_add(1);
      answered.notify_one();
    });
  }
  for (auto n = answered.load(); n != kAppends; n = answered.load()) answered.wait(n);
  CHECK(stored == kAppends);
  const auto read = drain(*client->read({}));
  REQUIRE(read.size() == 10 * kAppends);
  for (std::size_t i = 0; i < kAppends; ++i) CHECK(read[10 * i].event.data == std::to_string(i));
}

TEST_CASE("e2e: who would have to wait too long is refused, and told how long", "[e2e][limits]") {
  TestServer server;
  REQUIRE(server.engine().create_tenant("other"));
  const TenantLimit which = GENERATE(TenantLimit::kEventsPerSecond, TenantLimit::kBytesPerSecond);
  const std::uint64_t size =
      which == TenantLimit::kEventsPerSecond ? 400 : request_of({}, events(400)).body.bytes.size();
  const std::uint64_t rate = size / 40;
  limit(server, which, rate);
  const auto client = server.client();
  // Far more than a second allows, in one request: it passes, and what follows would wait half a minute.
  REQUIRE(client->append(request_of({}, events(400))));
  const auto refused = client->append(request_of({}, events(1)));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == ErrorCode::kOverloaded);
  CHECK(refused.error().message().find("tenant 'shop' may append " + std::to_string(rate)) != std::string::npos);
  CHECK(server.client("other")->append(request_of({}, events(1))));
  CHECK(refused.error().retry_after_ms() > 10'000);
  CHECK(refused.error().retry_after_ms() < 60'000);
  limit(server, which, 0);
  for (int i = 0; i < 5; ++i) CHECK(client->append(request_of({}, events(400))));
}

TEST_CASE("e2e: a tenant that is full takes no appends until it may store more", "[e2e][limits]") {
  TestServer server;
  limit(server, TenantLimit::kStoredBytes, 20'000);
  const auto client = server.client();
  std::size_t stored = 0;
  Error error;
  for (;; ++stored) {
    const auto result = client->append(request_of({}, {{"order-1", "placed", std::string(2'000, 'x')}}, Codec::kNone));
    if (!result) {
      error = result.error();
      break;
    }
  }
  CHECK(error.code() == ErrorCode::kTenantFull);
  CHECK(error.message().find("may store 20000") != std::string::npos);
  CHECK(stored >= 7);
  CHECK(stored <= 10);
  const auto entry = shown(server);
  CHECK(entry.stored_bytes <= 20'000);
  CHECK(entry.stored_bytes > 15'000);
  CHECK(entry.limits[TenantLimit::kStoredBytes] == 20'000);
  CHECK(drain(*client->read({})).size() == stored);
  server.stop();
  server.start();
  CHECK(shown(server).stored_bytes == entry.stored_bytes);
  const auto again = client->append(request_of({}, {{"order-1", "placed", std::string(9'000, 'x')}}, Codec::kNone));
  REQUIRE_FALSE(again);
  CHECK(again.error().code() == ErrorCode::kTenantFull);
  limit(server, TenantLimit::kStoredBytes, wire::SetTenantLimits::kDefault);
  CHECK(client->append(request_of({}, {{"order-1", "placed", std::string(9'000, 'x')}}, Codec::kNone)));
  require_sound(server.engine());
}

TEST_CASE("e2e: connections and subscriptions of a tenant are counted and limited", "[e2e][limits]") {
  TestServer server;
  limit(server, TenantLimit::kConnections, 2);
  limit(server, TenantLimit::kSubscriptions, 2);
  auto first = server.client();
  const auto second = server.client();
  RawPeer third(server.port());
  wire::Hello hello;
  hello.tenant = "shop";
  third.send(0, hello);
  const auto refused = third.hear_the_end();
  REQUIRE(refused);
  CHECK(refused->code() == ErrorCode::kOverloaded);
  CHECK(refused->message().find("2 connections") != std::string::npos);

  const auto reader = first->subscribe({});
  auto other = second->subscribe({});
  EventView event;
  REQUIRE(first->append(request_of({}, events(1))));
  CHECK(take(*reader, 1).size() == 1);
  CHECK(take(*other, 1).size() == 1);
  CHECK(shown(server).connections == 2);
  CHECK(shown(server).subscriptions == 2);
  const auto too_many = second->subscribe({})->next(event);
  REQUIRE_FALSE(too_many);
  CHECK(too_many.error().code() == ErrorCode::kOverloaded);
  // A plain read is none.
  CHECK(drain(*second->read({})).size() == 1);
  other.reset();
  CHECK(second->ping());
  CHECK(take(*second->subscribe({}), 1).size() == 1);
  first.reset();
  // Tries until the server has noticed that there is room.
  CHECK(server.client()->ping());
}

TEST_CASE("e2e: limits are recorded, and outlive a restart; defaults hold for the others", "[e2e][limits]") {
  auto options = TestServer::server_options();
  options.tenant_limits[TenantLimit::kSubscriptions] = 7;
  TestServer server(options);
  REQUIRE(server.client("system")->set_tenant_limits(
      {"shop", {{TenantLimit::kEventsPerSecond, 500}, {TenantLimit::kSubscriptions, 0}}}));
  limit(server, TenantLimit::kConnections, 9);
  const auto check = [&] {
    const auto entry = shown(server);
    CHECK(entry.limits[TenantLimit::kEventsPerSecond] == 500);
    CHECK(entry.limits[TenantLimit::kSubscriptions] == 0);
    CHECK(entry.limits[TenantLimit::kConnections] == 9);
    CHECK(entry.limits_own == 0b01110);
  };
  check();
  server.stop();
  server.start();
  check();
  CHECK(count_events(server, "bahi.tenant-limits-set") == 2);
  CHECK(count_events(server, "bahi.administered") == 2);
  limit(server, TenantLimit::kSubscriptions, wire::SetTenantLimits::kDefault);
  CHECK(shown(server).limits[TenantLimit::kSubscriptions] == 7);
  const auto quotas = server::Quotas::load(server.engine());
  REQUIRE(quotas);
  CHECK((*quotas)->of("shop").own == 0b00110);
}

TEST_CASE("e2e: limits that make no sense are refused", "[e2e][limits]") {
  TestServer server;
  const auto admin = server.client("system");
  const auto code = [&](const wire::SetTenantLimits& change) {
    const Status status = admin->set_tenant_limits(change);
    REQUIRE_FALSE(status);
    return status.error().code();
  };
  CHECK(code({"system", {{TenantLimit::kConnections, 1}}}) == ErrorCode::kInvalidArgument);
  CHECK(code({"nobody", {{TenantLimit::kConnections, 1}}}) == ErrorCode::kUnknownTenant);
  CHECK(code({"shop", {}}) == ErrorCode::kInvalidArgument);
  CHECK(code({"shop", {{TenantLimit::kConnections, ~std::uint64_t{1}}}}) == ErrorCode::kInvalidArgument);
  CHECK(count_events(server, "bahi.tenant-limits-set") == 0);
}

}  // namespace
}  // namespace bahi::test
