// Views that are lost or damaged come back from the newest snapshot that is whole.
#include <catch2/catch.hpp>

#include <thread>

#include "as_of_fixture.hpp"

namespace bahi::test {
namespace {

/// With two snapshots, and events behind the second.
class Restored {
 public:
  Restored() {
    for (int i = 0; i < 2; ++i) {
      past.append(300);
      past.settle();
      REQUIRE(past.projections->take_snapshot());
    }
    past.append(100);
    past.settle();
    fingerprint_ = fingerprint();
  }
  PastFixture past{subjects()[3]};

  [[nodiscard]] Hash128 fingerprint() const {
    past.settle();
    const auto hash = past.projections->fingerprint(past.tenant, "stock");
    REQUIRE(hash);
    return *hash;
  }
  /// How many events were folded since it was opened.
  void check_reopened(std::size_t restored) {
    past.open();
    CHECK(past.warnings("restored from snapshot") == restored);
    CHECK(fingerprint() == fingerprint_);
    past.append(50);
    past.settle();
    CHECK(past.ask({"valuation", "{}"}, {}) == past.fold_and_ask({"valuation", "{}"}, past.end()));
  }
  void damage_views() {
    past.projections.reset();
    for (const auto& entry : std::filesystem::directory_iterator(past.views())) {
      if (entry.path().filename().string().starts_with("MANIFEST")) damage_file(entry.path());
    }
  }

 private:
  Hash128 fingerprint_;
};

TEST_CASE("restore: lost views come back from the newest snapshot", "[restore]") {
  Restored test;
  test.past.projections.reset();
  std::filesystem::remove_all(test.past.views());
  test.check_reopened(1);
  CHECK(test.past.warnings("from snapshot 2") == 1);
}

TEST_CASE("restore: damaged views are set aside", "[restore]") {
  Restored test;
  test.damage_views();
  test.check_reopened(1);
  CHECK(std::filesystem::exists(test.past.views().string() + ".damaged"));
}

TEST_CASE("restore: a damaged snapshot is passed over, an older one is taken", "[restore]") {
  Restored test;
  const auto state = test.past.snapshots() / "2" / "state";
  for (const auto& entry : std::filesystem::directory_iterator(state)) {
    if (entry.path().extension() == ".sst") damage_file(entry.path());
  }
  test.damage_views();
  test.check_reopened(1);
  CHECK(test.past.warnings("snapshot 2 is passed over") == 1);
  CHECK(test.past.warnings("from snapshot 1") == 1);
}

TEST_CASE("restore: without snapshots lost views are folded again, damaged ones are an error", "[restore]") {
  Restored test;
  for (const auto& snapshot : test.past.projections->snapshots()) {
    REQUIRE(test.past.projections->delete_snapshot(snapshot.id));
  }
  test.damage_views();
  const auto opened = projections::Projections::open(test.past.views(), *test.past.engine, {});
  REQUIRE_FALSE(opened);
  CHECK(opened.error().code() == ErrorCode::kViewsDamaged);
  std::filesystem::remove_all(test.past.views());
  test.check_reopened(0);
}

TEST_CASE("restore: a snapshot of another log is not used", "[restore]") {
  Restored test;
  test.past.projections.reset();
  std::filesystem::remove_all(test.past.views());
  // Another history under the same names.
  PastFixture other(subjects()[3], 2);
  other.append(700);
  other.settle();
  other.projections.reset();
  std::filesystem::remove_all(other.views());
  std::filesystem::remove_all(other.snapshots());
  std::filesystem::copy(test.past.snapshots(), other.snapshots(), std::filesystem::copy_options::recursive);
  other.open();
  other.settle();
  const Question valuation{"valuation", "{}"};
  CHECK(other.ask(valuation, {}) == other.fold_and_ask(valuation, other.end()));
  for (const std::uint64_t at : {250, 310, 650}) {
    CHECK(other.ask(valuation, Offset{at}) == other.fold_and_ask(valuation, Offset{at}));
  }
}

TEST_CASE("restore: snapshots are taken when it is time", "[restore]") {
  PastFixture past(subjects()[0]);
  past.options.snapshot_events = 100;
  past.options.snapshot_pause = {};
  past.open();
  past.append(150);
  past.settle();
  for (int i = 0; i < 100 && past.projections->snapshots().empty(); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  const auto all = past.projections->snapshots();
  REQUIRE(all.size() == 1);
  REQUIRE(all[0].states.size() == 1);
  CHECK(all[0].states[0].next == Offset{150});
}

}  // namespace
}  // namespace bahi::test
