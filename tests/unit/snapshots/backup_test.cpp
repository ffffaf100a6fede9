#include "bahi/snapshots/backup.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <fstream>
#include <thread>

#include "backup_fixture.hpp"
#include "bahi/base/posix_file.hpp"

namespace bahi {
namespace {

using test::append;
using test::BackedUpStore;
using test::names_in;
using test::stored_batches;

using Names = std::vector<std::string>;

/// Appends to one tenant until it goes away.
class Writer {
 public:
  Writer(Engine& engine, TenantId tenant) : thread_([this, &engine, tenant] { run(engine, tenant); }) {}
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;
  ~Writer() { stop(); }
  void stop() {
    stopping_ = true;
    if (thread_.joinable()) thread_.join();
  }
  [[nodiscard]] bool failed() const { return failed_; }

 private:
  void run(Engine& engine, TenantId tenant) {
    for (int i = 0; !stopping_; ++i) {
      const std::string stream = "order-" + std::to_string(i % 50);
      if (!append(engine, tenant, {{stream}, {stream, "more", "[1]", {"tag"}}})) failed_ = true;
    }
  }
  std::atomic<bool> stopping_{false};
  std::atomic<bool> failed_{false};
  std::thread thread_;
};

TEST_CASE("backup: taken while four writers append, restored elsewhere, it is the log of one moment", "[backup]") {
  BackedUpStore store;
  store.write(20);
  BackupOptions options;
  options.segment_bytes_max = 8192;
  {
    Writer a(store.engine(), store.shop());
    Writer b(store.engine(), store.shop());
    Writer c(store.engine(), store.office());
    Writer d(store.engine(), store.office());
    REQUIRE(store.engine().wait_for(store.shop(), {100}, std::chrono::seconds(20)));
    const BackupOutcome first = store.back_up(options);
    CHECK(first.info.segments > 1);
    REQUIRE(store.engine().wait_for(store.office(), store.engine().durable_offset(store.office()) + 50,
                                    std::chrono::seconds(20)));
    const BackupOutcome second = store.back_up(options);
    CHECK(second.news);
    for (Writer* writer : {&a, &b, &c, &d}) writer->stop();
    CHECK_FALSE((a.failed() || b.failed() || c.failed() || d.failed()));
  }
  const auto report = verify_backup(store.backups(), {});
  REQUIRE(report);
  CHECK_FALSE(report->damage);
  CHECK(report->backups == 2);

  const auto restored = store.restore("restored");
  CHECK(restored->store_id() == store.engine().store_id());
  test::require_sound(*restored);
  REQUIRE(report->tenants.size() == 3);
  for (const BackupTenant& tenant : report->tenants) {
    const auto& [id, end, chain] = tenant.mark;
    CAPTURE(tenant.name, end.value);
    CHECK(end.value > 0);
    CHECK(restored->durable_offset(id) == end);
    CHECK(stored_batches(*restored, id) == stored_batches(store.engine(), id, end));
    if (id != kSystemTenant) CHECK(*restored->find_tenant(tenant.name) == id);
  }
  // The order of commits over all tenants is the same too.
  const auto original_order = store.engine().read_commits();
  const auto restored_order = restored->read_commits();
  REQUIRE(original_order);
  REQUIRE(restored_order);
  std::size_t compared = 0;
  while (*(*restored_order)->next()) {
    REQUIRE(*(*original_order)->next());
    REQUIRE((*restored_order)->stored() == (*original_order)->stored());
    ++compared;
  }
  CHECK(compared == report->batches);
}

TEST_CASE("backup: the next one holds only what is new, and leaves the earlier files alone", "[backup]") {
  BackedUpStore store;
  store.write(5);
  const BackupOutcome first = store.back_up();
  CHECK(first.info.number == 1);
  CHECK(first.info.events == 2 * 5 * 3 + 2);  // and two tenants that were created
  CHECK(names_in(store.backups()) == Names{"LOCK", "backup-000001", "backup-000001-0001.seg"});
  const std::string manifest = test::contents_of(store.backups() / "backup-000001");
  const std::string segment = test::contents_of(store.backups() / "backup-000001-0001.seg");

  store.write(2);
  const BackupOutcome second = store.back_up();
  CHECK(second.info.number == 2);
  CHECK(second.info.events == 2 * 2 * 3);
  CHECK(second.info.tenants.size() == 2);
  CHECK(test::contents_of(store.backups() / "backup-000001") == manifest);
  CHECK(test::contents_of(store.backups() / "backup-000001-0001.seg") == segment);

  const Names names = names_in(store.backups());
  const BackupOutcome third = store.back_up();
  CHECK_FALSE(third.news);
  CHECK(third.info.number == 2);
  CHECK(names_in(store.backups()) == names);

  const auto listed = list_backups(store.backups());
  REQUIRE(listed);
  REQUIRE(listed->size() == 2);
  CHECK(tenants_held(*listed).at(1).mark.next_offset == Offset{21});
  CHECK(tenants_held(*listed).at(1).name == "shop");
}

TEST_CASE("backup: a restored store can be backed up into the directory it came from", "[backup]") {
  BackedUpStore store;
  store.write(3);
  store.back_up();
  const auto restored = store.restore("restored");
  REQUIRE(append(*restored, store.shop(), {{"order-1"}}));
  const auto next = create_backup(*restored, store.backups(), {});
  REQUIRE(next);
  CHECK(next->info.number == 2);
  CHECK(next->info.events == 1);
  const auto report = verify_backup(store.backups(), {});
  REQUIRE(report);
  CHECK_FALSE(report->damage);
}

TEST_CASE("backup: an empty store", "[backup]") {
  test::TemporaryDirectory directory;
  const auto engine = test::open_engine(directory.path() / "store");
  const auto taken = create_backup(*engine, directory.path() / "backups", {});
  REQUIRE(taken);
  CHECK(taken->info.batches == 0);
  CHECK_FALSE(create_backup(*engine, directory.path() / "backups", {})->news);
  RestoreOptions options;
  options.engine = test::small_options();
  REQUIRE(restore_backup(directory.path() / "backups", directory.path() / "restored", options));
  const auto restored = test::open_engine(directory.path() / "restored");
  CHECK(restored->store_id() == engine->store_id());
  REQUIRE(restored->create_tenant("shop"));
}

TEST_CASE("backup: what an interrupted one left is deleted, and the next one completes it", "[backup]") {
  BackedUpStore store;
  store.write(3);
  store.back_up();
  store.write(1);
  for (const char* name : {"backup-000002-0001.seg", "backup-000002-0002.seg", "backup-000002.new"}) {
    std::ofstream(store.backups() / name) << "half";
  }
  REQUIRE(verify_backup(store.backups(), {}));
  CHECK(store.back_up().info.events == 6);
  CHECK(names_in(store.backups()) ==
        Names{"LOCK", "backup-000001", "backup-000001-0001.seg", "backup-000002", "backup-000002-0001.seg"});
}

TEST_CASE("backup: stopped on the way, it leaves nothing behind", "[backup]") {
  BackedUpStore store;
  store.write(3);
  BackupOptions options;
  int asked = 0;
  options.stop = [&asked] { return ++asked > 4; };
  const auto stopped = create_backup(store.engine(), store.backups(), options);
  REQUIRE_FALSE(stopped);
  CHECK(stopped.error().code() == ErrorCode::kCancelled);
  CHECK(names_in(store.backups()) == Names{"LOCK"});
}

TEST_CASE("backup: without room on the disk it is refused before it fills it", "[backup]") {
  BackedUpStore store;
  store.write(1);
  BackupOptions options;
  options.free_bytes_min = std::uint64_t{1} << 60U;
  const auto refused = create_backup(store.engine(), store.backups(), options);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == ErrorCode::kDiskFull);
  CHECK(names_in(store.backups()) == Names{"LOCK"});
}

TEST_CASE("backup: two at a time into one directory", "[backup]") {
  BackedUpStore store;
  store.write(1);
  std::filesystem::create_directories(store.backups());
  const auto lock = StoreLock::acquire(store.backups() / "LOCK");
  REQUIRE(lock);
  CHECK(create_backup(store.engine(), store.backups(), {}).error().code() == ErrorCode::kDirectoryInUse);
}

TEST_CASE("backup: a directory with other files in it is refused and not touched", "[backup]") {
  BackedUpStore store;
  std::filesystem::create_directories(store.backups());
  std::ofstream(store.backups() / "letters.txt") << "dear";
  const auto refused = create_backup(store.engine(), store.backups(), {});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == ErrorCode::kNotABackup);
  CHECK(names_in(store.backups()) == Names{"letters.txt"});
  CHECK(list_backups(store.backups()).error().code() == ErrorCode::kNotABackup);
  CHECK(list_backups(store.place("nowhere")).error().code() == ErrorCode::kNotABackup);
}

