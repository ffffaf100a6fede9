// `bahi serve`, and the commands that work over TCP.
#include <csignal>

#include <catch2/catch.hpp>

#include "bahi_process.hpp"
#include "serving.hpp"

namespace bahi::test {
namespace {

TEST_CASE("serve: the commands work over TCP as in the directory", "[cli][server]") {
  const Store store;
  Serving server(store);
  CHECK(server.bahi({"ping", "--count", "2"}).exit_code == 0);
  CHECK(server.bahi({"tenant", "create", "other"}).exit_code == 0);
  CHECK(server.bahi({"tenant", "create", "other"}).exit_code == 4);
  const Outcome imported = server.bahi({"import", "--tenant", "shop", "--json"}, "", event_lines(0, 300));
  CAPTURE(imported.err);
  CHECK(member(imported.out, "events_imported") == "300");
  const Outcome again = server.bahi({"import", "--tenant", "shop", "--json"}, "", event_lines(0, 320));
  CHECK(member(again.out, "events_imported") == "20");
  CHECK(member(again.out, "events_already_there") == "300");
  const Outcome appended =
      server.bahi({"append", "-t", "shop", "--stream", "even-0", "--type", "other", "--data", R"({"n":320})"});
  CHECK(member(appended.out, "first_offset") == "320");
  CHECK(server.bahi({"append", "-t", "shop", "--stream", "even-0", "--type", "x", "--expect", "0"}).exit_code == 4);
  CHECK(numbers_of(split_lines(server.bahi({"read", "-t", "shop"}).out)) == range(0, 321));
  const Arguments filtered{"read", "-t", "shop", "--tag", "mod:3", "--backward", "--limit", "9"};
  const std::string over_tcp = server.bahi(filtered).out;
  CHECK(split_lines(over_tcp).size() == 9);
  CHECK(over_tcp == store.bahi(filtered).out);
  CHECK(server.bahi({"read", "-t", "nobody"}).exit_code == 5);
  CHECK(server.bahi({"verify"}).exit_code == 0);
  CHECK(member(server.bahi({"stats", "--json"}).out, "engine.duplicates") != "");
  CHECK(server.bahi({"index", "rebuild"}).exit_code == 3);
  const Outcome stopped = server.stop();
  CHECK(stopped.exit_code == 0);
  CHECK(stopped.err.find("no credentials are asked for") != std::string::npos);
  CHECK(store.read().size() == 321);
}

TEST_CASE("serve: a follower gets what comes, and ends with 0", "[cli][server]") {
  const Store store;
  Serving server(store);
  Process follower({"read", "-t", "shop", "--follow"}, "", {"BAHI_SERVER=" + server.address()});
  REQUIRE(server.bahi({"import", "-t", "shop"}, "", event_lines(0, 50)).exit_code == 0);
  REQUIRE(follower.wait_for_lines(50));
  REQUIRE(server.bahi({"import", "-t", "shop"}, "", event_lines(0, 60)).exit_code == 0);
  REQUIRE(follower.wait_for_lines(60));
  follower.signal(SIGINT);
  const Outcome outcome = follower.wait();
  CHECK(outcome.exit_code == 0);
  CHECK(numbers_of(split_lines(outcome.out)) == range(0, 60));
}

TEST_CASE("serve: with a token in the store, only tokens enter", "[cli][server]") {
  const Store store;
  const Outcome made = store.bahi({"token", "create", "--tenant", "system", "--role", "admin", "--name", "ops"});
  REQUIRE(made.exit_code == 0);
  const std::string admin = split_lines(made.out).front();
  Serving server(store);
  CHECK(server.bahi({"tenant", "list"}).exit_code == 8);
  CHECK(server.bahi({"tenant", "list"}, admin).exit_code == 0);
  const Outcome created = server.bahi({"token", "create", "--tenant", "shop", "--role", "writer"}, admin);
  REQUIRE(created.exit_code == 0);
  const std::string writer = split_lines(created.out).front();
  CHECK(server.bahi({"import", "-t", "shop"}, writer, event_lines(0, 5)).exit_code == 0);
  CHECK(server.bahi({"stats"}, writer).exit_code == 8);
  const Outcome listed = server.bahi({"token", "list", "--json"}, admin);
  REQUIRE(split_lines(listed.out).size() == 2);
  for (const std::string& line : split_lines(listed.out)) {
    if (member(line, "role") != R"("writer")") continue;
    const std::string id = member(line, "id").substr(1, 36);
    CHECK(server.bahi({"token", "revoke", id}, admin).exit_code == 0);
    CHECK(server.bahi({"token", "revoke", id}, admin).exit_code == 5);
  }
  CHECK(server.bahi({"read", "-t", "shop"}, writer).exit_code == 8);
  const Outcome stopped = server.stop();
  CHECK(stopped.exit_code == 0);
  CHECK(stopped.err.find(admin.substr(40)) == std::string::npos);
}

TEST_CASE("serve: command line before environment before file before default", "[cli][server]") {
  const TempDirectory directory;
  const std::string file = directory.file("bahi.toml", "in_flight_max = 7\nreads_max = 8\nconnections_max = 9\n");
  const Outcome checked = run({"serve", "--check-config", "--config", file, "--in-flight-max", "5"}, "",
                              {"BAHI_READS_MAX=6", "BAHI_IN_FLIGHT_MAX=4"});
  CAPTURE(checked.err);
  CHECK(checked.exit_code == 0);
  for (const char* line :
       {"in_flight_max = 5\n", "reads_max = 6\n", "connections_max = 9\n", "listen = \"127.0.0.1:7440\"\n"}) {
    CHECK(checked.out.find(line) != std::string::npos);
  }
}

TEST_CASE("serve: a wrong setting is named, with its place", "[cli][server]") {
  const TempDirectory directory;
  const auto complaint = [&](const std::string& text, const Arguments& more = {}) {
    Arguments words{"serve", "--check-config", "--config", directory.file("bahi.toml", text)};
    words.insert(words.end(), more.begin(), more.end());
    const Outcome outcome = run(words);
    CHECK(outcome.exit_code == 3);
    return outcome.err;
  };
  CHECK(complaint("\nspeed = 9\n").find("line 2: there is no setting 'speed'") != std::string::npos);
  CHECK(complaint("reads_max = \"many\"\n").find("line 1: reads_max: must be a whole number") != std::string::npos);
  CHECK(complaint("reads_max = 0\n").find("reads_max: '0' is not a whole number from 1") != std::string::npos);
  CHECK(complaint("reads_max = \n").find("line 1") != std::string::npos);
  CHECK(complaint("", {"--listen", "0.0.0.0:1", "--credentials", "none"}).find("loopback") != std::string::npos);
  CHECK(complaint("", {"--idle-deadline-ms", "10"}).find("idle_deadline") != std::string::npos);
}

}  // namespace
}  // namespace bahi::test
