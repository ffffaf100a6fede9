// The timelines against their reference, on generated events, through restarts and rebuilds.
#include <catch2/catch.hpp>

#include <cstdlib>

#include <fmt/format.h>

#include "timelines_process.hpp"
#include "timelines_reference.hpp"

namespace bahi::projections::test_timelines {
namespace {

using Lines = Reference::Lines;

std::size_t event_count() {
  const char* given = std::getenv("BAHI_FOLD_EVENTS");
  return given == nullptr ? 20'000 : std::strtoull(given, nullptr, 10);
}

/// All elements of all pages of a query, as lines.
template <class Show>
Lines collect(const Chat& chat, const std::string& query, const std::string& members, const char* list,
              std::size_t limit, Show show) {
  Lines lines;
  std::string cursor;
  for (;;) {
    const auto answer = chat.ask(query, arguments_of(members, fmt::format(R"("limit":{}{})", limit, cursor)));
    for (const auto& element : answer[list].GetArray()) lines.push_back(show(element));
    if (!answer.HasMember("next")) return lines;
    cursor = fmt::format(R"(,"cursor":"{}")", answer["next"].GetString());
  }
}

/// Says the first difference only: the lists may be long.
void check_same(const Lines& actual, const Lines& expected, const std::string& what) {
  const auto [there, wanted] = std::mismatch(actual.begin(), actual.end(), expected.begin(), expected.end());
  if (there == actual.end() && wanted == expected.end()) return;
  FAIL(what << ", line " << there - actual.begin() << " of " << actual.size() << " and " << expected.size() << ": "
            << (there == actual.end() ? "nothing" : *there) << ", expected "
            << (wanted == expected.end() ? "nothing" : *wanted));
}

struct Trial {
  ProcessChat chat;
  Reference reference;
  FactGenerator generator;
  std::uint64_t written = 0;

  explicit Trial(std::uint64_t seed) : generator(seed) {}

  void write(std::size_t count) {
    std::vector<Event> events;
    for (; count > 0; --count, ++written) {
      const Fact fact = generator.next();
      reference.apply(fact);
      events.push_back(fact.event());
    }
    chat.write(events);
  }

  void check_timeline(const std::string& conversation) {
    const std::string thread = generator.below(2) == 0 ? std::string() : generator.message(conversation);
    const auto user = generator.below(2) == 0 ? std::nullopt : std::optional(generator.user());
    const auto sender = generator.below(3) == 0 ? std::optional(generator.user()) : std::nullopt;
    const auto at = generator.below(3) == 0 ? std::optional(generator.below(written + 1)) : std::nullopt;
    const bool forward = generator.below(2) == 0;
    std::string members =
        fmt::format(R"("conversation":"{}","direction":"{}")", conversation, forward ? "forward" : "backward");
    if (!thread.empty()) {
      // A reply begins no thread.
      if (!reference.has(conversation, thread)) return;
      const auto root =
          chat.ask("message", fmt::format(R"({{"conversation":"{}","message":"{}"}})", conversation, thread));
      if (root.HasMember("thread")) return;
      members += fmt::format(R"(,"thread":"{}")", thread);
    }
    if (user) members += fmt::format(R"(,"user":"{}")", *user);
    if (sender) members += fmt::format(R"(,"sender":"{}")", *sender);
    if (at) members += fmt::format(R"(,"at_offset":{})", *at);
    const std::size_t limit = written > 100'000 ? 1'000 : 1 + generator.below(60);
    Lines lines = collect(chat, "page", members, "messages", limit, line_of);
    if (!forward) std::reverse(lines.begin(), lines.end());
    check_same(lines, reference.timeline(conversation, thread, user, sender, at), members);
  }

