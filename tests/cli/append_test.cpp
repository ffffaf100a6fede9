#include <catch2/catch.hpp>

#include "bahi_process.hpp"

using namespace bahi::test;

namespace {

Outcome append(const Store& store, const std::string& stream, const std::string& type, Arguments more = {}) {
  more.insert(more.begin(), {"append", "-t", "shop", "--stream", stream, "--type", type});
  return store.bahi(more);
}

Outcome append_batch(const Store& store, const std::string& lines, Arguments more = {}) {
  more.insert(more.begin(), {"append", "-t", "shop", "--batch"});
  return store.bahi(more, lines);
}

constexpr const char* kProducer = "01234567-89ab-cdef-0123-456789abcdef";

}  // namespace

TEST_CASE("append: one event with every field, and the answer", "[cli][append]") {
  const Store store;
  const Outcome outcome = append(store, "order-1", "placed",
                                 {"--data",
                                  R"({"total": 9.90})",
                                  "--tag",
                                  "a",
                                  "--tag",
                                  "b",
                                  "--actor",
                                  "ann",
                                  "--on-behalf-of",
                                  "bob",
                                  "--correlation-id",
                                  "c1",
                                  "--causation-id",
                                  "c2",
                                  "--reason",
                                  "why",
                                  "--target-type",
                                  "order",
                                  "--target-id",
                                  "1",
                                  "--id",
                                  kProducer,
                                  "--occurred-at",
                                  "2004-11-15T12:18:00Z"});
  CAPTURE(outcome.err);
  REQUIRE(outcome.exit_code == 0);
  CHECK_THAT(
      outcome.out,
      Catch::StartsWith(R"({"first_offset":0,"event_count":1,"recorded_at":"2)") &&
          Catch::EndsWith(R"("duplicate":false,"streams":[{"stream":"order-1","first_version":0,"last_version":0}]})"
                          "\n"));
  const auto lines = store.read();
  REQUIRE(lines.size() == 1);
  CHECK_THAT(
      lines[0],
      Catch::EndsWith(R"("stream":"order-1","type":"placed","id":"01234567-89ab-cdef-0123-456789abcdef",)"
                      R"("occurred_at":"2004-11-15T12:18:00Z","data":{"total": 9.90},"tags":["a","b"],"actor":"ann",)"
                      R"("on_behalf_of":"bob","correlation_id":"c1","causation_id":"c2","reason":"why",)"
                      R"("target":{"type":"order","id":"1"}})"));
}

TEST_CASE("append: data from files, of JSON and of other kinds", "[cli][append]") {
  const Store store;
  const std::string json = store.directory().file("data.json", "\n{\n  \"a\": 1,\n  \"b\": \"x\"\n}\n");
  REQUIRE(append(store, "d-1", "json", {"--data", "@" + json}).exit_code == 0);
  const std::string binary = store.directory().file("data.bin", std::string_view("\x00\xFF\n", 3));
  REQUIRE(append(store, "d-1", "bin", {"--data", "@" + binary, "--content-type", "image/x"}).exit_code == 0);
  REQUIRE(
      store.bahi({"append", "-t", "shop", "--stream", "d-1", "--type", "stdin", "--data", "-"}, "[1, 2]\n").exit_code ==
      0);
  const auto lines = store.read();
  REQUIRE(lines.size() == 3);
  CHECK_THAT(lines[0], Catch::Contains("\"data\":{   \"a\": 1,   \"b\": \"x\" }"));
  CHECK_THAT(lines[1], Catch::Contains(R"("content_type":"image/x","data_base64":"AP8K")"));
  CHECK_THAT(lines[2], Catch::Contains(R"("data":[1, 2])"));
}

TEST_CASE("append: bad data is refused with its place", "[cli][append]") {
  const Store store;
  const std::string json = store.directory().file("data.json", "{\n \"a\": 1,\n}");
  const Outcome file = append(store, "d-1", "t", {"--data", "@" + json});
  CHECK(file.exit_code == 3);
  CHECK_THAT(file.err, Catch::Contains("malformed_json (101): --data, line 3, column 1: "));
  const Outcome directory = append(store, "d-1", "t", {"--data", store.path()});
  CHECK(directory.exit_code == 3);
  CHECK_THAT(directory.err, Catch::Contains("--data-dir"));
  CHECK(append(store, "d-1", "t", {"--id", "12"}).exit_code == 3);
  CHECK(append(store, "d-1", "t", {"--occurred-at", "now"}).exit_code == 3);
  CHECK(append(store, "nodash", "t").exit_code == 3);
  CHECK(store.read().empty());
}

TEST_CASE("append: the expected version decides, and a conflict tells the actual one", "[cli][append]") {
  const Store store;
  CHECK(append(store, "order-1", "t", {"--expect", "exists"}).exit_code == 4);
  CHECK(append(store, "order-1", "t", {"--expect", "0"}).exit_code == 4);
  CHECK(append(store, "order-1", "t", {"--expect", "no-stream"}).exit_code == 0);
  CHECK(append(store, "order-1", "t", {"--expect", "0"}).exit_code == 0);
  CHECK(append(store, "order-1", "t", {"--expect", "exists"}).exit_code == 0);
  CHECK(append(store, "order-1", "t", {"--expect", "any"}).exit_code == 0);
  const Outcome stale = append(store, "order-1", "t", {"--expect", "1"});
  CHECK(stale.exit_code == 4);
  CHECK(stale.out.empty());
  CHECK_THAT(stale.err, Catch::Contains("wrong_expected_version (300)") && Catch::Contains("stream: order-1\n") &&
                            Catch::Contains("actual version: 3\n"));
  const Outcome taken = append(store, "order-1", "t", {"--expect", "no-stream"});
  CHECK(taken.exit_code == 4);
  CHECK_THAT(append(store, "order-2", "t", {"--expect", "exists"}).err, Catch::Contains("actual version: no-stream\n"));
  CHECK(store.read().size() == 4);
}

