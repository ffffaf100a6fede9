// What is in the state of the timelines and in the log, behind the answers.
#include <catch2/catch.hpp>

#include <set>
#include <thread>

#include <fmt/format.h>

#include "timelines_process.hpp"
#include "view_store.hpp"

namespace bahi::projections::test_timelines {
namespace {

TEST_CASE("timelines: redaction takes the content out of the state", "[timelines][redact]") {
  const ProcessChat chat;
  chat.write({joined("c", "v"), sent("c", "m0", "a"),
              sent("c", "m1", "a", "SECRET-1", R"(,"mentions":["v"],"reply_to":"m0")"),
              edited("c", "m1", "a", "SECRET-2", R"(,"mentions":["v"])"), edited("c", "m1", "a", "SECRET-3"),
              pin("MessagePinned", "c", "m1", "a")});
  chat.process->settle();
  chat.write({redacted("c", "m1", "mod"), edited("c", "m1", "a", "SECRET-4")});
  chat.process->settle();
  // The rows themselves, of the instance as it was kept up to date and of one built anew.
  for (const bool anew : {false, true}) {
    if (anew) chat.process->rebuild();
    chat.process->projections.reset();
    auto store = ViewStore::open(chat.process->directory.path() / "views", {});
    REQUIRE(store);
    std::size_t rows = 0;
    for (std::uint32_t instance = anew ? 2 : 1; instance < 5; ++instance) {
      const auto view = (*store)->view(InstanceId{instance});
      for (int table = 1; table <= 255; ++table) {
        RowScan scan = view->scan(static_cast<std::uint8_t>(table));
        for (scan.seek_first(); scan.valid(); scan.next(), ++rows) {
          if (scan.value().find("SECRET") != std::string_view::npos) FAIL("a row of table " << table << " has it");
        }
      }
    }
    CHECK(rows > 10);
    store->reset();
    chat.process->restart();
  }
}

TEST_CASE("timelines: nobody sends after their leaving, however close they were", "[timelines][command]") {
  const ProcessChat chat;
  for (int round = 0; round < 20; ++round) {
    const std::string user = fmt::format("u{}", round);
    chat.write({joined("c", user)});
    chat.process->settle();
    std::thread leaver([&] { chat.write({left("c", user)}); });
    (void)chat.command("send",
                       fmt::format(R"({{"conversation":"c","sender":"{}","text":"x","message":"{}"}})", user, user));
    leaver.join();
  }
  std::set<std::string> present;
  for (const auto& read : test::read_all(*chat.process->engine, test::everything(chat.process->tenant))) {
    for (const std::string& tag : read.event.tags) {
      if (!tag.starts_with("user:")) continue;
      if (read.event.type == "chat.MemberJoined") present.insert(tag);
      if (read.event.type == "chat.MemberLeft") present.erase(tag);
      if (read.event.type == "chat.MessageSent") CHECK(present.contains(tag));
    }
  }
}

}  // namespace
}  // namespace bahi::projections::test_timelines
