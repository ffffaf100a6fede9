// Accepting a loss. recovery_test.cpp has what needs no acceptance.
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <map>

#include <rocksdb/db.h>
#include <sys/wait.h>

#include "engine_fixture.hpp"
#include "keys.hpp"

using namespace bahi;
using namespace bahi::test;

namespace {

namespace fs = std::filesystem;

/// All files but the locks and RocksDB's text log.
std::map<std::string, std::string> files_of(const fs::path& store) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(store)) {
    const std::string name = entry.path().filename().string();
    if (entry.is_regular_file() && name != "LOCK" && !name.starts_with("LOG")) {
      files[fs::relative(entry.path(), store).string()] = contents_of(entry.path());
    }
  }
  return files;
}

/// 50 batches of two events, by a process that then kills itself: all of them are in the write-ahead log only.
void append_and_die(const fs::path& store) {
  const int status = std::system((std::string(BAHI_KILLED_WRITER) + " " + store.string() + " 50").c_str());
  REQUIRE(WIFEXITED(status));
  REQUIRE(WEXITSTATUS(status) == 128 + SIGKILL);
}

/// `count` batches of one event for the tenant, flushed and closed.
void fill(const fs::path& store, const std::string& name, int count) {
  const auto engine = open_engine(store);
  const auto known = engine->find_tenant(name);
  const TenantId tenant = known ? *known : engine->create_tenant(name).value();
  for (int i = 0; i < count; ++i) REQUIRE(append(*engine, tenant, {{"order-1"}}));
}

void check_refused(const fs::path& store, ErrorCode code) {
  const auto opened = Engine::open(store, small_options());
  REQUIRE(opened.has_error());
  CHECK(opened.error().code() == code);
}

RecoverReport recover(const fs::path& store, bool accept_loss) {
  RecoverOptions options;
  options.accept_loss = accept_loss;
  options.accepted_by = "ann";
  options.engine = small_options();
  auto report = Engine::recover(store, options);
  REQUIRE(report);
  return std::move(*report);
}

/// Reports without touching anything, then accepts.
RecoverReport look_then_accept(const fs::path& store) {
  const auto before = files_of(store);
  const RecoverReport looked = recover(store, false);
  CHECK(looked.refusal);
  CHECK_FALSE(looked.accepted);
  CHECK(files_of(store) == before);
  RecoverReport accepted = recover(store, true);
  CHECK(accepted.accepted);
  return accepted;
}

/// The data of all accepted losses, oldest first.
std::vector<std::string> recorded_losses(const Engine& engine) {
  std::vector<std::string> data;
  const auto cursor = engine.read(of_stream(kSystemTenant, "recovery-store"));
  REQUIRE(cursor);
  EventView event;
  while ((*cursor)->next(event).value()) {
    CHECK(event.type == "bahi.loss-accepted");
    CHECK(event.metadata.actor == "ann");
    CHECK(event.occurred_at.nanos > 0);
    data.emplace_back(event.data);
  }
  return data;
}

