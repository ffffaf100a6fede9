#include "chat.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "bahi/workload/words.hpp"
#include "text.hpp"

namespace bahi::workload {
namespace {

constexpr std::uint32_t kFounders = 12;
constexpr std::uint64_t kEventsPerDay = 200'000;

std::string room_name(std::size_t number) {
  const auto& names = words::kCommunityRooms;
  if (number == 0) return "general";
  const std::size_t index = number - 1;
  if (index < names.size()) return std::string(names[index]);
  return fmt::format("{}-{}", names[index % names.size()], 1 + index / names.size());
}

}  // namespace

Chat::Chat(const HistoryOptions& options)
    : ActedHistory(options.seed),
      pace_(options.from, options.events_per_day == 0 ? kEventsPerDay : options.events_per_day),
      now_(options.from),
      members_max_(options.members),
      directs_max_(options.members / 4) {
  rooms_.resize(options.rooms);
  for (std::size_t i = 0; i < rooms_.size(); ++i) rooms_[i].name = room_name(i);
  members_.resize(members_max_);
  directs_.reserve(directs_max_);
}

void Chat::act() {
  now_ = pace_.next(random());
  if (joined_ == 0) return found();
  if (joined_ < std::min(members_max_, kFounders)) return join_community();
  if (joined_ < members_max_ && random().chance(1, 8)) return join_community();
  const std::uint64_t what = random().below(10'000);
  if (what < 4'700) return send();
  if (what < 7'400) return read_up_to();
  if (what < 8'700) return react();
  if (what < 8'800) return take_reaction_back();
  if (what < 9'000) return edit();
  if (what < 9'030) return redact();
  if (what < 9'050) return pin();
  if (what < 9'070) return leave_room();
  if (what < 9'072) return set_moderator();
  show_presence();
}

void Chat::found() {
  joined_ = 1;
  create(rooms_[0], 0, "Everybody");
  rooms_[0].pair = {0, kNothing};
  add_member("chat.MemberJoined", rooms_[0], 0, "owner");
}

void Chat::create(Conversation& conversation, MemberNumber by, std::string_view title) {
  conversation.created = true;
  Draft& draft = about("chat.ConversationCreated", conversation);
  draft.data().text("kind", conversation.direct ? "direct" : "group").text_if("title", title);
  draft.actor(handle(by));
}

void Chat::add_member(std::string_view type, Conversation& conversation, MemberNumber member, std::string_view role) {
  Draft& draft = about(type, conversation);
  draft.data().text("user", handle(member)).text_if("role", role);
  draft.tag("user", handle_).actor(handle_);
}

void Chat::join_community() {
  const MemberNumber member = joined_++;
  add_member("chat.MemberJoined", rooms_[0], member, "");
  if (rooms_.size() == 1) return;
  for (std::uint64_t more = 1 + random().below(2); more > 0; --more) {
    join_room(member, 1 + random().skewed_below(rooms_.size() - 1));
  }
}

void Chat::join_room(MemberNumber member, std::size_t room) {
  Conversation& conversation = rooms_[room];
  auto& rooms = members_[member].rooms;
  const auto free = std::find(rooms.begin(), rooms.end(), 0);
  if (free == rooms.end() || is_member(member, conversation)) return;
  *free = static_cast<std::uint16_t>(room);
  const bool is_first = !conversation.created;
  if (is_first) {
    create(conversation, member, conversation.name);
    conversation.pair = {member, kNothing};
  }
  add_member("chat.MemberJoined", conversation, member, is_first ? "owner" : "");
}

/// Most come back to another room.
void Chat::leave_room() {
  const MemberNumber member = some_member();
  auto& rooms = members_[member].rooms;
  const auto left = std::find_if(rooms.begin(), rooms.end(), [&](std::uint16_t room) {
    return room != 0 && rooms_[room].pair[0] != member && rooms_[room].pair[1] != member;
  });
  if (left == rooms.end()) return show_presence();
  add_member("chat.MemberLeft", rooms_[*left], member, "");
  *left = 0;
  if (random().chance(2, 3)) join_room(member, 1 + random().skewed_below(rooms_.size() - 1));
}

void Chat::set_moderator() {
  Conversation& conversation = rooms_[random().skewed_below(rooms_.size())];
  const MemberNumber member = some_member();
  if (!conversation.created || conversation.pair[0] == member || !is_member(member, conversation)) {
    return show_presence();
  }
  if (conversation.pair[1] != kNothing) {
    add_member("chat.MemberRoleChanged", conversation, conversation.pair[1], "member");
  }
  conversation.pair[1] = member;
  Draft& draft = about("chat.MemberRoleChanged", conversation);
  draft.data().text("user", handle(member)).text("role", "moderator");
  draft.tag("user", handle_).actor(handle(conversation.pair[0]));
}

void Chat::open_direct(MemberNumber member) {
  const auto other = static_cast<MemberNumber>(random().below(joined_));
  if (other == member || directs_.size() == directs_max_) return;
  const auto number = static_cast<std::uint32_t>(directs_.size());
  Conversation& direct = directs_.emplace_back();
  direct.name = fmt::format("direct-{}", number + 1);
  direct.direct = true;
  direct.pair = {member, other};
  create(direct, member, "");
  for (const MemberNumber each : direct.pair) {
    add_member("chat.MemberJoined", direct, each, "");
    if (members_[each].direct == kNothing) members_[each].direct = number;
  }
}

Chat::Conversation& Chat::some_conversation(MemberNumber member) {
  const std::uint64_t where = random().below(100);
  if (where < 20) {
    if (members_[member].direct == kNothing) open_direct(member);
    if (members_[member].direct != kNothing) return directs_[members_[member].direct];
  }
  const std::uint16_t room = pick(members_[member].rooms, random());
  return where < 70 ? rooms_[room] : rooms_[0];
}

bool Chat::is_member(MemberNumber member, const Conversation& conversation) const {
  if (conversation.direct) return conversation.pair[0] == member || conversation.pair[1] == member;
  const auto number = static_cast<std::size_t>(&conversation - rooms_.data());
  if (number == 0) return member < joined_;
  const auto& rooms = members_[member].rooms;
  return std::find(rooms.begin(), rooms.end(), number) != rooms.end();
}

const std::string& Chat::handle(MemberNumber member) {
  write_handle(member + 1, handle_);
  return handle_;
}

}  // namespace bahi::workload
