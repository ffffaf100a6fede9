#include "bahi/base/text.hpp"

#include <random>
#include <set>
#include <string>

#include "support/catch_result.hpp"

namespace bahi {
namespace {

using namespace std::string_view_literals;

constexpr std::int64_t kSecond = 1'000'000'000;

std::int64_t nanos_of(std::string_view text) {
  const auto time = parse_timestamp(text);
  INFO(text);
  REQUIRE(time);
  return time->nanos;
}

TEST_CASE("timestamp: known moments", "[base][text]") {
  // Seconds from `date -u -d … +%s`.
  CHECK(nanos_of("1970-01-01T00:00:00Z") == 0);
  CHECK(nanos_of("2004-11-15T12:18:00Z") == 1'100'521'080 * kSecond);
  CHECK(nanos_of("1969-12-31T23:59:59Z") == -kSecond);
  CHECK(nanos_of("1678-01-01T00:00:00Z") == -9'214'560'000 * kSecond);
  CHECK(nanos_of("2261-12-31T23:59:59Z") == 9'214'646'399 * kSecond);
}

TEST_CASE("timestamp: leap years follow the Gregorian rule", "[base][text]") {
  CHECK(nanos_of("2000-02-29T00:00:00Z") == 951'782'400 * kSecond);
  CHECK(nanos_of("2024-02-29T12:00:00Z") == 1'709'208'000 * kSecond);
  for (const auto* wrong : {"1900-02-29T00:00:00Z", "2100-02-29T00:00:00Z", "2023-02-29T00:00:00Z"}) {
    INFO(wrong);
    CHECK_FALSE(parse_timestamp(wrong));
  }
}

TEST_CASE("timestamp: fractions of a second, one to nine digits", "[base][text]") {
  CHECK(nanos_of("1970-01-01T00:00:00.5Z") == 500'000'000);
  CHECK(nanos_of("1970-01-01T00:00:00.000000001Z") == 1);
  CHECK(nanos_of("1970-01-01T00:00:00.100000000Z") == 100'000'000);
  CHECK_FALSE(parse_timestamp("1970-01-01T00:00:00.Z"));
  CHECK_FALSE(parse_timestamp("1970-01-01T00:00:00.0000000001Z"));
}

TEST_CASE("timestamp: offsets from UTC", "[base][text]") {
  CHECK(nanos_of("1970-01-01T05:30:00+05:30") == 0);
  CHECK(nanos_of("1969-12-31T19:00:00-05:00") == 0);
  CHECK(nanos_of("1970-01-01t00:00:00z") == 0);
  CHECK(nanos_of("1970-01-01T00:00:00-00:00") == 0);
  for (const auto* wrong : {"1970-01-01T00:00:00", "1970-01-01T00:00:00+24:00", "1970-01-01T00:00:00+05:60",
                            "1970-01-01T00:00:00+0530", "1970-01-01T00:00:00+5:30", "1970-01-01T00:00:00Z "}) {
    INFO(wrong);
    CHECK_FALSE(parse_timestamp(wrong));
  }
}

TEST_CASE("timestamp: what is no time of RFC 3339 is refused", "[base][text]") {
  for (const auto* wrong :
       {"", "Z", "2004", "2004-11-15", "2004-11-15 12:18:00Z", "2004-13-01T00:00:00Z", "2004-00-01T00:00:00Z",
        "2004-04-31T00:00:00Z", "2004-11-00T00:00:00Z", "2004-11-15T24:00:00Z", "2004-11-15T12:60:00Z",
        "2004-11-15T12:18:60Z", "04-11-15T12:18:00Z", "+2004-11-15T12:18:00Z", "2004-1-15T12:18:00Z",
        "2004-11-15T12:18Z", "2004-11-15T-1:18:00Z"}) {
    INFO(wrong);
    const auto time = parse_timestamp(wrong);
    REQUIRE_FALSE(time);
    CHECK(time.error().code() == ErrorCode::kInvalidArgument);
  }
}

TEST_CASE("timestamp: times that 64 bits of nanoseconds cannot hold are refused", "[base][text]") {
  for (const auto* wrong : {"1677-12-31T23:59:59Z", "2262-01-01T00:00:00Z", "0000-01-01T00:00:00Z",
                            "9999-12-31T23:59:59Z", "1678-01-01T00:00:00+00:01", "2261-12-31T23:59:59-00:01"}) {
    INFO(wrong);
    CHECK_FALSE(parse_timestamp(wrong));
  }
  CHECK(parse_timestamp("2262-01-01T00:00:00+00:01"));
}

TEST_CASE("timestamp: text and back is the same moment", "[base][text]") {
  CHECK(format_timestamp({0}) == "1970-01-01T00:00:00Z");
  CHECK(format_timestamp({250'000'000}) == "1970-01-01T00:00:00.25Z");
  CHECK(format_timestamp({-1}) == "1969-12-31T23:59:59.999999999Z");
  const auto seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  std::uniform_int_distribution<std::int64_t> any(-9'214'560'000 * kSecond, 9'214'646'399 * kSecond);
  for (int i = 0; i < 20'000; ++i) {
    const Timestamp time{any(random)};
    const auto again = parse_timestamp(format_timestamp(time));
    REQUIRE(again);
    REQUIRE(*again == time);
  }
}

TEST_CASE("timestamp: every day from 1900 to 2100 round-trips", "[base][text]") {
  const std::int64_t first = nanos_of("1900-01-01T00:00:00Z");
  const std::int64_t last = nanos_of("2100-12-31T00:00:00Z");
  for (std::int64_t nanos = first; nanos <= last; nanos += 86'400 * kSecond) {
    REQUIRE(parse_timestamp(format_timestamp({nanos}))->nanos == nanos);
  }
}

TEST_CASE("uuid: text and back", "[base][text]") {
  const Uuid id{0x0123456789ABCDEFULL, 0xFEDCBA9876543210ULL};
  CHECK(format_uuid(id) == "01234567-89ab-cdef-fedc-ba9876543210");
  CHECK(*parse_uuid("01234567-89ab-cdef-fedc-ba9876543210") == id);
  CHECK(*parse_uuid("0123456789ABCDEFFEDCBA9876543210") == id);
  CHECK(parse_uuid("00000000-0000-0000-0000-000000000000")->is_nil());
}

TEST_CASE("uuid: what is no identifier is refused", "[base][text]") {
  for (const auto* wrong :
       {"", "1", "01234567-89ab-cdef-fedc-ba987654321", "01234567-89ab-cdef-fedc-ba98765432100",
        "0123456789abcdeffedcba987654321g", "01234567x89abxcdefxfedcxba9876543210",
        "{01234567-89ab-cdef-fedc-ba987654321}", "0123456-789ab-cdef-fedc-ba9876543210",
        "-123456789abcdeffedcba9876543210", "0x23456789abcdeffedcba9876543210"}) {
    INFO(wrong);
    const auto id = parse_uuid(wrong);
    REQUIRE_FALSE(id);
    CHECK(id.error().code() == ErrorCode::kInvalidArgument);
  }
}

TEST_CASE("uuid: random ones are version 4, variant 1, and differ", "[base][text]") {
  std::set<Uuid> seen;
  for (int i = 0; i < 10'000; ++i) {
    const Uuid id = random_uuid();
    REQUIRE((id.high >> 12U & 0xFU) == 4);
    REQUIRE(id.low >> 62U == 2);
    REQUIRE(seen.insert(id).second);
  }
}

TEST_CASE("utf-8: well-formed text is accepted", "[base][text]") {
  for (const auto text : {""sv, "order-42"sv, "ऑर्डर-४२"sv, "naïve"sv, "\U0001F4D5"sv, "\xED\x9F\xBF"sv, "\xEE\x80\x80"sv,
                          "\xF4\x8F\xBF\xBF"sv}) {
    INFO(text);
    CHECK(is_utf8(text));
    CHECK(is_printable_utf8(text));
  }
}

TEST_CASE("utf-8: malformed text is refused", "[base][text]") {
  for (const auto text : {
           "\x80"sv,              // continuation without a lead
           "\xC3"sv,              // ends early
           "\xE0\xA4"sv,          // ends early
           "\xC0\xAF"sv,          // overlong
           "\xE0\x80\xAF"sv,      // overlong
           "\xF0\x80\x80\xAF"sv,  // overlong
           "\xED\xA0\x80"sv,      // surrogate
           "\xF4\x90\x80\x80"sv,  // above U+10FFFF
           "\xF8\x88\x80\x80\x80"sv, "\xFF"sv, "a\xC3(b"sv,
       }) {
    CHECK_FALSE(is_utf8(text));
    CHECK_FALSE(is_printable_utf8(text));
  }
}

TEST_CASE("utf-8: control characters are text, but not printable", "[base][text]") {
  for (int byte = 0; byte < 0x20; ++byte) {
    // In every place of a word, as the check may work on words.
    for (std::size_t place = 0; place < 20; ++place) {
      std::string text(20, 'a');
      text[place] = static_cast<char>(byte);
      REQUIRE(is_utf8(text));
      REQUIRE_FALSE(is_printable_utf8(text));
    }
  }
  CHECK_FALSE(is_printable_utf8("\x7F"));
  CHECK(is_printable_utf8(" ~"));
}

TEST_CASE("hash: text form is 32 hex digits, high half first", "[base][text]") {
  CHECK(format_hash({1, 0xABC}) == "00000000000000010000000000000abc");
}

}  // namespace
}  // namespace bahi
