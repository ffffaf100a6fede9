// The examples of the client library do what they say.
#include <filesystem>

#include <catch2/catch.hpp>

#include "bahi_process.hpp"
#include "serving.hpp"

namespace bahi::test {
namespace {

Outcome example(const std::string& name, const Serving& server, const Arguments& more) {
  const std::string& address = server.address();
  const std::size_t colon = address.rfind(':');
  Arguments words{address.substr(0, colon), address.substr(colon + 1), "shop"};
  words.insert(words.end(), more.begin(), more.end());
  Process process(words, "", {}, (std::filesystem::path(BAHI_EXAMPLES) / name).string());
  Outcome outcome = process.wait();
  CAPTURE(name, outcome.err);
  CHECK((outcome.exit_code != 1 && outcome.exit_code != 2));
  return outcome;
}

TEST_CASE("example: a coroutine appends to a stream that is new, once", "[cli][examples]") {
  const Store store;
  Serving server(store);
  const Outcome first = example("append_coroutine", server, {"order-1"});
  CHECK(first.exit_code == 0);
  CHECK(first.out == "stored at offset 0\n");
  const Outcome second = example("append_coroutine", server, {"order-1"});
  CHECK(second.exit_code == 4);
  CHECK(example("append_coroutine", server, {"order-2"}).exit_code == 0);
  CHECK(split_lines(server.bahi({"read", "-t", "shop"}).out).size() == 2);
}

TEST_CASE("example: blocking appends decide again on conflicts, and batch", "[cli][examples]") {
  const Store store;
  Serving server(store);
  const std::string& address = server.address();
  const std::size_t colon = address.rfind(':');
  const Arguments words{address.substr(0, colon), address.substr(colon + 1), "shop"};
  const std::string program = (std::filesystem::path(BAHI_EXAMPLES) / "append_blocking").string();
  {
    Process a(words, "", {}, program);
    Process b(words, "", {}, program);
    Process c(words, "", {}, program);
    CHECK(a.wait().exit_code == 0);
    CHECK(b.wait().exit_code == 0);
    CHECK(c.wait().exit_code == 0);
  }
  const auto counted = split_lines(server.bahi({"read", "-t", "shop", "--stream", "counter-1"}).out);
  REQUIRE(counted.size() == 3);
  for (std::size_t i = 0; i < counted.size(); ++i) CHECK(member(counted[i], "value") == std::to_string(i));
  CHECK(split_lines(server.bahi({"read", "-t", "shop", "--category", "sensor"}).out).size() == 1500);
}

TEST_CASE("example: a subscription goes on where it stopped", "[cli][examples]") {
  const Store store;
  Serving server(store);
  REQUIRE(server.bahi({"import", "-t", "shop"}, "", event_lines(0, 20)).exit_code == 0);
  const TempDirectory directory;
  const std::string checkpoint = (directory.path() / "checkpoint").string();
  std::vector<std::string> seen;
  for (const char* count : {"7", "1", "12"}) {
    for (const std::string& line : split_lines(example("follow_resuming", server, {checkpoint, count}).out)) {
      seen.push_back(line.substr(0, line.find(' ')));
    }
  }
  REQUIRE(seen.size() == 20);
  for (std::size_t i = 0; i < seen.size(); ++i) CHECK(seen[i] == std::to_string(i));
}

}  // namespace
}  // namespace bahi::test
