// Questions about the past: what is refused, what time means, how an answer changed, and what is kept.
#include <catch2/catch.hpp>

#include <thread>

#include <fmt/format.h>
#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include "as_of_fixture.hpp"

namespace bahi::test {
namespace {

using projections::QueryRequest;

const Subject& subject_of(const std::string& projection) {
  for (const Subject& subject : subjects()) {
    if (subject.projection == projection) return subject;
  }
  throw std::runtime_error("no such subject");
}

const Question kTypes{"types", "{}"};

QueryRequest types_of(const PastFixture& past) {
  return {past.tenant, "activity", "types", "{}", {}};
}

ErrorCode code_of(const PastFixture& past, const QueryRequest& request) {
  const auto answer = past.projections->query(request);
  REQUIRE_FALSE(answer);
  return answer.error().code();
}

std::string text_of(const rapidjson::Value& value) {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  value.Accept(writer);
  return {buffer.GetString(), buffer.GetSize()};
}

TEST_CASE("as of: offset 0 is the empty state, and the log's end is the present", "[as_of]") {
  PastFixture past(subject_of("activity"));
  past.append(50);
  past.settle();
  CHECK(past.ask(kTypes, Offset{0}).json == R"({"types":[]})");
  CHECK(past.ask(kTypes, past.end()) == past.ask(kTypes, {}));
  CHECK(past.ask(kTypes, Offset{20}) == past.fold_and_ask(kTypes, Offset{20}));
}

TEST_CASE("as of: what cannot be is refused", "[as_of]") {
  PastFixture past(subject_of("activity"));
  past.append(50);
  past.settle();
  QueryRequest request = types_of(past);
  request.at_offset = past.end() + 1;
  CHECK(code_of(past, request) == ErrorCode::kOffsetOutOfRange);
  request.at_offset = Offset{7};
  request.min_offset = Offset{7};
  CHECK(code_of(past, request) == ErrorCode::kInvalidArgument);
  request.min_offset = {};
  request.at_time = Timestamp{7};
  CHECK(code_of(past, request) == ErrorCode::kInvalidArgument);
  request = types_of(past);
  request.trace_to = Offset{7};
  CHECK(code_of(past, request) == ErrorCode::kInvalidArgument);
  request.at_offset = Offset{9};
  CHECK(code_of(past, request) == ErrorCode::kOffsetOutOfRange);
  request.projection = "stock";
  CHECK(code_of(past, request) == ErrorCode::kUnknownProjection);
}

TEST_CASE("as of: a time is the end of what was recorded up to then", "[as_of]") {
  PastFixture past(subject_of("activity"));
  std::vector<std::pair<Timestamp, Offset>> batches;
  for (int i = 0; i < 20; ++i) {
    past.append(3);
    const auto batch = past.engine->batch_at(past.tenant, past.end() - 1);
    REQUIRE(batch);
    batches.emplace_back((*batch)->header().recorded_at, past.end());
    std::this_thread::sleep_for(std::chrono::microseconds(50));
  }
  past.settle();
  const auto offset_at = [&](Timestamp time) {
    QueryRequest request = types_of(past);
    request.at_time = time;
    const auto answer = past.projections->query(request);
    REQUIRE(answer);
    return answer->offset;
  };
  CHECK(offset_at({1}) == Offset{0});
  for (std::size_t i = 0; i + 1 < batches.size(); ++i) {
    if (batches[i].first >= batches[i + 1].first) continue;  // the clock stood still, or was set back
    CHECK(offset_at(batches[i].first) == batches[i].second);
    CHECK(offset_at({batches[i].first.nanos - 1}) < batches[i].second);
  }
  CHECK(offset_at({INT64_MAX}) == past.end());
}

/// The answer of a query from `from` on, and what it became with each event that changed it.
struct Trace {
  std::string before;
  std::vector<std::pair<std::uint64_t, std::string>> changes;

