// `bahi bench`: that it does what it reports. How fast that is, is not for a test to say.
#include <catch2/catch.hpp>

#include "bahi_process.hpp"
#include "serving.hpp"

namespace bahi::test {
namespace {

const Arguments kBriefly{"--duration", "0.3", "--warm-up", "0.1", "--json"};

Arguments bench(Arguments words) {
  words.insert(words.begin(), "bench");
  words.insert(words.end(), kBriefly.begin(), kBriefly.end());
  return words;
}

double number(const std::string& text) {
  REQUIRE_FALSE(text.empty());
  return std::stod(text);
}

/// The events in the log of the tenant "bench".
std::size_t logged(const Serving& server) {
  const Outcome last = server.bahi({"read", "-t", "bench", "--backward", "--limit", "1"});
  REQUIRE(last.exit_code == 0);
  return std::stoul(member(last.out, "offset")) + 1;
}

TEST_CASE("bench: appends are in the log, and the report has what repeats the run", "[cli][bench]") {
  const Store store;
  Serving server(store);
  const Outcome outcome = server.bahi(bench({"append", "--batch", "20", "--connections", "3", "--in-flight", "2",
                                             "--threads", "2", "--codec", "lz4", "--seed", "7"}));
  CAPTURE(outcome.out, outcome.err);
  REQUIRE(outcome.exit_code == 0);
  const double counted = number(member(outcome.out, "events"));
  CHECK(counted > 0);
  CHECK(logged(server) >= counted);
  CHECK(logged(server) % 20 == 0);
  CHECK(number(member(outcome.out, "p50_nanos")) > 0);
  CHECK(member(outcome.out, "rejected") == "0");
  CHECK(number(member(outcome.out, "server_cpu_nanos_per_event")) > 0);
  for (const char* setting : {R"("seed":7)", R"("batch":20)", R"("codec":"lz4")", R"("in_flight":2)", R"("kernel":)"}) {
    CHECK(outcome.out.find(setting) != std::string::npos);
  }
}

TEST_CASE("bench: with a rate, as many requests as were due are sent", "[cli][bench]") {
  const Store store;
  Serving server(store);
  const Outcome outcome = server.bahi(bench(
      {"append", "--batch", "1", "--connections", "4", "--rate", "100", "--data", "random", "--event-bytes", "16"}));
  REQUIRE(outcome.exit_code == 0);
  CHECK(logged(server) == 40);  // warm-up and duration are 0.4 s
  CHECK(member(outcome.out, "count") == "30");
}

TEST_CASE("bench: a replay, and a catch-up, see every event of the log", "[cli][bench]") {
  const Store store;
  Serving server(store);
  REQUIRE(server.bahi(bench({"append", "--batch", "500", "--connections", "2"})).exit_code == 0);
  const std::size_t events = logged(server);
  for (const char* command : {"read", "subscribe"}) {
    const std::string mode = command == std::string("read") ? "replay" : "catch-up";
    const Outcome outcome = server.bahi(bench({command, "--mode", mode}));
    CAPTURE(outcome.err);
    REQUIRE(outcome.exit_code == 0);
    const double passes = number(member(outcome.out, "requests"));
    CHECK(passes >= 1);
    CHECK(number(member(outcome.out, "events")) == passes * static_cast<double>(events));
  }
  const Outcome streams = server.bahi(bench({"read", "--mode", "streams", "--limit", "5"}));
  REQUIRE(streams.exit_code == 0);
  CHECK(number(member(streams.out, "requests")) > 0);
  CHECK(number(member(streams.out, "events")) == 5 * number(member(streams.out, "requests")));
}

TEST_CASE("bench: every probe reaches every subscriber", "[cli][bench]") {
  const Store store;
  Serving server(store);
  const Outcome outcome = server.bahi(bench({"subscribe", "--connections", "3", "--rate", "50"}));
  CAPTURE(outcome.err);
  REQUIRE(outcome.exit_code == 0);
  CHECK(outcome.out.find(R"("append_to_subscriber":{"count":45,)") != std::string::npos);
  CHECK(logged(server) == 20);
}

TEST_CASE("bench: a mixed load does all three", "[cli][bench]") {
  const Store store;
  Serving server(store);
  const Outcome outcome = server.bahi(bench({"mixed", "--batch", "50", "--connections", "2", "--streams", "10"}));
  CAPTURE(outcome.err);
  REQUIRE(outcome.exit_code == 0);
  for (const char* part : {R"("append":{)", R"("read":{)", R"("subscribe":{)"}) {
    CHECK(outcome.out.find(part) != std::string::npos);
  }
}

TEST_CASE("bench: idle connections are let in and kept", "[cli][bench]") {
  const Store store;
  // Longer than the idle deadline, so that they live by the heartbeats that they answer.
  Serving server(store, {"--heartbeat-interval-ms", "100", "--idle-deadline-ms", "3000"});
  const Outcome outcome = server.bahi({"bench", "idle", "--connections", "300", "--rounds", "1", "--rate", "50",
                                       "--duration", "4", "--warm-up", "0", "--json"});
  CAPTURE(outcome.err);
  REQUIRE(outcome.exit_code == 0);
  CHECK(number(member(outcome.out, "seconds_to_open")) > 0);
  CHECK(number(member(outcome.out, "count")) > 0);
}

TEST_CASE("bench: bad options are named", "[cli][bench]") {
  CHECK(run({"bench", "append"}).exit_code == 3);
  const Arguments server{"--server", "127.0.0.1:1"};
  const auto refused = [&](Arguments words) {
    words.insert(words.begin(), "bench");
    words.insert(words.end(), server.begin(), server.end());
    return run(words);
  };
  CHECK(refused({"append", "--event-bytes", "100"}).err.find("event size") != std::string::npos);
  CHECK(refused({"append", "--batch", "70000"}).err.find("batch: must be 1 to") != std::string::npos);
  CHECK(refused({"append", "--batch", "1000", "--event-bytes", "100000"}).err.find("batch_too_large") !=
        std::string::npos);
  CHECK(refused({"append", "--duration", "0"}).err.find("duration") != std::string::npos);
  CHECK(refused({"read", "--mode", "sideways"}).exit_code == 2);
}

}  // namespace
}  // namespace bahi::test
