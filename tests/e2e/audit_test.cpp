// The audit trail over TCP: what is asked through a server, who may ask, and what the server says of itself.
#include <algorithm>

#include <fmt/format.h>

#include "server_fixture.hpp"

namespace bahi::test {
namespace {

using Act = wire::ManageProjection::Act;

server::ServerOptions with_views(bool guarded = false) {
  auto options = TestServer::server_options();
  options.views = "views";
  if (guarded) options.credentials = server::Credentials::kRequired;
  return options;
}

Status manage(client::Client& client, Act act, const std::string& projection = "audit") {
  wire::ManageProjection request;
  request.act = act;
  request.projection = projection;
  if (act == Act::kReplay) {
    request.name = "again";
    request.to = kOffsetMax;
  }
  return client.manage_projection(request);
}

/// Appends one event with metadata; the offset behind it.
std::uint64_t write(client::Client& client, const NewEvent& event) {
  BatchBuilder builder({Codec::kNone, 0});
  REQUIRE(builder.add(event));
  AppendRequest request;
  request.body = builder.finish().value();
  const auto stored = client.append(std::move(request));
  REQUIRE(stored);
  return stored->first_offset.value + 1;
}

NewEvent message(std::string_view type, std::string_view data, std::string_view correlation) {
  NewEvent event;
  event.stream = "conversation-tea";
  event.type = type;
  event.data = data;
  event.metadata.actor = "ravi";
  event.metadata.correlation_id = correlation;
  return event;
}

std::string ask(client::Client& client, const std::string& query, const std::string& arguments, std::uint64_t min = 0) {
  const auto answer = client.query({"audit", query, arguments, Offset{min}, 20'000});
  REQUIRE(answer);
  CHECK(answer->offset.value >= min);
  return answer->json;
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (auto place = text.find(part); place != std::string::npos; place = text.find(part, place + 1)) ++found;
  return found;
}

TEST_CASE("audit: the story of a correlation, words in any script, and a redaction, through a server", "[e2e][audit]") {
  TestServer server(with_views());
  {
    const auto client = server.client();
    REQUIRE(manage(*client, Act::kStart));
    write(*client,
          message("chat.MessageSent",
                  R"({"conversation":"tea","message":"m1","sender":"ravi","text":"चावल आ गया, secret 17"})", "c1"));
    NewEvent order;
    order.stream = "order-7";
    order.type = "order.Placed";
    order.data = R"({"note":"rice for tea"})";
    order.metadata.actor = "asha";
    order.metadata.correlation_id = "c1";
    const std::uint64_t end = write(*client, order);
    const std::string story = ask(*client, "story", R"({"correlation":"c1"})", end);
    CHECK(count(story, R"("offset":)") == 2);
    CHECK(story.find("message.sent") < story.find("order.Placed"));
    CHECK(count(ask(*client, "records", R"({"text":"चावल secret"})"), R"("offset":0)") == 1);
  }
  server.stop();
  server.start();
  const auto client = server.client();
  const std::uint64_t end =
      write(*client, message("chat.MessageRedacted", R"({"conversation":"tea","message":"m1","by":"asha"})", "c2"));
  CHECK(count(ask(*client, "records", R"({"text":"secret"})", end), R"("offset":)") == 0);
  const std::string all = ask(*client, "records", "{}");
  CHECK(count(all, R"("offset":)") == 3);
  CHECK(count(all, "secret") == 0);
  CHECK(count(all, R"("redacted_by":2)") == 1);
}

TEST_CASE("audit: pages over TCP end, and give each record once", "[e2e][audit]") {
  TestServer server(with_views());
  const auto client = server.client();
  REQUIRE(manage(*client, Act::kStart));
  std::uint64_t end = 0;
  for (int i = 0; i < 23; ++i) end = write(*client, message("noted", "{}", "c"));
  for (const std::size_t limit : {1U, 2U, 7U, 22U, 23U, 24U}) {
    std::size_t records = 0;
    std::string cursor;
    for (;;) {
      const std::string page =
          ask(*client, "records", fmt::format(R"({{"actor":"ravi","limit":{}{}}})", limit, cursor), end);
      records += count(page, R"("offset":)");
      const auto next = page.find(R"("next":")");
      if (next == std::string::npos) break;
      cursor = fmt::format(R"(,"cursor":"{}")", page.substr(next + 8, page.find('"', next + 8) - next - 8));
    }
    CHECK(records == 23);
  }
  const auto refused = client->query({"audit", "records", R"({"cursor":"00"})", {}, 0});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == ErrorCode::kInvalidCursor);
}

TEST_CASE("audit: the trail cannot be switched off through a server", "[e2e][audit]") {
  TestServer server(with_views());
  const auto client = server.client();
  REQUIRE(manage(*client, Act::kStart));
  const std::uint64_t end = write(*client, message("noted", "{}", "c"));
  CHECK(manage(*client, Act::kDrop).error().code() == ErrorCode::kRefused);
  CHECK(manage(*client, Act::kSkip).error().code() == ErrorCode::kRefused);
  REQUIRE(manage(*client, Act::kRebuild));
  CHECK(count(ask(*client, "records", "{}", end), R"("offset":)") == 1);
  REQUIRE(manage(*client, Act::kReplay));
  REQUIRE(manage(*client, Act::kDrop, "audit@again"));
}

TEST_CASE("audit: the server's own acts and denials are in the trail of 'system', for its tokens only",
          "[e2e][audit]") {
  TestServer server(with_views(true));
  const std::string system_admin = server.token("system", Role::kAdmin);
  const std::string system_auditor = server.token("system", Role::kAuditor);
  const std::string shop_reader = server.token("shop", Role::kReader);
  server.stop();
  server.start();
  const auto admin = server.client("system", system_admin);
  REQUIRE(manage(*admin, Act::kStart));
  REQUIRE(admin->create_tenant("second"));
  const auto reader = server.client("shop", shop_reader);
  CHECK_FALSE(reader->append(request_of({}, {{"order-1"}})));
  wait_for_events(server, "bahi.request-denied", 1);
  const std::uint64_t end = server.engine().durable_offset(kSystemTenant).value;

  const auto auditor = server.client("system", system_auditor);
  const std::string denied = ask(*auditor, "records", R"({"outcome":"denied"})", end);
  CHECK(count(denied, R"("offset":)") == 1);
  CHECK_THAT(denied, Catch::Contains(R"("action":"request.denied","target_type":"request","target_id":"Append")"));
  CHECK_THAT(denied, Catch::Contains("the role reader does not allow it"));
  const std::string acts = ask(*auditor, "records", R"({"action":"administered"})");
  CHECK_THAT(acts, Catch::Contains(R"("target_type":"CreateTenant","target_id":"second")"));
  CHECK(count(ask(*auditor, "records", R"({"action_prefix":"token."})"), R"("offset":)") == 3);
  CHECK_THAT(ask(*auditor, "records", R"({"action":"projection.started"})"), Catch::Contains("0/audit"));

  // A token of another tenant asks its own tenant's trail, which there is none of; an auditor starts nothing.
  const auto foreign = reader->query({"audit", "records", "{}", {}, 0});
  REQUIRE_FALSE(foreign);
  CHECK(foreign.error().code() == ErrorCode::kUnknownProjection);
  CHECK(manage(*auditor, Act::kRebuild).error().code() == ErrorCode::kForbidden);
  CHECK(manage(*reader, Act::kStart).error().code() == ErrorCode::kForbidden);
}

}  // namespace
}  // namespace bahi::test
