// Who may do what: every role of every kind of tenant with every request, over TCP, and the record of it.
#include <functional>
#include <map>
#include <set>
#include <utility>

#include "bahi/server/access.hpp"
#include "server_fixture.hpp"
#include "session.hpp"

namespace bahi::test {
namespace {

server::ServerOptions guarded() {
  auto options = TestServer::server_options();
  options.credentials = server::Credentials::kRequired;
  return options;
}

enum class Scope { kTenant, kNotSystem, kWholeStore };

struct Request {
  std::string name;
  Scope scope;
  std::vector<Role> roles;
  std::function<Status(client::Client&)> send;
};

template <class T>
Status status_of(const Result<T>& result) {
  return result ? Status{} : Status{result.error()};
}

/// That this server has no read models and no trees is only found out by those who are allowed to ask.
template <class T>
Status unless_unknown(const Result<T>& result) {
  const bool let_through = result || result.error().code() == ErrorCode::kUnknownProjection ||
                           result.error().code() == ErrorCode::kUnknownRequest;
  return let_through ? Status{} : Status{result.error()};
}

std::vector<Request> all_requests() {
  const std::vector<Role> everybody{Role::kAdmin, Role::kWriter, Role::kReader, Role::kAuditor};
  const std::vector<Role> overseers{Role::kAdmin, Role::kAuditor};
  const std::vector<Role> provers{Role::kAdmin, Role::kReader, Role::kAuditor};
  return {
      {"Append",
       Scope::kNotSystem,
       {Role::kAdmin, Role::kWriter},
       [](client::Client& c) { return status_of(c.append(request_of({}, {{"order-1"}}))); }},
      {"Read", Scope::kTenant, everybody,
       [](client::Client& c) {
         EventView event;
         return status_of(c.read({})->next(event));
       }},
      {"Subscribe", Scope::kTenant, everybody,
       [](client::Client& c) {
         EventView event;
         const auto next = c.subscribe({})->next(event, std::chrono::seconds(1));
         return next || next.error().code() == ErrorCode::kDeadlineExceeded ? Status{} : Status{next.error()};
       }},
      {"CreateToken",
       Scope::kTenant,
       {Role::kAdmin},
       [](client::Client& c) {
         return status_of(c.create_token({"", Role::kReader, "made by a test", {}}));
       }},
      // That the token is unknown is only found out by those who are allowed to ask.
      {"RevokeToken",
       Scope::kTenant,
       {Role::kAdmin},
       [](client::Client& c) {
         const Status revoked = c.revoke_token(Uuid{1, 2});
         return !revoked && revoked.error().code() == ErrorCode::kUnknownToken ? Status{} : revoked;
       }},
      {"ListTokens", Scope::kTenant, overseers, [](client::Client& c) { return status_of(c.tokens()); }},
      {"CreateTenant",
       Scope::kWholeStore,
       {Role::kAdmin},
       [](client::Client& c) { return c.create_tenant("made-by-a-test"); }},
      {"SetTenantLimits",
       Scope::kWholeStore,
       {Role::kAdmin},
       [](client::Client& c) {
         return c.set_tenant_limits({"shop", {{TenantLimit::kConnections, 1000}}});
       }},
      {"ListTenants", Scope::kWholeStore, overseers, [](client::Client& c) { return status_of(c.tenants()); }},
      {"GetStatus", Scope::kWholeStore, overseers, [](client::Client& c) { return status_of(c.status()); }},
      {"CreateBackup",
       Scope::kWholeStore,
       {Role::kAdmin},
       [](client::Client& c) {
         // Without a directory for it, being allowed is all there is to see.
         const auto taken = c.create_backup();
         return taken || taken.error().code() == ErrorCode::kInvalidArgument ? Status{} : Status{taken.error()};
       }},
      {"VerifyStore", Scope::kWholeStore, overseers, [](client::Client& c) { return status_of(c.verify()); }},
      {"Query", Scope::kTenant, everybody,
       [](client::Client& c) {
         return unless_unknown(c.query({"activity", "types", "", {}, 0}));
       }},
      {"Command",
       Scope::kNotSystem,
       {Role::kAdmin, Role::kWriter},
       [](client::Client& c) {
         return unless_unknown(c.command({"activity", "count", "", {}, 0}));
       }},
      {"ManageProjection",
       Scope::kTenant,
       {Role::kAdmin},
       [](client::Client& c) {
         wire::ManageProjection request;
         request.projection = "activity";
         return unless_unknown(c.manage_projection(request));
       }},
      {"ListProjections", Scope::kTenant, everybody,
       [](client::Client& c) { return unless_unknown(c.projections()); }},
      {"GetCheckpoint", Scope::kTenant, provers, [](client::Client& c) { return unless_unknown(c.checkpoint({})); }},
      {"GetProof", Scope::kTenant, provers, [](client::Client& c) { return unless_unknown(c.proof({})); }},
      {"ManageSnapshots",
       Scope::kWholeStore,
       {Role::kAdmin},
       [](client::Client& c) { return unless_unknown(c.manage_snapshots({})); }},
      {"Ping", Scope::kTenant, everybody, [](client::Client& c) { return status_of(c.ping()); }},
  };
}

template <std::size_t... I>
std::vector<wire::Message> one_of_each(std::index_sequence<I...>) {
  return {wire::Message(std::in_place_index<I + 1>)...};  // the first one is no message
}

/// What a session takes for a request from somebody who may do everything.
std::set<std::string> requests_of_the_protocol() {
  auto all_powerful = std::make_shared<server::Credential>();
  all_powerful->tenant = TenantId{1};
  all_powerful->role = Role::kAdmin;
  all_powerful->whole_store = true;
  const auto let_in = [&](const wire::Hello&) { return Result<server::CredentialPtr>(all_powerful); };
  std::set<std::string> requests;
  for (const wire::Message& message : one_of_each(std::make_index_sequence<std::variant_size_v<wire::Message> - 1>())) {
    server::Session session({}, let_in, SystemClock::instance(), {});
    std::string bytes;
    wire::put_frame(0, wire::Hello{}, 0, bytes);
    wire::put_frame(7, message, 0, bytes);
    session.receive(bytes, {});
    if (session.next_action()) requests.emplace(wire::name_of(message));
  }
  return requests;
}

TEST_CASE("access: the matrix below holds every request of the protocol", "[access]") {
  const std::set<std::string> no_actions{"Subscribe", "Ping"};  // a Read that follows; answered by the session itself
  std::set<std::string> tested;
  for (const Request& request : all_requests()) {
    if (!no_actions.contains(request.name)) tested.insert(request.name);
  }
  CHECK(requests_of_the_protocol() == tested);
}

TEST_CASE("access: what has no rule is forbidden to everybody", "[access]") {
  server::Credential credential;
  credential.role = Role::kAdmin;
  credential.whole_store = true;
  CHECK_FALSE(server::check_permission(credential, wire::Welcome{}));
  CHECK_FALSE(server::check_permission(credential, wire::Unknown{200}));
}

TEST_CASE("e2e: a flood of denials is recorded in part, and counted in whole", "[e2e][access]") {
  TestServer server(guarded());
  constexpr std::size_t kDenials = 120;
  for (std::size_t i = 0; i < kDenials; ++i) {
    const auto client = client::Client::connect(server.client_options("shop", "bahi_wrong"));
    REQUIRE_FALSE(client);
    CHECK(client.error().code() == ErrorCode::kUnauthenticated);
  }
  server.stop();
  server.start();
  const std::size_t recorded = count_events(server, "bahi.request-denied");
  CHECK(recorded >= 1);
  CHECK(recorded <= 40);
  ReadRequest request = everything(kSystemTenant);
  request.filter.category = "audit";
  std::size_t left_out = 0;
  for (const ReadEvent& read : read_all(server.engine(), request)) {
    const std::string name = R"("not_recorded":)";
    const auto place = read.event.data.find(name);
    if (place != std::string::npos) left_out += std::stoul(read.event.data.substr(place + name.size()));
  }
  CHECK(recorded + left_out == kDenials);
}

TEST_CASE("e2e: role x tenant x request", "[e2e][access]") {
  TestServer server(guarded());
  std::map<std::pair<std::string, Role>, std::string> tokens;
  for (const std::string& tenant : {std::string("shop"), std::string("system")}) {
    for (const Role role : {Role::kAdmin, Role::kWriter, Role::kReader, Role::kAuditor}) {
      tokens[{tenant, role}] = server.token(tenant, role);
    }
  }
  server.stop();
  server.start();
  REQUIRE(append(server.engine(), server.shop(), {{"order-1"}}));
  std::size_t denials = 0;
  for (const auto& [who, token] : tokens) {
    const auto& [tenant, role] = who;
    const auto client = server.client(tenant, token);
    CHECK(client->welcome().role == role);
    for (const Request& request : all_requests()) {
      const bool role_may = std::find(request.roles.begin(), request.roles.end(), role) != request.roles.end();
      const bool tenant_may = (request.scope == Scope::kNotSystem && tenant == "shop") ||
                              (request.scope == Scope::kWholeStore && tenant == "system") ||
                              request.scope == Scope::kTenant;
      INFO(tenant << ", " << to_string(role) << ", " << request.name);
      const Status status = request.send(*client);
      if (role_may && tenant_may) {
        CHECK(status);
      } else {
        REQUIRE_FALSE(status);
        CHECK(status.error().code() == ErrorCode::kForbidden);
        ++denials;
      }
    }
  }
  CHECK(denials > 20);
  wait_for_events(server, "bahi.request-denied", denials);
}

TEST_CASE("e2e: without a right token nobody enters, and it is recorded", "[e2e][access]") {
  TestServer server(guarded());
  const std::string good = server.token("shop", Role::kReader);
  server.stop();
  server.start();
  std::string forged = good;
  forged.back() = forged.back() == '0' ? '1' : '0';
  std::size_t denials = 0;
  for (const std::string& token : {std::string(), std::string("bahi_"), forged, good + "0", std::string(2000, 'a')}) {
    const auto client = client::Client::connect(server.client_options("shop", token));
    REQUIRE_FALSE(client);
    CHECK(client.error().code() == ErrorCode::kUnauthenticated);
    ++denials;
  }
  const auto other_tenant = client::Client::connect(server.client_options("system", good));
  REQUIRE_FALSE(other_tenant);
  CHECK(other_tenant.error().code() == ErrorCode::kForbidden);
  wait_for_events(server, "bahi.request-denied", ++denials);
  CHECK(server.client("shop", good)->ping());
  CHECK(server.client("", good)->welcome().tenant == "shop");
}

TEST_CASE("e2e: a revoked token ends its sessions at once", "[e2e][access]") {
  TestServer server(guarded());
  const std::string admin_token = server.token("shop", Role::kAdmin);
  server.stop();
  server.start();
  const auto admin = server.client("shop", admin_token);
  const auto created = admin->create_token({"", Role::kWriter, "till 7", {}});
  REQUIRE(created);
  const auto other = admin->create_token({"", Role::kWriter, "till 7, second", {}});
  REQUIRE(other);
  CHECK(admin->tokens().value().tokens.size() == 3);
  const auto writer = server.client("shop", created->secret);
  const auto reader = writer->subscribe({});
  REQUIRE(writer->append(request_of({}, {{"order-1"}})));
  CHECK(take(*reader, 1).size() == 1);
  REQUIRE(admin->revoke_token(created->id));
  const auto refused = writer->append(request_of({}, {{"order-1"}}));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == ErrorCode::kUnauthenticated);
  REQUIRE(server.client("shop", other->secret)->append(request_of({}, {{"order-1"}})));
  EventView event;
  const auto ended = reader->next(event);
  REQUIRE_FALSE(ended);
  CHECK(ended.error().code() == ErrorCode::kUnauthenticated);
  CHECK_FALSE(client::Client::connect(server.client_options("shop", created->secret)));
  CHECK(count_events(server, "bahi.token-revoked") == 1);
  CHECK(count_events(server, "bahi.administered") == 3);
  // It stays revoked.
  server.stop();
  server.start();
  CHECK_FALSE(client::Client::connect(server.client_options("shop", created->secret)));
  CHECK(server.client("shop", other->secret)->ping());
}

TEST_CASE("e2e: a token of a tenant gives no power over another", "[e2e][access]") {
  TestServer server(guarded());
  REQUIRE(server.engine().create_tenant("other"));
  const std::string shop_token = server.token("shop", Role::kAdmin);
  const std::string other_token = server.token("other", Role::kAdmin);
  server.stop();
  server.start();
  const auto shop = server.client("shop", shop_token);
  const auto other = server.client("other", other_token);
  const auto made = other->create_token({"", Role::kReader, "", {}});
  REQUIRE(made);
  const Status revoked = shop->revoke_token(made->id);
  REQUIRE_FALSE(revoked);
  CHECK(revoked.error().code() == ErrorCode::kUnknownToken);
  const auto foreign = shop->create_token({"other", Role::kAdmin, "", {}});
  REQUIRE_FALSE(foreign);
  CHECK(foreign.error().code() == ErrorCode::kForbidden);
  CHECK(shop->tokens().value().tokens.size() == 1);
}

TEST_CASE("access: an expired token is none", "[access]") {
  const auto engine = memory_engine();
  const auto access = server::Access::load(*engine).value();
  const auto token = access->create({"system", Role::kReader, "", Timestamp{2000}}, "test", Timestamp{1000});
  REQUIRE(token);
  CHECK(access->authenticate(token->secret, Timestamp{1999}));
  CHECK_FALSE(access->authenticate(token->secret, Timestamp{2000}));
  CHECK(access->list(kSystemTenant, Timestamp{2000}).empty());
  CHECK_FALSE(access->create({"system", Role::kReader, "", Timestamp{500}}, "test", Timestamp{1000}));
}

TEST_CASE("access: the log holds no secret", "[access]") {
  const auto engine = memory_engine();
  const auto access = server::Access::load(*engine).value();
  const auto token = access->create({"system", Role::kReader, "", {}}, "test", Timestamp{1000}).value();
  const std::string secret = token.secret.substr(token.secret.rfind('_') + 1);
  CHECK(secret.size() == 64);
  for (const ReadEvent& event : read_all(*engine, everything(kSystemTenant))) {
    CHECK(event.event.data.find(secret) == std::string::npos);
  }
  const auto again = server::Access::load(*engine).value();
  const auto credential = again->authenticate(token.secret, Timestamp{1001});
  REQUIRE(credential);
  CHECK((*credential)->token_id == token.id);
}

}  // namespace
}  // namespace bahi::test
