#include "timelines_reference.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace bahi::projections::test_timelines {
namespace {

std::string mentions_of(const auto& users) {
  const std::set<std::string> sorted(users.begin(), users.end());
  std::string all;
  for (const std::string& user : sorted) all += "@" + user;
  return all;
}

}  // namespace

// --- generated events

Event Fact::event() const {
  std::string more;
  for (const std::string& user : mentions) more += fmt::format(R"({}"{}")", more.empty() ? "" : ",", user);
  if (!more.empty()) more = R"(,"mentions":[)" + more + "]";
  if (!transaction.empty()) more += fmt::format(R"(,"transaction":"{}")", transaction);
  if (type == "MemberJoined") return joined(conversation, user);
  if (type == "MemberLeft") return left(conversation, user);
  if (type == "MessageEdited") return edited(conversation, message, user, text, more);
  if (type == "MessageRedacted") return redacted(conversation, message, user);
  if (type.starts_with("Reaction")) return reaction(type, conversation, message, user, text);
  if (type == "ReceiptSet") {
    const std::string place = scope == "thread" ? R"(thread","thread":")" + thread : scope;
    return receipt(conversation, user, message, place, secret);
  }
  if (type != "MessageSent") return pin(type, conversation, message, user);
  if (!thread.empty()) more += fmt::format(R"(,"thread":"{}")", thread);
  return sent(conversation, message, user, text, more);
}

std::string FactGenerator::message(const std::string& conversation) {
  const std::uint64_t count = sent_[conversation];
  if (count == 0 || below(50) == 0) return "none";
  return fmt::format("m{}", below(3) == 0 ? below(count) : count - 1 - below(std::min<std::uint64_t>(count, 20)));
}

Fact FactGenerator::next() {
  const std::string in = conversation();
  const std::uint64_t kind = below(100);
  if (kind < 4) return member(in);
  return kind < 50 ? sending(in) : about_message(in);
}

Fact FactGenerator::member(const std::string& conversation) {
  Fact fact;
  fact.type = below(5) < 3 ? "MemberJoined" : "MemberLeft";
  fact.conversation = conversation;
  fact.user = user();
  return fact;
}

Fact FactGenerator::sending(const std::string& conversation) {
  Fact fact;
  fact.type = "MessageSent";
  fact.conversation = conversation;
  fact.user = user();
  fact.text = fmt::format("text {}", below(1'000'000));
  if (below(3) == 0) fact.thread = message(conversation);
  if (below(5) == 0) fact.transaction = fmt::format("t{}", below(4) == 0 ? below(100) : random_());
  fact.message = below(40) == 0 ? message(conversation) : fmt::format("m{}", sent_[conversation]++);
  while (below(4) == 0) fact.mentions.push_back(user());
  return fact;
}

Fact FactGenerator::about_message(const std::string& conversation) {
  Fact fact;
  fact.conversation = conversation;
  fact.user = user();
  fact.message = message(conversation);
  fact.text = fmt::format("edit {}", below(1'000'000));
  const std::uint64_t kind = below(100);
  if (kind < 40) {
    const std::vector<std::string> scopes{"unthreaded", "main", "thread"};
    fact.type = "ReceiptSet";
    fact.scope = scopes[below(3)];
    fact.thread = below(4) == 0 ? fact.message : message(conversation);
    fact.secret = below(4) == 0;
  } else if (kind < 65) {
    fact.type = "MessageEdited";
    while (below(3) == 0) fact.mentions.push_back(user());
  } else if (kind < 70) {
    fact.type = "MessageRedacted";
  } else if (kind < 90) {
    fact.type = below(3) == 0 ? "ReactionRemoved" : "ReactionAdded";
    fact.text = fmt::format("r{}", below(4));
  } else {
    fact.type = below(3) == 0 ? "MessageUnpinned" : "MessagePinned";
  }
  return fact;
}

// --- the fold

