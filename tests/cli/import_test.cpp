#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <thread>

#include <fmt/format.h>
#include <catch2/catch.hpp>

#include "bahi/base/text.hpp"
#include "bahi/cli/importer.hpp"
#include "bahi_process.hpp"

using namespace bahi::test;

namespace {

Outcome import(const Store& store, const std::string& lines, Arguments more = {}) {
  more.insert(more.begin(), {"import", "--tenant", "shop", "--json"});
  return store.bahi(more, lines);
}

/// Events imported and already there, as the summary says.
std::pair<std::string, std::string> counts(const Outcome& outcome) {
  CAPTURE(outcome.err);
  REQUIRE(outcome.exit_code == 0);
  return {member(outcome.out, "events_imported"), member(outcome.out, "events_already_there")};
}

using Counts = std::pair<std::string, std::string>;

}  // namespace

TEST_CASE("import: a second run adds nothing", "[cli][import]") {
  const Store store;
  const std::string lines = event_lines(0, 2500);
  CHECK(counts(import(store, lines)) == Counts{"2500", "0"});
  CHECK(counts(import(store, lines)) == Counts{"0", "2500"});
  const std::string file = store.directory().file("events.ndjson", lines);
  CHECK(counts(store.bahi({"import", "-t", "shop", "--json", file})) == Counts{"0", "2500"});
  CHECK(numbers_of(store.read()) == range(0, 2500));
}

TEST_CASE("import: however the batches are cut, a second run adds nothing", "[cli][import]") {
  const auto first = GENERATE(values<std::string>({"1", "7", "100", "1000"}));
  const auto second = GENERATE(values<std::string>({"1", "30", "250", "65535"}));
  CAPTURE(first, second);
  const Store store;
  CHECK(counts(import(store, event_lines(0, 255), {"--batch-events", first})) == Counts{"255", "0"});
  CHECK(counts(import(store, event_lines(0, 255), {"--batch-events", second})) == Counts{"0", "255"});
  CHECK(counts(import(store, event_lines(0, 300), {"--batch-events", second})) == Counts{"45", "255"});
  CHECK(counts(import(store, event_lines(0, 300), {"--batch-events", first})) == Counts{"0", "300"});
  CHECK(numbers_of(store.read()) == range(0, 300));
}

TEST_CASE("import: of a source that has grown only the new part is added", "[cli][import]") {
  const Store store;
  const auto codec = GENERATE(values<std::string>({"lz4", "zstd", "none"}));
  std::size_t before = 0;
  for (const std::size_t size : {1U, 2U, 99U, 150U, 151U, 1000U, 1001U, 5000U}) {
    const Outcome outcome = import(store, event_lines(0, size), {"--batch-events", "100", "--codec", codec});
    CHECK(counts(outcome) == Counts{std::to_string(size - before), std::to_string(before)});
    before = size;
  }
  CHECK(numbers_of(store.read()) == range(0, 5000));
}

TEST_CASE("import: a source that has shrunk adds nothing", "[cli][import]") {
  const Store store;
  CHECK(counts(import(store, event_lines(0, 1500))) == Counts{"1500", "0"});
  CHECK(counts(import(store, event_lines(0, 1200))) == Counts{"0", "1200"});
  CHECK(counts(import(store, event_lines(0, 1600))) == Counts{"100", "1500"});
  CHECK(numbers_of(store.read()) == range(0, 1600));
}

TEST_CASE("import: a changed line of what was imported is refused, naming it", "[cli][import]") {
  const Store store;
  std::string lines = event_lines(0, 2500);
  CHECK(counts(import(store, lines)) == Counts{"2500", "0"});
  lines.replace(lines.find(R"({"n":1700})"), 10, R"({"n":9999})");
  const Outcome outcome = import(store, lines + event_lines(2500, 2600));
  CHECK(outcome.exit_code == 3);
  CHECK_THAT(outcome.err, Catch::Contains("line 1701: its data differs") && Catch::Contains("(offset 1700)") &&
                              Catch::Contains("--source") && Catch::Contains("everything before line 1701 is in"));
  CHECK(numbers_of(store.read()) == range(0, 2500));
}

TEST_CASE("import: named sources are told apart, and other input under a used name is refused", "[cli][import]") {
  const Store store;
  CHECK(counts(import(store, event_lines(0, 10), {"--source", "a"})) == Counts{"10", "0"});
  CHECK(counts(import(store, event_lines(0, 10), {"--source", "b"})) == Counts{"10", "0"});
  CHECK(counts(import(store, event_lines(0, 10), {"--source", "b"})) == Counts{"0", "10"});
  CHECK(counts(import(store, event_lines(0, 10))) == Counts{"10", "0"});
  const Outcome other = import(store, event_lines(10, 20), {"--source", "a"});
  CHECK(other.exit_code == 3);
  CHECK_THAT(other.err, Catch::Contains("line 1: its stream differs"));
  CHECK(store.read().size() == 30);
}

