#include "bahi/cli/event_line.hpp"

#include <catch2/catch.hpp>

#include "bahi/base/text.hpp"
#include "bahi/schemas/batch_builder.hpp"

using namespace bahi;
using namespace bahi::cli;

namespace {

/// The error of `line`, as line 7 of some input.
std::string error_of(const std::string& line) {
  EventLineReader reader;
  const auto result = reader.parse(line, 7);
  return result ? "(no error)" : result.error().to_string();
}

std::string with(const std::string& members) {
  return R"({"stream":"s-1","type":"t")" + members + "}";
}

}  // namespace

TEST_CASE("event line: every field is read", "[cli][event_line]") {
  EventLineReader reader;
  const std::string line =
      R"({"offset":12,"version":3,"recorded_at":"2020-01-01T00:00:00Z","stream":"order-1","type":"placed",)"
      R"("id":"01234567-89ab-cdef-0123-456789abcdef","occurred_at":"2004-11-15T12:18:00.25Z","data":{"a":1},)"
      R"("content_type":"application/x+json","tags":["x:1","y"],"actor":"ann","on_behalf_of":"bob",)"
      R"("correlation_id":"c1","causation_id":"c2","reason":"why","target":{"type":"order","id":"1"}})";
  const auto result = reader.parse(line, 1);
  REQUIRE(result.has_value());
  const NewEvent& event = (*result)->event;
  CHECK(event.stream == "order-1");
  CHECK(event.type == "placed");
  CHECK(event.id == Uuid{0x0123456789abcdefULL, 0x0123456789abcdefULL});
  CHECK(event.occurred_at == parse_timestamp("2004-11-15T12:18:00.25Z").value());
  CHECK((*result)->has_occurred_at);
  CHECK(event.data == R"({"a":1})");
  CHECK(event.content_type == "application/x+json");
  CHECK(event.tags == std::vector<std::string_view>{"x:1", "y"});
  CHECK(event.metadata == Metadata{"ann", "bob", "c1", "c2", "why", "order", "1"});
}

TEST_CASE("event line: what is left out has its default, also after a full line", "[cli][event_line]") {
  const ManualClock clock({42});
  EventLineReader reader(clock);
  REQUIRE(reader
              .parse(with(R"(,"id":"01234567-89ab-cdef-0123-456789abcdef","tags":["a"],"actor":"x","data":1,)"
                          R"("content_type":"text/plain","occurred_at":5,"target":{"type":"a","id":"b"})"),
                     1)
              .has_value());
  const std::string line = with("");
  const auto result = reader.parse(line, 2);
  REQUIRE(result.has_value());
  const NewEvent& event = (*result)->event;
  CHECK_FALSE(event.id);
  CHECK(event.tags.empty());
  CHECK(event.metadata == Metadata{});
  CHECK(event.data == "null");
  CHECK(event.content_type == kJsonContentType);
  CHECK(event.occurred_at == Timestamp{42});
  CHECK_FALSE((*result)->has_occurred_at);
}

TEST_CASE("event line: null means not given", "[cli][event_line]") {
  const ManualClock clock({42});
  EventLineReader reader(clock);
  const std::string line = with(R"(,"id":null,"tags":null,"actor":null,"content_type":null,"occurred_at":null,)"
                                R"("target":null,"data_base64":null,"data":null)");
  const auto result = reader.parse(line, 1);
  REQUIRE(result.has_value());
  const NewEvent& event = (*result)->event;
  CHECK_FALSE(event.id);
  CHECK(event.tags.empty());
  CHECK(event.metadata == Metadata{});
  CHECK(event.data == "null");
  CHECK(event.content_type == kJsonContentType);
  CHECK(event.occurred_at == Timestamp{42});
}

