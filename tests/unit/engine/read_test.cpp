#include <thread>

#include "engine_fixture.hpp"

using namespace bahi;
using namespace bahi::test;

namespace {

std::vector<std::uint64_t> offsets(const std::vector<ReadEvent>& events) {
  std::vector<std::uint64_t> result;
  for (const ReadEvent& event : events) result.push_back(event.offset);
  return result;
}

}  // namespace

TEST_CASE("read: ranges, limits and directions", "[engine][read]") {
  const auto engine = memory_engine();
  const TenantId tenant = engine->create_tenant("shop").value();
  for (int i = 0; i < 4; ++i) REQUIRE(append(*engine, tenant, {{"order-1"}, {"order-2"}, {"order-3"}}));
  ReadRequest request = everything(tenant);
  CHECK(read_all(*engine, request).size() == 12);
  request.from = {4};
  request.to = Offset{8};
  CHECK(offsets(read_all(*engine, request)) == std::vector<std::uint64_t>{4, 5, 6, 7});
  request.direction = Direction::kBackward;
  CHECK(offsets(read_all(*engine, request)) == std::vector<std::uint64_t>{7, 6, 5, 4});
  request.limit = 3;
  CHECK(offsets(read_all(*engine, request)) == std::vector<std::uint64_t>{7, 6, 5});
  request.limit = 0;
  CHECK(read_all(*engine, request).empty());
  request = everything(tenant);
  request.from = {12};
  CHECK(read_all(*engine, request).empty());
  request.to = Offset{1000};
  request.from = {11};
  CHECK(offsets(read_all(*engine, request)) == std::vector<std::uint64_t>{11});
  request.from = {5};
  request.to = Offset{5};
  CHECK(read_all(*engine, request).empty());
  request.from = {13};
  request.to.reset();
  CHECK(engine->read(request).error().code() == ErrorCode::kOffsetOutOfRange);
}

TEST_CASE("read: every field of an event comes back as it was given", "[engine][read]") {
  const Codec codec = GENERATE(Codec::kNone, Codec::kLz4, Codec::kZstd);
  ManualClock clock({1'700'000'000'000'000'123});
  EngineOptions options = small_options();
  options.clock = &clock;
  const auto engine = memory_engine(std::make_shared<MemoryLog>(), options);
  const TenantId tenant = engine->create_tenant("shop").value();
  BatchBuilder builder({codec, 3});
  NewEvent given;
  given.stream = "order-42";
  given.type = "placed";
  given.data = std::string_view("\0\xFF binary", 9);
  given.content_type = "application/octet-stream";
  given.occurred_at = {-5};
  given.id = Uuid{1, 2};
  given.tags = {"a", "b"};
  given.metadata = {"actor", "principal", "correlation", "causation", "reason", "kind", "id"};
  REQUIRE(builder.add(given));
  AppendRequest request;
  request.tenant = tenant;
  request.body = builder.finish().value();
  REQUIRE(engine->append(std::move(request)));
  const auto cursor = engine->read(everything(tenant)).value();
  EventView event;
  REQUIRE(cursor->next(event).value());
  CHECK(event.tenant == tenant);
  CHECK(event.stream == given.stream);
  CHECK(event.type == given.type);
  CHECK(event.data == given.data);
  CHECK(event.content_type == given.content_type);
  CHECK(event.occurred_at == given.occurred_at);
  CHECK(event.recorded_at == clock.now());
  CHECK(event.id == *given.id);
  CHECK(event.tags == given.tags);
  CHECK(event.metadata == given.metadata);
  CHECK_FALSE(cursor->next(event).value());
}

