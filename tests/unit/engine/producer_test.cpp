#include "engine_fixture.hpp"

#include "bahi/base/text.hpp"

using namespace bahi;
using namespace bahi::test;

namespace {

Result<AppendResult> append_as(Engine& engine, TenantId tenant, const Uuid& producer, std::uint64_t sequence,
                               const std::vector<Event>& events) {
  AppendRequest request = request_of(tenant, events);
  request.producer = ProducerPosition{producer, sequence};
  return engine.append(std::move(request));
}

void check_same(const Result<AppendResult>& repeat, const AppendResult& first) {
  REQUIRE(repeat);
  CHECK(repeat->duplicate);
  CHECK(repeat->first_offset == first.first_offset);
  CHECK(repeat->event_count == first.event_count);
  CHECK(repeat->recorded_at == first.recorded_at);
  CHECK(repeat->first_versions == first.first_versions);
}

}  // namespace

TEST_CASE("producer: a repeat gets the first answer and adds nothing", "[engine][producer]") {
  const auto engine = memory_engine();
  const TenantId tenant = engine->create_tenant("shop").value();
  const Uuid producer = random_uuid();
  const auto first = append_as(*engine, tenant, producer, 7, {{"order-1"}, {"order-2"}});
  REQUIRE(first);
  REQUIRE(append(*engine, tenant, {{"order-1"}}));
  check_same(append_as(*engine, tenant, producer, 7, {{"order-1"}, {"order-2"}}), *first);
  // Whatever it carries, also with an expectation that would fail now.
  AppendRequest other = request_of(tenant, {{"order-9"}});
  other.producer = ProducerPosition{producer, 7};
  other.expectations = {{"order-1", ExpectedVersion::no_stream()}};
  check_same(engine->append(other), *first);
  CHECK(engine->durable_offset(tenant) == Offset{3});
  CHECK(engine->stats().duplicates == 2);
}

TEST_CASE("producer: sequences may come in any order, each is stored once", "[engine][producer]") {
  const auto engine = memory_engine();
  const TenantId tenant = engine->create_tenant("shop").value();
  const Uuid producer = random_uuid();
  const std::vector<std::uint64_t> sequences{10, 3, 11, 4, 0, ~std::uint64_t{0}, std::uint64_t{1} << 62U, 12};
  std::vector<AppendResult> answers;
  for (const std::uint64_t sequence : sequences) {
    const auto answer = append_as(*engine, tenant, producer, sequence, {{"order-1"}});
    REQUIRE(answer);
    CHECK_FALSE(answer->duplicate);
    answers.push_back(*answer);
  }
  for (std::size_t i = 0; i < sequences.size(); ++i) {
    check_same(append_as(*engine, tenant, producer, sequences[i], {{"order-1"}}), answers[i]);
  }
  CHECK(engine->durable_offset(tenant) == Offset{sequences.size()});
}

TEST_CASE("producer: a rejected append does not use its sequence up", "[engine][producer]") {
  const auto engine = memory_engine();
  const TenantId tenant = engine->create_tenant("shop").value();
  const Uuid producer = random_uuid();
  AppendRequest request = request_of(tenant, {{"order-1"}});
  request.producer = ProducerPosition{producer, 1};
  request.expectations = {{"order-1", ExpectedVersion::stream_exists()}};
  REQUIRE(engine->append(request).error().code() == ErrorCode::kWrongExpectedVersion);
  REQUIRE(append(*engine, tenant, {{"order-1"}}));
  const auto second = engine->append(request);
  REQUIRE(second);
  CHECK_FALSE(second->duplicate);
}

