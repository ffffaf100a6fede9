// Questions about the past from the command line: query, diff, replay, and snapshots.
#include <catch2/catch.hpp>

#include "serving.hpp"

namespace bahi::test {
namespace {

/// With 60 events of two types, and the read model that counts them.
class Past {
 public:
  Past() {
    std::string lines;
    for (int i = 0; i < 60; ++i) {
      lines +=
          i % 3 == 0 ? R"({"stream":"a-1","type":"third","data":0})" : R"({"stream":"a-1","type":"other","data":0})";
      lines += '\n';
    }
    REQUIRE(server.bahi({"projection", "start", "activity", "--tenant", "shop"}).exit_code == 0);
    REQUIRE(server.bahi({"import", "--tenant", "shop"}, "", lines).exit_code == 0);
    REQUIRE(ask({"--min-offset", "60"}).exit_code == 0);
  }
  const Store store;
  const Serving server{store};

  [[nodiscard]] Outcome ask(const Arguments& more) const {
    Arguments words{"query", "--tenant", "shop", "activity", "type", "type=third"};
    words.insert(words.end(), more.begin(), more.end());
    return server.bahi(words);
  }
};

TEST_CASE("query: --at-offset and --at-time answer as of then", "[cli][past]") {
  const Past past;
  CHECK(member(past.ask({}).out, "count") == "20");
  CHECK(member(past.ask({"--at-offset", "30"}).out, "count") == "10");
  CHECK(member(past.ask({"--at-time", "2200-01-01T00:00:00Z"}).out, "count") == "20");
  CHECK(past.ask({"--at-time", "2020-01-01T00:00:00Z"}).exit_code == 5);
  CHECK(past.ask({"--at-offset", "61"}).exit_code == 3);
  CHECK(past.ask({"--at-time", "yesterday"}).exit_code == 3);
  CHECK(past.ask({"--at-offset", "1", "--min-offset", "1"}).exit_code == 2);
}

TEST_CASE("diff: each event that changed the answer, and the difference of the ends", "[cli][past]") {
  const Past past;
  const Outcome outcome = past.server.bahi(
      {"diff", "--tenant", "shop", "activity", "type", "type=third", "--from-offset", "28", "--to-offset", "40"});
  CAPTURE(outcome.err);
  REQUIRE(outcome.exit_code == 0);
  const auto lines = split_lines(outcome.out);
  REQUIRE(lines.size() == 5);
  const std::string first = R"({"path":"/count","before":10,"after":11})";
  CHECK(lines[0].find(R"({"event":{"offset":30,)") == 0);
  CHECK(lines[0].find(first) != std::string::npos);
  CHECK(lines[3].find(R"({"event":{"offset":39,)") == 0);
  CHECK(lines[4].find(R"({"from_offset":28,"to_offset":40,"events":4,)") == 0);
  CHECK(lines[4].find(R"({"path":"/count","before":10,"after":14})") != std::string::npos);
  const Outcome backward =
      past.server.bahi({"diff", "--tenant", "shop", "activity", "types", "--from-offset", "40", "--to-offset", "28"});
  CHECK(backward.exit_code == 3);
}

TEST_CASE("replay: the history once more, filtered, at a pace, over TCP and from the directory", "[cli][past]") {
  const Past past;
  const Arguments words{"replay", "--tenant", "shop",  "--from", "10",  "--to",
                        "40",     "--type",   "third", "--pace", "1000"};
  const Outcome outcome = past.server.bahi(words);
  CHECK(outcome.exit_code == 0);
  CHECK(split_lines(outcome.out).size() == 10);
  CHECK(past.store.bahi(words).out == outcome.out);
  CHECK(past.store.bahi({"replay", "--tenant", "shop"}).out == past.store.bahi({"read", "--tenant", "shop"}).out);
  CHECK(past.server.bahi({"replay", "--tenant", "shop", "--pace", "0"}).exit_code == 2);
}

TEST_CASE("replay: with a query, its answer before and after each event", "[cli][past]") {
  const Past past;
  const Outcome outcome = past.server.bahi(
      {"replay", "--tenant", "shop", "--from", "2", "--to", "8", "--query", "activity", "type", "type=third"});
  CAPTURE(outcome.err);
  REQUIRE(outcome.exit_code == 0);
  const auto lines = split_lines(outcome.out);
  REQUIRE(lines.size() == 6);
  const auto count = [](int number) { return R"("count":)" + std::to_string(number) + ','; };
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const std::size_t offset = i + 2;
    INFO(lines[i]);
    const bool changed = offset % 3 == 0;
    CHECK((lines[i].find(R"("changed":true)") != std::string::npos) == changed);
    const auto before = lines[i].find(R"("before":)");
    const auto after = lines[i].find(R"("after":)");
    REQUIRE(before < after);
    const int thirds_before = static_cast<int>(offset + 2) / 3;
    CHECK(lines[i].substr(before, after - before).find(count(thirds_before)) != std::string::npos);
    CHECK(lines[i].substr(after).find(count(thirds_before + (changed ? 1 : 0))) != std::string::npos);
  }
  CHECK(past.server.bahi({"replay", "--tenant", "shop", "--query", "activity"}).exit_code == 3);
}

TEST_CASE("snapshot: one is made, listed and deleted", "[cli][past]") {
  const Past past;
  const Outcome made = past.server.bahi({"snapshot", "create"});
  CAPTURE(made.err);
  REQUIRE(made.exit_code == 0);
  CHECK(made.out.find(R"("read_models":1)") != std::string::npos);
  CHECK(past.server.bahi({"snapshot", "list"}).out == made.out);
  CHECK(past.server.bahi({"snapshot", "delete", "1"}).exit_code == 0);
  CHECK(past.server.bahi({"snapshot", "delete", "1"}).exit_code == 5);
  CHECK(past.store.bahi({"snapshot", "list"}).exit_code == 3);
}

}  // namespace
}  // namespace bahi::test
