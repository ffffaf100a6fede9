#include "bahi/schemas/name_table.hpp"

#include <deque>
#include <string>

#include <catch2/catch.hpp>

namespace bahi {
namespace {

TEST_CASE("name table: names are numbered in the order they first appear", "[schemas][name_table]") {
  NameTable table;
  bool inserted = false;
  CHECK(table.intern("b", inserted) == 0);
  CHECK(inserted);
  CHECK(table.intern("a", inserted) == 1);
  CHECK(inserted);
  CHECK(table.intern("b", inserted) == 0);
  CHECK_FALSE(inserted);
  CHECK(table.intern("", inserted) == 2);
  CHECK(table.names() == std::vector<std::string_view>{"b", "a", ""});
}

TEST_CASE("name table: numbers survive growth", "[schemas][name_table]") {
  std::deque<std::string> texts;
  for (int i = 0; i < 100'000; ++i) texts.push_back("name-" + std::to_string(i));
  for (const std::size_t reserved : {0U, 1'000U, 100'000U}) {
    NameTable table;
    table.reserve(reserved);
    bool inserted = false;
    for (std::size_t i = 0; i < texts.size(); ++i) REQUIRE(table.intern(texts[i], inserted) == i);
    for (std::size_t i = 0; i < texts.size(); ++i) {
      REQUIRE(table.intern(texts[i], inserted) == i);
      REQUIRE_FALSE(inserted);
    }
  }
}

TEST_CASE("name table: clear forgets everything", "[schemas][name_table]") {
  NameTable table;
  bool inserted = false;
  table.intern("a", inserted);
  table.clear();
  CHECK(table.names().empty());
  CHECK(table.intern("b", inserted) == 0);
  CHECK(inserted);
  CHECK(table.intern("a", inserted) == 1);
  CHECK(inserted);
}

TEST_CASE("name table: a rebound entry still equals its name", "[schemas][name_table]") {
  NameTable table;
  bool inserted = false;
  const std::string longer_lived = "name";
  {
    const std::string temporary = "name";
    table.rebind(table.intern(temporary, inserted), longer_lived);
  }
  CHECK(table.names()[0].data() == longer_lived.data());
  CHECK(table.intern("name", inserted) == 0);
  CHECK_FALSE(inserted);
}

}  // namespace
}  // namespace bahi
