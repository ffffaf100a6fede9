#include "server_fixture.hpp"

#include "bahi/server/access.hpp"

namespace bahi::test {
namespace {

ReadEvent copy_of(const EventView& view) {
  Event event{std::string(view.stream), std::string(view.type), std::string(view.data), {}};
  event.tags.assign(view.tags.begin(), view.tags.end());
  return {view.offset.value, view.version.value, std::move(event)};
}

}  // namespace

server::ServerOptions TestServer::server_options() {
  server::ServerOptions options;
  options.port = 0;
  options.io_threads = 2;
  return options;
}

TestServer::TestServer(server::ServerOptions options) : options_(std::move(options)) {
  engine_ = open_engine(directory_.path());
  const auto created = engine_->create_tenant("shop");
  REQUIRE(created);
  start();
}

TestServer::~TestServer() {
  stop();
}

void TestServer::start() {
  if (!options_.views.empty()) options_.views = directory_.path() / "views";
  if (options_.trees) options_.trees->directory = directory_.path() / "tree";
  if (!engine_) engine_ = open_engine(directory_.path());
  auto started = server::Server::start(*engine_, options_);
  REQUIRE(started);
  server_ = std::move(*started);
  port_ = options_.port = server_->port();
}

void TestServer::stop() {
  server_.reset();
  engine_.reset();
}

TenantId TestServer::shop() const {
  return engine_->find_tenant("shop").value();
}

client::ClientOptions TestServer::client_options(const std::string& tenant, const std::string& token) const {
  client::ClientOptions options;
  options.port = port_;
  options.tenant = tenant;
  options.token = token;
  options.retry_for = std::chrono::minutes(5);
  return options;
}

std::unique_ptr<client::Client> TestServer::client(const std::string& tenant, const std::string& token) const {
  auto connected = client::Client::connect(client_options(tenant, token));
  REQUIRE(connected);
  return std::move(*connected);
}

std::string TestServer::token(const std::string& tenant, Role role) {
  const auto access = server::Access::load(*engine_).value();
  return access->create({tenant, role, "test", {}}, "test", SystemClock::instance().now()).value().secret;
}

std::vector<ReadEvent> drain(client::EventReader& reader) {
  std::vector<ReadEvent> events;
  EventView view;
  for (;;) {
    const auto more = reader.next(view);
    REQUIRE(more);
    if (!*more) return events;
    events.push_back(copy_of(view));
  }
}

std::vector<ReadEvent> take(client::EventReader& reader, std::size_t count) {
  std::vector<ReadEvent> events;
  EventView view;
  while (events.size() < count) {
    const auto more = reader.next(view);
    REQUIRE(more);
    REQUIRE(*more);
    events.push_back(copy_of(view));
  }
  return events;
}

std::size_t count_events(TestServer& server, const std::string& type) {
  ReadRequest request = everything(kSystemTenant);
  request.filter.types = {type};
  return read_all(server.engine(), request).size();
}

void wait_for_events(TestServer& server, const std::string& type, std::size_t count) {
  while (count_events(server, type) < count) {
    const auto end = server.engine().durable_offset(kSystemTenant);
    if (count_events(server, type) >= count) break;
    const Status moved = server.engine().wait_for(kSystemTenant, end, std::chrono::minutes(2));
    REQUIRE(moved);
  }
  CHECK(count_events(server, type) == count);
}

}  // namespace bahi::test
