#include <catch2/catch.hpp>

#include <filesystem>

#include "backup_fixture.hpp"
#include "backup_manifest.hpp"
#include "bahi/base/text.hpp"
#include "bahi/schemas/hash.hpp"

namespace bahi {
namespace {

using test::BackedUpStore;
using test::names_in;

/// What verification says is wrong.
Error damage_of(const BackedUpStore& store) {
  const auto report = verify_backup(store.backups(), {});
  if (!report) return report.error();
  REQUIRE(report->damage);
  return *report->damage;
}

TEST_CASE("backup: no flipped bit goes unnoticed", "[backup]") {
  BackedUpStore store;
  store.write(1, 1);
  store.back_up();
  store.write(1, 2);
  store.back_up();
  std::size_t flips = 0;
  for (const std::string& name : names_in(store.backups())) {
    if (name == "LOCK") continue;
    const std::string content = test::contents_of(store.backups() / name);
    for (std::size_t at = 0; at < content.size(); ++at) {
      const char flipped = static_cast<char>(content[at] ^ (1 << (at % 8)));
      store.overwrite(name, at, {&flipped, 1});
      INFO(name << " byte " << at);
      const Error damage = damage_of(store);
      const bool told = damage.code() == ErrorCode::kBackupDamaged || damage.code() == ErrorCode::kNewerFormat;
      CHECK(told);
      CHECK(damage.message().find(name) != std::string::npos);
      if (++flips % 61 == 0) {
        CHECK_FALSE(store.try_restore("restored"));
        CHECK(names_in(store.place("restored")).empty());
      }
      store.overwrite(name, at, content.substr(at, 1));
    }
  }
  CHECK(flips > 1'500);
  CHECK_FALSE(verify_backup(store.backups(), {})->damage);
}

TEST_CASE("backup: missing and shortened files are named", "[backup]") {
  BackedUpStore store;
  store.write(2);
  store.back_up();
  store.write(2);
  store.back_up();
  const auto path = [&store](const char* name) { return store.backups() / name; };
  const auto refused_for = [&store](const std::string& name) {
    const Error damage = damage_of(store);
    CHECK(damage.code() == ErrorCode::kBackupDamaged);
    CHECK(damage.message().find(name) != std::string::npos);
    const auto restored = store.try_restore("restored");
    REQUIRE_FALSE(restored);
    CHECK(restored.error().message() == damage.message());
    CHECK(names_in(store.place("restored")).empty());
    // Nothing is added to a backup that is not whole.
    CHECK(create_backup(store.engine(), store.backups(), {}).error().code() == ErrorCode::kBackupDamaged);
  };
  SECTION("a segment is missing") {
    std::filesystem::remove(path("backup-000002-0001.seg"));
    refused_for("backup-000002-0001.seg");
    // What was backed up before is still good.
    RestoreOptions first;
    first.backup = 1;
    CHECK(store.try_restore("first", first));
    const auto report = verify_backup(store.backups(), {});
    CHECK(report->backups == 1);
  }
  SECTION("a segment is shorter") {
    std::filesystem::resize_file(path("backup-000001-0001.seg"), 300);
    refused_for("backup-000001-0001.seg");
  }
  SECTION("a segment is longer") {
    std::filesystem::resize_file(path("backup-000001-0001.seg"), 30'000);
    refused_for("backup-000001-0001.seg");
  }
  SECTION("a manifest in the middle is missing") {
    std::filesystem::remove(path("backup-000001"));
    refused_for("backup-000001");
  }
  SECTION("a manifest is empty") {
    std::filesystem::resize_file(path("backup-000002"), 0);
    refused_for("backup-000002");
  }
}

TEST_CASE("backup: a manifest or a segment of another store is found", "[backup]") {
  BackedUpStore store;
  BackedUpStore other;
  for (BackedUpStore* each : {&store, &other}) {
    each->write(2);
    each->back_up();
    each->write(2);
    each->back_up();
  }
  const auto copy = [&](const std::string& name) {
    std::filesystem::copy_file(other.backups() / name, store.backups() / name,
                               std::filesystem::copy_options::overwrite_existing);
  };
  SECTION("a manifest") {
    copy("backup-000002");
    CHECK(damage_of(store).message().find("it does not follow the manifest before it") != std::string::npos);
  }
  SECTION("a segment") {
    copy("backup-000002-0001.seg");
    CHECK(damage_of(store).message().find("backup-000002-0001.seg") != std::string::npos);
  }
}

TEST_CASE("backup manifest: what is written is read, and one of a newer format is told apart", "[backup]") {
  BackupManifest manifest;
  manifest.info.store_id = {1, 2};
  manifest.info.number = 12;
  manifest.info.taken_at = {1'700'000'000'123'456'789};
  manifest.info.batches = 3;
  manifest.info.events = 4;
  manifest.info.bytes = 5;
  manifest.previous = {0x1234, 0xFEDC};
  manifest.last_tenant = TenantId{7};
  manifest.segments = {{100, {1, 2}}, {200, {3, 4}}};
  manifest.info.tenants = {{{{0}, {5}, {6, 7}}, "system"}, {{{7}, {8}, {9, 10}}, ""}};
  const std::string text = encode_manifest(manifest);
  const auto read = decode_manifest(text);
  REQUIRE(read);
  CHECK(encode_manifest(*read) == text);
  CHECK(read->last_tenant == TenantId{7});
  CHECK(read->info.tenants.at(1).name.empty());
  CHECK(read->segments.at(1).bytes == 200);
  CHECK(decode_manifest(text.substr(0, text.size() - 1)).error().code() == ErrorCode::kBackupDamaged);
  CHECK(decode_manifest("").error().code() == ErrorCode::kBackupDamaged);

  std::string newer = text.substr(0, text.find("check "));
  newer.replace(newer.find("format 1"), 8, "format 2");
  newer += "check " + format_hash(xxh3_128(newer)) + "\n";
  CHECK(decode_manifest(newer).error().code() == ErrorCode::kNewerFormat);
}

}  // namespace
}  // namespace bahi
