#include <future>

#include "engine_fixture.hpp"

using namespace bahi;
using namespace bahi::test;

TEST_CASE("append: offsets and versions are dense from 0", "[engine][append]") {
  const auto engine = memory_engine();
  const TenantId tenant = engine->create_tenant("shop").value();
  const auto first = append(*engine, tenant, {{"order-1"}, {"order-2"}, {"order-1"}});
  REQUIRE(first);
  CHECK(first->first_offset == Offset{0});
  CHECK(first->event_count == 3);
  CHECK(first->first_versions == std::vector<std::int64_t>{0, 0});
  CHECK_FALSE(first->duplicate);
  const auto second = append(*engine, tenant, {{"order-1"}});
  REQUIRE(second);
  CHECK(second->first_offset == Offset{3});
  CHECK(second->first_versions == std::vector<std::int64_t>{2});
  CHECK(engine->durable_offset(tenant) == Offset{4});
  CHECK(engine->stream_version(tenant, "order-1").value() == Version{2});
  CHECK(engine->stream_version(tenant, "order-9").value() == kNoStream);
}

TEST_CASE("append: every kind of expected version, met and not met", "[engine][append]") {
  const auto engine = memory_engine();
  const TenantId tenant = engine->create_tenant("shop").value();
  REQUIRE(append(*engine, tenant, {{"order-1"}, {"order-1"}}));
  struct Case {
    std::string stream;
    ExpectedVersion expected;
    bool met;
  };
  const std::vector<Case> cases{
      {"order-1", ExpectedVersion::any(), true},           {"order-2", ExpectedVersion::any(), true},
      {"order-1", ExpectedVersion::no_stream(), false},    {"order-2", ExpectedVersion::no_stream(), true},
      {"order-1", ExpectedVersion::stream_exists(), true}, {"order-2", ExpectedVersion::stream_exists(), false},
      {"order-1", ExpectedVersion::exactly({1}), true},    {"order-1", ExpectedVersion::exactly({0}), false},
      {"order-1", ExpectedVersion::exactly({2}), false},   {"order-2", ExpectedVersion::exactly({0}), false},
  };
  for (const Case& each : cases) {
    CAPTURE(each.stream, static_cast<int>(each.expected.kind), each.expected.version.value);
    // Written to another stream, so that the state under test stays as it is.
    const auto result = append_expecting(*engine, tenant, {{"log-1"}}, {{each.stream, each.expected}});
    CHECK(result.has_value() == each.met);
    if (each.met) continue;
    REQUIRE(result.error().code() == ErrorCode::kWrongExpectedVersion);
    REQUIRE(result.error().conflict() != nullptr);
    CHECK(result.error().conflict()->stream == each.stream);
    CHECK(result.error().conflict()->actual_version == (each.stream == "order-1" ? 1 : -1));
  }
}

TEST_CASE("append: one failed expectation among several stores nothing", "[engine][append]") {
  const auto engine = memory_engine();
  const TenantId tenant = engine->create_tenant("shop").value();
  REQUIRE(append(*engine, tenant, {{"order-1"}}));
  const auto result =
      append_expecting(*engine, tenant, {{"order-1"}, {"order-2"}},
                       {{"order-1", ExpectedVersion::exactly({0})}, {"order-3", ExpectedVersion::stream_exists()}});
  REQUIRE(result.has_error());
  CHECK(engine->durable_offset(tenant) == Offset{1});
  CHECK(engine->stream_version(tenant, "order-2").value() == kNoStream);
  // And the versions go on as if it had never been.
  CHECK(append(*engine, tenant, {{"order-1"}, {"order-2"}})->first_versions == std::vector<std::int64_t>{1, 0});
}

