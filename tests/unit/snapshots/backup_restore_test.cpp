#include <catch2/catch.hpp>

#include <fstream>

#include "backup_fixture.hpp"
#include "bahi/engine/store_copy.hpp"

namespace bahi {
namespace {

using test::append;
using test::BackedUpStore;
using test::names_in;
using test::stored_batches;

RestoreOptions ending(const std::string& tenant, std::uint64_t offset) {
  RestoreOptions options;
  options.ends[tenant] = Offset{offset};
  return options;
}

TEST_CASE("restore: producers, expected versions and conditions go on where they were", "[backup]") {
  BackedUpStore store;
  AppendRequest request = test::request_of(store.shop(), {{"order-1"}, {"order-2", "paid", "{}", {"invoice:7"}}});
  const Uuid producer{1, 2};
  request.producer = ProducerPosition{producer, 41};
  const auto first = store.engine().append(request);
  REQUIRE(first);
  store.write(2);
  store.back_up();

  const auto restored = store.restore("restored");
  const auto repeat = restored->append(request);
  REQUIRE(repeat);
  CHECK(repeat->duplicate);
  CHECK(repeat->first_offset == first->first_offset);
  CHECK(repeat->recorded_at == first->recorded_at);
  CHECK(repeat->first_versions == first->first_versions);

  const Version version = *store.engine().stream_version(store.shop(), "order-1");
  CHECK(*restored->stream_version(store.shop(), "order-1") == version);
  CHECK(test::append_expecting(*restored, store.shop(), {{"order-1"}}, {{"order-1", ExpectedVersion::no_stream()}})
            .error()
            .code() == ErrorCode::kWrongExpectedVersion);
  REQUIRE(
      test::append_expecting(*restored, store.shop(), {{"order-1"}}, {{"order-1", ExpectedVersion::exactly(version)}}));

  AppendRequest conditional = test::request_of(store.shop(), {{"order-9"}});
  conditional.condition = AppendCondition{{{QueryItem{{"paid"}, {"invoice:7"}}}}, {0}};
  CHECK(restored->append(conditional).error().code() == ErrorCode::kConditionFailed);
  conditional.condition->from = restored->durable_offset(store.shop());
  REQUIRE(restored->append(conditional));
  CHECK(restored->create_tenant("shop").error().code() == ErrorCode::kTenantExists);
  CHECK(restored->create_tenant("third")->value == 3);
}

TEST_CASE("restore: to the moment of an earlier backup", "[backup]") {
  BackedUpStore store;
  store.write(2);
  store.back_up();
  store.write(2);
  store.back_up();
  RestoreOptions options;
  options.backup = 1;
  const auto restored = store.restore("restored", options);
  for (const TenantId tenant : {store.shop(), store.office()}) {
    CHECK(restored->durable_offset(tenant) == Offset{6});
    CHECK(stored_batches(*restored, tenant) == stored_batches(store.engine(), tenant, {6}));
  }
  options.backup = 3;
  const auto none = store.try_restore("none", options);
  REQUIRE_FALSE(none);
  CHECK(none.error().code() == ErrorCode::kInvalidArgument);
  CHECK(none.error().message().find("holds backups 1 to 2, not 3") != std::string::npos);
  CHECK_FALSE(std::filesystem::exists(store.place("none")));
}

TEST_CASE("restore: one tenant to an offset, the others whole", "[backup]") {
  BackedUpStore store;
  store.write(4);
  store.back_up();
  const auto restored = store.restore("restored", ending("shop", 6));
  CHECK(restored->durable_offset(store.shop()) == Offset{6});
  CHECK(stored_batches(*restored, store.shop()) == stored_batches(store.engine(), store.shop(), {6}));
  CHECK(stored_batches(*restored, store.office()) == stored_batches(store.engine(), store.office()));
  test::require_sound(*restored);
  REQUIRE(append(*restored, store.shop(), {{"order-1"}}));

  const auto without = store.restore("without", ending("shop", 0));
  CHECK(without->durable_offset(store.shop()) == Offset{0});
  CHECK(*without->find_tenant("shop") == store.shop());
  REQUIRE(append(*without, store.shop(), {{"order-1"}}));
}

TEST_CASE("restore: an offset that cannot be restored to is named, and nothing is left", "[backup]") {
  BackedUpStore store;
  store.write(4);
  store.back_up();
  const auto refused = [&store](const RestoreOptions& options) {
    const auto report = store.try_restore("restored", options);
    REQUIRE_FALSE(report);
    CHECK(names_in(store.place("restored")).empty());
    return report.error();
  };
  const Error inside = refused(ending("shop", 7));
  CHECK(inside.code() == ErrorCode::kInvalidArgument);
  CHECK(inside.message().find("offset 7 of tenant 'shop' lies inside a batch") != std::string::npos);
  CHECK(inside.message().find("choose 6 (without the batch) or 9 (with it)") != std::string::npos);
  const Error beyond = refused(ending("shop", 13));
  CHECK(beyond.code() == ErrorCode::kOffsetOutOfRange);
  CHECK(beyond.message().find("holds tenant 'shop' up to offset 12, not 13") != std::string::npos);
  CHECK(refused(ending("shed", 1)).code() == ErrorCode::kUnknownTenant);
  CHECK(refused(ending("system", 1)).code() == ErrorCode::kInvalidArgument);
}

TEST_CASE("restore: into a directory that is not empty", "[backup]") {
  BackedUpStore store;
  store.write(1);
  store.back_up();
  std::filesystem::create_directories(store.place("full"));
  std::ofstream(store.place("full") / "letters.txt") << "dear";
  const auto refused = store.try_restore("full");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == ErrorCode::kDirectoryNotEmpty);
  CHECK(refused.error().message().find("letters.txt") != std::string::npos);
  CHECK(names_in(store.place("full")) == std::vector<std::string>{"letters.txt"});
  CHECK(store.try_restore("store").error().code() == ErrorCode::kDirectoryNotEmpty);
  test::require_sound(store.engine());

