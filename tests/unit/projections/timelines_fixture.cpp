#include "timelines_fixture.hpp"

#include <fmt/format.h>
#include <catch2/catch.hpp>

namespace bahi::projections::test_timelines {
namespace {

Event event(const std::string& type, const std::string& conversation, const std::string& members,
            std::vector<std::string> tags) {
  tags.push_back("conversation:" + conversation);
  return {"conversation-" + conversation, "chat." + type,
          fmt::format(R"({{"conversation":"{}",{}}})", conversation, members), std::move(tags)};
}

}  // namespace

Event created(const std::string& conversation, const std::string& kind) {
  return event("ConversationCreated", conversation,
               fmt::format(R"("kind":"{}","title":"{} title")", kind, conversation), {});
}
Event joined(const std::string& conversation, const std::string& user, const std::string& role) {
  return event("MemberJoined", conversation, fmt::format(R"("user":"{}","role":"{}")", user, role), {"user:" + user});
}
Event left(const std::string& conversation, const std::string& user) {
  return event("MemberLeft", conversation, fmt::format(R"("user":"{}")", user), {"user:" + user});
}
Event role_changed(const std::string& conversation, const std::string& user, const std::string& role) {
  return event("MemberRoleChanged", conversation, fmt::format(R"("user":"{}","role":"{}")", user, role),
               {"user:" + user});
}
Event sent(const std::string& conversation, const std::string& message, const std::string& sender,
           const std::string& text, const std::string& more) {
  return event("MessageSent", conversation,
               fmt::format(R"("message":"{}","sender":"{}","text":"{}"{})", message, sender, text, more),
               {"message:" + message, "user:" + sender});
}
Event reply(const std::string& conversation, const std::string& thread, const std::string& message,
            const std::string& sender, const std::string& more) {
  return sent(conversation, message, sender, "reply", fmt::format(R"(,"thread":"{}"{})", thread, more));
}
Event edited(const std::string& conversation, const std::string& message, const std::string& sender,
             const std::string& text, const std::string& more) {
  return event("MessageEdited", conversation,
               fmt::format(R"("message":"{}","sender":"{}","text":"{}"{})", message, sender, text, more),
               {"message:" + message, "user:" + sender});
}
Event redacted(const std::string& conversation, const std::string& message, const std::string& by) {
  return event("MessageRedacted", conversation, fmt::format(R"("message":"{}","by":"{}")", message, by),
               {"message:" + message, "user:" + by});
}
Event reaction(const std::string& type, const std::string& conversation, const std::string& message,
               const std::string& user, const std::string& name) {
  return event(type, conversation, fmt::format(R"("message":"{}","user":"{}","reaction":"{}")", message, user, name),
               {"message:" + message, "user:" + user});
}
Event pin(const std::string& type, const std::string& conversation, const std::string& message, const std::string& by) {
  return event(type, conversation, fmt::format(R"("message":"{}","by":"{}")", message, by), {"message:" + message});
}
Event receipt(const std::string& conversation, const std::string& user, const std::string& message,
              const std::string& scope, bool secret) {
  return event("ReceiptSet", conversation,
               fmt::format(R"("user":"{}","message":"{}","scope":"{}","private":{})", user, message, scope, secret),
               {"user:" + user});
}
Event presence(const std::string& user, const std::string& status, const std::string& expires_at) {
  const std::string expires = expires_at.empty() ? "" : fmt::format(R"(,"expires_at":"{}")", expires_at);
  return {"user-" + user,
          "chat.PresenceSet",
          fmt::format(R"({{"user":"{}","status":"{}"{}}})", user, status, expires),
          {"user:" + user}};
}

std::vector<test::Fact> facts_of(const std::vector<Event>& events) {
  std::vector<test::Fact> facts;
  for (const Event& event : events) facts.push_back({event.type, event.data, event.tags, {}, event.stream});
  return facts;
}

void Chat::write(const std::vector<Event>& events) const {
  host->append(facts_of(events));
}

Json Chat::ask(const std::string& query, const std::string& arguments) const {
  const auto answer = host->try_ask(query, arguments);
  INFO(query << " " << arguments);
  REQUIRE(answer);
  Json json;
  json.Parse(answer->json.c_str());
  REQUIRE_FALSE(json.HasParseError());
  return json;
}

Error Chat::failure(const std::string& query, const std::string& arguments) const {
  const auto answer = host->try_ask(query, arguments);
  INFO(query << " " << arguments);
  REQUIRE_FALSE(answer);
  return answer.error();
}

Result<CommandAnswer> Chat::command(const std::string& name, const std::string& arguments) const {
  return host->try_run(name, arguments);
}

std::string texts_of(const Json& answer, const char* list, const char* name) {
  std::string texts;
  REQUIRE(answer.HasMember(list));
  for (const auto& element : answer[list].GetArray()) {
    texts += (texts.empty() ? "" : " ") + text_of(element, name);
  }
  return texts;
}

std::string text_of(const rapidjson::Value& object, const char* name) {
  return object.HasMember(name) ? object[name].GetString() : std::string();
}

std::string arguments_of(const std::string& members, const std::string& more) {
  return "{" + members + (members.empty() || more.empty() ? "" : ",") + more + "}";
}

std::string pages_of(const Chat& chat, const std::string& query, const std::string& members, std::size_t limit) {
  std::string pages;
  std::string cursor;
  for (;;) {
    const auto answer = chat.ask(query, arguments_of(members, fmt::format(R"("limit":{}{})", limit, cursor)));
    pages += (pages.empty() ? "" : "|") + messages_of(answer);
    if (!answer.HasMember("next")) return pages;
    cursor = fmt::format(R"(,"cursor":"{}")", answer["next"].GetString());
  }
}

}  // namespace bahi::projections::test_timelines
