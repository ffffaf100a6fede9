// Writers, readers, waiters and a verifier at once; mostly for ThreadSanitizer.
#include <atomic>
#include <random>
#include <thread>

#include "engine_fixture.hpp"

using namespace bahi;
using namespace bahi::test;

TEST_CASE("concurrency: every reader sees a gap-free prefix while writers append", "[engine][concurrency]") {
  TemporaryDirectory directory;
  EngineOptions options = small_options();
  options.index_delta_postings_max = 500;
  options.stream_cache_entries_max = 64;
  const auto engine = open_engine(directory.path(), options);
  const std::vector<TenantId> tenants{engine->create_tenant("one").value(), engine->create_tenant("two").value()};
  constexpr int kWriters = 3;
  constexpr int kAppends = 150;
  std::atomic<int> writing{kWriters};
  std::atomic<std::uint64_t> stored{0};
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int w = 0; w < kWriters; ++w) {
    threads.emplace_back([&, w] {
      std::mt19937 random(static_cast<unsigned>(w));
      for (int i = 0; i < kAppends; ++i) {
        std::vector<Event> events(1 + random() % 5, Event{"order-" + std::to_string(random() % 100), "t", "{}", {"all"}});
        AppendRequest request = request_of(tenants[random() % 2], events);
        request.producer = ProducerPosition{{9, static_cast<std::uint64_t>(w + 1)}, static_cast<std::uint64_t>(i)};
        if (random() % 4 == 0) request.condition = AppendCondition{{{QueryItem{{"never"}, {}}}}, {0}};
        const auto result = engine->append(request);
        if (result) stored += events.size();
        if (!result || (random() % 5 == 0 && !engine->append(request)->duplicate)) ++wrong;
      }
      --writing;
    });
  }
  for (const TenantId tenant : tenants) {
    threads.emplace_back([&, tenant] {
      std::uint64_t last_seen = 0;
      while (writing > 0) {
        const std::uint64_t durable = engine->durable_offset(tenant).value;
        ReadRequest request = everything(tenant);
        if (last_seen % 2 == 0) request.filter.tags = {"all"};
        const auto cursor = engine->read(request);
        EventView event;
        std::uint64_t count = 0;
        const auto more = [&] {
          const auto next = (*cursor)->next(event);
          return next && *next;
        };
        while (cursor && more()) {
          if (event.offset.value != count) ++wrong;
          ++count;
        }
        if (!cursor || count < durable || count < last_seen) ++wrong;
        last_seen = count;
        (void)engine->wait_for(tenant, {count}, std::chrono::milliseconds(20));
      }
    });
  }
  threads.emplace_back([&] {
    while (writing > 0) {
      const auto report = engine->verify();
      if (!report || !report->findings.empty()) ++wrong;
      if (!engine->flush()) ++wrong;
    }
  });
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == 0);
  CHECK(engine->durable_offset(tenants[0]).value + engine->durable_offset(tenants[1]).value == stored);
  require_sound(*engine);
}