TEST_CASE("import: two inputs with the same first line are not taken for one", "[cli][import]") {
  const Store store;
  const std::string head = event_lines(0, 1);
  CHECK(counts(import(store, head + event_lines(1, 10))) == Counts{"10", "0"});
  const Outcome outcome = import(store, head + event_lines(50, 60));
  CHECK(outcome.exit_code == 3);
  CHECK_THAT(outcome.err, Catch::Contains("line 2: its stream differs"));
  CHECK(numbers_of(store.read()) == range(0, 10));
}

TEST_CASE("import: a malformed line stops before its batch and says how far it got", "[cli][import]") {
  const Store store;
  const std::string good = event_lines(0, 2345);
  const Outcome outcome = import(store, good + "{\"stream\":\"a-1\",\"typ\":1}\n" + event_lines(2345, 4000));
  CHECK(outcome.exit_code == 3);
  CHECK_THAT(outcome.err, Catch::Contains("malformed_json (101): line 2346, column 17: unknown field 'typ'") &&
                              Catch::Contains("imported 2,000 events") && Catch::Contains("before line 2001"));
  CHECK(numbers_of(store.read()) == range(0, 2000));
  CHECK(counts(import(store, event_lines(0, 4000))) == Counts{"2000", "2000"});
  CHECK(numbers_of(store.read()) == range(0, 4000));
}

TEST_CASE("import: what the engine would refuse is named with line and column", "[cli][import]") {
  const Store store;
  const Outcome outcome = import(store, event_lines(0, 5) + "\n{\"stream\":\"nodash\",\"type\":\"t\"}\n");
  CHECK(outcome.exit_code == 3);
  CHECK_THAT(outcome.err, Catch::Contains("invalid_stream_name (102): line 7, column 11: stream: 'nodash'"));
  CHECK(store.read().empty());
}

TEST_CASE("import: killed in the middle, it goes on where it was", "[cli][import]") {
  const Store store;
  const std::size_t total = 60'000;
  const std::string file = store.directory().file("events.ndjson", event_lines(0, total));
  bool cut_short = false;
  for (int round = 0; round < 6; ++round) {
    Process process(store.command({"import", "--tenant", "shop", "--batch-events", "50", file}), "");
    std::this_thread::sleep_for(std::chrono::milliseconds(60 + 40 * round));
    process.signal(SIGKILL);
    cut_short = process.wait().exit_code == -1 || cut_short;
    const std::vector<std::size_t> numbers = numbers_of(store.read());
    REQUIRE(numbers == range(0, numbers.size()));
  }
  CHECK(cut_short);
  const Outcome last = store.bahi({"import", "--tenant", "shop", "--json", file});
  CAPTURE(last.err);
  CHECK(last.exit_code == 0);
  CHECK(numbers_of(store.read()) == range(0, total));
  CHECK(store.bahi({"verify"}).exit_code == 0);
}

TEST_CASE("import: Ctrl-C stops it cleanly and says how far it got", "[cli][import]") {
  const Store store;
  const std::string pipe = (store.directory().path() / "pipe").string();
  REQUIRE(std::system(("mkfifo " + pipe).c_str()) == 0);
  const int number = GENERATE(SIGINT, SIGTERM);
  Process process(store.command({"import", "--tenant", "shop", "--batch-events", "10", pipe}), "");
  std::ofstream writer(pipe);
  writer << event_lines(0, 25) << std::flush;
  // Without an end of the input the third batch stays open.
  while (store.read().size() < 20) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  process.signal(number);
  const Outcome outcome = process.wait();
  CHECK(outcome.exit_code == 130);
  CHECK_THAT(outcome.err, Catch::Contains("imported 20 events") && Catch::Contains("before line 21"));
  CHECK(numbers_of(store.read()) == range(0, 20));
}