  std::filesystem::create_directories(store.place("empty"));
  CHECK(store.try_restore("empty"));
}

TEST_CASE("restore: one that was interrupted is no store, and is begun anew", "[backup]") {
  BackedUpStore store;
  store.write(2);
  store.back_up();
  const auto target = store.place("restored");
  std::filesystem::create_directories(target / "log");
  std::ofstream(target / "BAHI.restoring") << "bahi store, format 1\n";
  std::ofstream(target / "ANCHOR") << "half";
  std::ofstream(target / "log" / "000004.sst") << "half";
  for (const bool read_only : {false, true}) {
    EngineOptions options = test::small_options();
    options.create_if_missing = true;
    options.read_only = read_only;
    CHECK(Engine::open(target, options).error().code() == ErrorCode::kRestoreUnfinished);
  }
  const auto restored = store.restore("restored");
  CHECK(stored_batches(*restored, store.shop()) == stored_batches(store.engine(), store.shop()));

  // Killed before its first word was complete.
  std::filesystem::create_directories(store.place("early"));
  std::ofstream(store.place("early") / "BAHI.restoring.new") << "bahi st";
  CHECK(Engine::open(store.place("early"), test::small_options()).error().code() == ErrorCode::kRestoreUnfinished);
  CHECK(store.try_restore("early"));
}

TEST_CASE("restore: stopped on the way, it leaves the directory empty", "[backup]") {
  BackedUpStore store;
  store.write(3);
  store.back_up();
  RestoreOptions options;
  int asked = 0;
  options.stop = [&asked] { return ++asked > 4; };
  CHECK(store.try_restore("restored", options).error().code() == ErrorCode::kCancelled);
  CHECK(names_in(store.place("restored")).empty());
}

class CountingCheck final : public BackupCheck {
 public:
  Status batch(const DecodedBatch& batch) override {
    events += batch.header().event_count;
    return {};
  }
  Status end() override {
    if (refuse) return Error{ErrorCode::kBackupMismatch, "another history than the checkpoint's"};
    return {};
  }
  std::uint64_t events = 0;
  bool refuse = false;
};

TEST_CASE("restore: a check from outside sees every batch and may refuse", "[backup]") {
  BackedUpStore store;
  store.write(3);
  const BackupOutcome taken = store.back_up();
  CountingCheck check;
  RestoreOptions options;
  options.check = &check;
  REQUIRE(store.try_restore("restored", options));
  CHECK(check.events == taken.info.events);
  check.refuse = true;
  CHECK(store.try_restore("refused", options).error().code() == ErrorCode::kBackupMismatch);
  CHECK(names_in(store.place("refused")).empty());
}

TEST_CASE("store copy: batches out of order are refused", "[backup]") {
  BackedUpStore store;
  store.write(2);
  const auto batches = stored_batches(store.engine(), store.shop());
  auto copy = StoreCopy::begin(store.place("copy"), store.engine().store_id(), test::small_options());
  REQUIRE(copy);
  CHECK((*copy)->add(batches.at(1)).error().code() == ErrorCode::kCorruptLog);
  REQUIRE((*copy)->add(batches.at(0)));
  CHECK((*copy)->add(batches.at(0)).error().code() == ErrorCode::kCorruptLog);
  CHECK((*copy)->marks().at(0).next_offset == Offset{3});
  copy->reset();
  CHECK(names_in(store.place("copy")).empty());
}

}  // namespace
}  // namespace bahi
