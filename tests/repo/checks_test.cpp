// Each check can fail: shown on small bad texts.
#include "checks.hpp"

#include <catch2/catch.hpp>

namespace bahi::repo {
namespace {

bool include_is_allowed(std::string_view path, std::string_view include) {
  return check_includes(path, "#include " + std::string(include) + "\n").empty();
}

TEST_CASE("include check: arrows may be followed", "[repo]") {
  CHECK(include_is_allowed("base/src/text.cpp", "\"bahi/base/text.hpp\""));
  CHECK(include_is_allowed("schemas/src/a.cpp", "\"bahi/base/text.hpp\""));
  CHECK(include_is_allowed("engine/src/a.cpp", "\"bahi/schemas/codec.hpp\""));
  CHECK(include_is_allowed("server/src/a.cpp", "\"bahi/engine/engine.hpp\""));
  CHECK(include_is_allowed("client/src/a.cpp", "\"bahi/schemas/codec.hpp\""));
  CHECK(include_is_allowed("cli/src/main.cpp", "\"bahi/engine/engine.hpp\""));
  CHECK(include_is_allowed("engine/src/a.cpp", "\"index.hpp\""));
  CHECK(include_is_allowed("engine/src/a.cpp", "<vector>"));
}

TEST_CASE("include check: against the arrows is refused", "[repo]") {
  CHECK_FALSE(include_is_allowed("base/src/text.cpp", "\"bahi/schemas/codec.hpp\""));
  CHECK_FALSE(include_is_allowed("schemas/include/bahi/schemas/a.hpp", "\"bahi/engine/engine.hpp\""));
  CHECK_FALSE(include_is_allowed("engine/src/a.cpp", "\"bahi/snapshots/snapshot.hpp\""));
  CHECK_FALSE(include_is_allowed("snapshots/src/a.cpp", "\"bahi/projections/fold.hpp\""));
  CHECK_FALSE(include_is_allowed("projections/src/a.cpp", "\"bahi/server/session.hpp\""));
  CHECK_FALSE(include_is_allowed("client/src/a.cpp", "\"bahi/engine/engine.hpp\""));
  CHECK_FALSE(include_is_allowed("cli/src/a.cpp", "\"bahi/projections/fold.hpp\""));
  CHECK_FALSE(include_is_allowed("server/src/a.cpp", "\"bahi/client/client.hpp\""));
  CHECK_FALSE(include_is_allowed("engine/src/a.cpp", "<bahi/server/session.hpp>"));
}

TEST_CASE("include check: no way around, by path or by spelling", "[repo]") {
  CHECK_FALSE(include_is_allowed("schemas/src/a.cpp", "\"../../engine/src/index.hpp\""));
  CHECK_FALSE(include_is_allowed("cli/src/a.cpp", "\"engine/src/index.hpp\""));
  CHECK_FALSE(check_includes("base/src/a.cpp", "  #  include  \"bahi/engine/engine.hpp\"\n").empty());
  CHECK_FALSE(check_includes("base/src/a.cpp", "#include<bahi/engine/engine.hpp>").empty());
}

TEST_CASE("include check: RocksDB stays below the engine's headers", "[repo]") {
  CHECK(include_is_allowed("engine/src/a.cpp", "<rocksdb/db.h>"));
  CHECK(include_is_allowed("snapshots/src/a.cpp", "<rocksdb/db.h>"));
  CHECK(include_is_allowed("tests/faults/a.cpp", "<rocksdb/db.h>"));
  CHECK_FALSE(include_is_allowed("engine/include/bahi/engine/a.hpp", "<rocksdb/db.h>"));
  CHECK_FALSE(include_is_allowed("cli/src/main.cpp", "<rocksdb/db.h>"));
  CHECK_FALSE(include_is_allowed("server/src/a.cpp", "\"rocksdb/db.h\""));
}

TEST_CASE("include check: Asio stays in server and client", "[repo]") {
  CHECK(include_is_allowed("server/src/a.cpp", "<boost/asio.hpp>"));
  CHECK(include_is_allowed("client/src/a.cpp", "<boost/asio/ip/tcp.hpp>"));
  CHECK_FALSE(include_is_allowed("engine/src/a.cpp", "<boost/asio.hpp>"));
  CHECK_FALSE(include_is_allowed("base/include/bahi/base/a.hpp", "<boost/asio/buffer.hpp>"));
}

TEST_CASE("include check: a problem names file, line and include", "[repo]") {
  const auto problems = check_includes("base/src/a.cpp", "// one\n#include \"bahi/engine/engine.hpp\"\n");
  REQUIRE(problems.size() == 1);
  CHECK(problems[0] == "base/src/a.cpp:2: includes 'bahi/engine/engine.hpp': base may not include engine");
}

TEST_CASE("style check: good text passes", "[repo]") {
  CHECK(check_style("a.cpp", "int main() {}\n").empty());
  CHECK(check_style("a.cpp", "").empty());
  CHECK(check_style("a.cpp", "int mastodon;  // XXXL, HACKNEY\n").empty());
}

TEST_CASE("style check: tabs, trailing blanks and a missing last newline are found", "[repo]") {
  CHECK(check_style("a.cpp", "int a;\n\tint b;\n") == Problems{"a.cpp:2: a tab"});
  CHECK(check_style("a.cpp", "int a; \n") == Problems{"a.cpp:1: a blank at the end of the line"});
  CHECK(check_style("a.cpp", "int a;\r\n") == Problems{"a.cpp:1: a blank at the end of the line"});
  CHECK(check_style("a.cpp", "int a;") == Problems{"a.cpp: no newline at the end"});
}

TEST_CASE("style check: left-over marks are found", "[repo]") {
  for (const std::string& mark : {std::string("TO") + "DO", std::string("FIX") + "ME", std::string("XX") + "X", std::string("HA") + "CK"}) {
    CHECK(check_style("a.md", "words " + mark + ": later\n").size() == 1);
    CHECK(check_style("a.md", mark + "\n").size() == 1);
  }
}

TEST_CASE("style check: a file that is too long is found", "[repo]") {
  std::string text;
  for (std::size_t i = 0; i < kLinesMax; ++i) text += "x\n";
  CHECK(check_style("a.cpp", text).empty());
  CHECK(check_style("a.cpp", text + "x\n").size() == 1);
}

}  // namespace
}  // namespace bahi::repo
