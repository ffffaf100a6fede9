#include <chrono>

#include <catch2/catch.hpp>

#include "bahi/base/base64.hpp"
#include "bahi/cli/exit_code.hpp"
#include "bahi/cli/json_text.hpp"
#include "bahi/cli/progress_bar.hpp"

using namespace bahi;
using namespace bahi::cli;

TEST_CASE("base64: the vectors of RFC 4648", "[cli][base64]") {
  const auto [bytes, encoded] = GENERATE(table<std::string, std::string>({{"", ""},
                                                                          {"f", "Zg=="},
                                                                          {"fo", "Zm8="},
                                                                          {"foo", "Zm9v"},
                                                                          {"foob", "Zm9vYg=="},
                                                                          {"fooba", "Zm9vYmE="},
                                                                          {"foobar", "Zm9vYmFy"},
                                                                          {"\xFB\xFF\xFE", "+//+"}}));
  std::string out;
  append_base64(bytes, out);
  CHECK(out == encoded);
  REQUIRE(decode_base64(encoded, out));
  CHECK(out == bytes);
}

TEST_CASE("base64: anything not canonical is refused", "[cli][base64]") {
  const std::string text = GENERATE(values<std::string>(
      {"A", "AA", "AAA", "AAAAA", "A===", "====", "AA=A", "AA==AAAA", "AA-_", "AA A", "Zh==", "Zm9=", "Zg==\n"}));
  std::string out;
  CHECK_FALSE(decode_base64(text, out));
}

TEST_CASE("json: position of what is wrong", "[cli][json]") {
  JsonChecker checker;
  CHECK_FALSE(checker.check(" {\"a\": [1, 2e999]}\n"));
  CHECK(checker.check("")->position == 0);
  CHECK(checker.check("[1,}")->position == 3);
  CHECK(checker.check("\"\xE4\"")->position == 1);
  CHECK_FALSE(checker.check("1"));
}

TEST_CASE("json: UTF-8 is checked at every position of a word", "[cli][json]") {
  for (std::size_t at = 0; at < 24; ++at) {
    std::string text(24, 'a');
    text[at] = '\x80';
    CHECK(find_invalid_utf8(text) == at);
    text[at] = 'a';
    text.insert(at, "é");
    CHECK_FALSE(find_invalid_utf8(text));
    text = text.substr(0, at + 1);  // the character cut in half
    CHECK(find_invalid_utf8(text) == at);
  }
  CHECK(find_invalid_utf8("\xED\xA0\x80") == 0);      // a surrogate
  CHECK(find_invalid_utf8("ab\xC0\x80") == 2);        // overlong
  CHECK(find_invalid_utf8("\xF4\x90\x80\x80") == 0);  // beyond U+10FFFF
}

TEST_CASE("exit codes: one for every error, in keeping with what the caller should do", "[cli][exit_code]") {
  for (const ErrorInfo& info : error_catalogue()) {
    CAPTURE(info.name);
    const ExitCode code = exit_code_of(info.code);
    CHECK(code != ExitCode::kOk);
    CHECK(code != ExitCode::kUsage);
    // What comes out of a conversation that is not one of this protocol is nobody's input.
    const bool of_protocol = info.code == ErrorCode::kMalformedFrame || info.code == ErrorCode::kFrameTooLarge ||
                             info.code == ErrorCode::kUnsupportedProtocol || info.code == ErrorCode::kUnknownRequest;
    CHECK((code == ExitCode::kInternal) == (info.code == ErrorCode::kInternal || of_protocol));
    if (info.action == Action::kRereadRetry) CHECK(code == ExitCode::kConflict);
    if (info.action == Action::kRestoreStore) CHECK(code == ExitCode::kDamaged);
    if (info.action == Action::kRetry) CHECK((code == ExitCode::kRetry || code == ExitCode::kInterrupted));
    if (info.action == Action::kNeverRetry) CHECK(code != ExitCode::kRetry);
  }
}

TEST_CASE("progress: numbers for people", "[cli][progress]") {
  CHECK(grouped(0) == "0");
  CHECK(grouped(999) == "999");
  CHECK(grouped(1000) == "1,000");
  CHECK(grouped(1234567) == "1,234,567");
  CHECK(human_bytes(999) == "999 B");
  CHECK(human_bytes(1234567) == "1.2 MB");
  CHECK(human_bytes(999'999) == "1.0 MB");
  CHECK(human_bytes(UINT64_MAX) == "18446.7 PB");
}

TEST_CASE("progress: percent, rate and time left", "[cli][progress]") {
  using namespace std::chrono_literals;
  CHECK(progress_line("importing", "B", 25'000'000, 100'000'000, 10s) ==
        "importing  25% [######..................] 2.5 MB/s  0:30 left");
  CHECK(progress_line("x", "events", 1000, 0, 2s) == "x  1,000 events  500 events/s");
  CHECK(progress_line("x", "events", 0, 10, 5s) == "x   0% [........................] 0 events/s  ? left");
  CHECK(progress_line("x", "events", 12, 10, 5s) == "x 100% [########################] 2 events/s  0:00 left");
  CHECK(progress_line("x", "events", 1, 7201, 1s) == "x   0% [........................] 1 events/s  2:00:00 left");
}
