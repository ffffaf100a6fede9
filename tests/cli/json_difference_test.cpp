// Differences of answers.
#include <catch2/catch.hpp>

#include "bahi/cli/json_difference.hpp"

namespace bahi::cli {
namespace {

std::string difference(std::string_view before, std::string_view after) {
  const auto changes = json_difference(before, after);
  REQUIRE(changes.has_value());
  return as_json(*changes);
}

TEST_CASE("json difference: members that differ, came and went", "[cli][json]") {
  CHECK(difference(R"({"a":1,"b":{"c":"x"}})", R"({"a":1,"b":{"c":"x"}})") == "[]");
  CHECK(difference(R"({"a":1,"b":{"c":"x"}})", R"({"a":1,"b":{"c":"y"}})") ==
        R"([{"path":"/b/c","before":"x","after":"y"}])");
  CHECK(difference(R"({"a":1})", R"({"b":2})") == R"([{"path":"/a","before":1},{"path":"/b","after":2}])");
  CHECK(difference("null", R"({"b":2})") == R"([{"path":"","before":null,"after":{"b":2}}])");
  CHECK(difference(R"({"a/b~":1})", R"({"a/b~":2})") == R"([{"path":"/a~1b~0","before":1,"after":2}])");
}

TEST_CASE("json difference: lists are compared between what both begin and end with", "[cli][json]") {
  CHECK(difference("[1,2,3]", "[1,2,3,4]") == R"([{"path":"/3","after":4}])");
  CHECK(difference("[1,2,3]", "[0,1,2,3]") == R"([{"path":"/0","after":0}])");
  CHECK(difference("[1,2,3]", "[1,3]") == R"([{"path":"/1","before":2}])");
  CHECK(difference(R"([{"a":1},{"a":2}])", R"([{"a":1},{"a":3}])") == R"([{"path":"/1/a","before":2,"after":3}])");
  CHECK(difference("[]", "[[]]") == R"([{"path":"/0","after":[]}])");
}

TEST_CASE("json difference: for people", "[cli][json]") {
  const auto changes = json_difference(R"({"a":1,"b":2})", R"({"a":3})");
  REQUIRE(changes.has_value());
  CHECK(as_lines(*changes, "  ") == "  /a: 1 → 3\n  /b: 2 → –\n");
  CHECK_FALSE(json_difference("{", "{}").has_value());
}

}  // namespace
}  // namespace bahi::cli
