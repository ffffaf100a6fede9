// Appends and reads over TCP: what the engine does in process, a client sees in the same way.
#include <thread>

#include "server_fixture.hpp"

namespace bahi::test {
namespace {

std::vector<Event> some_events(std::size_t from, std::size_t count) {
  std::vector<Event> events;
  for (std::size_t i = from; i < from + count; ++i) {
    events.push_back({"order-" + std::to_string(i % 7),
                      i % 3 == 0 ? "placed" : "paid",
                      R"({"n":)" + std::to_string(i) + "}",
                      {"customer:" + std::to_string(i % 5)}});
  }
  return events;
}

/// 100 batches of 20 events.
void fill(client::Client& client) {
  for (std::size_t i = 0; i < 100; ++i) REQUIRE(client.append(request_of({}, some_events(i * 20, 20))));
}

TEST_CASE("e2e: what is appended is read back", "[e2e]") {
  TestServer server;
  const auto client = server.client();
  CHECK(client->welcome().tenant == "shop");
  const auto appended = client->append(request_of({}, {{"order-1", "placed", R"({"n":1})"}, {"order-1"}, {"order-2"}}));
  REQUIRE(appended);
  CHECK(appended->first_offset == Offset{0});
  CHECK(appended->event_count == 3);
  CHECK(appended->first_versions == std::vector<std::int64_t>{0, 0});
  CHECK_FALSE(appended->duplicate);
  const auto events = drain(*client->read({}));
  CHECK(events == read_all(server.engine(), everything(server.shop())));
  CHECK(events.size() == 3);
}

TEST_CASE("e2e: every way to read gives what the engine gives", "[e2e]") {
  TestServer server;
  const auto client = server.client();
  fill(*client);
  const auto same = [&](ReadRequest request) {
    request.tenant = server.shop();
    const auto wanted = read_all(server.engine(), request);
    const auto reader = client->read(request);
    CHECK(drain(*reader) == wanted);
    return wanted.size();
  };
  for (const Direction direction : {Direction::kForward, Direction::kBackward}) {
    for (const auto& limit : {std::optional<std::uint64_t>(), std::optional<std::uint64_t>(33)}) {
      ReadRequest request;
      request.direction = direction;
      request.limit = limit;
      CHECK(same(request) == (limit ? 33 : 2000));
      request.from = Offset{307};
      request.to = Offset{1505};
      CHECK(same(request) == (limit ? 33 : 1198));
      request.filter.stream = "order-3";
      CHECK(same(request) > 30);
      request.filter = {};
      request.filter.types = {"placed", "unheard-of"};
      CHECK(same(request) > 30);
      request.filter.tags = {"customer:2"};
      CHECK(same(request) > 30);
      request.filter = {};
      request.filter.category = "order";
      CHECK(same(request) > 30);
      request.filter.category = "invoice";
      CHECK(same(request) == 0);
    }
  }
}

TEST_CASE("e2e: a filtered read gives a batch once, wherever the parts end that the server looks at", "[e2e]") {
  TestServer server;
  const auto client = server.client();
  // 4,096 offsets, and so each multiple of it, lie inside a batch of 11.
  for (std::size_t i = 0; i < 800; ++i) REQUIRE(client->append(request_of({}, some_events(i * 11, 11))));
  for (const Direction direction : {Direction::kForward, Direction::kBackward}) {
    ReadRequest request;
    request.direction = direction;
    request.filter.category = "order";
    CHECK(drain(*client->read(request)).size() == 8800);
    request.filter = {};
    request.filter.types = {"placed"};
    request.from = Offset{5};
    request.tenant = server.shop();
    CHECK(drain(*client->read(request)) == read_all(server.engine(), request));
  }
}

TEST_CASE("e2e: a read beyond the end is refused", "[e2e]") {
  TestServer server;
  const auto client = server.client();
  ReadRequest request;
  request.from = Offset{1};
  EventView event;
  const auto read = client->read(request)->next(event);
  REQUIRE_FALSE(read);
  CHECK(read.error().code() == ErrorCode::kOffsetOutOfRange);
}

TEST_CASE("e2e: a conflict says at which version the stream is", "[e2e]") {
  TestServer server;
  const auto client = server.client();
  REQUIRE(client->append(request_of({}, {{"order-1"}, {"order-1"}})));
  AppendRequest stale = request_of({}, {{"order-1"}});
  stale.expectations.push_back({"order-1", ExpectedVersion::exactly(Version{0})});
  const auto refused = client->append(stale);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == ErrorCode::kWrongExpectedVersion);
  REQUIRE(refused.error().conflict() != nullptr);
  CHECK(refused.error().conflict()->stream == "order-1");
  CHECK(refused.error().conflict()->actual_version == 1);

  AppendRequest conditional = request_of({}, {{"order-2"}});
  conditional.condition = AppendCondition{{{QueryItem{{"happened"}, {}}}}, Offset{0}};
  const auto failed = client->append(conditional);
  REQUIRE_FALSE(failed);
  CHECK(failed.error().code() == ErrorCode::kConditionFailed);
  REQUIRE(failed.error().conflict() != nullptr);
  CHECK(failed.error().conflict()->offset == 1);
}

TEST_CASE("e2e: a repeated producer position is answered with the first result", "[e2e]") {
  TestServer server;
  AppendRequest request = request_of({}, {{"order-1"}});
  request.producer = ProducerPosition{Uuid{1, 2}, 7};
  const auto first = server.client()->append(request);
  const auto second = server.client()->append(request);
  REQUIRE(first);
  REQUIRE(second);
  CHECK(second->duplicate);
  CHECK(second->first_offset == first->first_offset);
  CHECK(drain(*server.client()->read({})).size() == 1);
}

TEST_CASE("e2e: a malformed body is refused and the connection goes on", "[e2e]") {
  TestServer server;
  const auto client = server.client();
  AppendRequest request = request_of({}, {{"order-1"}}, Codec::kNone);
  request.body.bytes[20] = static_cast<char>(~request.body.bytes[20]);
  request.body.bytes.resize(request.body.bytes.size() - 3);
  const auto refused = client->append(request);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == ErrorCode::kMalformedBatch);
  CHECK(client->append(request_of({}, {{"order-1"}})));
}

TEST_CASE("e2e: many appends under way at once, from several connections", "[e2e]") {
  TestServer server;
  constexpr std::size_t kClients = 4;
  constexpr std::size_t kAppends = 300;
  std::vector<std::thread> threads;
  std::atomic<std::size_t> stored{0};
  for (std::size_t c = 0; c < kClients; ++c) {
    threads.emplace_back([&] {
      const auto connected = client::Client::connect(server.client_options());
      if (!connected) return;
      std::atomic<std::size_t> answered{0};
      for (std::size_t i = 0; i < kAppends; ++i) {
        BatchBuilder builder;
        NewEvent event;
        event.stream = "order-1";
        event.type = "placed";
        (void)builder.add(event);
        AppendRequest request;
        request.body = builder.finish().value();
        (*connected)->submit(std::move(request), [&](const Result<AppendResult>& result) {
          if (result) stored.fetch_add(1);
          answered.fetch_add(1);
          answered.notify_one();
        });
      }
      for (auto n = answered.load(); n != kAppends; n = answered.load()) answered.wait(n);
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(stored == kClients * kAppends);
  const auto events = drain(*server.client()->read({}));
  CHECK(events.size() == kClients * kAppends);
  require_sound(server.engine());
}

}  // namespace
}  // namespace bahi::test