TEST_CASE("append: of many racing for the same version exactly one wins", "[engine][append]") {
  const auto engine = memory_engine();
  const TenantId tenant = engine->create_tenant("shop").value();
  constexpr int kWriters = 50;
  std::vector<std::future<Result<AppendResult>>> answers;
  for (int i = 0; i < kWriters; ++i) {
    AppendRequest request = request_of(tenant, {{"order-1", "placed", std::to_string(i)}});
    request.expectations = {{"order-1", ExpectedVersion::no_stream()}};
    auto promise = std::make_shared<std::promise<Result<AppendResult>>>();
    answers.push_back(promise->get_future());
    engine->submit(std::move(request),
                   [promise](Result<AppendResult> result) { promise->set_value(std::move(result)); });
  }
  int won = 0;
  for (auto& answer : answers) won += answer.get().has_value() ? 1 : 0;
  CHECK(won == 1);
  CHECK(engine->durable_offset(tenant) == Offset{1});
}

TEST_CASE("append: requests of one thread are sequenced in its order", "[engine][append]") {
  const auto engine = memory_engine();
  const TenantId tenant = engine->create_tenant("shop").value();
  constexpr std::uint64_t kRequests = 500;
  std::vector<std::uint64_t> offsets(kRequests);
  std::promise<void> finished;
  std::atomic<std::uint64_t> answered{0};
  for (std::uint64_t i = 0; i < kRequests; ++i) {
    engine->submit(request_of(tenant, {{"order-1"}}), [&, i](Result<AppendResult> result) {
      offsets[i] = result->first_offset.value;
      if (++answered == kRequests) finished.set_value();
    });
  }
  finished.get_future().wait();
  for (std::uint64_t i = 0; i < kRequests; ++i) CHECK(offsets[i] == i);
}

TEST_CASE("append: a callback may submit the next request", "[engine][append]") {
  const auto engine = memory_engine();
  const TenantId tenant = engine->create_tenant("shop").value();
  std::promise<void> finished;
  std::function<void(int)> step = [&](int left) {
    engine->submit(request_of(tenant, {{"order-1"}}), [&, left](Result<AppendResult> result) {
      if (!result || left == 0) return finished.set_value();
      step(left - 1);
    });
  };
  step(100);
  finished.get_future().wait();
  CHECK(engine->durable_offset(tenant) == Offset{101});
}

TEST_CASE("append: whoever waits for answers is woken after them, refused ones too", "[engine][append]") {
  struct Waker final : AnswerWaker {
    void wake() override {
      seen = answered.load();
      wakes.fetch_add(1);
      seen.notify_all();
    }
    std::atomic<std::uint64_t> answered{0};
    std::atomic<std::uint64_t> seen{0};  // answers that came before the last wake
    std::atomic<std::uint64_t> wakes{0};
  };
  const auto engine = memory_engine();
  const TenantId tenant = engine->create_tenant("shop").value();
  const auto waker = std::make_shared<Waker>();
  constexpr std::uint64_t kRequests = 500;
  for (std::uint64_t i = 0; i < kRequests; ++i) {
    const bool refused = i % 50 == 0;
    const TenantId of = refused ? TenantId{77} : tenant;
    engine->submit(
        request_of(of, {{"order-1"}}), [waker](const Result<AppendResult>&) { waker->answered.fetch_add(1); }, waker);
    if (refused) CHECK(waker->wakes.load() > 0);
  }
  for (auto seen = waker->seen.load(); seen != kRequests; seen = waker->seen.load()) waker->seen.wait(seen);
  CHECK(waker->answered.load() == kRequests);
  CHECK(waker->wakes.load() <= kRequests);
}

