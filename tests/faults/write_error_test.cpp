// EIO and ENOSPC at every write, sync, open and rename of a short run, one at a time.
#include <catch2/catch.hpp>

#include <atomic>
#include <chrono>
#include <functional>

#include "fault_env.hpp"
#include "test_store.hpp"

namespace bahi::faults {
namespace {

constexpr std::uint64_t kBatches = 16;

struct Injection {
  std::string scope;
  Operation operation = Operation::kWrite;
  Fault fault = Fault::kIoError;
  bool sticky = false;
};

struct Outcome {
  std::vector<Acknowledged> acknowledged;
  std::size_t unknown = 0;
  bool failed = false;  ///< an append was told that the store failed
};

LossOptions losing() {
  LossOptions loss;
  loss.lossy = true;
  loss.sync_reaches_disk = false;
  return loss;
}

/// Appends one by one, with a flush in the middle. After the first failure no append may be acknowledged.
Outcome append_all(TestStore& store) {
  Outcome outcome;
  for (std::uint64_t request_id = 1; request_id <= kBatches; ++request_id) {
    const auto result = store.engine->append(make_batch(store.tenant, request_id));
    if (result) {
      REQUIRE_FALSE(outcome.failed);
      outcome.acknowledged.push_back({request_id, result->first_offset});
    } else if (outcome.failed) {
      CHECK(result.error().code() == ErrorCode::kReadOnly);
    } else {
      INFO(result.error().to_string());
      CHECK((result.error().code() == ErrorCode::kWriteFailed || result.error().code() == ErrorCode::kReadOnly));
      if (result.error().code() == ErrorCode::kWriteFailed) ++outcome.unknown;
      outcome.failed = true;
    }
    if (request_id == kBatches / 2) static_cast<void>(store.engine->flush());
  }
  return outcome;
}

/// How many operations of the kind the run does when nothing fails.
std::uint64_t count_operations(const Injection& injection) {
  const TemporaryDirectory directory;
  FaultEnv env(losing());
  env.files().set_scope(injection.scope);
  TestStore store = open_test_store(directory.path() / "store", test_options(env.env()));
  env.files().reset();
  const Outcome outcome = append_all(store);
  REQUIRE(outcome.acknowledged.size() == kBatches);
  return env.files().count(injection.operation);
}

/// The run with the `nth` operation failing, and what must hold after it. Whether the fault was reached.
bool run_with_fault(const Injection& injection, std::uint64_t nth, bool must_fail) {
  const TemporaryDirectory directory;
  Outcome outcome;
  bool reached = false;
  {
    FaultEnv env(losing());
    env.files().set_scope(injection.scope);
    TestStore store = open_test_store(directory.path() / "store", test_options(env.env()));
    env.files().reset();
    env.files().fail(injection.operation, nth, injection.fault, injection.sticky);
    outcome = append_all(store);
    reached = env.files().failures() > 0;
    if (must_fail && reached) CHECK(outcome.failed);
    CHECK(store.engine->stats().read_only == outcome.failed);
    if (outcome.failed) CHECK_FALSE(store.engine->stats().read_only_reason.empty());
    check_history(*store.engine, store.tenant, outcome.acknowledged, 0);  // reads go on, and show nothing unsynced
    static_cast<void>(store.engine->close());                             // may report the fault once more
  }
  const TestStore again = open_test_store(directory.path() / "store", test_options());
  check_history(*again.engine, again.tenant, outcome.acknowledged, outcome.unknown);
  const auto report = again.engine->verify();
  REQUIRE(report.has_value());
  for (const Finding& finding : report->findings) FAIL_CHECK(finding.error.to_string());
  CHECK(again.engine->append(make_batch(again.tenant, 1000)).has_value());
  return reached;
}

void run_every_place(const Injection& injection, bool must_fail) {
  const std::uint64_t count = count_operations(injection);
  INFO("operations: " << count);
  REQUIRE(count > 0);
  std::uint64_t reached = 0;
  for (std::uint64_t nth = 1; nth <= count; ++nth) {
    INFO("failing number " << nth << " of " << count);
    if (run_with_fault(injection, nth, must_fail)) ++reached;
  }
  // Background work shifts the last ones a little between runs, so not every number is met each time.
  CHECK(reached * 2 >= count);
}

}  // namespace

TEST_CASE("write error: EIO at any sync of the log ends all acknowledgements", "[faults]") {
  run_every_place({"/log/", Operation::kSync, Fault::kIoError, false}, true);
}

TEST_CASE("write error: EIO at any write of the log ends all acknowledgements", "[faults]") {
  run_every_place({"/log/", Operation::kWrite, Fault::kIoError, false}, true);
}

TEST_CASE("write error: ENOSPC from any write of the log on ends all acknowledgements", "[faults]") {
  run_every_place({"/log/", Operation::kWrite, Fault::kNoSpace, true}, true);
}

TEST_CASE("write error: ENOSPC at any sync of the log ends all acknowledgements", "[faults]") {
  run_every_place({"/log/", Operation::kSync, Fault::kNoSpace, true}, true);
}

TEST_CASE("write error: no conflict is answered with an event that never became durable", "[faults]") {
  const TemporaryDirectory directory;
  FaultEnv env(losing());
  env.files().set_scope("/log/");
  TestStore store = open_test_store(directory.path() / "store", test_options(env.env()));
  env.files().reset();
  env.files().set_sync_delay(std::chrono::milliseconds(300));
  env.files().fail(Operation::kSync, 1, Fault::kIoError, true);

  // Each batch twice, where the second would have to come first: sequenced while the sync hangs that will fail.
  constexpr std::uint64_t kPairs = 40;
  std::atomic<std::uint64_t> answered{0};
  std::atomic<std::uint64_t> wrong{0};
  for (std::uint64_t request_id = 1; request_id <= kPairs; ++request_id) {
    const std::vector<PlannedEvent> planned = plan_events(request_id, request_id, kTestEventsMax);
    for (const bool conflicting : {false, true}) {
      AppendRequest request = make_batch(store.tenant, request_id);
      if (conflicting && request_id % 2 == 0) {
        request.expectations.push_back({planned[0].stream, {ExpectedVersion::Kind::kNoStream, {}}});
      } else if (conflicting) {
        request.condition = AppendCondition{EventQuery{{QueryItem{{planned[0].type}, {}}}}, Offset{0}};
      }
      store.engine->submit(std::move(request), [&](const Result<AppendResult>& result) {
        const bool honest = !result && (result.error().code() == ErrorCode::kWriteFailed ||
                                        result.error().code() == ErrorCode::kReadOnly);
        if (!honest) ++wrong;
        ++answered;
      });
    }
  }
  static_cast<void>(store.engine->close());
  CHECK(answered == 2 * kPairs);
  CHECK(wrong == 0);
}

TEST_CASE("write error: no failing file creation, rename or directory sync of the log loses anything", "[faults]") {
  const Operation operation = GENERATE(Operation::kOpen, Operation::kRename, Operation::kDirectorySync);
  const Injection injection{"/log/", operation, Fault::kIoError, false};
  const std::uint64_t count = count_operations(injection);
  for (std::uint64_t nth = 1; nth <= count; ++nth) {
    INFO("operation kind " << static_cast<int>(operation) << ", number " << nth << " of " << count);
    run_with_fault(injection, nth, false);
  }
}

TEST_CASE("write error: no failing operation of the index loses or alters anything", "[faults]") {
  const Operation operation = GENERATE(Operation::kOpen, Operation::kWrite, Operation::kSync, Operation::kRename);
  const Injection injection{"/idx/", operation, Fault::kIoError, true};
  const std::uint64_t count = count_operations(injection);
  for (std::uint64_t nth = 1; nth <= count; ++nth) {
    INFO("operation kind " << static_cast<int>(operation) << ", number " << nth << " of " << count);
    run_with_fault(injection, nth, false);
  }
}

TEST_CASE("write error: a failing open can be repeated", "[faults]") {
  const TemporaryDirectory directory;
  std::vector<Acknowledged> acknowledged;
  {
    TestStore store = open_test_store(directory.path() / "store", test_options());
    acknowledged = append_all(store).acknowledged;
  }
  FaultEnv env(losing());
  std::uint64_t nth = 1;
  for (bool opened = false; !opened; ++nth) {
    INFO("failing write number " << nth);
    REQUIRE(nth < 500);
    env.files().reset();
    env.files().fail(Operation::kWrite, nth, Fault::kIoError, true);
    auto engine = Engine::open(directory.path() / "store", test_options(env.env()));
    opened = static_cast<bool>(engine) && env.files().failures() == 0;
    if (!engine) CHECK(engine.error().info().action == Action::kRestoreStore);
  }
  CHECK(nth > 2);
  const TestStore store = open_test_store(directory.path() / "store", test_options());
  check_history(*store.engine, store.tenant, acknowledged, 0);
}

}  // namespace bahi::faults
