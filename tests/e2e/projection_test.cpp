// Read models over TCP: care, queries that wait for what was written, and restarts.
#include <thread>

#include "server_fixture.hpp"

namespace bahi::test {
namespace {

using Act = wire::ManageProjection::Act;

server::ServerOptions with_views() {
  auto options = TestServer::server_options();
  options.views = "views";  // the server's own directory of that name
  return options;
}

Status manage(client::Client& client, Act act, const std::string& projection = "activity") {
  wire::ManageProjection request;
  request.act = act;
  request.projection = projection;
  return client.manage_projection(request);
}

wire::Query types_at(std::uint64_t min_offset, std::uint32_t timeout_ms = 20'000) {
  return {"activity", "types", "", Offset{min_offset}, timeout_ms};
}

TEST_CASE("projection: a query waits until it holds what was written before it", "[e2e]") {
  TestServer server(with_views());
  const auto client = server.client();
  REQUIRE(manage(*client, Act::kStart));
  for (int round = 0; round < 20; ++round) {
    const auto stored = client->append(request_of({}, {{"order-1"}, {"order-2"}}));
    REQUIRE(stored);
    const std::uint64_t end = stored->first_offset.value + stored->event_count;
    const auto answer = client->query(types_at(end));
    REQUIRE(answer);
    CHECK(answer->offset.value >= end);
    CHECK_THAT(answer->json, Catch::Contains("\"count\":" + std::to_string(end)));
  }
}

TEST_CASE("projection: a query gives up when its time is over", "[e2e]") {
  TestServer server(with_views());
  const auto client = server.client();
  REQUIRE(manage(*client, Act::kStart));
  const auto answer = client->query(types_at(5, 30));
  REQUIRE_FALSE(answer);
  CHECK(answer.error().code() == ErrorCode::kProjectionBehind);
}

TEST_CASE("projection: what is wrong is answered by the catalogue, and the connection goes on", "[e2e]") {
  TestServer server(with_views());
  const auto client = server.client();
  const auto code = [](const auto& result) { return result.error().code(); };
  CHECK(code(client->query(types_at(0))) == ErrorCode::kUnknownProjection);
  CHECK(code(manage(*client, Act::kStart, "horoscopes")) == ErrorCode::kUnknownProjection);
  REQUIRE(manage(*client, Act::kStart));
  CHECK(code(manage(*client, Act::kStart)) == ErrorCode::kProjectionExists);
  CHECK(code(client->query({"activity", "types", "{", {}, 0})) == ErrorCode::kMalformedJson);
  CHECK(code(client->query({"activity", "kinds", "", {}, 0})) == ErrorCode::kUnknownQuery);
  CHECK(code(client->command({"activity", "count", "", {}, 0})) == ErrorCode::kUnknownQuery);
  CHECK(code(client->append(request_of({}, {{"chat-1", "chat.MemberLeft", R"({"user":"a"})"}}))) ==
        ErrorCode::kMalformedEvent);
  CHECK(client->query(types_at(0)));
  CHECK(client->append(request_of({}, {{"chat-1", "chat.MemberLeft", R"({"user":"a","conversation":"c"})"}})));
}

TEST_CASE("projection: it is there after a restart, and in the list with its state", "[e2e]") {
  TestServer server(with_views());
  {
    const auto client = server.client();
    REQUIRE(manage(*client, Act::kStart));
    REQUIRE(client->append(request_of({}, {{"order-1"}})));
    REQUIRE(client->query(types_at(1)));
  }
  server.stop();
  server.start();
  const auto client = server.client();
  REQUIRE(client->query(types_at(1)));
  const auto list = client->projections();
  REQUIRE(list);
  CHECK_THAT(list->json, Catch::Contains(R"("tenant":"shop","name":"activity")") && Catch::Contains(R"("next":1)"));
  REQUIRE(manage(*client, Act::kRebuild));
  REQUIRE(client->query(types_at(1)));
  REQUIRE(manage(*client, Act::kDrop));
  CHECK_FALSE(client->query(types_at(1)));
}

TEST_CASE("projection: a question about the past is answered as of then, also over TCP", "[e2e]") {
  TestServer server(with_views());
  const auto client = server.client();
  REQUIRE(manage(*client, Act::kStart));
  REQUIRE(client->append(request_of({}, {{"order-1"}, {"order-2"}, {"order-3"}})));
  REQUIRE(client->query(types_at(3)));
  wire::Query query = types_at(0);
  query.at_offset = Offset{2};
  const auto past = client->query(query);
  REQUIRE(past);
  CHECK(past->offset == Offset{2});
  CHECK_THAT(past->json, Catch::Contains("\"count\":2"));
  query.trace_to = Offset{3};
  const auto trace = client->query(query);
  REQUIRE(trace);
  CHECK_THAT(trace->json, Catch::Contains(R"("changes":[{"offset":2,"after":)") && Catch::Contains("\"count\":3"));
  query = types_at(0);
  query.at_time = Timestamp{1};
  REQUIRE(client->query(query));
  CHECK(client->query(query)->offset == Offset{0});
  query = types_at(0);
  query.at_offset = Offset{4};
  CHECK(client->query(query).error().code() == ErrorCode::kOffsetOutOfRange);
  query.at_offset = Offset{2};
  query.min_offset = Offset{2};
  CHECK(client->query(query).error().code() == ErrorCode::kInvalidArgument);
}

TEST_CASE("projection: snapshots are taken, listed and deleted over TCP", "[e2e]") {
  using Snapshots = wire::ManageSnapshots;
  TestServer server(with_views());
  const auto client = server.client();
  REQUIRE(manage(*client, Act::kStart));
  REQUIRE(client->append(request_of({}, {{"order-1"}})));
  REQUIRE(client->query(types_at(1)));
  const auto system = server.client("system");
  const auto made = system->manage_snapshots({Snapshots::Act::kCreate, 0});
  REQUIRE(made);
  CHECK_THAT(made->json, Catch::Contains(R"("id":1,)") && Catch::Contains(R"("read_models":1)"));
  const auto listed = system->manage_snapshots({});
  REQUIRE(listed);
  CHECK(listed->json == made->json);
  REQUIRE(system->manage_snapshots({Snapshots::Act::kDelete, 1}));
  CHECK(system->manage_snapshots({})->json == R"({"snapshots":[]})");
  CHECK(system->manage_snapshots({Snapshots::Act::kDelete, 1}).error().code() == ErrorCode::kUnknownSnapshot);
}

TEST_CASE("projection: a server without read models says so", "[e2e]") {
  TestServer server;
  const auto client = server.client();
  CHECK(client->query(types_at(0)).error().code() == ErrorCode::kUnknownProjection);
  CHECK(manage(*client, Act::kStart).error().code() == ErrorCode::kUnknownProjection);
  CHECK(client->projections().error().code() == ErrorCode::kUnknownProjection);
}

TEST_CASE("projection: a server that stops answers the queries that wait", "[e2e]") {
  TestServer server(with_views());
  const auto client = server.client();
  REQUIRE(manage(*client, Act::kStart));
  std::thread asking([&] {
    const auto answer = client->query(types_at(1000, 60'000));
    CHECK_FALSE(answer);
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  server.server().stop();
  asking.join();
}

}  // namespace
}  // namespace bahi::test