TEST_CASE("event line: data is kept byte for byte", "[cli][event_line]") {
  const std::string data = GENERATE(values<std::string>({"1",
                                                         "-0",
                                                         "1.0",
                                                         "1.50",
                                                         "1E5",
                                                         "1e-7",
                                                         "123456789012345678901234567890",
                                                         "1e400",
                                                         "-1.5e+999",
                                                         std::string(400, '9'),
                                                         "true",
                                                         "false",
                                                         "null",
                                                         R"("")",
                                                         R"("a\u0041\n\"\\")",
                                                         R"("é中😀")",
                                                         R"("\ud83d\ude00")",
                                                         "{}",
                                                         "[]",
                                                         R"({ "b" : 1 , "a" : [ 1 , 2 ] })",
                                                         R"({"a":1,"a":2})",
                                                         R"([1e999,"1e999",-0.0])",
                                                         R"({"data":{"data":[{"stream":"x"}]}})",
                                                         "[\t1 ]",
                                                         R"("}")",
                                                         R"("\\")",
                                                         R"({"k\"":"\\\""})"}));
  EventLineReader reader;
  SECTION("last") {
    const std::string line = with(",\"data\":" + data);
    const auto result = reader.parse(line, 1);
    REQUIRE(result.has_value());
    CHECK((*result)->event.data == data);
  }
  SECTION("first, with white space around every token") {
    const std::string line = "  { \"data\" \t:  " + data + " \t , \"stream\" : \"s-1\" , \"type\" : \"t\" } \r";
    const auto result = reader.parse(line, 1);
    REQUIRE(result.has_value());
    CHECK((*result)->event.data == data);
    CHECK((*result)->event.stream == "s-1");
  }
  SECTION("behind a key written with escapes") {
    const std::string line = "{\"stream\":\"s-1\",\"\\u0064ata\":" + data + ",\"type\":\"t\"}";
    const auto result = reader.parse(line, 1);
    REQUIRE(result.has_value());
    CHECK((*result)->event.data == data);
  }
}

TEST_CASE("event line: escapes in names and metadata are resolved", "[cli][event_line]") {
  EventLineReader reader;
  const std::string line = R"({"stream":"s-\u00e9","type":"a\/b","tags":["\"q\""],"reason":"l1\nl2\u0000"})";
  const auto result = reader.parse(line, 1);
  REQUIRE(result.has_value());
  CHECK((*result)->event.stream == "s-é");
  CHECK((*result)->event.type == "a/b");
  CHECK((*result)->event.tags.front() == "\"q\"");
  CHECK((*result)->event.metadata.reason == std::string_view("l1\nl2\0", 6));
}

TEST_CASE("event line: base64 data becomes bytes", "[cli][event_line]") {
  EventLineReader reader;
  const std::string line = with(R"(,"content_type":"image/png","data_base64":"AP+A")");
  const auto result = reader.parse(line, 1);
  REQUIRE(result.has_value());
  CHECK((*result)->event.data == std::string_view("\x00\xFF\x80", 3));
}

TEST_CASE("event line: occurred_at as integer nanoseconds", "[cli][event_line]") {
  const auto [text, nanos] = GENERATE(table<std::string, std::int64_t>(
      {{"0", 0}, {"-1", -1}, {"9223372036854775807", INT64_MAX}, {"-9223372036854775808", INT64_MIN}}));
  EventLineReader reader;
  const std::string line = with(",\"occurred_at\":" + text);
  const auto result = reader.parse(line, 1);
  REQUIRE(result.has_value());
  CHECK((*result)->event.occurred_at == Timestamp{nanos});
}

