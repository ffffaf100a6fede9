#include "engine_fixture.hpp"
#include "index_delta.hpp"
#include "keys.hpp"

using namespace bahi;
using namespace bahi::test;

namespace {

void fill(Engine& engine, TenantId tenant, int batches) {
  for (int i = 0; i < batches; ++i) {
    std::vector<Event> events;
    for (int k = 0; k <= i % 5; ++k) {
      events.push_back({"order-" + std::to_string((i * 7 + k) % 40),
                        "type" + std::to_string(k % 3),
                        "{}",
                        {"tag" + std::to_string(i % 6), "all"}});
    }
    AppendRequest request = request_of(tenant, events);
    if (i % 2 == 0) request.producer = ProducerPosition{{1, 2}, static_cast<std::uint64_t>(i)};
    const auto result = engine.append(std::move(request));
    REQUIRE(result);
  }
}

}  // namespace

TEST_CASE("index: the same log gives the same index, however it was flushed, rebuilt or recovered", "[engine][index]") {
  const auto reference = memory_engine();
  const TenantId tenant = reference->create_tenant("shop").value();
  fill(*reference, tenant, 300);
  const Hash128 expected = reference->index_fingerprint(tenant).value();

  TemporaryDirectory directory;
  EngineOptions options = small_options();
  options.index_delta_postings_max = GENERATE(std::size_t{50}, std::size_t{333}, std::size_t{1'000'000});
  {
    const auto engine = open_engine(directory.path(), options);
    REQUIRE(engine->create_tenant("shop").value() == tenant);
    fill(*engine, tenant, 300);
    CHECK(engine->index_fingerprint(tenant).value() == expected);
    REQUIRE(engine->flush());
    CHECK(engine->stats().index_postings_in_memory == 0);
    CHECK(engine->stats().index_bytes_on_disk > 0);
    CHECK(engine->index_fingerprint(tenant).value() == expected);
  }
  {
    const auto engine = open_engine(directory.path(), options);
    CHECK(engine->index_fingerprint(tenant).value() == expected);
  }
  options.rebuild_index = true;
  std::uint64_t last_done = 0;
  std::uint64_t last_total = 0;
  options.progress = [&](std::uint64_t done, std::uint64_t total) {
    last_done = done;
    last_total = total;
  };
  const auto engine = open_engine(directory.path(), options);
  CHECK(engine->index_fingerprint(tenant).value() == expected);
  CHECK(last_total > 0);
  CHECK(last_done == last_total);
  require_sound(*engine);
}

TEST_CASE("index: a fingerprint tells different logs apart", "[engine][index]") {
  const auto one = memory_engine();
  const auto two = memory_engine();
  const TenantId tenant = one->create_tenant("shop").value();
  REQUIRE(two->create_tenant("shop").value() == tenant);
  REQUIRE(append(*one, tenant, {{"order-1"}, {"order-2"}}));
  REQUIRE(append(*two, tenant, {{"order-2"}, {"order-1"}}));
  CHECK(one->index_fingerprint(tenant).value() != two->index_fingerprint(tenant).value());
}

TEST_CASE("index: a missing or damaged index directory is built anew", "[engine][index]") {
  TemporaryDirectory directory;
  Hash128 expected;
  {
    const auto engine = open_engine(directory.path());
    const TenantId tenant = engine->create_tenant("shop").value();
    fill(*engine, tenant, 100);
    expected = engine->index_fingerprint(tenant).value();
  }
  SECTION("missing") {
    std::filesystem::remove_all(directory.path() / "idx");
  }
  SECTION("CURRENT missing") {
    std::filesystem::remove(directory.path() / "idx" / "CURRENT");
  }
  SECTION("a sorted file missing") {
    for (const auto& entry : std::filesystem::directory_iterator(directory.path() / "idx")) {
      if (entry.path().extension() == ".sst") std::filesystem::remove(entry.path());
    }
  }
  const auto engine = open_engine(directory.path());
  CHECK(engine->index_fingerprint(engine->find_tenant("shop").value()).value() == expected);
}