TEST_CASE("read: batches come out byte for byte as they were put in", "[engine][read]") {
  TemporaryDirectory directory;
  const auto engine = open_engine(directory.path());
  const TenantId tenant = engine->create_tenant("shop").value();
  std::vector<std::string> bodies;
  for (int i = 0; i < 20; ++i) {
    AppendRequest request = request_of(tenant, {{"order-1", "t", std::string(100, 'x')}, {"order-2"}});
    bodies.push_back(request.body.bytes);
    REQUIRE(engine->append(std::move(request)));
    if (i == 10) REQUIRE(engine->flush());
  }
  const auto forward = engine->read_batches(tenant, {3}, {37}).value();
  std::size_t index = 1;  // the batch of offsets 2 and 3 overlaps the range
  while (forward->next().value()) {
    CHECK(forward->header().first_offset == Offset{index * 2});
    CHECK(stored_body(forward->header(), forward->stored()) == bodies[index]);
    ++index;
  }
  CHECK(index == 19);
  const auto backward = engine->read_batches(tenant, {3}, {37}, Direction::kBackward).value();
  while (backward->next().value()) CHECK(stored_body(backward->header(), backward->stored()) == bodies[--index]);
  CHECK(index == 1);
}

TEST_CASE("read: tenants do not see each other", "[engine][read]") {
  TemporaryDirectory directory;
  const auto engine = open_engine(directory.path());
  const TenantId one = engine->create_tenant("one").value();
  const TenantId two = engine->create_tenant("two").value();
  REQUIRE(append(*engine, one, {{"order-1", "a"}, {"order-1", "b"}}));
  REQUIRE(append(*engine, two, {{"order-1", "c"}}));
  CHECK(read_all(*engine, everything(one)).size() == 2);
  CHECK(read_all(*engine, everything(two)).size() == 1);
  CHECK(read_all(*engine, of_stream(two, "order-1")).front().event.type == "c");
  CHECK(engine->stream_version(two, "order-1").value() == Version{0});
  ReadRequest backward = everything(one);
  backward.direction = Direction::kBackward;
  CHECK(offsets(read_all(*engine, backward)) == std::vector<std::uint64_t>{1, 0});
  CHECK(engine->read(everything({9})).error().code() == ErrorCode::kUnknownTenant);
}

TEST_CASE("read: nothing is seen before it is durable", "[engine][read]") {
  const auto log = std::make_shared<MemoryLog>();
  const auto engine = memory_engine(log);
  const TenantId tenant = engine->create_tenant("shop").value();
  for (int i = 0; i < 100; ++i) {
    engine->submit(request_of(tenant, {{"order-1"}}), [](const Result<AppendResult>&) {});
    const auto seen = read_all(*engine, everything(tenant)).size();
    const std::shared_lock lock(log->mutex);
    std::size_t durable = 0;
    for (const auto& [key, batch] : log->durable) durable += key.first == tenant.value ? 1 : 0;
    CHECK(seen <= durable);
  }
}

TEST_CASE("read: a read-only engine follows a writer", "[engine][read]") {
  const bool without_index = GENERATE(false, true);
  TemporaryDirectory directory;
  const auto writer = open_engine(directory.path());
  const TenantId tenant = writer->create_tenant("shop").value();
  REQUIRE(append(*writer, tenant, {{"order-1"}, {"order-2"}}));
  EngineOptions options = small_options();
  options.read_only = true;
  options.without_index = without_index;
  const auto reader = open_engine(directory.path(), options);
  CHECK(reader->find_tenant("shop").value() == tenant);
  CHECK(read_all(*reader, everything(tenant)).size() == 2);
  CHECK_FALSE(reader->refresh().value());
  for (std::uint64_t i = 0; i < 20; ++i) {
    REQUIRE(append(*writer, tenant, {{"order-1"}}));
    if (i % 7 == 3) REQUIRE(writer->flush());
    REQUIRE(reader->refresh().value());
    CHECK(read_all(*reader, everything(tenant)).size() == 3 + i);
    CHECK(read_all(*reader, of_stream(tenant, "order-1")).size() == 2 + i);
  }
  const TenantId late = writer->create_tenant("late").value();
  REQUIRE(append(*writer, late, {{"order-1"}}));
  REQUIRE(reader->refresh().value());
  CHECK(read_all(*reader, everything(reader->find_tenant("late").value())).size() == 1);
  CHECK(reader->append(request_of(tenant, {{"order-1"}})).error().code() == ErrorCode::kReadOnly);
  CHECK(reader->create_tenant("more").error().code() == ErrorCode::kReadOnly);
  CHECK(reader->flush().error().code() == ErrorCode::kReadOnly);
  require_sound(*reader);
}
