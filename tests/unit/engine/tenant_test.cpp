#include <thread>

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
