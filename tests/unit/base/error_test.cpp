#include "bahi/base/error.hpp"

#include <algorithm>
#include <cctype>
#include <set>
#include <string>

#include <catch2/catch.hpp>

namespace bahi {
namespace {

TEST_CASE("error catalogue: numbers ascend, so each is unique", "[base][error]") {
  const auto catalogue = error_catalogue();
  REQUIRE(catalogue.size() > 20);
  for (std::size_t i = 1; i < catalogue.size(); ++i) {
    INFO("after " << catalogue[i - 1].name);
    CHECK(catalogue[i - 1].code < catalogue[i].code);
  }
}

TEST_CASE("error catalogue: names are unique, lower case and not empty", "[base][error]") {
  std::set<std::string_view> names;
  for (const ErrorInfo& info : error_catalogue()) {
    INFO(info.name);
    CHECK(names.insert(info.name).second);
    CHECK_FALSE(info.name.empty());
    CHECK(std::all_of(info.name.begin(), info.name.end(), [](unsigned char c) { return std::islower(c) != 0 || c == '_'; }));
  }
}

TEST_CASE("error catalogue: every text is a sentence", "[base][error]") {
  for (const ErrorInfo& info : error_catalogue()) {
    INFO(info.name);
    REQUIRE(info.text.size() > 10);
    CHECK(std::isupper(static_cast<unsigned char>(info.text.front())) != 0);
    CHECK(info.text.back() == '.');
  }
}

TEST_CASE("error catalogue: numbers that peers know never change", "[base][error]") {
  // A number that changes here breaks every client in the field: add numbers, never edit.
  CHECK(static_cast<int>(ErrorCode::kInvalidArgument) == 100);
  CHECK(static_cast<int>(ErrorCode::kMalformedBatch) == 105);
  CHECK(static_cast<int>(ErrorCode::kUnknownTenant) == 200);
  CHECK(static_cast<int>(ErrorCode::kWrongExpectedVersion) == 300);
  CHECK(static_cast<int>(ErrorCode::kConditionFailed) == 301);
  CHECK(static_cast<int>(ErrorCode::kOverloaded) == 400);
  CHECK(static_cast<int>(ErrorCode::kDiskFull) == 402);
  CHECK(static_cast<int>(ErrorCode::kWriteFailed) == 500);
  CHECK(static_cast<int>(ErrorCode::kAcknowledgedDataMissing) == 503);
  CHECK(static_cast<int>(ErrorCode::kInternal) == 900);
}

TEST_CASE("error catalogue: each code finds its own entry", "[base][error]") {
  for (const ErrorInfo& info : error_catalogue()) CHECK(&error_info(info.code) == &info);
}

TEST_CASE("error catalogue: a number of a newer peer is an internal error", "[base][error]") {
  for (const int number : {0, 1, 199, 350, 899, 901, 65535}) {
    CHECK(error_info(static_cast<ErrorCode>(number)).code == ErrorCode::kInternal);
  }
}

TEST_CASE("error: text form names code, number and cause", "[base][error]") {
  const Error error(ErrorCode::kUnknownTenant, "tenant 'shop' does not exist");
  CHECK(error.to_string() == "unknown_tenant (200): tenant 'shop' does not exist");
  CHECK(error.conflict() == nullptr);
}

TEST_CASE("error: a conflict carries what the writer needs, and copies share it", "[base][error]") {
  const Error error(ErrorCode::kWrongExpectedVersion, "order-1 is at 4", Conflict{"order-1", 4, 0});
  const Error copy = error;  // NOLINT(performance-unnecessary-copy-initialization): the copy is the point
  REQUIRE(copy.conflict() != nullptr);
  CHECK(copy.conflict() == error.conflict());
  CHECK(copy.conflict()->stream == "order-1");
  CHECK(copy.conflict()->actual_version == 4);
}

TEST_CASE("error: every action has its own words", "[base][error]") {
  std::set<std::string_view> words;
  for (const Action action : {Action::kNeverRetry, Action::kRetry, Action::kRereadRetry, Action::kRestoreStore}) {
    CHECK(words.insert(to_string(action)).second);
  }
  CHECK(words.count("unknown") == 0);
}

}  // namespace
}  // namespace bahi
