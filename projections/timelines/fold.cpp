#include "timelines/fold.hpp"

namespace bahi::projections::timelines {
namespace {

using Texts = flatbuffers::Vector<flatbuffers::Offset<flatbuffers::String>>;

std::vector<std::string> texts_of(const Texts* texts) {
  std::vector<std::string> list;
  if (texts == nullptr) return list;
  for (const flatbuffers::String* text : *texts) {
    if (std::find(list.begin(), list.end(), text->string_view()) == list.end()) list.push_back(text->str());
  }
  return list;
}

}  // namespace

const std::array<Handler<TimelineFold>, 13> TimelineFold::kHandlers{{
    {"chat.ConversationCreated", &TimelineFold::created},
    {"chat.MemberJoined", &TimelineFold::joined},
    {"chat.MemberLeft", &TimelineFold::left},
    {"chat.MemberRoleChanged", &TimelineFold::role_changed},
    {"chat.MessageSent", &TimelineFold::sent},
    {"chat.MessageEdited", &TimelineFold::edited},
    {"chat.MessageRedacted", &TimelineFold::redacted},
    {"chat.ReactionAdded", &TimelineFold::reaction_added},
    {"chat.ReactionRemoved", &TimelineFold::reaction_removed},
    {"chat.MessagePinned", &TimelineFold::pinned},
    {"chat.MessageUnpinned", &TimelineFold::unpinned},
    {"chat.ReceiptSet", &TimelineFold::receipt_set},
    {"chat.PresenceSet", &TimelineFold::presence_set},
}};

// Few rows are kept of what is as numerous as messages: those of a commit are enough.
TimelineFold::TimelineFold(FoldState& state)
    : state_(state),
      counters_(state, kCounters),
      conversations_(state, kConversations, 10'000),
      members_(state, kMembers, 100'000, Misses::kCommon),
      places_(state, kPlaces, 10'000, Misses::kCommon),
      states_(state, kStates, 10'000, Misses::kCommon),
      transactions_(state, kTransactions, 1'000, Misses::kCommon),
      reactions_(state, kReactions, 1'000, Misses::kCommon),
      pins_(state, kPins, 1'000),
      receipts_(state, kReceipts, 100'000, Misses::kCommon) {}

Result<ConversationRow*> TimelineFold::conversation(const FoldEvent& event, std::string_view name) {
  BAHI_ASSIGN(ConversationRow * row, conversations_.edit_or_add(key_.clear().text(name)));
  if (row->number == 0) {
    BAHI_ASSIGN(CounterRow * counter, counters_.edit_or_add({}));
    row->number = ++counter->conversations;
    row->last_activity = event.view.offset.value;
    row->last_at = event.view.occurred_at.nanos;
  }
  return row;
}

Result<TimelineFold::Target> TimelineFold::target(const flatbuffers::String& conversation,
                                                  const flatbuffers::String& message) {
  BAHI_ASSIGN(const ConversationRow* row, conversations_.find(key_.clear().text(conversation.string_view())));
  if (row == nullptr) return Target{};
  const std::uint64_t number = row->number;
  BAHI_ASSIGN(const PlaceRow* place, places_.find(name_key(number, message.string_view())));
  return Target{number, place};
}

Result<MemberRow*> TimelineFold::known_member(std::string_view conversation, std::string_view user) {
  BAHI_ASSIGN(const ConversationRow* row, conversations_.find(key_.clear().text(conversation)));
  if (row == nullptr) return static_cast<MemberRow*>(nullptr);
  return members_.edit(name_key(row->number, user));
}

// --- conversations and their members

Status TimelineFold::created(const FoldEvent& event) {
  const auto& data = event.as<chat::fb::ConversationCreated>();
  BAHI_ASSIGN(ConversationRow * row, conversation(event, data.conversation()->string_view()));
  if (row->created) return {};
  row->created = true;
  row->kind = static_cast<std::uint8_t>(data.kind());
  row->title = text_of(data.title());
  return {};
}

Status TimelineFold::joined(const FoldEvent& event) {
  const auto& data = event.as<chat::fb::MemberJoined>();
  const std::string_view user = data.user()->string_view();
  BAHI_ASSIGN(const ConversationRow* row, conversation(event, data.conversation()->string_view()));
  const std::uint64_t number = row->number;
  BAHI_ASSIGN(MemberRow * member, members_.edit_or_add(name_key(number, user)));
  if (member->present) return {};
  member->present = true;
  member->role = static_cast<std::uint8_t>(data.role());
  member->joined = event.view.offset.value;
  put(kStays, key_.number(member->joined), StayRow());
  put(kMemberships, key_.clear().text(user).text(data.conversation()->string_view()), MembershipRow{member->joined});
  return {};
}

Status TimelineFold::left(const FoldEvent& event) {
  const auto& data = event.as<chat::fb::MemberLeft>();
  BAHI_ASSIGN(MemberRow * member, known_member(data.conversation()->string_view(), data.user()->string_view()));
  if (member == nullptr || !member->present) return {};
  member->present = false;
  put(kStays, key_.number(member->joined), StayRow{event.view.offset.value});
  state_.erase(kMemberships, key_.clear().text(data.user()->string_view()).text(data.conversation()->string_view()));
  return {};
}

Status TimelineFold::role_changed(const FoldEvent& event) {
  const auto& data = event.as<chat::fb::MemberRoleChanged>();
  BAHI_ASSIGN(MemberRow * member, known_member(data.conversation()->string_view(), data.user()->string_view()));
  if (member != nullptr && member->present) member->role = static_cast<std::uint8_t>(data.role());
  return {};
}

// --- messages

Status TimelineFold::sent(const FoldEvent& event) {
  const auto& data = event.as<chat::fb::MessageSent>();
  const std::string_view transaction = text_of(data.transaction());
  BAHI_ASSIGN(ConversationRow * row, conversation(event, data.conversation()->string_view()));
  const std::uint64_t number = row->number;
  if (!transaction.empty()) {
    BAHI_ASSIGN(const TransactionRow* earlier, transactions_.find(name_key(number, transaction)));
    if (earlier != nullptr) return {};
  }
  BAHI_ASSIGN(PlaceRow * place, places_.edit_or_add(name_key(number, data.message()->string_view())));
  if (place->position != 0) return {};
  BAHI_TRY(find_place(data, event, *row, *place));
  row->last_activity = place->offset;
  row->last_at = place->at;
  if (!transaction.empty()) {
    BAHI_ASSIGN(TransactionRow * first, transactions_.edit_or_add(name_key(number, transaction)));
    first->message = data.message()->string_view();
  }
  message_.position = place->position;
  message_.at = place->at;
  message_.message = data.message()->string_view();
  message_.sender = place->sender;
  message_.thread = place->thread;
  message_.text = data.text()->string_view();
  message_.reply_to = text_of(data.reply_to());
  message_.mentions.clear();
  if (data.mentions() != nullptr && data.mentions()->size() != 0) {
    write_mentions(number, *place, texts_of(data.mentions()));
    message_.mentions.assign(place->mentions.begin(), place->mentions.end());
  }
  write_message(number, *place, message_);
  return note_own(number, *place);
}

Status TimelineFold::find_place(const chat::fb::MessageSent& message, const FoldEvent& event,
                                ConversationRow& conversation, PlaceRow& place) {
  place.offset = event.view.offset.value;
  place.at = event.view.occurred_at.nanos;
  place.sender = message.sender()->string_view();
  const std::string_view thread = text_of(message.thread());
  if (!thread.empty()) {
    BAHI_ASSIGN(const PlaceRow* root, places_.find(name_key(conversation.number, thread)));
    // A thread inside a thread is that thread. The message itself has no position yet, so it begins none.
    if (root != nullptr && root->position != 0) {
      place.timeline = root->timeline == kMain ? thread_of(root->offset) : root->timeline;
      place.thread = root->timeline == kMain ? std::string(thread) : root->thread;
      return count_reply(conversation.number, root_of(place.timeline), event, place);
    }
  }
  place.position = ++conversation.main_count;
  return {};
}

Status TimelineFold::count_reply(std::uint64_t conversation, std::uint64_t root, const FoldEvent& event,
                                 PlaceRow& reply) {
  BAHI_ASSIGN(StateRow * state, states_.edit_or_add(message_key(conversation, kMain, root)));
  if (state->replies != 0) {
    state_.erase(kThreadOrder, key_.clear().number(conversation).descending(state->last_reply));
  }
  reply.position = ++state->replies;
  state->last_reply = event.view.offset.value;
  state->last_reply_at = event.view.occurred_at.nanos;
  put(kThreadOrder, key_.clear().number(conversation).descending(state->last_reply), ThreadOrderRow{root});
  return {};
}

/// Who writes has read what stands above.
Status TimelineFold::note_own(std::uint64_t conversation, const PlaceRow& place) {
  name_key(conversation, place.sender);
  if (place.timeline == kMain) {
    BAHI_ASSIGN(MemberRow * member, members_.edit_or_add(key_));
    member->through = place.offset + 1;
    return {};
  }
  BAHI_ASSIGN(ReceiptRow * receipt, receipts_.edit_or_add(key_.number(scope_of(place.timeline))));
  receipt->own_through = place.offset + 1;
  return {};
}

void TimelineFold::write_message(std::uint64_t conversation, const PlaceRow& place, const MessageRow& message) {
  put(kMessages, message_key(conversation, place.timeline, place.offset), message);
}

void TimelineFold::write_mentions(std::uint64_t conversation, PlaceRow& place, std::vector<std::string> mentions) {
  const auto mention_key = [&](const std::string& user) -> const Key& {
    return name_key(conversation, user).number(place.timeline == kMain ? 0 : 1).number(place.offset);
  };
  for (const std::string& user : place.mentions) state_.erase(kMentions, mention_key(user));
  for (const std::string& user : mentions) put(kMentions, mention_key(user), MentionRow{place.timeline});
  place.mentions = std::move(mentions);
}

Status TimelineFold::edited(const FoldEvent& event) {
  const auto& data = event.as<chat::fb::MessageEdited>();
  BAHI_ASSIGN(const Target target, this->target(*data.conversation(), *data.message()));
  if (target.place == nullptr || target.place->redacted) return {};
  if (target.place->sender != data.sender()->string_view()) return {};
  BAHI_ASSIGN(PlaceRow * found, places_.edit(key_));
  PlaceRow& place = *found;
  write_mentions(target.conversation, place, texts_of(data.mentions()));
  BAHI_ASSIGN(StateRow * state, states_.edit_or_add(message_key(target.conversation, place.timeline, place.offset)));
  state->text = data.text()->string_view();
  state->mentions = place.mentions;
  state->edited_offset = event.view.offset.value;
  state->edited_at = event.view.occurred_at.nanos;
  VersionRow version{state->edited_offset, state->edited_at, state->text, {}};
  version.mentions.assign(place.mentions.begin(), place.mentions.end());
  put(kVersions, key_.clear().number(target.conversation).number(place.offset).number(++state->versions), version);
  return {};
}

Status TimelineFold::redacted(const FoldEvent& event) {
  const auto& data = event.as<chat::fb::MessageRedacted>();
  BAHI_ASSIGN(const Target target, this->target(*data.conversation(), *data.message()));
  if (target.place == nullptr || target.place->redacted) return {};
  BAHI_ASSIGN(PlaceRow * found, places_.edit(key_));
  PlaceRow& place = *found;
  place.redacted = true;
  write_mentions(target.conversation, place, {});
  BAHI_ASSIGN(StateRow * state, states_.edit_or_add(message_key(target.conversation, place.timeline, place.offset)));
  for (std::uint64_t edit = 1; edit <= state->versions; ++edit) {
    state_.erase(kVersions, key_.clear().number(target.conversation).number(place.offset).number(edit));
  }
  state->versions = 0;
  state->text = {};
  state->mentions.clear();
  state->redacted = true;
  state->redacted_by = data.by()->string_view();
  state->redacted_offset = event.view.offset.value;
  BAHI_TRY(pins_.erase(key_.clear().number(target.conversation).number(place.offset)));
  MessageRow bare;
  bare.position = place.position;
  bare.at = place.at;
  bare.message = data.message()->string_view();
  bare.sender = place.sender;
  bare.thread = place.thread;
  write_message(target.conversation, place, bare);
  return {};
}

// --- what is attached to messages

Status TimelineFold::reaction_added(const FoldEvent& event) {
  const auto& data = event.as<chat::fb::ReactionAdded>();
  BAHI_ASSIGN(const Target target, this->target(*data.conversation(), *data.message()));
  if (target.place == nullptr || target.place->redacted) return {};
  const std::string_view reaction = data.reaction()->string_view();
  const std::uint64_t offset = target.place->offset;
  const auto reaction_key = [&]() -> const Key& {
    return key_.clear().number(target.conversation).number(offset).text(reaction).text(data.user()->string_view());
  };
  BAHI_ASSIGN(const ReactionRow* earlier, reactions_.find(reaction_key()));
  if (earlier != nullptr) return {};
  BAHI_ASSIGN(StateRow * state, states_.edit_or_add(message_key(target.conversation, target.place->timeline, offset)));
  auto count = std::find_if(state->reactions.begin(), state->reactions.end(),
                            [reaction](const ReactionCount& each) { return each.reaction == reaction; });
  if (count == state->reactions.end()) {
    if (state->reactions.size() == kReactionsMax) return {};
    count = state->reactions.insert(count, {std::string(reaction), 0});
  }
  ++count->count;
  BAHI_ASSIGN(ReactionRow * row, reactions_.edit_or_add(reaction_key()));
  *row = {event.view.offset.value, event.view.occurred_at.nanos};
  return {};
}

Status TimelineFold::reaction_removed(const FoldEvent& event) {
  const auto& data = event.as<chat::fb::ReactionRemoved>();
  BAHI_ASSIGN(const Target target, this->target(*data.conversation(), *data.message()));
  if (target.place == nullptr) return {};
  const std::string_view reaction = data.reaction()->string_view();
  const std::uint64_t offset = target.place->offset;
  key_.clear().number(target.conversation).number(offset).text(reaction).text(data.user()->string_view());
  BAHI_ASSIGN(const ReactionRow* row, reactions_.find(key_));
  if (row == nullptr) return {};
  BAHI_TRY(reactions_.erase(key_));
  message_key(target.conversation, target.place->timeline, offset);
  BAHI_ASSIGN(StateRow * state, states_.edit_or_add(key_));
  const auto count = std::find_if(state->reactions.begin(), state->reactions.end(),
                                  [reaction](const ReactionCount& each) { return each.reaction == reaction; });
  if (count != state->reactions.end() && --count->count == 0) state->reactions.erase(count);
  return {};
}

Status TimelineFold::pinned(const FoldEvent& event) {
  const auto& data = event.as<chat::fb::MessagePinned>();
  BAHI_ASSIGN(const Target target, this->target(*data.conversation(), *data.message()));
  if (target.place == nullptr || target.place->redacted) return {};
  key_.clear().number(target.conversation).number(target.place->offset);
  BAHI_ASSIGN(PinRow * pin, pins_.edit_or_add(key_));
  if (!pin->message.empty()) return {};
  *pin = {target.place->timeline, data.message()->str(), data.by()->str(), event.view.offset.value,
          event.view.occurred_at.nanos};
  return {};
}

Status TimelineFold::unpinned(const FoldEvent& event) {
  const auto& data = event.as<chat::fb::MessageUnpinned>();
  BAHI_ASSIGN(const Target target, this->target(*data.conversation(), *data.message()));
  if (target.place == nullptr) return {};
  return pins_.erase(key_.clear().number(target.conversation).number(target.place->offset));
}

// --- who has read what, and who is there

Status TimelineFold::receipt_set(const FoldEvent& event) {
  const auto& data = event.as<chat::fb::ReceiptSet>();
  BAHI_ASSIGN(const Target target, this->target(*data.conversation(), *data.message()));
  if (target.place == nullptr) return {};
  switch (data.scope()) {
    case chat::fb::ReceiptScope::unthreaded: return set_mark(data, event, target, kUnthreaded);
    case chat::fb::ReceiptScope::main:
      return target.place->timeline == kMain ? set_mark(data, event, target, scope_of(kMain)) : Status();
    case chat::fb::ReceiptScope::thread: break;
  }
  // Up to a reply, or up to the message that began the thread: no reply.
  const bool is_root = target.place->timeline == kMain && text_of(data.thread()) == data.message()->string_view();
  if (is_root) return set_mark(data, event, target, scope_of(thread_of(target.place->offset)));
  if (target.place->timeline == kMain || target.place->thread != text_of(data.thread())) return {};
  return set_mark(data, event, target, scope_of(target.place->timeline));
}

Status TimelineFold::set_mark(const chat::fb::ReceiptSet& receipt, const FoldEvent& event, const Target& target,
                              Scope scope) {
  const std::string_view user = receipt.user()->string_view();
  const std::uint64_t through = target.place->offset + 1;
  BAHI_ASSIGN(ReceiptRow * row, receipts_.edit_or_add(name_key(target.conversation, user).number(scope)));
  Mark& mark = receipt.private_() ? row->secret : row->shown;
  if (mark.through >= through) return {};
  const auto reader_key = [&](std::uint64_t offset) -> const Key& {
    return key_.clear().number(target.conversation).number(scope).number(offset).text(user);
  };
  if (!receipt.private_() && mark.through != 0) state_.erase(kReaders, reader_key(mark.through - 1));
  mark = {through, event.view.occurred_at.nanos, receipt.message()->str()};
  if (!receipt.private_()) put(kReaders, reader_key(target.place->offset), ReaderRow{mark.at, mark.message});
  return {};
}

Status TimelineFold::presence_set(const FoldEvent& event) {
  const auto& data = event.as<chat::fb::PresenceSet>();
  put(kPresence, key_.clear().text(data.user()->string_view()),
      PresenceRow{data.status()->str(), data.expires_at(), event.view.occurred_at.nanos});
  return {};
}

}  // namespace bahi::projections::timelines
