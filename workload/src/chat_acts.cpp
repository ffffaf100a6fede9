#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#include "bahi/workload/words.hpp"
#include "chat.hpp"
#include "text.hpp"

namespace bahi::workload {
namespace {
constexpr auto kPresences = std::to_array<std::string_view>({"online", "online", "online", "away", "busy", "offline"});
}  // namespace

const std::string& Chat::message_name(const Conversation& conversation, std::uint64_t number) {
  name_.clear();
  fmt::format_to(std::back_inserter(name_), "{}.{}", conversation.name, number);
  return name_;
}

Draft& Chat::about(std::string_view type, const Conversation& conversation) {
  Draft& draft = add(type, now_);
  draft.stream("conversation", conversation.name).tag("conversation", conversation.name);
  draft.data().text("conversation", conversation.name);
  return draft;
}

Draft& Chat::about(std::string_view type, const Conversation& conversation, const Message& message) {
  Draft& draft = about(type, conversation);
  draft.data().text("message", message_name(conversation, message.number));
  draft.tag("message", name_);
  return draft;
}

const Chat::Message& Chat::latest(const Conversation& conversation) {
  return conversation.recent[(conversation.messages - 1) % conversation.recent.size()];
}

Chat::Message* Chat::some_recent(Conversation& conversation, bool main_only) {
  if (conversation.messages == 0) return nullptr;
  const std::uint64_t back = random().below(std::min<std::uint64_t>(conversation.messages, conversation.recent.size()));
  Message& message = conversation.recent[(conversation.messages - 1 - back) % conversation.recent.size()];
  return message.redacted || (main_only && message.thread != 0) ? nullptr : &message;
}

std::uint64_t Chat::thread_to_answer(Conversation& conversation) {
  std::uint64_t& thread = conversation.threads[random().below(conversation.threads.size())];
  if (thread != 0 && random().chance(7, 8)) return thread;
  const Message* const root = some_recent(conversation, true);
  if (root != nullptr) thread = root->number;
  return root == nullptr ? 0 : thread;
}

void Chat::write_text_and_mentions(JsonText& data, const Conversation& conversation, MemberNumber sender) {
  write_message(random(), text_);
  data.text("text", text_);
  if (!random().chance(1, 9) || conversation.messages == 0) return;
  const std::uint64_t back = random().below(std::min<std::uint64_t>(conversation.messages, conversation.recent.size()));
  const MemberNumber mentioned =
      conversation.recent[(conversation.messages - 1 - back) % conversation.recent.size()].sender;
  if (mentioned == sender || !is_member(mentioned, conversation)) return;
  data.begin_list("mentions").element(handle(mentioned)).end_list();
}

void Chat::send() {
  const MemberNumber sender = some_member();
  Conversation& conversation = some_conversation(sender);
  Message message;
  message.sender = sender;
  message.number = conversation.messages + 1;
  std::uint64_t answered = 0;
  const std::uint64_t how = random().below(100);
  if (how < 15 && !conversation.direct) message.thread = thread_to_answer(conversation);
  if (how >= 15 && how < 24) {
    if (const Message* const other = some_recent(conversation, true); other != nullptr) answered = other->number;
  }
  const std::uint64_t transaction = random().next() >> 16U;
  // A client that has not seen the answer sends again; the server has given the message another name meanwhile.
  const int times = random().chance(1, 1000) ? 2 : 1;
  for (int time = 0; time < times; ++time) {
    Draft& draft = about("chat.MessageSent", conversation);
    JsonText& data = draft.data();
    message_name(conversation, message.number);
    if (time != 0) name_ += "-again";
    data.text("message", name_);
    draft.tag("message", name_);
    data.text("sender", handle(sender));
    draft.actor(handle_).tag("transaction", fmt::format("{:012x}", transaction));
    if (time == 0) {
      write_text_and_mentions(data, conversation, sender);
    } else {
      data.text("text", text_);
    }
    if (message.thread != 0) data.text("thread", message_name(conversation, message.thread));
    if (answered != 0) data.text("reply_to", message_name(conversation, answered));
    data.text("transaction", fmt::format("{:012x}", transaction));
  }
  conversation.recent[conversation.messages++ % conversation.recent.size()] = message;
}

void Chat::edit() {
  const MemberNumber reader = some_member();
  Conversation& conversation = some_conversation(reader);
  const Message* const message = some_recent(conversation);
  if (message == nullptr || !is_member(message->sender, conversation)) return send();
  Draft& draft = about("chat.MessageEdited", conversation, *message);
  draft.data().text("sender", handle(message->sender));
  draft.actor(handle_);
  write_text_and_mentions(draft.data(), conversation, message->sender);
}

void Chat::redact() {
  const MemberNumber reader = some_member();
  Conversation& conversation = some_conversation(reader);
  Message* const message = some_recent(conversation);
  if (message == nullptr) return send();
  const bool by_owner = !conversation.direct && random().chance(1, 3);
  const MemberNumber by = by_owner ? conversation.pair[0] : message->sender;
  if (!is_member(by, conversation)) return send();
  message->redacted = true;
  std::replace(conversation.threads.begin(), conversation.threads.end(), message->number, std::uint64_t{0});
  if (conversation.pinned == message->number) conversation.pinned = 0;
  Draft& draft = about("chat.MessageRedacted", conversation, *message);
  draft.data().text("by", handle(by));
  draft.actor(handle_).reason(by_owner ? "against the rules of the community" : "sent by mistake");
}

void Chat::react() {
  const MemberNumber member = some_member();
  Conversation& conversation = some_conversation(member);
  Message* const message = some_recent(conversation);
  if (message == nullptr) return send();
  message->reactor = member;
  message->reaction = static_cast<std::uint8_t>(random().below(words::kReactions.size()));
  Draft& draft = about("chat.ReactionAdded", conversation, *message);
  draft.data().text("user", handle(member)).text("reaction", words::kReactions[message->reaction]);
  draft.tag("user", handle_).actor(handle_);
}

void Chat::take_reaction_back() {
  const MemberNumber reader = some_member();
  Conversation& conversation = some_conversation(reader);
  Message* const message = some_recent(conversation);
  if (message == nullptr || message->reactor == kNothing || !is_member(message->reactor, conversation)) return react();
  Draft& draft = about("chat.ReactionRemoved", conversation, *message);
  draft.data().text("user", handle(message->reactor)).text("reaction", words::kReactions[message->reaction]);
  draft.tag("user", handle_).actor(handle_);
  message->reactor = kNothing;
}

/// The owner's: one pin in a room, the newest.
void Chat::pin() {
  Conversation& conversation = rooms_[random().skewed_below(rooms_.size())];
  const Message* const message = conversation.created ? some_recent(conversation) : nullptr;
  if (message == nullptr || message->number == conversation.pinned) return send();
  if (conversation.pinned != 0) {
    Message earlier;
    earlier.number = conversation.pinned;
    Draft& draft = about("chat.MessageUnpinned", conversation, earlier);
    draft.data().text("by", handle(conversation.pair[0]));
    draft.actor(handle_);
  }
  conversation.pinned = message->number;
  Draft& draft = about("chat.MessagePinned", conversation, *message);
  draft.data().text("by", handle(conversation.pair[0]));
  draft.actor(handle_);
}

void Chat::read_up_to() {
  const MemberNumber member = some_member();
  Conversation& conversation = some_conversation(member);
  if (conversation.messages == 0) return send();
  const Message& message = latest(conversation);
  Draft& draft = about("chat.ReceiptSet", conversation, message);
  JsonText& data = draft.data();
  data.text("user", handle(member));
  draft.tag("user", handle_).actor(handle_);
  if (random().chance(3, 10)) {
    data.text("scope", message.thread == 0 ? "main" : "thread");
    if (message.thread != 0) data.text("thread", message_name(conversation, message.thread));
  } else {
    data.text("scope", "unthreaded");
  }
  if (random().chance(1, 10)) data.flag("private", true);
}

void Chat::show_presence() {
  const MemberNumber member = some_member();
  const std::string_view status = pick(kPresences, random());
  Draft& draft = add("chat.PresenceSet", now_);
  draft.stream("user", handle(member)).tag("user", handle_).actor(handle_);
  draft.data().text("user", handle_).text("status", status);
  if (status == "online") draft.data().time("expires_at", now_ + 5 * kMinute);
}

}  // namespace bahi::workload