const Reference::Message* Reference::Conversation::find(const std::string& name) const {
  const auto found = by_name.find(name);
  return found == by_name.end() ? nullptr : &messages[found->second];
}

bool Reference::Conversation::visible(const std::string& user, std::uint64_t offset) const {
  const auto found = presence.find(user);
  if (found == presence.end()) return false;
  const auto after = found->second.upper_bound(offset);
  return after != found->second.begin() && std::prev(after)->second;
}

bool Reference::Conversation::is_member(const std::string& user) const {
  return visible(user, UINT64_MAX);
}

std::int64_t Reference::Conversation::read_to(const std::string& user, const std::string& thread) const {
  std::int64_t to = -1;
  const auto found = receipts.find(user);
  if (found != receipts.end()) {
    for (const Receipt& each : found->second) {
      const bool covers = each.scope == "unthreaded" || each.scope == (thread.empty() ? "main" : "thread " + thread);
      if (covers) to = std::max(to, static_cast<std::int64_t>(each.offset));
    }
  }
  const auto own = written.find({user, thread});
  return own == written.end() ? to : std::max(to, static_cast<std::int64_t>(own->second));
}

const Reference::Conversation* Reference::find(const std::string& name) const {
  const auto found = conversations_.find(name);
  return found == conversations_.end() ? nullptr : &found->second;
}

void Reference::apply(const Fact& fact) {
  const std::uint64_t offset = offset_++;
  const bool begins = fact.type == "MemberJoined" || fact.type == "MessageSent";
  if (!begins && !conversations_.contains(fact.conversation)) return;
  const auto [place, fresh] = conversations_.try_emplace(fact.conversation);
  Conversation& conversation = place->second;
  if (fresh) conversation.last_activity = offset;
  if (fact.type == "MemberJoined" || fact.type == "MemberLeft") {
    const bool joins = fact.type == "MemberJoined";
    if (conversation.is_member(fact.user) != joins) conversation.presence[fact.user][offset] = joins;
    return;
  }
  if (fact.type == "MessageSent") return send(conversation, fact);
  const auto found = conversation.by_name.find(fact.message);
  if (found == conversation.by_name.end()) return;
  Message& message = conversation.messages[found->second];
  fact.type == "ReceiptSet" ? receive(conversation, message, fact) : change(message, fact);
}

void Reference::send(Conversation& conversation, const Fact& fact) {
  if (!fact.transaction.empty() && conversation.transactions.contains(fact.transaction)) return;
  if (conversation.by_name.contains(fact.message)) return;
  conversation.transactions.insert(fact.transaction);
  Message message;
  message.name = fact.message;
  message.sender = fact.user;
  message.offset = offset_ - 1;
  if (const Message* root = conversation.find(fact.thread))
    message.thread = root->thread.empty() ? root->name : root->thread;
  message.versions.push_back({message.offset, fact.text, {fact.mentions.begin(), fact.mentions.end()}});
  if (!message.thread.empty()) ++conversation.replies[message.thread];
  conversation.written[{message.sender, message.thread}] = message.offset;
  conversation.last_activity = message.offset;
  conversation.by_name[fact.message] = conversation.messages.size();
  conversation.messages.push_back(std::move(message));
}

void Reference::change(Message& message, const Fact& fact) {
  if (fact.type == "MessageUnpinned") message.pinned_by.reset();
  if (fact.type == "ReactionRemoved") react(message, fact);
  if (message.redacted_by) return;
  if (fact.type == "MessageEdited" && fact.user == message.sender) {
    message.versions.push_back({offset_ - 1, fact.text, {fact.mentions.begin(), fact.mentions.end()}});
  }
  if (fact.type == "MessageRedacted") {
    message.redacted_by = fact.user;
    message.versions.clear();
    message.pinned_by.reset();
  }
  if (fact.type == "ReactionAdded") react(message, fact);
  if (fact.type == "MessagePinned" && !message.pinned_by) message.pinned_by = fact.user;
}

