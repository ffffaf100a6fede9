#include "bahi/projections/projections.hpp"

#include <catch2/catch.hpp>

#include <thread>

#include "engine_fixture.hpp"

namespace bahi::projections {
namespace {

using test::append;
using test::Event;
using test::TemporaryDirectory;

constexpr std::string_view kActivity = "activity";

/// Takes events of any content, as they may lie in a log of former times.
std::unique_ptr<Engine> credulous_engine() {
  EngineOptions options = test::small_options();
  options.check_events = false;
  return test::memory_engine(std::make_shared<MemoryLog>(), options);
}

/// An engine in memory and its read models in a directory.
struct Fixture {
  TemporaryDirectory directory;
  std::unique_ptr<Engine> engine = credulous_engine();
  TenantId tenant = *engine->create_tenant("shop");
  std::unique_ptr<Projections> projections = open();

  std::unique_ptr<Projections> open() {
    auto opened = Projections::open(directory.path() / "views", *engine, {});
    REQUIRE(opened);
    return std::move(*opened);
  }
  void restart() {
    projections.reset();
    projections = open();
  }
  void write(std::size_t count, const std::string& type = "happened") {
    const std::size_t batch = 100;
    for (std::size_t done = 0; done < count; done += batch) {
      std::vector<Event> events(std::min(batch, count - done), Event{"order-1", type});
      REQUIRE(append(*engine, tenant, events));
    }
  }
  ProjectionStatus status(std::string_view name = kActivity) const {
    for (const ProjectionStatus& each : projections->list(tenant)) {
      if (each.name == name) return each;
    }
    FAIL("no projection " << name);
    return {};
  }
  /// Until everything is folded, or the projection rests.
  void settle(std::string_view name = kActivity) const {
    std::atomic<bool> done{false};
    const auto cancel = projections->notify_at(tenant, name, engine->durable_offset(tenant), [&done] {
      done = true;
      done.notify_all();
    });
    done.wait(false);
  }
  Result<QueryAnswer> ask(const std::string& query, const std::string& arguments = {}, Offset min_offset = {},
                          const std::string& name = std::string(kActivity)) const {
    return projections->query({tenant, name, query, arguments, min_offset});
  }
  std::string count_of(const std::string& type) const {
    const auto answer = ask("type", R"({"type":")" + type + "\"}");
    REQUIRE(answer);
    const auto begin = answer->json.find("\"count\":") + 8;
    return answer->json.substr(begin, answer->json.find(',', begin) - begin);
  }
};

template <class Condition>
bool eventually(Condition condition) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

TEST_CASE("projections: one that is started folds what was there, then what comes", "[projections]") {
  Fixture fixture;
  fixture.write(250);
  REQUIRE(fixture.projections->start(fixture.tenant, kActivity, "admin"));
  fixture.settle();
  CHECK(fixture.count_of("happened") == "250");
  fixture.write(10, "more");
  fixture.settle();
  CHECK(fixture.count_of("more") == "10");
  const ProjectionStatus status = fixture.status();
  CHECK(status.next == Offset{260});
  CHECK(status.lag == 0);
  CHECK(status.events == 260);
  CHECK(eventually([&] { return fixture.status().state == ProjectionState::kLive; }));
}

TEST_CASE("projections: an answer says at which offset it is true, and waits for nobody", "[projections]") {
  Fixture fixture;
  fixture.write(5);
  REQUIRE(fixture.projections->start(fixture.tenant, kActivity, "admin"));
  fixture.settle();
  const auto answer = fixture.ask("types", {}, Offset{5});
  REQUIRE(answer);
  CHECK(answer->offset == Offset{5});
  const auto early = fixture.ask("types", {}, Offset{6});
  REQUIRE_FALSE(early);
  CHECK(early.error().code() == ErrorCode::kProjectionBehind);
}

TEST_CASE("projections: wrong names and arguments are answered with what there is", "[projections]") {
  Fixture fixture;
  const auto code = [](const auto& result) { return result.error().code(); };
  CHECK(code(fixture.ask("types")) == ErrorCode::kUnknownProjection);
  CHECK(code(fixture.projections->start(fixture.tenant, "horoscopes", "admin")) == ErrorCode::kUnknownProjection);
  REQUIRE(fixture.projections->start(fixture.tenant, kActivity, "admin"));
  CHECK(code(fixture.projections->start(fixture.tenant, kActivity, "admin")) == ErrorCode::kProjectionExists);
  CHECK(code(fixture.ask("kinds")) == ErrorCode::kUnknownQuery);
  CHECK_THAT(fixture.ask("kinds").error().message(), Catch::Contains("types"));
  CHECK(code(fixture.ask("types", "{")) == ErrorCode::kMalformedJson);
  CHECK(code(fixture.ask("types", "[]")) == ErrorCode::kInvalidArgument);
  CHECK_THAT(fixture.ask("types", R"({"limit":0})").error().message(), Catch::Contains("'limit'"));
  CHECK_THAT(fixture.ask("types", R"({"page":3})").error().message(), Catch::Contains("'page'"));
  CHECK(code(fixture.ask("type", R"({"type":"nothing"})")) == ErrorCode::kNotFound);
  CHECK(code(fixture.projections->drop(fixture.tenant, "horoscopes", "admin")) == ErrorCode::kUnknownProjection);
  CHECK(code(fixture.projections->skip(fixture.tenant, kActivity, "admin")) == ErrorCode::kInvalidArgument);
}

TEST_CASE("projections: they survive a restart, and the loss of everything that is derived", "[projections]") {
  Fixture fixture;
  fixture.write(300);
  REQUIRE(fixture.projections->start(fixture.tenant, kActivity, "admin"));
  fixture.settle();
  fixture.restart();
  CHECK(fixture.status().next == Offset{300});
  CHECK(fixture.status().events == 300);
  fixture.write(10);
  fixture.settle();
  CHECK(fixture.count_of("happened") == "310");
  fixture.projections.reset();
  std::filesystem::remove_all(fixture.directory.path() / "views");
  fixture.projections = fixture.open();
  fixture.settle();
  CHECK(fixture.count_of("happened") == "310");
  REQUIRE(fixture.projections->drop(fixture.tenant, kActivity, "admin"));
  fixture.restart();
  CHECK(fixture.projections->list(fixture.tenant).empty());
}

TEST_CASE("projections: state of another log is not taken for this one's", "[projections]") {
  Fixture fixture;
  fixture.write(50);
  REQUIRE(fixture.projections->start(fixture.tenant, kActivity, "admin"));
  fixture.settle();
  fixture.projections.reset();
  // The same number of events, other ones.
  fixture.engine = test::memory_engine();
  REQUIRE(fixture.engine->create_tenant("shop"));
  fixture.write(50, "other");
  fixture.projections = fixture.open();
  CHECK(fixture.projections->list(fixture.tenant).empty());  // this log knows of no projection
  REQUIRE(fixture.projections->start(fixture.tenant, kActivity, "admin"));
  fixture.settle();
  CHECK(fixture.count_of("other") == "50");
  CHECK(fixture.ask("type", R"({"type":"happened"})").error().code() == ErrorCode::kNotFound);
}

TEST_CASE("projections: a rebuild serves until the new one has caught up, and gives the same state", "[projections]") {
  Fixture fixture;
  REQUIRE(fixture.projections->start(fixture.tenant, kActivity, "admin"));
  for (int i = 0; i < 20; ++i) fixture.write(17, "type-" + std::to_string(i % 7));
  fixture.settle();
  const auto before = fixture.projections->fingerprint(fixture.tenant, kActivity);
  REQUIRE(before);
  REQUIRE(fixture.projections->rebuild(fixture.tenant, kActivity, "admin"));
  CHECK(fixture.ask("types", {}, Offset{340}));
  REQUIRE(eventually([&] { return !fixture.status().rebuilt_to; }));
  const auto after = fixture.projections->fingerprint(fixture.tenant, kActivity);
  REQUIRE(after);
  CHECK(*after == *before);
  fixture.write(3);
  fixture.settle();
  CHECK(fixture.count_of("happened") == "3");
  fixture.restart();
  CHECK(fixture.projections->list(fixture.tenant).size() == 1);
  CHECK(fixture.count_of("happened") == "3");
}

TEST_CASE("projections: a replay folds its range and no more, until it is dropped", "[projections]") {
  Fixture fixture;
  REQUIRE(fixture.projections->start(fixture.tenant, kActivity, "admin"));
  fixture.write(100, "a");
  fixture.write(100, "b");
  REQUIRE(fixture.projections->replay(fixture.tenant, kActivity, "middle", Offset{90}, Offset{130}, "auditor"));
  fixture.settle("activity@middle");
  const auto answer = fixture.ask("types", {}, {}, "activity@middle");
  REQUIRE(answer);
  CHECK(answer->offset == Offset{130});
  CHECK_THAT(answer->json, Catch::Contains(R"("type":"a","count":10)") && Catch::Contains(R"("type":"b","count":30)"));
  CHECK(fixture.status("activity@middle").state == ProjectionState::kFinished);
  CHECK(fixture.projections->replay(fixture.tenant, kActivity, "middle", {}, Offset{1}, "auditor").error().code() ==
        ErrorCode::kProjectionExists);
  CHECK(fixture.projections->replay(fixture.tenant, kActivity, "late", Offset{200}, kOffsetMax, "auditor")
            .error()
            .code() == ErrorCode::kOffsetOutOfRange);
  CHECK(fixture.projections->replay(fixture.tenant, kActivity, "No!", {}, kOffsetMax, "auditor").error().code() ==
        ErrorCode::kInvalidArgument);
  fixture.restart();
  CHECK(fixture.ask("types", {}, Offset{130}, "activity@middle"));
  REQUIRE(fixture.projections->drop(fixture.tenant, "activity@middle", "auditor"));
  CHECK_FALSE(fixture.ask("types", {}, {}, "activity@middle"));
}

TEST_CASE("projections: an event that cannot be folded parks its projection in front of it", "[projections]") {
  Fixture fixture;
  REQUIRE(fixture.projections->start(fixture.tenant, kActivity, "admin"));
  fixture.write(150);
  // Written before anybody checked: a known type with content that does not fit, in the middle of a batch.
  REQUIRE(append(*fixture.engine, fixture.tenant,
                 {{"order-1", "happened"}, {"chat-1", "chat.MemberLeft", R"({"user":"a"})"}, {"order-1", "happened"}}));
  fixture.write(20);
  fixture.settle();
  ProjectionStatus status = fixture.status();
  CHECK(status.state == ProjectionState::kParked);
  REQUIRE(status.parked_at);
  CHECK(*status.parked_at == Offset{151});
  CHECK(status.next == Offset{151});
  CHECK(status.lag == 22);
  CHECK_THAT(status.parked_because, Catch::Contains("'conversation' is missing"));
  CHECK(fixture.count_of("happened") == "151");
  CHECK(fixture.ask("types", {}, Offset{160}).error().code() == ErrorCode::kProjectionParked);

  REQUIRE(fixture.projections->retry(fixture.tenant, kActivity, "admin"));
  REQUIRE(eventually([&] { return fixture.status().state == ProjectionState::kParked; }));
  CHECK(fixture.status().next == Offset{151});

  REQUIRE(fixture.projections->skip(fixture.tenant, kActivity, "admin"));
  fixture.settle();
  CHECK(fixture.count_of("happened") == "172");
  CHECK(fixture.status().skipped == 1);

  // What was skipped once is skipped for ever, also by those who come later.
  const auto before = fixture.projections->fingerprint(fixture.tenant, kActivity);
  REQUIRE(fixture.projections->rebuild(fixture.tenant, kActivity, "admin"));
  REQUIRE(eventually([&] { return !fixture.status().rebuilt_to; }));
  CHECK(*fixture.projections->fingerprint(fixture.tenant, kActivity) == *before);
  fixture.projections.reset();
  std::filesystem::remove_all(fixture.directory.path() / "views");
  fixture.projections = fixture.open();
  fixture.settle();
  CHECK(*fixture.projections->fingerprint(fixture.tenant, kActivity) == *before);
}

TEST_CASE("projections: acts of operators are events of the system tenant, with their actor", "[projections]") {
  Fixture fixture;
  REQUIRE(fixture.projections->start(fixture.tenant, kActivity, "asha"));
  REQUIRE(fixture.projections->drop(fixture.tenant, kActivity, "ravi"));
  ReadRequest request;
  request.tenant = kSystemTenant;
  request.filter.category = "projection";
  const auto cursor = fixture.engine->read(std::move(request));
  REQUIRE(cursor);
  EventView event;
  REQUIRE(*(*cursor)->next(event));
  CHECK(event.type == "bahi.projection-started");
  CHECK(event.metadata.actor == "asha");
  REQUIRE(*(*cursor)->next(event));
  CHECK(event.type == "bahi.projection-dropped");
  CHECK(event.metadata.actor == "ravi");
}

TEST_CASE("projections: many tenants are folded in turn, none waits for the largest", "[projections]") {
  Fixture fixture;
  fixture.write(100'000);
  std::vector<TenantId> small;
  for (int i = 0; i < 40; ++i) {
    small.push_back(*fixture.engine->create_tenant("small-" + std::to_string(i)));
    REQUIRE(append(*fixture.engine, small.back(), {{"order-1"}, {"order-2"}}));
  }
  REQUIRE(fixture.projections->start(fixture.tenant, kActivity, "admin"));
  for (const TenantId tenant : small) REQUIRE(fixture.projections->start(tenant, kActivity, "admin"));
  for (const TenantId tenant : small) {
    REQUIRE(eventually([&] {
      return fixture.projections->query({tenant, std::string(kActivity), "types", {}, Offset{2}}).has_value();
    }));
  }
  fixture.settle();
  CHECK(fixture.count_of("happened") == "100000");
}

}  // namespace
}  // namespace bahi::projections
