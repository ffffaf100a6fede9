#include <csignal>
#include <cstdlib>
#include <fstream>

#include <sys/wait.h>

#include "bahi/base/failpoint.hpp"
#include "engine_fixture.hpp"

using namespace bahi;
using namespace bahi::test;

namespace {

/// Appends `batches` of two events in a process of its own, which then kills itself. (A forked copy of
/// this process would lack the threads of RocksDB.)
void append_and_die(const std::filesystem::path& directory, int batches, bool flush) {
  const std::string command =
      std::string(BAHI_KILLED_WRITER) + " " + directory.string() + " " + std::to_string(batches) + (flush ? " flush" : "");
  const int status = std::system(command.c_str());
  // The shell reports a child that died of a signal as 128 + signal.
  REQUIRE(WIFEXITED(status));
  REQUIRE(WEXITSTATUS(status) == 128 + SIGKILL);
}

}  // namespace

TEST_CASE("recovery: what was acknowledged is there after the process was killed", "[engine][recovery]") {
  const bool flush = GENERATE(false, true);
  TemporaryDirectory directory;
  for (std::uint64_t life = 1; life <= 3; ++life) {
    append_and_die(directory.path(), 50, flush);
    const auto engine = open_engine(directory.path());
    const TenantId tenant = engine->find_tenant("shop").value();
    CHECK(engine->durable_offset(tenant) == Offset{life * 100});
    require_sound(*engine);
    CHECK(read_all(*engine, of_stream(tenant, "order-1")).size() == life * 51);
  }
}

TEST_CASE("recovery: a store missing acknowledged events is refused and left as it is", "[engine][recovery]") {
  TemporaryDirectory directory;
  append_and_die(directory.path(), 50, false);
  // The write-ahead log loses its end.
  const std::filesystem::path wal = write_ahead_log(directory.path());
  const auto size = content_bytes(wal);
  std::filesystem::resize_file(wal, size - 20);
  const auto opened = Engine::open(directory.path(), small_options());
  REQUIRE(opened.has_error());
  CHECK(opened.error().code() == ErrorCode::kAcknowledgedDataMissing);
  CHECK(std::filesystem::file_size(wal) == size - 20);
  EngineOptions read_only = small_options();
  read_only.read_only = true;
  CHECK(Engine::open(directory.path(), read_only).has_error());
}

TEST_CASE("recovery: unsynced batches may vanish in a power loss, synced ones never", "[engine][recovery]") {
  const auto log = std::make_shared<MemoryLog>();
  std::uint64_t acknowledged = 0;
  for (int life = 0; life < 20; ++life) {
    const auto engine = memory_engine(log);
    const auto known = engine->find_tenant("shop");
    const TenantId tenant = known ? *known : engine->create_tenant("shop").value();
    CHECK(engine->durable_offset(tenant).value >= acknowledged);
    for (int i = 0; i < 10; ++i) REQUIRE(append(*engine, tenant, {{"order-1"}}));
    acknowledged = engine->durable_offset(tenant).value;
    log->crash();
    require_sound(*engine);
  }
  CHECK(acknowledged == 200);
}

TEST_CASE("recovery: opening says what is wrong with a directory", "[engine][recovery]") {
  TemporaryDirectory directory;
  const auto code = [&](EngineOptions options) {
    const auto opened = Engine::open(directory.path() / "store", std::move(options));
    return opened ? ErrorCode::kInternal : opened.error().code();
  };
  EngineOptions no_create = small_options();
  no_create.create_if_missing = false;
  SECTION("no store there") { CHECK(code(no_create) == ErrorCode::kStoreMissing); }
  SECTION("foreign files") {
    std::filesystem::create_directory(directory.path() / "store");
    std::ofstream(directory.path() / "store" / "letter.txt") << "hello";
    CHECK(code(small_options()) == ErrorCode::kNotAStore);
    CHECK(std::distance(std::filesystem::directory_iterator(directory.path() / "store"), {}) <= 2);
  }
  SECTION("a file") {
    std::ofstream(directory.path() / "store") << "hello";
    CHECK(code(small_options()) == ErrorCode::kNotAStore);
  }
  SECTION("a newer format") {
    { const auto engine = open_engine(directory.path() / "store"); }
    std::ofstream(directory.path() / "store" / "BAHI") << "bahi store, format 2\nid x\n";
    CHECK(code(no_create) == ErrorCode::kNewerFormat);
  }
  SECTION("in use") {
    const auto engine = open_engine(directory.path() / "store");
    CHECK(code(no_create) == ErrorCode::kDirectoryInUse);
  }
  SECTION("the anchor is gone") {
    { const auto engine = open_engine(directory.path() / "store"); }
    std::filesystem::remove(directory.path() / "store" / "ANCHOR");
    CHECK(code(small_options()) == ErrorCode::kAnchorDamaged);
  }
  SECTION("the log is gone") {
    { const auto engine = open_engine(directory.path() / "store"); }
    std::filesystem::remove_all(directory.path() / "store" / "log");
    CHECK(code(small_options()) == ErrorCode::kAcknowledgedDataMissing);
  }
  SECTION("the anchor of another store") {
    { const auto engine = open_engine(directory.path() / "store"); }
    { const auto engine = open_engine(directory.path() / "other"); }
    std::filesystem::copy_file(directory.path() / "other" / "ANCHOR", directory.path() / "store" / "ANCHOR",
                               std::filesystem::copy_options::overwrite_existing);
    CHECK(code(small_options()) == ErrorCode::kAcknowledgedDataMissing);
  }
}

TEST_CASE("recovery: a creation that was interrupted is finished by the next opening", "[engine][recovery]") {
  TemporaryDirectory directory;
  { const auto engine = open_engine(directory.path() / "model"); }
  const auto store = directory.path() / "store";
  std::filesystem::create_directory(store);
  std::ofstream(store / "LOCK") << "";
  CHECK(open_engine(store)->create_tenant("shop").has_value());
}

#ifdef BAHI_FAILPOINTS
TEST_CASE("failure: after a failed write or sync nothing is acknowledged, and reads go on", "[engine][failure]") {
  const std::string point = GENERATE("before_wal", "after_wal", "after_sync", "anchor_write");
  CAPTURE(point);
  TemporaryDirectory directory;
  {
    const auto engine = open_engine(directory.path());
    const TenantId tenant = engine->create_tenant("shop").value();
    REQUIRE(append(*engine, tenant, {{"order-1"}}));
    REQUIRE(failpoint::arm(point + "=error@1"));
    const auto failed = append(*engine, tenant, {{"order-1"}});
    REQUIRE(failpoint::arm(""));
    REQUIRE(failed.has_error());
    CHECK(failed.error().code() == ErrorCode::kWriteFailed);
    CHECK(append(*engine, tenant, {{"order-1"}}).error().code() == ErrorCode::kReadOnly);
    CHECK(engine->create_tenant("other").error().code() == ErrorCode::kReadOnly);
    CHECK(engine->stats().read_only);
    CHECK_FALSE(engine->stats().read_only_reason.empty());
    CHECK(read_all(*engine, everything(tenant)).size() == 1);
    CHECK(read_all(*engine, of_stream(tenant, "order-1")).size() == 1);
    CHECK(engine->close().has_error());
  }
  const auto engine = open_engine(directory.path());
  const TenantId tenant = engine->find_tenant("shop").value();
  const auto events = read_all(*engine, everything(tenant));
  CHECK(events.size() >= 1);
  CHECK(events.size() <= 2);
  require_sound(*engine);
  CHECK(append(*engine, tenant, {{"order-1"}}).has_value());
}
#endif