TEST_CASE("import: behind a gap that a failed run left, nothing is stored twice", "[cli][import]") {
  const Store store;
  const std::string producer = bahi::format_uuid(bahi::cli::source_producer("s"));
  const auto store_part = [&](std::size_t from, std::size_t to) {
    return store.bahi({"append", "-t", "shop", "--batch", "--producer", producer, "--sequence", std::to_string(from)},
                      event_lines(from, to));
  };
  const Arguments options{"--source", "s", "--batch-events", "10"};
  SECTION("cut as this run cuts") {
    REQUIRE(store_part(20, 30).exit_code == 0);
    CHECK(counts(import(store, event_lines(0, 45), options)) == Counts{"35", "10"});
  }
  SECTION("shorter than this run cuts") {
    REQUIRE(store_part(20, 25).exit_code == 0);
    CHECK(counts(import(store, event_lines(0, 45), options)) == Counts{"40", "5"});
  }
  SECTION("longer than this run cuts") {
    REQUIRE(store_part(30, 45).exit_code == 0);
    const Outcome outcome = import(store, event_lines(0, 45), options);
    CHECK(outcome.exit_code == 3);
    CHECK_THAT(outcome.err, Catch::Contains("lines 31 to 40: ") && Catch::Contains("--batch-events"));
    return;
  }
  SECTION("with other content") {
    REQUIRE(
        store.bahi({"append", "-t", "shop", "--batch", "--producer", producer, "--sequence", "20"}, event_lines(0, 10))
            .exit_code == 0);
    const Outcome outcome = import(store, event_lines(0, 45), options);
    CHECK(outcome.exit_code == 3);
    CHECK_THAT(outcome.err, Catch::Contains("line 21: its stream differs"));
    return;
  }
  auto numbers = numbers_of(store.read());
  std::sort(numbers.begin(), numbers.end());
  CHECK(numbers == range(0, 45));
  CHECK(counts(import(store, event_lines(0, 45), options)) == Counts{"0", "45"});
}

TEST_CASE("import: large events and batches bounded by bytes", "[cli][import]") {
  const Store store;
  const std::string text(3'000'000, 'x');
  std::string lines;
  for (int i = 0; i < 5; ++i) lines += fmt::format(R"({{"stream":"big-{}","type":"t","data":"{}"}})", i, text) + "\n";
  const Outcome outcome = import(store, lines);
  CHECK(counts(outcome) == Counts{"5", "0"});
  CHECK(member(outcome.out, "batches") == "5");
  CHECK(counts(import(store, lines)) == Counts{"0", "5"});
  const Outcome huge =
      import(store, fmt::format(R"({{"stream":"big-9","type":"t","data":"{}"}})", std::string((16U << 20U) + 1, 'x')));
  CHECK(huge.exit_code == 3);
  CHECK_THAT(huge.err, Catch::Contains("event_too_large (103): line 1, column 37: data: "));
}

TEST_CASE("import: an export imported elsewhere gives equal events", "[cli][import]") {
  const Store store;
  REQUIRE(store.bahi({"tenant", "create", "copy"}).exit_code == 0);
  std::string lines = event_lines(0, 50);
  lines += R"({"stream":"x-é","type":"t","data":{ "a" : 1.0e5, "b":123456789012345678901234567890 },"occurred_at":)"
           R"("2001-02-03T04:05:06.789012345+05:30","tags":["\"","\\","😀"],"actor":"a\nb","on_behalf_of":"o",)"
           R"("correlation_id":"c","causation_id":"d","reason":"r","target":{"type":"tt","id":"ti"}})"
           "\n"
           R"({"stream":"x-1","type":"bin","content_type":"image/png","data_base64":"iVBORw0KGgo="})"
           "\n"
           R"({"stream":"x-1","type":"old","occurred_at":-9223372036854775808})"
           "\n";
  REQUIRE(import(store, lines).exit_code == 0);
  const Outcome exported = store.bahi({"read", "--tenant", "shop"});
  REQUIRE(exported.exit_code == 0);
  REQUIRE(store.bahi({"import", "--tenant", "copy"}, exported.out).exit_code == 0);
  const auto without_recorded = [](std::vector<std::string> all) {
    for (std::string& line : all)
      line.erase(line.find("\"recorded_at\""), line.find("\"stream\"") - line.find("\"recorded_at\""));
    return all;
  };
  const auto original = without_recorded(store.read());
  CHECK(original.size() == 53);
  CHECK(without_recorded(store.read({}, "copy")) == original);
  CHECK_THAT(original[50], Catch::Contains(R"("data":{ "a" : 1.0e5, "b":123456789012345678901234567890 })") &&
                               Catch::Contains(R"("occurred_at":"2001-02-02T22:35:06.789012345Z")"));
}

TEST_CASE("import: nothing to import is no error", "[cli][import]") {
  const Store store;
  CHECK(counts(import(store, "\n \n")) == Counts{"0", "0"});
  const Outcome outcome = store.bahi({"import", "--tenant", "shop", "/nonexistent.ndjson"});
  CHECK(outcome.exit_code == 3);
  CHECK_THAT(outcome.err, Catch::Contains("cannot open the input file /nonexistent.ndjson: No such file"));
}