TEST_CASE("append: refused requests name what is wrong and store nothing", "[engine][append]") {
  const auto engine = memory_engine();
  const TenantId tenant = engine->create_tenant("shop").value();
  const auto code = [&](AppendRequest request) {
    const auto result = engine->append(std::move(request));
    return result ? ErrorCode::kInternal : result.error().code();
  };
  CHECK(code(request_of({77}, {{"order-1"}})) == ErrorCode::kUnknownTenant);

  AppendRequest bad_body = request_of(tenant, {{"order-1"}}, Codec::kNone);
  bad_body.body.bytes[bad_body.body.bytes.size() / 2] ^= 1;
  bad_body.body.bytes.resize(bad_body.body.bytes.size() - 8);
  CHECK(code(bad_body) == ErrorCode::kMalformedBatch);

  AppendRequest wrong_count = request_of(tenant, {{"order-1"}});
  wrong_count.body.event_count = 2;
  CHECK(code(wrong_count) == ErrorCode::kMalformedBatch);

  AppendRequest too_large = request_of(tenant, {{"order-1"}});
  too_large.body.raw_size = 1U << 30U;
  CHECK(code(too_large) == ErrorCode::kBatchTooLarge);

  AppendRequest bad_expectation = request_of(tenant, {{"order-1"}});
  bad_expectation.expectations = {{"order", ExpectedVersion::any()}};
  CHECK(code(bad_expectation) == ErrorCode::kInvalidStreamName);

  AppendRequest negative = request_of(tenant, {{"order-1"}});
  negative.expectations = {{"order-1", ExpectedVersion::exactly({-1})}};
  CHECK(code(negative) == ErrorCode::kInvalidArgument);

  AppendRequest nil_producer = request_of(tenant, {{"order-1"}});
  nil_producer.producer = ProducerPosition{};
  CHECK(code(nil_producer) == ErrorCode::kInvalidArgument);

  AppendRequest empty_query = request_of(tenant, {{"order-1"}});
  empty_query.condition = AppendCondition{};
  CHECK(code(empty_query) == ErrorCode::kInvalidArgument);

  AppendRequest empty_item = request_of(tenant, {{"order-1"}});
  empty_item.condition = AppendCondition{{{QueryItem{}}}, {0}};
  CHECK(code(empty_item) == ErrorCode::kInvalidArgument);

  CHECK(engine->durable_offset(tenant) == Offset{0});
}

TEST_CASE("append: a full queue answers overloaded, and the engine recovers", "[engine][append]") {
  EngineOptions options = small_options();
  options.queue_bytes_max = 64 << 10U;
  TemporaryDirectory directory;
  const auto engine = open_engine(directory.path(), options);
  const TenantId tenant = engine->create_tenant("shop").value();
  const AppendRequest request = request_of(tenant, {{"order-1", "placed", std::string(16 << 10U, 'x')}}, Codec::kNone);
  constexpr int kRequests = 400;
  std::atomic<int> stored{0};
  std::atomic<int> overloaded{0};
  std::promise<void> finished;
  for (int i = 0; i < kRequests; ++i) {
    engine->submit(request, [&](Result<AppendResult> result) {
      if (result) {
        ++stored;
      } else if (result.error().code() == ErrorCode::kOverloaded) {
        ++overloaded;
      }
      if (stored + overloaded == kRequests) finished.set_value();
    });
  }
  finished.get_future().wait();
  CHECK(overloaded > 0);
  CHECK(engine->stats().overloads == static_cast<std::uint64_t>(overloaded));
  CHECK(engine->durable_offset(tenant) == Offset{static_cast<std::uint64_t>(stored)});
  CHECK(engine->append(request).has_value());
}

TEST_CASE("append: after close requests are refused and everything accepted is stored", "[engine][append]") {
  TemporaryDirectory directory;
  std::atomic<int> stored{0};
  {
    const auto engine = open_engine(directory.path());
    const TenantId tenant = engine->create_tenant("shop").value();
    for (int i = 0; i < 200; ++i) {
      engine->submit(request_of(tenant, {{"order-1"}}), [&](Result<AppendResult> result) { stored += result ? 1 : 0; });
    }
    REQUIRE(engine->close());
    CHECK(stored == 200);
    CHECK(engine->append(request_of(tenant, {{"order-1"}})).error().code() == ErrorCode::kShuttingDown);
  }
  const auto engine = open_engine(directory.path());
  CHECK(engine->durable_offset(engine->find_tenant("shop").value()) == Offset{200});
}