bool mentions(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("recover: a sound store needs none", "[engine][recover]") {
  const TemporaryDirectory directory;
  fill(directory.path(), "shop", 10);
  const auto before = files_of(directory.path());
  const RecoverReport report = recover(directory.path(), true);
  CHECK_FALSE(report.refusal);
  CHECK_FALSE(report.accepted);
  REQUIRE(report.tenants.size() == 2);
  CHECK(report.tenants[1].name == "shop");
  CHECK(report.tenants[1].promised == Offset{10});
  CHECK(report.tenants[1].held == Offset{10});
  CHECK_FALSE(report.tenants[1].first_lost);
  CHECK(files_of(directory.path()) == before);
}

TEST_CASE("recover: a write-ahead log cut below the anchor", "[engine][recover]") {
  const TemporaryDirectory directory;
  append_and_die(directory.path());
  const fs::path wal = write_ahead_log(directory.path());
  fs::resize_file(wal, content_bytes(wal) * 2 / 3);
  const std::string cut = contents_of(wal);
  check_refused(directory.path(), ErrorCode::kAcknowledgedDataMissing);

  const RecoverReport report = look_then_accept(directory.path());
  CHECK(report.anchor_usable);
  CHECK(report.refusal->code() == ErrorCode::kAcknowledgedDataMissing);
  const TenantRecovery& shop = report.tenants.at(1);
  CHECK(shop.name == "shop");
  CHECK(shop.promised == Offset{100});
  CHECK(shop.held < Offset{100});
  CHECK(shop.held > Offset{0});
  CHECK(shop.first_lost == shop.held);
  CHECK(contents_of(report.kept / "log" / wal.filename()) == cut);
  CHECK(fs::exists(report.kept / "ANCHOR"));

  const auto engine = open_engine(directory.path());
  const TenantId tenant = engine->find_tenant("shop").value();
  CHECK(engine->durable_offset(tenant) == shop.held);
  require_sound(*engine);
  const auto losses = recorded_losses(*engine);
  REQUIRE(losses.size() == 1);
  CHECK(mentions(losses[0], R"("refused_as":"acknowledged_data_missing")"));
  CHECK(mentions(losses[0], "\"first_lost_offset\":" + std::to_string(shop.held.value)));
  CHECK(mentions(losses[0], R"("promised":100)"));
  CHECK(append(*engine, tenant, {{"order-1"}}).value().first_offset == shop.held);
}

TEST_CASE("recover: a lost or damaged anchor, or that of another store", "[engine][recover]") {
  const TemporaryDirectory directory;
  const fs::path store = directory.path() / "store";
  fill(store, "shop", 20);
  ErrorCode code = ErrorCode::kAnchorDamaged;
  SECTION("missing") {
    fs::remove(store / "ANCHOR");
  }
  SECTION("empty") {
    fs::resize_file(store / "ANCHOR", 0);
  }
  SECTION("overwritten") {
    std::ofstream(store / "ANCHOR") << std::string(20'000, 'x');
  }
  SECTION("of another store") {
    fill(directory.path() / "other", "shop", 5);
    fs::copy_file(directory.path() / "other" / "ANCHOR", store / "ANCHOR", fs::copy_options::overwrite_existing);
    code = ErrorCode::kAcknowledgedDataMissing;
  }
  check_refused(store, code);
  const RecoverReport report = look_then_accept(store);
  CHECK_FALSE(report.anchor_usable);
  REQUIRE(report.tenants.size() == 2);
  CHECK_FALSE(report.tenants[1].promised);
  CHECK(report.tenants[1].held == Offset{20});
  const auto engine = open_engine(store);
  CHECK(read_all(*engine, everything(engine->find_tenant("shop").value())).size() == 20);
  require_sound(*engine);
  REQUIRE(recorded_losses(*engine).size() == 1);
  CHECK(mentions(recorded_losses(*engine)[0], R"("anchor_usable":false)"));
}

TEST_CASE("recover: an older log swapped in; what is lost is not taken for something else", "[engine][recover]") {
  const TemporaryDirectory directory;
  const fs::path store = directory.path() / "store";
  fill(store, "shop", 20);
  fs::copy(store / "log", directory.path() / "older", fs::copy_options::recursive);
  fill(store, "shop", 10);
  fill(store, "late", 7);
  fs::remove_all(store / "log");
  fs::copy(directory.path() / "older", store / "log", fs::copy_options::recursive);
  check_refused(store, ErrorCode::kAcknowledgedDataMissing);

  const RecoverReport report = look_then_accept(store);
  REQUIRE(report.tenants.size() == 3);
  CHECK(report.tenants[0].first_lost == Offset{1});  // the creation of "late"
  CHECK(report.tenants[1].first_lost == Offset{20});
  CHECK(report.tenants[2].first_lost == Offset{0});
  CHECK(report.tenants[2].name.empty());
  const auto engine = open_engine(store);
  // The index of the newer history is gone too.
  CHECK(read_all(*engine, of_stream(engine->find_tenant("shop").value(), "order-1")).size() == 20);
  CHECK(engine->find_tenant("late").has_error());
  CHECK(engine->create_tenant("late").value() == TenantId{3});  // the number of the lost tenant stays taken
  require_sound(*engine);
}

TEST_CASE("recover: an older MANIFEST; the newer sorted files are kept", "[engine][recover]") {
  const TemporaryDirectory directory;
  const fs::path store = directory.path() / "store";
  fill(store, "shop", 20);
  fs::copy(store / "log", directory.path() / "older", fs::copy_options::recursive);
  fill(store, "shop", 10);
  const auto newer = files_of(store / "log");
  for (const auto& entry : fs::directory_iterator(store / "log")) {
    if (entry.path().extension() != ".sst") fs::remove(entry.path());
  }
  fs::copy(directory.path() / "older", store / "log",
           fs::copy_options::recursive | fs::copy_options::overwrite_existing);
  check_refused(store, ErrorCode::kAcknowledgedDataMissing);

  const RecoverReport report = look_then_accept(store);
  CHECK(report.tenants.at(1).held == Offset{20});
  std::size_t sorted_files = 0;
  for (const auto& [name, bytes] : newer) {
    if (!name.ends_with(".sst")) continue;
    ++sorted_files;
    INFO(name);
    const fs::path kept = report.kept / "log" / name;
    CHECK(contents_of(fs::exists(kept) ? kept : store / "log" / name) == bytes);
  }
  CHECK(sorted_files > 2);
  require_sound(*open_engine(store));
}

TEST_CASE("recover: what was interrupted can be done again", "[engine][recover]") {
  const TemporaryDirectory directory;
  fill(directory.path(), "shop", 20);
  append_and_die(directory.path());
  const fs::path wal = write_ahead_log(directory.path());
  fs::resize_file(wal, content_bytes(wal) / 2);
  const std::string promises = contents_of(directory.path() / "ANCHOR");
  std::ofstream(directory.path() / "ANCHOR.new") << "half an anchor";
  CHECK(recover(directory.path(), true).accepted);
  // As if the process had died before the new anchor took its place.
  std::ofstream(directory.path() / "ANCHOR", std::ios::binary | std::ios::trunc) << promises;
  check_refused(directory.path(), ErrorCode::kAcknowledgedDataMissing);
  CHECK(recover(directory.path(), true).accepted);
  const auto engine = open_engine(directory.path());
  CHECK(recorded_losses(*engine).size() == 2);
  require_sound(*engine);
}

TEST_CASE("recover: a gap in the log cannot be accepted", "[engine][recover]") {
  const TemporaryDirectory directory;
  fill(directory.path(), "shop", 20);
  {
    std::vector<rocksdb::ColumnFamilyHandle*> handles;
    rocksdb::DB* opened = nullptr;
    REQUIRE(rocksdb::DB::Open({}, (directory.path() / "log").string(),
                              {{rocksdb::kDefaultColumnFamilyName, {}}, {"directory", {}}}, &handles, &opened)
                .ok());
    const std::unique_ptr<rocksdb::DB> db(opened);
    REQUIRE(db->Delete({}, handles[1], log_key({1}, {7})).ok());
    for (auto* handle : handles) REQUIRE(db->DestroyColumnFamilyHandle(handle).ok());
  }
  check_refused(directory.path(), ErrorCode::kAcknowledgedDataMissing);
  const auto before = files_of(directory.path());
  RecoverOptions options;
  options.accept_loss = true;
  options.accepted_by = "ann";
  options.engine = small_options();
  const auto report = Engine::recover(directory.path(), options);
  REQUIRE(report.has_error());
  CHECK(report.error().code() == ErrorCode::kCorruptLog);
  CHECK(mentions(report.error().message(), "offset 7"));
  CHECK(files_of(directory.path()) == before);
}

TEST_CASE("recover: not while the store is open, not without a name, not without a store", "[engine][recover]") {
  const TemporaryDirectory directory;
  const auto code = [&](const RecoverOptions& options) {
    const auto report = Engine::recover(directory.path(), options);
    return report ? ErrorCode::kInternal : report.error().code();
  };
  RecoverOptions options;
  CHECK(code(options) == ErrorCode::kStoreMissing);
  const auto engine = open_engine(directory.path());
  CHECK(code(options) == ErrorCode::kDirectoryInUse);
  options.accept_loss = true;
  for (const std::string& name : {std::string(), std::string(257, 'a'), std::string("a\nb")}) {
    options.accepted_by = name;
    CHECK(code(options) == ErrorCode::kInvalidArgument);
  }
}
