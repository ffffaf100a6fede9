// Snapshots as directories: whole or not there, passed over when damaged, thinned out with age.
#include <catch2/catch.hpp>

#include <algorithm>
#include <fstream>

#include "bahi/snapshots/snapshot_set.hpp"
#include "engine_fixture.hpp"
#include "snapshot_manifest.hpp"

namespace bahi::snapshots {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kHour = 3600 * kSecond;

void write(const fs::path& path, const std::string& content) {
  std::ofstream out(path, std::ios::binary);
  out << content;
  REQUIRE(out);
}

class SetFixture {
 public:
  SetFixture() {
    fs::create_directories(live());
    open();
  }
  test::TemporaryDirectory directory;
  std::vector<std::string> warnings;
  std::unique_ptr<SnapshotSet> set;

  [[nodiscard]] fs::path live() const { return directory.path() / "live"; }
  [[nodiscard]] fs::path root() const { return directory.path() / "snapshots"; }
  void open() {
    set.reset();
    auto opened = SnapshotSet::open(root(), [this](LogLevel, std::string_view line) { warnings.emplace_back(line); });
    REQUIRE(opened);
    set = std::move(*opened);
  }
  /// Links the live files.
  Result<Snapshot> take(Timestamp at, std::uint64_t next = 7) {
    return set->take(at, [&](const fs::path& state) -> Result<std::vector<SnapshotState>> {
      fs::create_directories(state);
      for (const auto& file : fs::directory_iterator(live())) {
        fs::create_hard_link(file.path(), state / file.path().filename());
      }
      return std::vector<SnapshotState>{{1, TenantId{3}, "stock", 2, {}, Offset{next}, {5, 6}, {1, 4}}};
    });
  }
};

Snapshot sample() {
  Snapshot snapshot;
  snapshot.id = 12;
  snapshot.taken_at = {1'800'000'000'000'000'000};
  snapshot.files = {{"000012.sst", 4711, 0x123456789abcdef0}, {"CURRENT", 16, 1}};
  snapshot.states = {{7, TenantId{3}, "stock@part", 2, Offset{10}, Offset{99}, {1, 2}, {}},
                     {8, TenantId{4}, "audit", 1072, {}, Offset{1'000'000}, {~0ULL, 0}, {17, 18, 400}}};
  return snapshot;
}

TEST_CASE("snapshot manifest: what is written is read again", "[snapshots]") {
  const std::string text = write_manifest(sample());
  const auto read = read_manifest(text);
  REQUIRE(read);
  CHECK(write_manifest(*read) == text);
  CHECK(read->states[1].skipped == std::vector<std::uint64_t>{17, 18, 400});
  CHECK(read->states[0].name == "stock@part");
  CHECK(read->files[0].hash == 0x123456789abcdef0);
}

TEST_CASE("snapshot manifest: any byte that differs or is missing is noticed", "[snapshots]") {
  const std::string text = write_manifest(sample());
  for (std::size_t place = 0; place < text.size(); ++place) {
    std::string other = text;
    other[place] = static_cast<char>(other[place] ^ 4);
    CHECK_FALSE(read_manifest(other));
    CHECK_FALSE(read_manifest(text.substr(0, place)));
  }
  CHECK_FALSE(read_manifest(text + "x"));
}

TEST_CASE("snapshots: they are there after a restart, with ids that ascend", "[snapshots]") {
  SetFixture test;
  write(test.live() / "000001.sst", "rows");
  REQUIRE(test.take({10}));
  REQUIRE(test.take({20}));
  REQUIRE(test.set->remove(2));
  CHECK(test.set->remove(2).error().code() == ErrorCode::kUnknownSnapshot);
  test.open();
  const auto all = test.set->list();
  REQUIRE(all.size() == 1);
  CHECK(all[0].id == 1);
  CHECK(all[0].taken_at == Timestamp{10});
  CHECK(all[0].states[0].next == Offset{7});
  CHECK(test.warnings.empty());
  REQUIRE(test.take({30}));
  CHECK(test.set->list().back().id > 1);
}

TEST_CASE("snapshots: one that cannot be made leaves nothing", "[snapshots]") {
  SetFixture test;
  const auto failed = test.set->take({1}, [](const fs::path& state) -> Result<std::vector<SnapshotState>> {
    fs::create_directories(state);
    write(state / "half", "of it");
    return Error{ErrorCode::kDiskFull, "no space"};
  });
  REQUIRE_FALSE(failed);
  CHECK(failed.error().code() == ErrorCode::kDiskFull);
  CHECK(fs::is_empty(test.root()));
  // What a crash leaves goes when the set is opened.
  fs::create_directories(test.root() / "9.tmp" / "state");
  test.open();
  CHECK(fs::is_empty(test.root()));
  CHECK(test.set->list().empty());
}

TEST_CASE("snapshots: a copy shares sorted files and nothing else, and damage is found", "[snapshots]") {
  SetFixture test;
  write(test.live() / "000001.sst", std::string(100'000, 'r'));
  write(test.live() / "MANIFEST-000002", "edits");
  REQUIRE(test.take({10}));
  const fs::path copy = test.directory.path() / "copy";
  REQUIRE(test.set->copy_to(1, copy));
  CHECK(fs::hard_link_count(copy / "000001.sst") == 3);
  CHECK(fs::hard_link_count(copy / "MANIFEST-000002") == 1);
  CHECK(test.set->copy_to(5, copy).error().code() == ErrorCode::kUnknownSnapshot);

  const auto refused = [&](const std::string& name) {
    const auto copied = test.set->copy_to(1, test.directory.path() / "other");
    fs::remove_all(test.directory.path() / "other");
    REQUIRE_FALSE(copied);
    CHECK(copied.error().code() == ErrorCode::kSnapshotDamaged);
    CHECK_THAT(copied.error().message(), Catch::Contains(name));
  };
  const fs::path state = test.root() / "1" / "state";
  fs::remove(state / "MANIFEST-000002");
  write(state / "MANIFEST-000002", "edit!");
  refused("MANIFEST-000002");
  write(state / "MANIFEST-000002", "edits");
  fs::remove(state / "000001.sst");
  refused("000001.sst");
  write(state / "000001.sst", std::string(99'999, 'r') + 's');
  refused("000001.sst");
}

TEST_CASE("snapshots: a manifest that is damaged makes its snapshot as good as none", "[snapshots]") {
  SetFixture test;
  write(test.live() / "000001.sst", "rows");
  REQUIRE(test.take({10}));
  REQUIRE(test.take({20}));
  write(test.root() / "2" / "manifest", "bahi-snapshot 1\n");
  test.open();
  REQUIRE(test.set->list().size() == 1);
  CHECK(test.warnings.size() == 1);
  // It goes with the next thinning.
  REQUIRE(test.set->thin({}, {20}, test.live()));
  CHECK_FALSE(fs::exists(test.root() / "2"));
  CHECK(fs::exists(test.root() / "1"));
}

TEST_CASE("snapshots: many of the recent past stay, few of the old", "[snapshots]") {
  const Retention retention;
  const Timestamp now{1000 * 24 * kHour};
  std::vector<Timestamp> times;
  for (std::int64_t minutes = 60 * 24 * 60; minutes >= 0; minutes -= 10)
    times.push_back({now.nanos - minutes * 60 * kSecond});
  const auto kept = kept_by_age(times, now, retention);
  const auto count = [&](std::int64_t from_hours, std::int64_t to_hours) {
    std::size_t number = 0;
    for (std::size_t i = 0; i < times.size(); ++i) {
      const std::int64_t age = now.nanos - times[i].nanos;
      number += kept[i] && age >= from_hours * kHour && age < to_hours * kHour ? 1 : 0;
    }
    return number;
  };
  CHECK(count(0, 1) == 6);
  CHECK(count(2, 24) == 22);
  CHECK(count(48, 48 + 24 * 10) == 10);
  CHECK(count(31 * 24, 1000 * 24) == 0);
  CHECK(kept.back());
  // Thinned again a little later, what was kept stays as long as it is young enough.
  std::vector<Timestamp> left;
  for (std::size_t i = 0; i < times.size(); ++i) {
    if (kept[i]) left.push_back(times[i]);
  }
  const auto again = kept_by_age(left, now, retention);
  CHECK(std::count(again.begin(), again.end(), false) == 0);
}

TEST_CASE("snapshots: the budget counts what the live state does not share", "[snapshots]") {
  SetFixture test;
  for (int i = 0; i < 5; ++i) {
    fs::remove_all(test.live());
    fs::create_directories(test.live());
    write(test.live() / ("00000" + std::to_string(i) + ".sst"), std::string(100'000, 'r'));
    REQUIRE(test.take({i + 1}));
  }
  const std::uint64_t own = test.set->own_bytes(test.live());
  CHECK(own > 400'000);
  CHECK(own < 410'000);
  Retention retention;
  retention.bytes_max = 250'000;
  REQUIRE(test.set->thin(retention, {5}, test.live()));
  const auto left = test.set->list();
  REQUIRE(left.size() == 3);
  CHECK(left[0].id == 3);
  // The newest stays, whatever it costs.
  retention.bytes_max = 0;
  REQUIRE(test.set->thin(retention, {5}, test.live()));
  CHECK(test.set->list().size() == 1);
}

}  // namespace
}  // namespace bahi::snapshots
