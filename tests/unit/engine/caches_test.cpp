#include <map>
#include <random>

#include "batch_cache.hpp"
#include "engine_fixture.hpp"
#include "head_cache.hpp"

using namespace bahi;
using namespace bahi::test;

TEST_CASE("head cache: forgets only what the index covers", "[engine][cache]") {
  HeadCache cache(64);
  std::map<std::uint64_t, Head> truth;
  std::mt19937 random(5);
  std::uint64_t covered = 0;
  std::uint64_t dropped = 0;
  for (std::uint64_t offset = 1; offset < 5000; ++offset) {
    HeadCache::Session session(cache);
    const std::uint64_t name = random() % 300;
    const Hash128 identity{name, name * 0x9E3779B97F4A7C15ULL};
    truth[name] = {static_cast<std::int64_t>(offset), offset};
    session.put(identity, truth[name], {1});
    if (offset % 10 == 0) covered = offset - 5;
    if (session.full()) {
      const std::uint64_t epoch = session.epoch();
      session.rotate([&](TenantId tenant, std::uint64_t last) { return tenant.value == 1 && last < covered; });
      CHECK(session.epoch() == epoch + 1);
    }
    // A few only: what is looked up counts as used.
    for (int look = 0; look < 3; ++look) {
      const std::uint64_t known = random() % 300;
      if (!truth.contains(known)) continue;
      const Head& head = truth[known];
      const auto found = session.find({known, known * 0x9E3779B97F4A7C15ULL});
      if (found) {
        CHECK(found->value == head.value);
      } else {
        CHECK(head.last_offset < covered);
        ++dropped;
      }
    }
  }
  CHECK(dropped > 0);
}

TEST_CASE("batch cache: finds by any offset of a batch, and stays within its budget", "[engine][cache]") {
  const auto log = std::make_shared<MemoryLog>();
  const auto engine = memory_engine(log);
  const TenantId tenant = engine->create_tenant("shop").value();
  for (int i = 0; i < 50; ++i) REQUIRE(append(*engine, tenant, {{"order-1", "t", std::string(1000, 'x')}, {"order-2"}}));
  std::vector<std::shared_ptr<const DecodedBatch>> batches;
  for (const auto& [key, stored] : log->batches) {
    if (key.first == tenant.value) batches.push_back(DecodedBatch::decode(*stored).value());
  }
  REQUIRE(batches.size() == 50);
  BatchCache cache(batches.front()->memory_bytes() * 5 + 1000);
  for (const auto& batch : batches) cache.put(batch);
  CHECK(cache.find(tenant, {98}) == batches[49]);
  CHECK(cache.find(tenant, {99}) == batches[49]);
  CHECK(cache.find(tenant, {0}) == nullptr);
  CHECK(cache.find(tenant, {100}) == nullptr);
  CHECK(cache.find({tenant.value + 1}, {98}) == nullptr);
  std::size_t held = 0;
  for (std::uint64_t i = 0; i < 50; ++i) held += cache.find(tenant, {i * 2}) ? 1 : 0;
  CHECK(held >= 4);
  CHECK(held <= 6);
  // The one used last stays.
  CHECK(cache.find(tenant, {90}) != nullptr);
  for (std::uint64_t i = 0; i < 4; ++i) cache.put(batches[i]);
  CHECK(cache.find(tenant, {90}) != nullptr);
}