  [[nodiscard]] const std::string& at(std::uint64_t offset) const {
    const std::string* answer = &before;
    for (const auto& [event, after] : changes) {
      if (event < offset) answer = &after;
    }
    return *answer;
  }
};

Trace trace_of(const PastFixture& past, QueryRequest request) {
  Trace trace;
  for (;;) {
    const auto answer = past.projections->query(request);
    REQUIRE(answer);
    rapidjson::Document page;
    page.Parse(answer->json.c_str());
    REQUIRE_FALSE(page.HasParseError());
    if (trace.before.empty()) trace.before = text_of(page["before"]);
    for (const auto& change : page["changes"].GetArray()) {
      trace.changes.emplace_back(change["offset"].GetUint64(), text_of(change["after"]));
    }
    if (!page.HasMember("next")) {
      CHECK(answer->offset == *request.trace_to);
      return trace;
    }
    CHECK(answer->offset == Offset{page["next"].GetUint64()});
    CHECK(answer->offset > *request.at_offset);
    request.at_offset = answer->offset;
  }
}

TEST_CASE("as of: a trace gives each change of an answer, and the event that made it", "[as_of]") {
  for (const char* const projection : {"stock", "timelines", "payments"}) {
    PastFixture past(subject_of(projection));
    past.append(400);
    past.settle();
    std::mt19937_64 random(7);
    for (int i = 0; i < 5; ++i) {
      const Question question = past.draw(random);
      const std::uint64_t from = random() % 200;
      const std::uint64_t to = 200 + random() % 200;
      INFO(projection << ' ' << question.query << ' ' << question.arguments << ", " << from << " to " << to);
      QueryRequest request{past.tenant, projection, question.query, question.arguments, {}};
      request.at_offset = Offset{from};
      request.trace_to = Offset{to};
      const Trace trace = trace_of(past, request);
      std::vector<std::uint64_t> places{from, to};
      for (const auto& [event, after] : trace.changes) {
        if (places.size() < 12) places.insert(places.end(), {event, event + 1});
      }
      for (const std::uint64_t at : places) {
        const Reply reply = past.fold_and_ask(question, Offset{at});
        CHECK(trace.at(at) == (reply.error == ErrorCode::kNotFound ? "null" : reply.json));
      }
      // States before the trace's end are still what they were.
      const Offset between{from + random() % (to - from)};
      CHECK(past.ask(question, between) == past.fold_and_ask(question, between));
    }
  }
}

TEST_CASE("as of: a deadline is kept, and the next question goes on from there", "[as_of]") {
  PastFixture past(subject_of("activity"));
  past.append(3'000);
  past.settle();
  QueryRequest request = types_of(past);
  request.at_offset = Offset{2'900};
  request.deadline = std::chrono::steady_clock::now() - std::chrono::seconds(1);
  const auto late = past.projections->query(request);
  if (!late) CHECK(late.error().code() == ErrorCode::kDeadlineExceeded);
  request.deadline = std::chrono::steady_clock::time_point::max();
  CHECK(past.projections->query(request));
}

TEST_CASE("as of: states are kept for the next question, as many as may be", "[as_of]") {
  PastFixture past(subject_of("activity"));
  past.options.as_of_states_max = 3;
  past.open();
  past.append(300);
  past.settle();
  const auto states = [&] {
    return std::distance(std::filesystem::directory_iterator(past.directory.path() / "as-of"),
                         std::filesystem::directory_iterator());
  };
  (void)past.ask(kTypes, Offset{100});
  (void)past.ask(kTypes, Offset{100});
  (void)past.ask(kTypes, Offset{200});  // goes on from 100, which is there still
  (void)past.ask(kTypes, Offset{100});
  CHECK(states() == 1);
  for (std::uint64_t at = 90; at > 10; at -= 10) {
    CHECK(past.ask(kTypes, Offset{at}) == past.fold_and_ask(kTypes, Offset{at}));
  }
  CHECK(states() == 3);
  past.open();
  CHECK(states() == 0);
}

TEST_CASE("as of: many questions at once get the answers of one", "[as_of]") {
  PastFixture past(subject_of("timelines"));
  past.append(600);
  past.settle();
  REQUIRE(past.projections->take_snapshot());
  past.append(400);
  past.settle();
  std::mt19937_64 random(3);
  std::vector<std::pair<Question, Offset>> questions;
  std::vector<Reply> expected;
  for (int i = 0; i < 24; ++i) {
    questions.emplace_back(past.draw(random), Offset{random() % 1'000});
    expected.push_back(past.fold_and_ask(questions.back().first, questions.back().second));
  }
  std::vector<Reply> found(questions.size());
  std::vector<std::thread> threads;
  for (std::size_t first = 0; first < 4; ++first) {
    threads.emplace_back([&, first] {
      for (std::size_t i = first; i < questions.size(); i += 4) {
        QueryRequest request{past.tenant, "timelines", questions[i].first.query, questions[i].first.arguments, {}};
        request.at_offset = questions[i].second;
        const auto answer = past.projections->query(request);
        found[i] = answer ? Reply{answer->json, {}} : Reply{answer.error().message(), answer.error().code()};
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(found == expected);
}

TEST_CASE("as of: a replay has a past of its own", "[as_of]") {
  PastFixture past(subject_of("activity"));
  past.append(300);
  past.settle();
  REQUIRE(past.projections->replay(past.tenant, "activity", "part", Offset{100}, Offset{200}, "admin"));
  QueryRequest request = types_of(past);
  request.projection = "activity@part";
  const auto json_at = [&](std::uint64_t at) {
    request.at_offset = Offset{at};
    const auto answer = past.projections->query(request);
    REQUIRE(answer);
    return answer->json;
  };
  CHECK(json_at(50) == R"({"types":[]})");
  CHECK(json_at(100) == R"({"types":[]})");
  CHECK(json_at(150) != json_at(200));
  request.at_offset = Offset{201};
  CHECK(code_of(past, request) == ErrorCode::kOffsetOutOfRange);
}

TEST_CASE("as of: an event that was passed over stays out of answers about the past", "[as_of]") {
  PastFixture past(subject_of("stock"));
  past.append(100);
  // Beyond what 64 bits hold after some of them, so that the read model parks.
  std::vector<Event> events(10, {"stock-x", "stock.ItemDefined", R"({"item":"x","name":"x"})"});
  for (int i = 0; i < 20'000; ++i) {
    events.push_back(
        {"stock-x", "stock.BatchReceived",
         R"({"item":"x","batch":"b","location":"l","quantity":1000000000000,"cost_paise":1000000000000000})"});
  }
  REQUIRE(bahi::test::append(*past.engine, past.tenant, events));
  past.settle();
  const auto all = past.projections->list(past.tenant);
  REQUIRE(all.size() == 1);
  REQUIRE(all[0].parked_at);
  const Offset parked = *all[0].parked_at;
  const Question valuation{"valuation", "{}"};
  CHECK(past.ask(valuation, parked) == past.ask(valuation, {}));
  CHECK(past.ask(valuation, parked + 1).error == ErrorCode::kProjectionParked);
  REQUIRE(past.projections->skip(past.tenant, "stock", "admin"));
  CHECK(past.ask(valuation, parked + 1) == past.ask(valuation, parked));
}

}  // namespace
}  // namespace bahi::test
