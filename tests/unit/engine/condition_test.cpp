#include <random>

#include "bahi/schemas/names.hpp"
#include "condition_window.hpp"
#include "engine_fixture.hpp"

using namespace bahi;
using namespace bahi::test;

namespace {

Result<AppendResult> append_if(Engine& engine, TenantId tenant, std::vector<QueryItem> items, std::uint64_t from) {
  AppendRequest request = request_of(tenant, {{"decision-1", "decided", "{}", {"decision"}}});
  request.condition = AppendCondition{{std::move(items)}, {from}};
  return engine.append(std::move(request));
}

/// Newest offset at or after `from` that the query matches, found by reading everything.
std::optional<std::uint64_t> naive_match(const std::vector<ReadEvent>& log, const std::vector<QueryItem>& items,
                                         std::uint64_t from) {
  std::optional<std::uint64_t> newest;
  for (const ReadEvent& event : log) {
    for (const QueryItem& item : items) {
      const bool type = item.types.empty() || std::count(item.types.begin(), item.types.end(), event.event.type) > 0;
      const bool tags = std::all_of(item.tags.begin(), item.tags.end(), [&](const std::string& tag) {
        return std::count(event.event.tags.begin(), event.event.tags.end(), tag) > 0;
      });
      if (type && tags && event.offset >= from) newest = event.offset;
    }
  }
  return newest;
}

}  // namespace

TEST_CASE("condition: fails when a matching event exists at or after the offset", "[engine][condition]") {
  const auto engine = memory_engine();
  const TenantId tenant = engine->create_tenant("school").value();
  REQUIRE(append(*engine, tenant, {{"course-1", "defined", "{}", {"course:1"}},
                                   {"student-7", "subscribed", "{}", {"course:1", "student:7"}},
                                   {"student-8", "subscribed", "{}", {"course:2", "student:8"}}}));
  const auto failed = append_if(*engine, tenant, {{{"subscribed"}, {"course:1"}}}, 0);
  REQUIRE(failed.has_error());
  CHECK(failed.error().code() == ErrorCode::kConditionFailed);
  REQUIRE(failed.error().conflict() != nullptr);
  CHECK(failed.error().conflict()->offset == 1);
  CHECK(append_if(*engine, tenant, {{{"subscribed"}, {"course:1"}}}, 2).has_value());
  // Both tags occur, but never on one event.
  CHECK(append_if(*engine, tenant, {{{}, {"course:1", "student:8"}}}, 0).has_value());
  // Type and tag occur, but never on one event.
  CHECK(append_if(*engine, tenant, {{{"defined"}, {"student:7"}}}, 0).has_value());
  // One item of several is enough.
  CHECK(append_if(*engine, tenant, {{{"nothing"}, {}}, {{"subscribed"}, {"student:8"}}}, 0).error().conflict()->offset == 2);
}

TEST_CASE("condition: the own append is not in its own way, the next one is", "[engine][condition]") {
  const auto engine = memory_engine();
  const TenantId tenant = engine->create_tenant("school").value();
  CHECK(append_if(*engine, tenant, {{{}, {"decision"}}}, 0).has_value());
  CHECK(append_if(*engine, tenant, {{{}, {"decision"}}}, 0).has_error());
  CHECK(append_if(*engine, tenant, {{{}, {"decision"}}}, 1).has_value());
}

TEST_CASE("condition: of many racing on one tag exactly one wins", "[engine][condition]") {
  const auto engine = memory_engine();
  const TenantId tenant = engine->create_tenant("school").value();
  std::atomic<int> won{0};
  for (int i = 0; i < 200; ++i) {
    AppendRequest request = request_of(tenant, {{"seat-" + std::to_string(i), "taken", "{}", {"seat:1"}}});
    request.condition = AppendCondition{{{QueryItem{{}, {"seat:1"}}}}, {0}};
    engine->submit(std::move(request), [&](Result<AppendResult> result) {
      won += result ? 1 : 0;
      // A conflict is only told when the event in the way can be read.
      if (!result) CHECK(result.error().conflict()->offset < engine->durable_offset(tenant).value);
    });
  }
  REQUIRE(engine->close());
  CHECK(won == 1);
}

TEST_CASE("condition: answers equal a naive check of the log, at any staleness and window size", "[engine][condition]") {
  const unsigned seed = GENERATE(1U, 2U, 3U, 4U);
  const std::size_t window_bytes = GENERATE(std::size_t{1}, std::size_t{20'000}, std::size_t{64} << 20U);
  CAPTURE(seed, window_bytes);
  std::mt19937 random(seed);
  const auto pick = [&random](unsigned limit) { return static_cast<unsigned>(random() % limit); };
  EngineOptions options = small_options();
  options.condition_window_bytes = window_bytes;
  const auto engine = memory_engine(std::make_shared<MemoryLog>(), options);
  const TenantId tenant = engine->create_tenant("school").value();
  std::vector<ReadEvent> log;
  const auto remember = [&](const AppendResult& result, const std::vector<Event>& events) {
    for (std::size_t i = 0; i < events.size(); ++i) log.push_back({result.first_offset.value + i, 0, events[i]});
  };
  int failures = 0;
  for (int round = 0; round < 300; ++round) {
    std::vector<Event> events;
    for (unsigned i = 0; i <= pick(4); ++i) {
      Event event{"s-" + std::to_string(pick(5)), "type" + std::to_string(pick(4)), "{}", {}};
      for (unsigned tag = 0; tag < 6; ++tag) {
        if (pick(3) == 0) event.tags.push_back("tag" + std::to_string(tag));
      }
      events.push_back(event);
    }
    AppendRequest request = request_of(tenant, events);
    std::vector<QueryItem> items(1 + pick(2));
    for (QueryItem& item : items) {
      for (unsigned i = pick(3); i > 0; --i) item.types.push_back("type" + std::to_string(pick(5)));
      for (unsigned i = pick(4); i > 0 || (item.types.empty() && item.tags.empty()); i -= i > 0 ? 1 : 0) {
        item.tags.push_back("tag" + std::to_string(pick(7)));
      }
    }
    const std::uint64_t from = log.size() - std::min<std::size_t>(log.size(), pick(pick(2) == 0 ? 4 : 400));
    request.condition = AppendCondition{{items}, {from}};
    const auto expected = naive_match(log, items, from);
    const auto result = engine->append(std::move(request));
    CAPTURE(round, from);
    REQUIRE(result.has_value() == !expected.has_value());
    if (result) {
      remember(*result, events);
    } else {
      ++failures;
      CHECK(result.error().conflict()->offset >= from);
      CHECK(result.error().conflict()->offset == *expected);
    }
    if (round % 3 == 0) {
      const std::vector<Event> plain{{"s-9", "type9", "{}", {"tag0"}}};
      remember(append(*engine, tenant, plain).value(), plain);
    }
  }
  CHECK(failures > 20);
  CHECK(failures < 280);
}