TEST_CASE("producer: producers and tenants do not share sequences", "[engine][producer]") {
  const auto engine = memory_engine();
  const TenantId one = engine->create_tenant("one").value();
  const TenantId two = engine->create_tenant("two").value();
  const Uuid producer = random_uuid();
  CHECK_FALSE(append_as(*engine, one, producer, 1, {{"order-1"}})->duplicate);
  CHECK_FALSE(append_as(*engine, two, producer, 1, {{"order-1"}})->duplicate);
  CHECK_FALSE(append_as(*engine, one, random_uuid(), 1, {{"order-1"}})->duplicate);
  CHECK(append_as(*engine, one, producer, 1, {{"order-1"}})->duplicate);
}

TEST_CASE("producer: a repeat that races with the first is answered only once it is durable", "[engine][producer]") {
  const auto engine = memory_engine();
  const TenantId tenant = engine->create_tenant("shop").value();
  AppendRequest request = request_of(tenant, {{"order-1"}});
  request.producer = ProducerPosition{random_uuid(), 1};
  std::atomic<int> first_answers{0};
  std::atomic<int> duplicates{0};
  for (int i = 0; i < 100; ++i) {
    engine->submit(request, [&](Result<AppendResult> result) {
      (result->duplicate ? duplicates : first_answers) += 1;
      CHECK(result->first_offset.value + result->event_count <= engine->durable_offset(tenant).value);
    });
  }
  REQUIRE(engine->close());
  CHECK(first_answers == 1);
  CHECK(duplicates == 99);
}

TEST_CASE("producer: repeats are recognised after restarts, index flushes and index rebuilds", "[engine][producer]") {
  TemporaryDirectory directory;
  const Uuid producer = random_uuid();
  std::vector<AppendResult> answers;
  constexpr std::uint64_t kAppends = 30;
  {
    const auto engine = open_engine(directory.path());
    const TenantId tenant = engine->create_tenant("shop").value();
    for (std::uint64_t i = 0; i < kAppends; ++i) {
      answers.push_back(append_as(*engine, tenant, producer, i * 3, {{"order-1"}, {"order-" + std::to_string(i)}}).value());
      if (i % 10 == 5) REQUIRE(engine->flush());
    }
  }
  const bool rebuild = GENERATE(false, true);
  EngineOptions options = small_options();
  options.rebuild_index = rebuild;
  const auto engine = open_engine(directory.path(), options);
  const TenantId tenant = engine->find_tenant("shop").value();
  const Offset end = engine->durable_offset(tenant);
  for (std::uint64_t i = kAppends; i-- > 0;) {
    check_same(append_as(*engine, tenant, producer, i * 3, {{"order-1"}}), answers[i]);
  }
  CHECK(engine->durable_offset(tenant) == end);
  CHECK_FALSE(append_as(*engine, tenant, producer, 1, {{"order-1"}})->duplicate);
}

TEST_CASE("producer: a repeat whose condition its own events match gets the first answer, no conflict",
          "[engine][producer]") {
  TemporaryDirectory directory;
  AppendRequest request;
  AppendRequest other;
  AppendResult first;
  {
    const auto engine = open_engine(directory.path());
    const TenantId tenant = engine->create_tenant("shop").value();
    request = request_of(tenant, {{"order-1", "placed", "{}", {"cart:5"}}});
    request.producer = ProducerPosition{random_uuid(), 1};
    request.condition = AppendCondition{EventQuery{{QueryItem{{"placed"}, {"cart:5"}}}}, Offset{0}};
    other = request;
    other.producer->sequence = 2;
    first = engine->append(request).value();
    CHECK_FALSE(first.duplicate);
    check_same(engine->append(request), first);
    CHECK(engine->append(other).error().code() == ErrorCode::kConditionFailed);  // the condition is a live one
    REQUIRE(append(*engine, tenant, {{"order-2", "placed", "{}", {"cart:5"}}}));
    check_same(engine->append(request), first);
  }
  // Neither the recent window nor the cache of producers knows it any more.
  const auto engine = open_engine(directory.path());
  check_same(engine->append(request), first);
  CHECK(engine->append(other).error().code() == ErrorCode::kConditionFailed);
  CHECK(engine->durable_offset(request.tenant) == Offset{2});
}
