// The community, as the timelines see it.
#include <catch2/catch.hpp>

#include <set>

#include <fmt/format.h>

#include "bahi/schemas/domain_event.hpp"
#include "folded_history.hpp"

namespace bahi::test {
namespace {

using workload::Kind;

TEST_CASE("workload: chat: messages are on their pages once, those that a client sent twice too", "[workload][chat]") {
  const FoldedHistory community(small_history(Kind::kChat), "timelines", 12'000);
  std::set<std::string> conversations;
  std::set<std::string> sent;
  std::uint64_t again = 0;
  community.each_event([&](const EventView& event) {
    rapidjson::Document data;
    data.Parse(event.data.data(), event.data.size());
    if (event.type == "chat.ConversationCreated") conversations.insert(text_of(data, "conversation"));
    if (event.type != "chat.MessageSent") return;
    const std::string message = text_of(data, "message");
    if (message.ends_with("-again")) {
      ++again;
    } else {
      sent.insert(message);
    }
  });
  CHECK(conversations.size() > 20);
  CHECK(again > 0);
  std::set<std::string> shown;
  std::uint64_t elements = 0;
  const auto take = [&](const rapidjson::Value& message) {
    ++elements;
    shown.insert(text_of(message, "message"));
  };
  for (const std::string& conversation : conversations) {
    const std::string members = fmt::format(R"("conversation":"{}")", conversation);
    community.each("page", members, "messages", take);
    std::vector<std::string> threads;
    community.each("threads", members, "threads",
                   [&](const rapidjson::Value& thread) { threads.push_back(text_of(thread, "thread")); });
    for (const std::string& thread : threads) {
      community.each("page", members + fmt::format(R"(,"thread":"{}")", thread), "messages", take);
    }
  }
  CHECK(elements == sent.size());
  CHECK(shown == sent);
}

TEST_CASE("workload: chat: what is edited, redacted and read is what the timelines take", "[workload][chat]") {
  const FoldedHistory community(small_history(Kind::kChat, 5), "timelines", 8'000);
  std::uint64_t edits = 0;
  std::uint64_t checked = 0;
  std::vector<std::pair<std::string, std::string>> redacted;
  community.each_event([&](const EventView& event) {
    rapidjson::Document data;
    data.Parse(event.data.data(), event.data.size());
    if (event.type == "chat.MessageEdited") ++edits;
    if (event.type == "chat.MessageRedacted") {
      redacted.emplace_back(text_of(data, "conversation"), text_of(data, "message"));
    }
    if (event.type != "chat.MessageEdited" || checked > 40) return;
    const auto versions =
        community.ask("versions", fmt::format(R"({{"conversation":"{}","message":"{}"}})",
                                              text_of(data, "conversation"), text_of(data, "message")));
    if (versions.HasMember("redacted") && versions["redacted"].GetBool()) return;
    CHECK(versions["versions"].Size() >= 2);
    ++checked;
  });
  CHECK(edits > 50);
  CHECK(checked > 20);
  CHECK(redacted.size() > 5);
  for (const auto& [conversation, message] : redacted) {
    const auto found =
        community.ask("message", fmt::format(R"({{"conversation":"{}","message":"{}"}})", conversation, message));
    CHECK_FALSE(found.HasMember("text"));
  }
}

}  // namespace
}  // namespace bahi::test