TEST_CASE("append: expectations of several streams, all or nothing", "[cli][append]") {
  const Store store;
  const std::string lines = R"({"stream":"a-1","type":"t"})"
                            "\n"
                            R"({"stream":"b-1","type":"t"})"
                            "\n"
                            R"({"stream":"a-1","type":"t"})"
                            "\n";
  const Outcome first = append_batch(store, lines, {"--expect", "a-1=no-stream", "--expect", "b-1=no-stream"});
  CAPTURE(first.err);
  CHECK(first.exit_code == 0);
  CHECK_THAT(first.out, Catch::EndsWith(R"("streams":[{"stream":"a-1","first_version":0,"last_version":1},)"
                                        R"({"stream":"b-1","first_version":0,"last_version":0}]})"
                                        "\n"));
  const Outcome half = append_batch(store, lines, {"--expect", "a-1=1", "--expect", "b-1=7"});
  CHECK(half.exit_code == 4);
  CHECK_THAT(half.err, Catch::Contains("stream: b-1\n") && Catch::Contains("actual version: 0\n"));
  CHECK(store.read().size() == 3);
  CHECK(append_batch(store, lines, {"--expect", "a-1=1", "--expect", "b-1=0", "--expect", "c-1=no-stream"}).exit_code ==
        0);
  CHECK(store.read().size() == 6);
  const Outcome unclear = append_batch(store, lines, {"--expect", "1"});
  CHECK(unclear.exit_code == 3);
  CHECK_THAT(unclear.err, Catch::Contains("STREAM=1"));
  CHECK(append_batch(store, R"({"stream":"a-1","type":"t"})", {"--expect", "3"}).exit_code == 0);
}

TEST_CASE("append: a bad line of a batch stores nothing of it", "[cli][append]") {
  const Store store;
  const Outcome outcome = append_batch(store, event_lines(0, 3) + "{]\n");
  CHECK(outcome.exit_code == 3);
  CHECK_THAT(outcome.err, Catch::Contains("line 4, column 2: "));
  CHECK(append_batch(store, "\n").exit_code == 3);
  CHECK(store.read().empty());
}

TEST_CASE("append: a condition over tags and types", "[cli][append]") {
  const Store store;
  const Arguments unique{"--tag", "name:ada", "--fail-if-tag", "name:ada", "--fail-if-type", "named"};
  REQUIRE(append(store, "user-1", "born", {"--tag", "name:ada"}).exit_code == 0);
  CHECK(append(store, "user-1", "named", unique).exit_code == 0);
  const Outcome taken = append(store, "user-2", "named", unique);
  CHECK(taken.exit_code == 4);
  CHECK_THAT(taken.err, Catch::Contains("condition_failed (301)") && Catch::Contains("conflicting offset: 1\n"));
  Arguments later = unique;
  later.insert(later.end(), {"--fail-if-from", "2"});
  CHECK(append(store, "user-2", "named", later).exit_code == 0);
  CHECK(store.read().size() == 3);
}

TEST_CASE("append: a repeated producer position gets the first answer", "[cli][append]") {
  const Store store;
  const Arguments position{"--producer", kProducer, "--sequence", "5"};
  const Outcome first = append(store, "order-1", "t", position);
  REQUIRE(first.exit_code == 0);
  REQUIRE(append(store, "order-9", "t").exit_code == 0);
  const Outcome again = append(store, "order-2", "u", position);
  CHECK(again.exit_code == 0);
  CHECK(member(again.out, "duplicate") == "true");
  CHECK(member(again.out, "first_offset") == "0");
  CHECK(member(again.out, "recorded_at") == member(first.out, "recorded_at"));
  CHECK_THAT(again.out, Catch::Contains(R"({"stream":"order-1","first_version":0,"last_version":0})"));
  CHECK(store.read().size() == 2);
}

TEST_CASE("append: a wrong command line is refused before anything is touched", "[cli][append]") {
  const Store store;
  CHECK(append(store, "a-1", "t", {"--expect", "-1"}).exit_code == 2);
  CHECK(append(store, "a-1", "t", {"--expect", "b-1=maybe"}).exit_code == 2);
  CHECK(append(store, "a-1", "t", {"--producer", kProducer}).exit_code == 2);
  CHECK(append(store, "a-1", "t", {"--sequence", "1"}).exit_code == 2);
  CHECK(append(store, "a-1", "t", {"--fail-if-from", "1"}).exit_code == 2);
  CHECK(append(store, "a-1", "t", {"--batch"}).exit_code == 2);
  CHECK(store.bahi({"append", "-t", "shop", "--stream", "a-1"}).exit_code == 2);
  CHECK(store.bahi({"append", "--stream", "a-1", "--type", "t"}).exit_code == 2);
  CHECK(store.read().empty());
}