void Reference::react(Message& message, const Fact& fact) {
  const auto same = [&fact](const auto& each) { return each.first == fact.text; };
  auto found = std::find_if(message.reactions.begin(), message.reactions.end(), same);
  if (fact.type == "ReactionAdded") {
    if (found == message.reactions.end()) found = message.reactions.insert(found, {fact.text, {}});
    found->second.insert(fact.user);
  } else if (found != message.reactions.end()) {
    found->second.erase(fact.user);
    if (found->second.empty()) message.reactions.erase(found);
  }
}

void Reference::receive(Conversation& conversation, const Message& message, const Fact& fact) {
  std::string scope = fact.scope;
  if (scope == "main" && !message.thread.empty()) return;
  if (scope == "thread") {
    const std::string& thread = message.thread.empty() ? message.name : message.thread;
    if (fact.thread != thread) return;
    scope += " " + thread;
  }
  conversation.receipts[fact.user].push_back({scope, message.name, message.offset, fact.secret});
}

// --- answers

std::string Reference::line(const Conversation& conversation, const Message& message, std::size_t position,
                            std::optional<std::uint64_t> at_offset) {
  std::string line = fmt::format("{}#{} {} {}", message.name, position, message.sender, message.thread);
  if (message.redacted_by) {
    line += " redacted by " + *message.redacted_by;
  } else {
    std::size_t last = message.versions.size() - 1;
    while (at_offset && message.versions[last].offset >= *at_offset) --last;
    line += fmt::format(" '{}'{}", message.versions[last].text, mentions_of(message.versions[last].mentions));
    if (last > 0 && !at_offset) line += fmt::format(" edits {}", last);
  }
  if (at_offset) return line;
  for (const auto& [name, users] : message.reactions) line += fmt::format(" {}:{}", name, users.size());
  const auto replies = conversation.replies.find(message.name);
  return replies == conversation.replies.end() ? line : line + fmt::format(" replies {}", replies->second);
}

std::string line_of(const rapidjson::Value& message) {
  std::string line = fmt::format("{}#{} {} {}", text_of(message, "message"), message["position"].GetInt(),
                                 text_of(message, "sender"), text_of(message, "thread"));
  if (message.HasMember("redacted")) {
    line += " redacted by " + text_of(message["redacted"], "by");
  } else {
    std::vector<std::string> mentions;
    if (message.HasMember("mentions")) {
      for (const auto& user : message["mentions"].GetArray()) mentions.emplace_back(user.GetString());
    }
    line += fmt::format(" '{}'{}", text_of(message, "text"), mentions_of(mentions));
    if (message.HasMember("edits")) line += fmt::format(" edits {}", message["edits"].GetInt());
  }
  if (message.HasMember("reactions")) {
    for (const auto& each : message["reactions"].GetArray()) {
      line += fmt::format(" {}:{}", text_of(each, "reaction"), each["count"].GetInt());
    }
  }
  return message.HasMember("replies") ? line + fmt::format(" replies {}", message["replies"]["count"].GetInt()) : line;
}

Reference::Lines Reference::timeline(const std::string& conversation, const std::string& thread,
                                     const std::optional<std::string>& user, const std::optional<std::string>& sender,
                                     std::optional<std::uint64_t> at_offset) const {
  Lines lines;
  const Conversation* found = find(conversation);
  if (found == nullptr) return lines;
  std::size_t position = 0;
  for (const Message& each : found->messages) {
    if (each.thread != thread) continue;
    ++position;
    if (at_offset && each.offset >= *at_offset) break;
    if (user && !found->visible(*user, each.offset)) continue;
    if (sender && each.sender != *sender) continue;
    lines.push_back(line(*found, each, position, at_offset));
  }
  return lines;
}

