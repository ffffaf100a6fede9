// `bahi top`: rates and levels of a server.
#include <csignal>

#include <catch2/catch.hpp>

#include "bahi_process.hpp"
#include "serving.hpp"

namespace bahi::test {
namespace {

double number(const std::string& line, const std::string& name) {
  const std::string text = member(line, name);
  CAPTURE(line, name);
  REQUIRE_FALSE(text.empty());
  return std::stod(text);
}

TEST_CASE("top: one line an interval, with what happened in it", "[cli][top]") {
  const Store store;
  Serving server(store);
  Process follower({"read", "-t", "shop", "--follow"}, "", {"BAHI_SERVER=" + server.address()});
  Process top({"top", "--interval", "0.3"}, "", {"BAHI_SERVER=" + server.address()});
  REQUIRE(top.wait_for_lines(1));
  REQUIRE(server.bahi({"import", "-t", "shop"}, "", event_lines(0, 3000)).exit_code == 0);
  REQUIRE(follower.wait_for_lines(3000));
  REQUIRE(top.wait_for_lines(split_lines(top.out()).size() + 2));
  top.signal(SIGTERM);
  const Outcome outcome = top.wait();
  CHECK(outcome.exit_code == 0);
  const auto lines = split_lines(outcome.out);
  double events = 0;
  double syncs = 0;
  for (const std::string& line : lines) {
    events += number(line, "events_per_second") * 0.3;
    syncs += number(line, "syncs_per_second");
  }
  // Intervals are a little longer than they should be, never shorter.
  CHECK(events > 0);
  CHECK(events <= 3000);
  CHECK(syncs > 0);
  CHECK(number(lines.back(), "connections") == 2);  // the follower's and its own
  CHECK(number(lines.back(), "subscriptions") == 1);
  CHECK(number(lines.back(), "subscription_lag_max") == 0);
  CHECK(number(lines.back(), "resident_bytes") > 0);
  CHECK(number(lines.back(), "free_bytes") > 0);
}

TEST_CASE("top: ends after the count given, and needs a server", "[cli][top]") {
  const Store store;
  Serving server(store);
  CHECK(split_lines(server.bahi({"top", "--interval", "0.05", "--count", "3"}).out).size() == 3);
  CHECK(run({"top"}).exit_code == 3);
  CHECK(server.bahi({"top", "--interval", "0"}).exit_code == 2);
}

}  // namespace
}  // namespace bahi::test
