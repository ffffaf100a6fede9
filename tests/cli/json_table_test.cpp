#include "bahi/cli/json_table.hpp"

#include <catch2/catch.hpp>

namespace bahi::cli {
namespace {

std::string table(std::string_view json, const std::vector<std::string>& columns = {}) {
  return json_as_table(json, columns).value();
}

TEST_CASE("table: members are lines, lists of objects tables, paise rupees", "[cli][table]") {
  CHECK(table(R"({"item":"rice","value_paise":12345600,"rows":[{"a":1,"b":"x"},{"a":22}]})") ==
        "item: rice\nvalue: ₹1,23,456.00\nrows\n   a  b\n   1  x\n  22  \n");
  CHECK_FALSE(json_as_table("[1]").has_value());
}

TEST_CASE("table: the columns that are wanted, in their order", "[cli][table]") {
  CHECK(table(R"({"rows":[{"a":1,"b":"x","c":2}]})", {"c", "a"}) == "rows\n  c  a\n  2  1\n");
}

TEST_CASE("table: changes are told in words", "[cli][table]") {
  CHECK(table(R"({"changes":[{"field":"role","old":"reader","new":"writer"},{"field":"limit","new":"5"}]})") ==
        "changes\n  field  old     new\n  role   reader  writer\n  limit          5\n");
  const std::string rows = R"({"rows":[{"n":1,"changes":[{"field":"a","old":"x","new":"y"},{"field":"b","new":"1"},
      {"field":"c","old":"2"},{"field":"d","redacted":true},{"field":"e","old_unknown":true,"new":"z"}]}]})";
  CHECK(table(rows, {"changes"}) == "rows\n  changes\n  a: x → y; b: – → 1; c: 2 → –; d: redacted; e: ? → z\n");
  CHECK(table(R"({"rows":[{"list":[{"field":5}]}]})") == "rows\n  list\n  [{\"field\":5}]\n");
}

}  // namespace
}  // namespace bahi::cli