TEST_CASE("event line: errors name line and column", "[cli][event_line]") {
  const auto [line, error] = GENERATE(table<std::string, std::string>({
      {R"({"stream":"s-1" "type":"t"})",
       "malformed_json (101): line 7, column 17: Missing a comma or '}' after an object member."},
      {R"({"stream":"s-1","type":})", "malformed_json (101): line 7, column 24: Invalid value."},
      {R"({"stream":"s-1","type":"t"} x)",
       "malformed_json (101): line 7, column 29: The document root must not be followed by other values."},
      {R"({"stream":"s-1","type":"t")",
       "malformed_json (101): line 7, column 27: Missing a comma or '}' after an object member."},
      {R"({"stream":"s-1","type":"t)",
       "malformed_json (101): line 7, column 26: Missing a closing quotation mark in string."},
      {R"({"stream":"s-1","type":"t","data":[1,2})",
       "malformed_json (101): line 7, column 39: Missing a comma or ']' after an array element."},
      {R"({"stream":"s-1","type":"t","data":01})",
       "malformed_json (101): line 7, column 36: Missing a comma or '}' after an object member."},
      {R"({"stream":"s-1","type":"t","data":"\x"})",
       "malformed_json (101): line 7, column 36: Invalid escape character in string."},
      {R"({"stream":"s-1","type":"t","data":[1e999,01]})", "malformed_json (101): line 7, column 42: Invalid number."},
      {"{\"stream\":\"s-1\",\"type\":\"t\",\"data\":\"\xC3(\"}",
       "malformed_json (101): line 7, column 36: not well-formed UTF-8"},
      {std::string("{\"stream\":\"s-1\",\"type\":\"t\"}\0{", 29),
       "malformed_json (101): line 7, column 28: a NUL byte is not allowed."},
      {R"([1])", "malformed_json (101): line 7, column 1: the line is not a JSON object"},
      {R"(  null)", "malformed_json (101): line 7, column 3: the line is not a JSON object"},
      {R"("text")", "malformed_json (101): line 7, column 1: the line is not a JSON object"},
      {R"({"strem":"s-1"})",
       "malformed_json (101): line 7, column 2: unknown field 'strem'; known are stream, type, id, occurred_at, data, "
       "data_base64, content_type, tags, actor, on_behalf_of, correlation_id, causation_id, reason, target, offset, "
       "version, recorded_at"},
      {R"({"stream":"s-1", "stream":"s-2"})", "malformed_json (101): line 7, column 18: field 'stream' stands twice"},
      {R"({"data":1,"data":1})", "malformed_json (101): line 7, column 11: field 'data' stands twice"},
      {R"({"type":"t"})",
       "malformed_json (101): line 7, column 1: field 'stream' is missing; an event needs stream and type"},
      {R"({"stream":"s-1"})",
       "malformed_json (101): line 7, column 1: field 'type' is missing; an event needs stream and type"},
      {R"({"stream": 5})", "malformed_json (101): line 7, column 12: field 'stream' must be a string"},
      {R"({"stream":null})", "malformed_json (101): line 7, column 11: field 'stream' must be a string"},
      {R"({"type":["t"]})", "malformed_json (101): line 7, column 9: field 'type' must be a string"},
      {R"({"actor":{}})", "malformed_json (101): line 7, column 10: field 'actor' must be a string"},
      {R"({"tags":"a"})", "malformed_json (101): line 7, column 9: field 'tags' must be an array of strings"},
      {R"({"tags":["a",1]})", "malformed_json (101): line 7, column 9: field 'tags' must be an array of strings"},
      {R"({"tags":[["a"]]})", "malformed_json (101): line 7, column 9: field 'tags' must be an array of strings"},
      {R"({"tags":{}})", "malformed_json (101): line 7, column 9: field 'tags' must be an array of strings"},
      {R"({"target":"x"})",
       R"(malformed_json (101): line 7, column 11: field 'target' must be an object {"type": string, "id": string})"},
      {R"({"target":{"type":{}}})",
       R"(malformed_json (101): line 7, column 11: field 'target' must be an object {"type": string, "id": string})"},
      {R"({"target":{"kind":"x"}})",
       "malformed_json (101): line 7, column 12: unknown field 'kind' in 'target'; known are type, id"},
      {R"({"target":{"id":"x","id":"y"}})",
       "malformed_json (101): line 7, column 21: field 'id' of 'target' stands twice"},
      {R"({"occurred_at":true})",
       "malformed_json (101): line 7, column 1: field 'stream' is missing; an event needs stream and type"},
      {with(R"(,"occurred_at":true)"),
       "invalid_argument (100): line 7, column 42: occurred_at: must be an RFC 3339 time or integer nanoseconds since "
       "1970 in 64 bits"},
      {with(R"(,"occurred_at":1.5)"),
       "invalid_argument (100): line 7, column 42: occurred_at: must be an RFC 3339 time or integer nanoseconds since "
       "1970 in 64 bits"},
      {with(R"(,"occurred_at":9223372036854775808)"),
       "invalid_argument (100): line 7, column 42: occurred_at: must be an RFC 3339 time or integer nanoseconds since "
       "1970 in 64 bits"},
      {with(R"(,"occurred_at":[])"),
       "malformed_json (101): line 7, column 42: field 'occurred_at' must be an RFC 3339 time or integer nanoseconds "
       "since 1970"},
      {with(R"(,"occurred_at":"yesterday")"),
       "invalid_argument (100): line 7, column 42: occurred_at: 'yesterday' is not an RFC 3339 time such as "
       "2004-11-15T12:18:00Z"},
      {with(R"(,"id":"12")"),
       "invalid_argument (100): line 7, column 33: id: '12' is not an identifier of 32 hex digits (UUID)"},
      {with(R"(,"data_base64":"A")"),
       "invalid_argument (100): line 7, column 42: data_base64: not valid base64 with padding (RFC 4648)"},
      {with(R"(,"data":1,"data_base64":"")"),
       "malformed_json (101): line 7, column 51: give either 'data' or 'data_base64', not both"},
  }));
  CAPTURE(line);
  CHECK(error_of(line) == error);
}