TEST_CASE("backup: of another store, or of another history, it is not added to", "[backup]") {
  BackedUpStore store;
  store.write(3);
  store.back_up();
  {
    BackedUpStore other;
    other.write(5);
    const auto refused = create_backup(other.engine(), store.backups(), {});
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code() == ErrorCode::kBackupMismatch);
    CHECK(refused.error().message().find("holds backups of store") != std::string::npos);
  }
  store.write(1);
  store.back_up();
  const Names names = names_in(store.backups());

  // Restored to an earlier point: shorter, and after some appends as long, but not the same.
  RestoreOptions options;
  options.backup = 1;
  const auto earlier = store.restore("earlier", options);
  const auto shorter = create_backup(*earlier, store.backups(), {});
  REQUIRE_FALSE(shorter);
  CHECK(shorter.error().code() == ErrorCode::kBackupMismatch);
  CHECK(shorter.error().message().find("tenant shop: the backup holds 12 events, the store only 9") !=
        std::string::npos);
  for (const TenantId tenant : {store.shop(), store.office()}) {
    REQUIRE(append(*earlier, tenant, {{"order-1"}, {"order-2"}, {"order-3"}}));
  }
  const auto diverged = create_backup(*earlier, store.backups(), {});
  REQUIRE_FALSE(diverged);
  CHECK(diverged.error().code() == ErrorCode::kBackupMismatch);
  CHECK(diverged.error().message().find(
            "tenant shop: the backup's events up to offset 11 are not those of the store") != std::string::npos);
  CHECK(names_in(store.backups()) == names);
}

TEST_CASE("backup: a store in memory has none", "[backup]") {
  test::TemporaryDirectory directory;
  const auto engine = test::memory_engine();
  CHECK(create_backup(*engine, directory.path() / "b", {}).error().code() == ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace bahi
