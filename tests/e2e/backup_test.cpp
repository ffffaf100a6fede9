// Backups that a server takes while it serves.
#include <atomic>
#include <thread>

#include "bahi/snapshots/backup.hpp"
#include "server_fixture.hpp"

namespace bahi::test {
namespace {

server::ServerOptions backing_up_into(const std::filesystem::path& directory) {
  auto options = TestServer::server_options();
  options.backups = directory;
  return options;
}

TEST_CASE("backup: a server takes it under writers, and what is restored is served", "[e2e]") {
  const TemporaryDirectory place;
  TestServer server(backing_up_into(place.path() / "backups"));
  const auto admin = server.client("system");
  std::atomic<bool> stopping{false};
  std::thread writer([&] {
    const auto client = server.client();
    while (!stopping) static_cast<void>(client->append(request_of({}, {{"order-1"}, {"order-2"}})));
  });
  REQUIRE(server.engine().wait_for(server.shop(), {20}, std::chrono::seconds(20)));
  const auto first = admin->create_backup();
  REQUIRE(server.engine().wait_for(server.shop(), server.engine().durable_offset(server.shop()) + 20,
                                   std::chrono::seconds(20)));
  const auto second = admin->create_backup();
  stopping = true;
  writer.join();
  REQUIRE(first);
  REQUIRE(second);
  CHECK(first->number == 1);
  CHECK(second->number == 2);
  CHECK(second->events >= 20);
  CHECK(second->directory == (place.path() / "backups").string());

  const auto report = verify_backup(place.path() / "backups", {});
  REQUIRE(report);
  CHECK_FALSE(report->damage);
  RestoreOptions options;
  options.engine = small_options();
  REQUIRE(restore_backup(place.path() / "backups", place.path() / "restored", options));
  const auto restored = open_engine(place.path() / "restored");
  const auto shop = restored->find_tenant("shop");
  REQUIRE(shop);
  const Offset end = restored->durable_offset(*shop);
  CHECK(end.value >= 40);
  ReadRequest request = everything(server.shop());
  request.to = end;
  CHECK(read_all(*restored, everything(*shop)) == read_all(server.engine(), request));
  // Who asked for it is on record, in the backup too.
  CHECK(count_events(server, "bahi.administered") >= 2);
}

TEST_CASE("backup: a server without a directory for it says what to do", "[e2e]") {
  TestServer server;
  const auto refused = server.client("system")->create_backup();
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == ErrorCode::kInvalidArgument);
  CHECK_THAT(refused.error().message(), Catch::Contains("--backup-dir"));
}

TEST_CASE("backup: what is wrong with the directory is told over TCP", "[e2e]") {
  const TemporaryDirectory place;
  {
    TestServer other(backing_up_into(place.path()));
    REQUIRE(other.client("system")->create_backup());
  }
  TestServer server(backing_up_into(place.path()));
  const auto refused = server.client("system")->create_backup();
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == ErrorCode::kBackupMismatch);
}

}  // namespace
}  // namespace bahi::test
