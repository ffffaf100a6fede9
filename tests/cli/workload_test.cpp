// `bahi workload`: what it writes is there once, the same each time, and read models fold it while it is written.
#include <catch2/catch.hpp>

#include "bahi_process.hpp"
#include "serving.hpp"

namespace bahi::test {
namespace {

const Arguments kSmall{"--seed", "3", "--members", "200", "--rooms", "5"};

Arguments chat(const Arguments& more) {
  Arguments words{"workload", "chat", "--tenant", "shop", "--json"};
  words.insert(words.end(), kSmall.begin(), kSmall.end());
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

/// The log without what the server adds.
std::vector<std::string> without_recorded_at(std::vector<std::string> lines) {
  for (std::string& line : lines) {
    const std::size_t begin = line.find("\"recorded_at\"");
    REQUIRE(begin != std::string::npos);
    line.erase(begin, line.find(',', begin) - begin);
  }
  return lines;
}

TEST_CASE("workload: run again it adds nothing, with more events it goes on, however it is cut", "[cli][workload]") {
  const Store whole;
  const Store pieces;
  const Outcome once = whole.bahi(chat({"--events", "2000"}));
  CAPTURE(once.err);
  REQUIRE(once.exit_code == 0);
  CHECK(member(once.out, "events_written") == "2000");

  CHECK(member(pieces.bahi(chat({"--events", "730", "--batch", "100"})).out, "events_written") == "730");
  const Outcome again = pieces.bahi(chat({"--events", "730", "--batch", "37"}));
  CHECK(member(again.out, "events_written") == "0");
  CHECK(member(again.out, "events_already_there") == "730");
  const Outcome more = pieces.bahi(chat({"--events", "2000", "--batch", "999", "--in-flight", "8"}));
  CHECK(member(more.out, "events_written") == "1270");
  CHECK(member(more.out, "events_already_there") == "730");
  CHECK(without_recorded_at(pieces.read()) == without_recorded_at(whole.read()));
}

TEST_CASE("workload: another history of the kind is not mixed into the first", "[cli][workload]") {
  const Store store;
  REQUIRE(store.bahi(chat({"--events", "100"})).exit_code == 0);
  const Outcome other = store.bahi(chat({"--events", "100", "--events-per-day", "77"}));
  CHECK(other.exit_code == 3);
  CHECK_THAT(other.err, Catch::Contains("another chat history") && Catch::Contains("--tenant"));
  CHECK(store.read().size() == 100);
}

TEST_CASE("workload: what cannot be made is a usage error or names the option", "[cli][workload]") {
  const Store store;
  CHECK(store.bahi({"workload", "chat"}).exit_code == 2);
  CHECK(store.bahi(chat({"--events", "0"})).exit_code == 2);
  CHECK(store.bahi({"workload", "weather", "--events", "1"}).exit_code == 2);
  const Outcome rooms = store.bahi({"workload", "chat", "--events", "5", "--rooms", "0"});
  CHECK(rooms.exit_code == 3);
  CHECK_THAT(rooms.err, Catch::Contains("rooms: must be 1 to"));
  const Outcome from = store.bahi(chat({"--events", "5", "--from", "yesterday"}));
  CHECK(from.exit_code == 3);
  CHECK_THAT(from.err, Catch::Contains("--from: 'yesterday'"));
}

struct Folding {
  const char* workload;
  const char* read_model;
  Arguments query;  // one that any history of the kind answers
};

TEST_CASE("workload: a server folds each kind while it is written, and parks nothing", "[cli][workload]") {
  const Folding kinds[] = {{"chat", "timelines", {"page", "conversation=general"}},
                           {"pharmacy", "stock", {"valuation"}},
                           {"payments", "payments", {"reconciliation"}},
                           {"audit", "audit", {"records", "text=fraud"}}};
  const Store store;
  Serving server(store);
  for (const Folding& kind : kinds) {
    INFO(kind.workload);
    // The workload creates its tenant, named like itself.
    REQUIRE(server.bahi({"workload", kind.workload, "--events", "1"}).exit_code == 0);
    const Outcome started = server.bahi({"projection", "start", kind.read_model, "--tenant", kind.workload});
    INFO(started.err);
    REQUIRE(started.exit_code == 0);
    const Outcome written = server.bahi({"workload", kind.workload, "--events", "3000", "--batch", "50", "--json"});
    INFO(written.err);
    REQUIRE(written.exit_code == 0);
    CHECK(member(written.out, "events_written") == "2999");
    // Waits until all of it is folded.
    Arguments ask{"query", "--tenant", kind.workload, "--min-offset", "3000", kind.read_model};
    ask.insert(ask.end(), kind.query.begin(), kind.query.end());
    const Outcome answer = server.bahi(ask);
    INFO(answer.err);
    CHECK(answer.exit_code == 0);
    const Outcome list = server.bahi({"projection", "list", "--tenant", kind.workload});
    CHECK_THAT(list.out, Catch::Contains(R"("next":3000)") && !Catch::Contains("parked_at"));
  }
}

}  // namespace
}  // namespace bahi::test
