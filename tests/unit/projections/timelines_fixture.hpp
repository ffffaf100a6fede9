// A tenant with message timelines.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <rapidjson/document.h>

#include "read_model_host.hpp"

namespace bahi::projections::test_timelines {

using test::Event;

// --- events as a writer would send them; `more`: further members of the JSON, with a comma in front
Event created(const std::string& conversation, const std::string& kind = "group");
Event joined(const std::string& conversation, const std::string& user, const std::string& role = "member");
Event left(const std::string& conversation, const std::string& user);
Event role_changed(const std::string& conversation, const std::string& user, const std::string& role);
Event sent(const std::string& conversation, const std::string& message, const std::string& sender,
           const std::string& text = "hello", const std::string& more = {});
Event reply(const std::string& conversation, const std::string& thread, const std::string& message,
            const std::string& sender, const std::string& more = {});
Event edited(const std::string& conversation, const std::string& message, const std::string& sender,
             const std::string& text, const std::string& more = {});
Event redacted(const std::string& conversation, const std::string& message, const std::string& by);
/// `type`: what follows "chat.": ReactionAdded or ReactionRemoved.
Event reaction(const std::string& type, const std::string& conversation, const std::string& message,
               const std::string& user, const std::string& name);
/// MessagePinned or MessageUnpinned.
Event pin(const std::string& type, const std::string& conversation, const std::string& message, const std::string& by);
/// `scope` as the schema names it, followed by what else is to be said: `main`, `thread","thread":"m1`.
Event receipt(const std::string& conversation, const std::string& user, const std::string& message,
              const std::string& scope = "unthreaded", bool secret = false);
Event presence(const std::string& user, const std::string& status, const std::string& expires_at = {});

using Json = rapidjson::Document;

[[nodiscard]] std::vector<test::Fact> facts_of(const std::vector<Event>& events);

/// Driven as the test program drives read models.
struct Chat {
  Chat() : Chat(test::read_model_host("timelines")) {}
  explicit Chat(std::unique_ptr<test::ReadModelHost> driven_by) : host(std::move(driven_by)) {}

  void write(const std::vector<Event>& events) const;
  /// The answer, with everything folded.
  Json ask(const std::string& query, const std::string& arguments) const;
  Error failure(const std::string& query, const std::string& arguments) const;
  Result<CommandAnswer> command(const std::string& name, const std::string& arguments) const;

  std::unique_ptr<test::ReadModelHost> host;
};

/// Members `name` of the elements of a list, with blanks between them.
std::string texts_of(const Json& answer, const char* list, const char* name);
inline std::string messages_of(const Json& answer) {
  return texts_of(answer, "messages", "message");
}
/// The text member, or nothing.
std::string text_of(const rapidjson::Value& object, const char* name);
/// An argument object from members without braces, and `more` members.
std::string arguments_of(const std::string& members, const std::string& more);
/// All pages, one after the other: of each the messages, pages divided by '|'.
std::string pages_of(const Chat& chat, const std::string& query, const std::string& members, std::size_t limit);

}  // namespace bahi::projections::test_timelines
