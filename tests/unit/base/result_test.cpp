#include "bahi/base/result.hpp"

#include <memory>
#include <stdexcept>
#include <string>

#include "support/catch_result.hpp"

namespace bahi {
namespace {

Result<int> parse(bool good) {
  if (!good) return Error{ErrorCode::kInvalidArgument, "not good"};
  return 7;
}

Status check(bool good, bool& reached_end) {
  BAHI_TRY(parse(good));
  reached_end = true;
  return {};
}

Result<std::unique_ptr<int>> make(bool good) {
  BAHI_ASSIGN(const int value, parse(good));
  return std::make_unique<int>(value + 1);
}

TEST_CASE("result: BAHI_TRY returns the error of what it tries", "[base][result]") {
  bool reached_end = false;
  const Status failed = check(false, reached_end);
  REQUIRE_FALSE(failed);
  CHECK(failed.error().code() == ErrorCode::kInvalidArgument);
  CHECK_FALSE(reached_end);
  CHECK(check(true, reached_end));
  CHECK(reached_end);
}

TEST_CASE("result: BAHI_ASSIGN moves the value out, or returns the error", "[base][result]") {
  const auto made = make(true);
  REQUIRE(made);
  CHECK(**made == 8);
  REQUIRE_FALSE(make(false));
}

TEST_CASE("result: value() of an error throws with its text", "[base][result]") {
  CHECK_THROWS_WITH(parse(false).value(), Catch::Contains("invalid_argument (100): not good"));
  CHECK(parse(true).value() == 7);
}

}  // namespace
}  // namespace bahi