TEST_CASE("event line: a bad line leaves nothing behind for the next", "[cli][event_line]") {
  EventLineReader reader;
  REQUIRE(reader.parse(R"({"stream":"s-1","type":"t","tags":["a"],"data":[[[1)", 1).has_error());
  const std::string line = R"({"stream":"s-2","type":"u"})";
  const auto result = reader.parse(line, 2);
  REQUIRE(result.has_value());
  CHECK((*result)->event.stream == "s-2");
  CHECK((*result)->event.tags.empty());
  CHECK((*result)->event.data == "null");
}

TEST_CASE("event line: nesting is bounded, and deep nesting costs no stack", "[cli][event_line]") {
  const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  EventLineReader reader;
  const std::string allowed = with(",\"data\":" + nested(kJsonDepthMax));
  const auto result = reader.parse(allowed, 1);
  REQUIRE(result.has_value());
  CHECK((*result)->event.data == nested(kJsonDepthMax));
  CHECK(error_of(with(",\"data\":" + nested(kJsonDepthMax + 1))) ==
        "malformed_json (101): line 7, column 1035: field 'data' is nested deeper than 1000 levels");
  CHECK_THAT(error_of(with(",\"offset\":" + std::string(5'000'000, '['))),
             Catch::Contains("'offset' is nested deeper"));
}

TEST_CASE("event line: errors of the batch builder get the column of the field", "[cli][event_line]") {
  const auto [line, column] = GENERATE(table<std::string, std::string>({
      {R"({"type":"t","stream":"nodash"})", "line 7, column 22: stream: "},
      {R"({"stream":"s-1","type":""})", "line 7, column 24: type: "},
      {R"({"stream":"s-1","type":"t","tags":["ok",""]})", "line 7, column 35: tag: "},
      {R"({"stream":"s-1","type":"t","content_type":"\u0001"})", "line 7, column 43: content_type: "},
      {R"({"stream":"s-1","type":"t","id":"00000000000000000000000000000000"})", "line 7, column 33: id: "},
  }));
  EventLineReader reader;
  const auto result = reader.parse(line, 7);
  REQUIRE(result.has_value());
  BatchBuilder builder;
  const Status added = builder.add((*result)->event);
  REQUIRE(added.has_error());
  CHECK_THAT(reader.locate(added.error()).message(), Catch::StartsWith(column));
  CHECK(reader.locate(added.error()).code() == added.error().code());
}