TEST_CASE("index delta: postings of a term come newest first, within their range", "[engine][index]") {
  IndexDelta delta(1000);
  const std::vector<TermUse> none;
  for (std::uint64_t i = 0; i < 5000; ++i) {
    const std::vector<StreamUse> streams{{i % 700 + 1, {}, 2, 1}};
    const std::vector<std::int64_t> versions{static_cast<std::int64_t>(i / 700 * 2)};
    delta.add({{static_cast<std::uint32_t>(i % 2)}, {i * 2}, 2, streams, none, versions, {}, 0});
  }
  std::vector<Posting> found;
  delta.collect({0}, 1, 0, ~std::uint64_t{0}, found);
  REQUIRE(found.size() == 8);
  CHECK(found.front() == Posting{700 * 7 * 2 + 1, 15});
  CHECK(found.back() == Posting{1, 1});
  found.clear();
  delta.collect({0}, 1, 2, 700 * 2 * 2 + 1, found);
  CHECK(found == std::vector<Posting>{{700 * 2 + 1, 3}});
  CHECK(delta.newest({0}, 1, 700 * 2 + 1) == Posting{1, 1});
  CHECK_FALSE(delta.newest({1}, 1, ~std::uint64_t{0}).has_value());
  CHECK_FALSE(delta.newest({0}, 9999, ~std::uint64_t{0}).has_value());
  CHECK(delta.covered().at(0) == 4998 * 2 + 2);
}

TEST_CASE("index delta: sorted entries come in key order and only once", "[engine][index]") {
  IndexDelta delta(10);
  const std::vector<TermUse> terms{{30, 0}, {20, 1}, {20, 1}};
  for (std::uint64_t i = 0; i < 50; ++i) {
    const std::vector<StreamUse> streams{{40 - i % 3, {}, 2, 1}};
    const std::vector<std::int64_t> versions{0};
    delta.add({{static_cast<std::uint32_t>(i % 3)}, {i * 2}, 2, streams, terms, versions, {7, i}, i});
  }
  std::string previous;
  std::size_t count = 0;
  REQUIRE(delta.for_each_sorted([&](std::string_view key, std::string_view) -> Status {
    CHECK(previous < key);
    previous = key;
    ++count;
    return {};
  }));
  CHECK(count == 50 * 4 + 3);  // stream, two distinct terms, producer; and three covered offsets
}

TEST_CASE("index delta: batches of producers are found in whatever order they came, each once", "[engine][index]") {
  IndexDelta delta(1000);
  const std::vector<StreamUse> streams;
  const std::vector<TermUse> terms;
  const std::vector<std::int64_t> versions;
  const Uuid first{7, 1};
  const Uuid second{7, 2};
  std::uint64_t offset = 0;
  const auto add = [&](const Uuid& producer, std::uint64_t sequence) {
    delta.add({TenantId{3}, Offset{offset}, 1, streams, terms, versions, producer, sequence});
    return offset++;
  };
  (void)add(first, 5);
  const std::uint64_t of_nine = add(first, 9);
  const std::uint64_t of_two = add(first, 2);
  (void)add(first, 9);  // a repeat: the first place counts
  (void)add(second, 4);
  CHECK(delta.posting_count() == 4);
  CHECK(delta.producer_offset({3}, first, 9) == of_nine);
  CHECK(delta.producer_offset({3}, first, 2) == of_two);
  CHECK(delta.producer_offset({3}, first, 6) == std::nullopt);
  CHECK(delta.producer_offset({4}, first, 9) == std::nullopt);
  CHECK(delta.highest_sequence({3}, first) == 9);
  CHECK(delta.highest_sequence({3}, second) == 4);
  CHECK(delta.highest_sequence({3}, Uuid{8, 1}) == std::nullopt);
  std::vector<std::string> keys;
  REQUIRE(delta.for_each_sorted([&](std::string_view key, std::string_view) -> Status {
    keys.emplace_back(key);
    return {};
  }));
  CHECK(keys.size() == 5);  // and what is covered
  CHECK(std::is_sorted(keys.begin(), keys.end()));
  CHECK(std::adjacent_find(keys.begin(), keys.end()) == keys.end());
}
