#include <array>
#include <random>

#include <catch2/catch.hpp>

#include "bahi/base/text.hpp"
#include "bahi/cli/event_line.hpp"

using namespace bahi;
using namespace bahi::cli;

namespace {

EventView sample() {
  EventView event;
  event.offset = {12};
  event.version = {3};
  event.id = {0x0123456789abcdefULL, 0xfedcba9876543210ULL};
  event.occurred_at = parse_timestamp("2004-11-15T12:18:00.25Z").value();
  event.recorded_at = parse_timestamp("2026-01-02T03:04:05Z").value();
  event.stream = "order-1";
  event.type = "placed";
  event.content_type = kJsonContentType;
  event.data = R"({"total": 1.50})";
  return event;
}

std::string line_of(const EventView& event) {
  EventLineWriter writer;
  std::string line;
  writer.append(event, line);
  return line;
}

/// Reads the line back and compares everything a line carries.
void check_round_trip(const EventView& event) {
  std::string line = line_of(event);
  CAPTURE(line);
  REQUIRE(line.back() == '\n');
  line.pop_back();
  REQUIRE(line.find('\n') == std::string::npos);
  EventLineReader reader;
  const auto result = reader.parse(line, 1);
  REQUIRE(result.has_value());
  const NewEvent& read = (*result)->event;
  CHECK(read.stream == event.stream);
  CHECK(read.type == event.type);
  CHECK(read.data == event.data);
  CHECK(read.content_type == event.content_type);
  CHECK(read.id == event.id);
  CHECK(read.occurred_at == event.occurred_at);
  CHECK(read.tags == event.tags);
  CHECK(read.metadata == event.metadata);
}

}  // namespace

TEST_CASE("event line: the form of a line written", "[cli][event_line]") {
  EventView event = sample();
  CHECK(line_of(event) ==
        R"({"offset":12,"version":3,"recorded_at":"2026-01-02T03:04:05Z","stream":"order-1","type":"placed",)"
        R"("id":"01234567-89ab-cdef-fedc-ba9876543210","occurred_at":"2004-11-15T12:18:00.25Z","data":{"total": 1.50}})"
        "\n");
  event.content_type = "text/plain";
  event.data = "hello";
  event.tags = {"a", "b\"c"};
  event.metadata.actor = "ann";
  event.metadata.reason = "tab\tand \\";
  event.metadata.target_id = "9";
  CHECK(line_of(event) ==
        R"({"offset":12,"version":3,"recorded_at":"2026-01-02T03:04:05Z","stream":"order-1","type":"placed",)"
        R"("id":"01234567-89ab-cdef-fedc-ba9876543210","occurred_at":"2004-11-15T12:18:00.25Z",)"
        R"("content_type":"text/plain","data_base64":"aGVsbG8=","tags":["a","b\"c"],"actor":"ann",)"
        R"("reason":"tab\tand \\","target":{"id":"9"}})"
        "\n");
}

TEST_CASE("event line: any data comes back byte for byte", "[cli][event_line]") {
  using namespace std::string_literals;
  EventView event = sample();
  const std::string data = GENERATE(values<std::string>({"",
                                                         " ",
                                                         "1",
                                                         " 1",
                                                         "1 ",
                                                         "1\n",
                                                         "{\n \"a\": 1\n}",
                                                         "{\"a\":\r\n1}",
                                                         "not json",
                                                         "{\"a\":1",
                                                         "\"a\"",
                                                         "\"a\0b\""s,
                                                         "1\0"s,
                                                         "\xFF\xFE",
                                                         "\"\xC3\"",
                                                         "1e400",
                                                         "-0",
                                                         "[1,]",
                                                         "NaN",
                                                         "\"\t\"",
                                                         "\"\\ud83d\\ude00\"",
                                                         "tru",
                                                         "{}{}",
                                                         std::string(1000, '[') + std::string(1000, ']'),
                                                         std::string(1001, '[') + std::string(1001, ']')}));
  event.data = data;
  check_round_trip(event);
  event.content_type = "application/octet-stream";
  check_round_trip(event);
}

TEST_CASE("event line: any time comes back to the nanosecond", "[cli][event_line]") {
  EventView event = sample();
  event.occurred_at.nanos = GENERATE(values<std::int64_t>(
      {0, 1, -1, 999'999'999, 1'000'000'000, -1'000'000'001, INT64_MAX, INT64_MIN, -9'214'560'000'000'000'000,
       -9'214'560'000'000'000'001, 9'214'646'399'999'999'999, 9'214'646'400'000'000'000}));
  check_round_trip(event);
}

TEST_CASE("event line: names and metadata of any kind come back", "[cli][event_line]") {
  using namespace std::string_view_literals;
  EventView event = sample();
  event.stream = "s-\"\\/é中😀";
  event.type = "t/\"";
  event.tags = {"😀", "\\", "\"\"", "a"};
  event.metadata = {"a\nb", "\x01\x1F", "nul\0inside"sv, "\x7F", "\\u0041", "é", "\t"};
  check_round_trip(event);
}

TEST_CASE("event line: random events come back", "[cli][event_line]") {
  const auto seed = Catch::rngSeed();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  const auto text = [&random](std::size_t size_max) {
    static constexpr std::array<std::string_view, 12> kPieces{"a",    "\"", "\\", "é", "😀", "\n",
                                                              "\x01", "{",  "}",  ":", ",", " "};
    std::string joined;
    for (std::size_t left = random() % (size_max + 1); left > 0; --left) joined += kPieces[random() % kPieces.size()];
    return joined;
  };
  for (int i = 0; i < 2000; ++i) {
    EventView event = sample();
    const std::string actor = text(9);
    const std::string target = text(3);
    const std::string tag = "t" + text(5);
    std::string data = text(20);
    if (i % 2 == 0) {
      std::string quoted;
      append_json_string(data, quoted);
      data = R"({"k" : [1.0, )" + quoted + "]}";
    }
    event.metadata.actor = actor;
    event.metadata.target_type = target;
    event.tags = {tag, tag};
    event.data = data;
    event.occurred_at.nanos = static_cast<std::int64_t>(random());
    event.id = {random(), random() | 1U};
    check_round_trip(event);
  }
}