  void check_user(const std::string& user, const std::string& conversation) {
    const auto list = collect(chat, "conversations", fmt::format(R"("user":"{}")", user), "conversations",
                              1 + generator.below(5), [](const auto& each) {
                                return fmt::format("{} {} {}", text_of(each, "conversation"), each["unread"].GetInt(),
                                                   each["mentions"].GetInt());
                              });
    check_same(list, reference.conversations(user), "conversations of " + user);
    const std::string members = fmt::format(R"("conversation":"{}","user":"{}")", conversation, user);
    const auto threads = collect(chat, "threads", members, "threads", 1 + generator.below(50), [](const auto& each) {
      return fmt::format("{} {} {}", text_of(each, "thread"), each["replies"].GetInt(), each["unread"].GetInt());
    });
    check_same(threads, reference.threads(conversation, user), "threads, " + members);
  }

  void check_message(const std::string& conversation, const std::string& message) {
    const std::string members = fmt::format(R"("conversation":"{}","message":"{}")", conversation, message);
    const std::size_t limit = 1 + generator.below(4);
    Lines readers = collect(chat, "receipts", members, "receipts", limit, [](const auto& each) {
      return fmt::format("{} {} {}", text_of(each, "user"), text_of(each, "scope"), text_of(each, "read_to"));
    });
    std::sort(readers.begin(), readers.end());
    check_same(readers, reference.readers(conversation, message), "receipts, " + members);
    const auto versions = collect(chat, "versions", members, "versions", limit, [](const auto& each) {
      std::set<std::string> mentions;
      for (const auto& user : each["mentions"].GetArray()) mentions.insert(user.GetString());
      std::string line = fmt::format("{} '{}'", each["offset"].GetInt64(), text_of(each, "text"));
      for (const std::string& user : mentions) line += "@" + user;
      return line;
    });
    check_same(versions, reference.versions(conversation, message), "versions, " + members);
    const auto reactions = collect(chat, "reactions", members, "reactions", limit, [](const auto& each) {
      return text_of(each, "reaction") + " " + text_of(each, "user");
    });
    check_same(reactions, reference.reactions(conversation, message), "reactions, " + members);
  }

  void check() {
    for (int i = 0; i < 5; ++i) {
      const std::string conversation = fmt::format("c{}", i);
      if (reference.timeline(conversation, "", std::nullopt, std::nullopt, std::nullopt).empty()) continue;
      for (int round = 0; round < 4; ++round) check_timeline(conversation);
      check_user(generator.user(), conversation);
      for (int round = 0; round < 6; ++round) {
        const std::string message = generator.message(conversation);
        if (reference.has(conversation, message)) check_message(conversation, message);
      }
      const auto pins =
          collect(chat, "pins", fmt::format(R"("conversation":"{}")", conversation), "pins", 1 + generator.below(50),
                  [](const auto& each) { return text_of(each["message"], "message") + " " + text_of(each, "by"); });
      check_same(pins, reference.pins(conversation), "pins of " + conversation);
    }
  }
};

TEST_CASE("timelines: they are what the reference says, through restarts and rebuilds", "[timelines][generated]") {
  const char* given = std::getenv("BAHI_FOLD_SEED");
  const std::uint64_t seed = given == nullptr ? std::random_device{}() : std::strtoull(given, nullptr, 10);
  INFO("BAHI_FOLD_SEED=" << seed);
  Trial trial(seed);
  const std::size_t events = event_count();
  std::size_t next_check = events / 20;
  while (trial.written < events) {
    trial.write(1 + trial.generator.below(std::min<std::uint64_t>(events / 50, 5'000)));
    const std::uint64_t act = trial.generator.below(20);
    if (act == 0) trial.chat.process->restart();
    if (act == 1) trial.chat.process->settle();
    if (act == 2) trial.chat.process->rebuild();
    if (trial.written < next_check) continue;
    trial.check();
    next_check = trial.written + 1 + events / (1 + trial.generator.below(10));
  }
  trial.check();
  const auto kept = trial.chat.process->fingerprint();
  trial.chat.process->rebuild();
  const auto once = trial.chat.process->fingerprint();
  trial.chat.process->rebuild();
  const auto twice = trial.chat.process->fingerprint();
  CHECK(kept == once);
  CHECK(once == twice);
}

}  // namespace
}  // namespace bahi::projections::test_timelines