Reference::Lines Reference::conversations(const std::string& user) const {
  std::map<std::uint64_t, std::string, std::greater<>> ordered;
  for (const auto& [name, conversation] : conversations_) {
    if (!conversation.is_member(user)) continue;
    std::map<std::string, std::int64_t> read;
    std::size_t unread = 0;
    std::size_t mentions = 0;
    for (const Message& each : conversation.messages) {
      if (!read.contains(each.thread)) read[each.thread] = conversation.read_to(user, each.thread);
      if (static_cast<std::int64_t>(each.offset) <= read[each.thread]) continue;
      if (!conversation.visible(user, each.offset)) continue;
      if (each.thread.empty()) ++unread;
      if (!each.versions.empty() && each.versions.back().mentions.contains(user)) ++mentions;
    }
    ordered[conversation.last_activity] = fmt::format("{} {} {}", name, unread, mentions);
  }
  Lines lines;
  for (const auto& [activity, line] : ordered) lines.push_back(line);
  return lines;
}

Reference::Lines Reference::threads(const std::string& conversation, const std::string& user) const {
  Lines lines;
  const Conversation* found = find(conversation);
  if (found == nullptr) return lines;
  struct Thread {
    std::uint64_t last = 0;
    std::size_t unread = 0;
    std::int64_t read_to = 0;
  };
  std::map<std::string, Thread> threads;
  for (const Message& each : found->messages) {
    if (each.thread.empty()) continue;
    const auto [thread, fresh] = threads.try_emplace(each.thread);
    if (fresh) thread->second.read_to = found->read_to(user, each.thread);
    thread->second.last = each.offset;
    const bool unread = static_cast<std::int64_t>(each.offset) > thread->second.read_to;
    if (unread && found->visible(user, each.offset)) ++thread->second.unread;
  }
  std::map<std::uint64_t, std::string, std::greater<>> ordered;
  for (const auto& [name, thread] : threads) {
    if (!found->visible(user, thread.last)) continue;
    ordered[thread.last] = fmt::format("{} {} {}", name, found->replies.at(name), thread.unread);
  }
  for (const auto& [last, line] : ordered) lines.push_back(line);
  return lines;
}

Reference::Lines Reference::readers(const std::string& conversation, const std::string& message) const {
  Lines lines;
  const Conversation& in = *find(conversation);
  const Message& of = *in.find(message);
  for (const auto& [user, receipts] : in.receipts) {
    for (const bool unthreaded : {true, false}) {
      const std::string scope = unthreaded ? "unthreaded" : of.thread.empty() ? "main" : "thread " + of.thread;
      const Receipt* furthest = nullptr;
      for (const Receipt& each : receipts) {
        if (each.secret || each.scope != scope || each.offset < of.offset) continue;
        if (furthest == nullptr || each.offset > furthest->offset) furthest = &each;
      }
      if (furthest == nullptr) continue;
      lines.push_back(fmt::format("{} {} {}", user, scope.substr(0, scope.find(' ')), furthest->message));
      break;
    }
  }
  return lines;
}

Reference::Lines Reference::pins(const std::string& conversation) const {
  Lines lines;
  const Conversation* found = find(conversation);
  if (found == nullptr) return lines;
  for (auto each = found->messages.rbegin(); each != found->messages.rend(); ++each) {
    if (each->pinned_by) lines.push_back(each->name + " " + *each->pinned_by);
  }
  return lines;
}

Reference::Lines Reference::versions(const std::string& conversation, const std::string& message) const {
  Lines lines;
  for (const Version& each : find(conversation)->find(message)->versions) {
    lines.push_back(fmt::format("{} '{}'{}", each.offset, each.text, mentions_of(each.mentions)));
  }
  return lines;
}

Reference::Lines Reference::reactions(const std::string& conversation, const std::string& message) const {
  Lines lines;
  for (const auto& [name, users] : find(conversation)->find(message)->reactions) {
    for (const std::string& user : users) lines.push_back(name + " " + user);
  }
  std::sort(lines.begin(), lines.end());
  return lines;
}

bool Reference::has(const std::string& conversation, const std::string& message) const {
  const Conversation* found = find(conversation);
  return found != nullptr && found->find(message) != nullptr;
}

}  // namespace bahi::projections::test_timelines
