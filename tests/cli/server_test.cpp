// `bahi serve`, and the commands that work over TCP.
#include <csignal>

#include <catch2/catch.hpp>

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

TEST_CASE("serve: limits of tenants, in the directory and over TCP", "[cli][server]") {
  const Store store;
  CHECK(store.bahi({"tenant", "limit", "shop", "--events-per-second", "10"}).exit_code == 0);
  CHECK(store.bahi({"tenant", "limit", "nobody", "--connections", "1"}).exit_code == 5);
  CHECK(store.bahi({"tenant", "limit", "shop"}).exit_code == 3);
  const Outcome wrong = store.bahi({"tenant", "limit", "shop", "--connections", "few"});
  CHECK(wrong.exit_code == 3);
  CHECK(wrong.err.find("--connections: 'few'") != std::string::npos);
  CHECK(store.bahi({"tenant", "show", "nobody"}).exit_code == 5);
  CHECK(store.bahi({"tenant", "show", "shop"}).out.find("set for this tenant") != std::string::npos);
  Serving server(store, {"--tenant-connections-max", "50"});
  const auto shown = [&](const std::string& name) {
    return member(server.bahi({"tenant", "show", "shop", "--json"}).out, name);
  };
  CHECK(shown("events_per_second") == "10");
  CHECK(shown("connections_max") == "50");
  CHECK(shown("bytes_per_second") == "null");
  // One request of more events than a second allows passes, the next does not.
  CHECK(server.bahi({"import", "-t", "shop"}, "", event_lines(0, 500)).exit_code == 0);
  const Outcome refused = server.bahi({"append", "-t", "shop", "--stream", "even-0", "--type", "x"});
  CHECK(refused.exit_code == 7);
  CHECK(refused.err.find("may append 10 events per second; retry in") != std::string::npos);
  CHECK(server.bahi({"tenant", "limit", "shop", "--events-per-second", "none", "--stored-bytes", "1"}).exit_code == 0);
  CHECK(server.bahi({"append", "-t", "shop", "--stream", "even-0", "--type", "x"}).exit_code == 8);
  CHECK(server.bahi({"tenant", "limit", "shop", "--stored-bytes", "default"}).exit_code == 0);
  CHECK(server.bahi({"append", "-t", "shop", "--stream", "even-0", "--type", "x"}).exit_code == 0);
  CHECK(shown("events") == "501");
  CHECK(std::stoul(shown("stored_bytes")) > 1000);
  CHECK(server.stop().exit_code == 0);
}

TEST_CASE("serve: the log names connections and requests, on one line each", "[cli][server]") {
  const Store store;
  const std::string token = split_lines(store.bahi({"token", "create", "-t", "shop", "--role", "reader"}).out).front();
  Serving server(store);
  CHECK(server.bahi({"append", "-t", "shop", "--stream", "even-0", "--type", "x"}, token).exit_code == 8);
  CHECK(server.bahi({"read", "-t", "shop"}, "wrong\ntoken").exit_code == 8);
  const std::string log = server.stop().err;
  INFO(log);
  CHECK(log.find("event=entered tenant=shop role=reader credential=\"token ") != std::string::npos);
  CHECK(log.find("event=denied request=1 name=Append reason=\"Append: the role reader") != std::string::npos);
  CHECK(log.find("event=denied request=0 name=Hello") != std::string::npos);
  CHECK(log.find("event=closed") != std::string::npos);
  CHECK(log.find(token.substr(40)) == std::string::npos);
  for (const std::string& line : split_lines(log)) CHECK(line.starts_with("20"));
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
  CHECK(complaint("", {"--listen", "0.0.0.0:1"}).find("set tls_certificate and tls_key") != std::string::npos);
  CHECK(complaint("tls_key = \"/nowhere\"\n").find("tls_certificate: no file is named") != std::string::npos);
  CHECK(complaint("tls_client_certificates = \"maybe\"\n").find("line 1: tls_client_certificates") !=
        std::string::npos);
  CHECK(complaint("", {"--idle-deadline-ms", "10"}).find("idle_deadline") != std::string::npos);
}

}  // namespace
}  // namespace bahi::test
