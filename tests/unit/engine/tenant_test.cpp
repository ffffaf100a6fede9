#include <thread>
#include <tuple>

#include "engine_fixture.hpp"

using namespace bahi;
using namespace bahi::test;

TEST_CASE("tenant: names are checked, unique, and kept over restarts", "[engine][tenant]") {
  TemporaryDirectory directory;
  TenantId shop;
  {
    const auto engine = open_engine(directory.path());
    shop = engine->create_tenant("shop").value();
    CHECK(shop != kSystemTenant);
    CHECK(engine->create_tenant("shop").error().code() == ErrorCode::kTenantExists);
    for (const std::string name : {"", "Shop", "1shop", "sh op", "system", "-a", "sh\xC3\xB6p"}) {
      CHECK(engine->create_tenant(name).error().code() == ErrorCode::kInvalidTenantName);
    }
    CHECK(engine->create_tenant(std::string(65, 'a')).error().code() == ErrorCode::kInvalidTenantName);
    CHECK(engine->create_tenant(std::string(64, 'a')).has_value());
    CHECK(engine->find_tenant("nobody").error().code() == ErrorCode::kUnknownTenant);
    CHECK(engine->find_tenant("system").value() == kSystemTenant);
    REQUIRE(append(*engine, shop, {{"order-1"}}));
  }
  const auto engine = open_engine(directory.path());
  CHECK(engine->find_tenant("shop").value() == shop);
  REQUIRE(engine->tenants().size() == 2);
  CHECK(engine->tenants()[0].name == "shop");
  CHECK(engine->tenants()[0].durable_offset == Offset{1});
  CHECK(engine->create_tenant("late").value().value > shop.value);
}

TEST_CASE("tenant: many are created at once, each once", "[engine][tenant]") {
  const auto engine = memory_engine();
  std::atomic<int> created{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 30; ++i) created += engine->create_tenant("tenant" + std::to_string(i)) ? 1 : 0;
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(created == 30);
  CHECK(engine->tenants().size() == 30);
}

namespace {

/// Sum over the tenant's batches, as they stand in the log.
std::uint64_t bytes_in_log(const Engine& engine, TenantId tenant) {
  std::uint64_t sum = 0;
  const auto cursor = engine.read_batches(tenant, {0}, kOffsetMax).value();
  while (cursor->next().value()) sum += cursor->stored().size();
  return sum;
}

/// Appends to two tenants in turn; returns them.
std::pair<TenantId, TenantId> fill_two_tenants(Engine& engine) {
  const TenantId shop = engine.create_tenant("shop").value();
  const TenantId other = engine.create_tenant("other").value();
  for (int i = 0; i < 20; ++i) {
    REQUIRE(append(engine, shop, {{"order-1"}, {"order-2", "placed", std::string(static_cast<std::size_t>(i), 'x')}}));
    REQUIRE(append(engine, other, {{"order-1"}}));
  }
  return {shop, other};
}

}  // namespace

TEST_CASE("tenant: its stored bytes are counted, and known after a restart", "[engine][tenant]") {
  TemporaryDirectory directory;
  TenantId shop;
  TenantId other;
  std::uint64_t stored = 0;
  {
    const auto engine = open_engine(directory.path());
    CHECK(engine->stored_bytes(kSystemTenant).value() == 0);
    std::tie(shop, other) = fill_two_tenants(*engine);
    stored = engine->stored_bytes(shop).value();
    CHECK(stored == bytes_in_log(*engine, shop));
    CHECK(engine->stored_bytes(other).value() == bytes_in_log(*engine, other));
    CHECK(engine->stored_bytes(other).value() < stored);
    CHECK(engine->stored_bytes({99}).error().code() == ErrorCode::kUnknownTenant);
  }
  {
    EngineOptions options = small_options();
    options.read_only = true;
    const auto reader = open_engine(directory.path(), options);
    CHECK(reader->stored_bytes(shop).value() == stored);
    CHECK(reader->stored_bytes(kSystemTenant).value() == bytes_in_log(*reader, kSystemTenant));
  }
  const auto engine = open_engine(directory.path());
  CHECK(engine->stored_bytes(shop).value() == stored);
  REQUIRE(append(*engine, shop, {{"order-3"}}));
  CHECK(engine->stored_bytes(shop).value() == bytes_in_log(*engine, shop));
  CHECK(engine->verify().value().findings.empty());
}

TEST_CASE("tenant: a log without the count is counted when it is opened", "[engine][tenant]") {
  const auto log = std::make_shared<MemoryLog>();  // keeps no count
  TenantId shop;
  {
    const auto engine = memory_engine(log);
    shop = fill_two_tenants(*engine).first;
  }
  const auto engine = memory_engine(log);
  CHECK(engine->stored_bytes(shop).value() == bytes_in_log(*engine, shop));
}
