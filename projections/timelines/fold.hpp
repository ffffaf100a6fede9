// Folds the events of conversations into the rows of the timelines.
//
// An event that contradicts the rules (an edit by another sender, a receipt of a message that is not there) is in the
// log all the same; it changes nothing here.
#pragma once

#include <array>

#include "chat_generated.h"
#include "projection.hpp"
#include "timelines/tables.hpp"

namespace bahi::projections::timelines {

class TimelineFold final : public HandlerFold<TimelineFold> {
 public:
  explicit TimelineFold(FoldState& state);
  static const std::array<Handler<TimelineFold>, 13> kHandlers;

 private:
  Status created(const FoldEvent& event);
  Status joined(const FoldEvent& event);
  Status left(const FoldEvent& event);
  Status role_changed(const FoldEvent& event);
  Status sent(const FoldEvent& event);
  Status edited(const FoldEvent& event);
  Status redacted(const FoldEvent& event);
  Status reaction_added(const FoldEvent& event);
  Status reaction_removed(const FoldEvent& event);
  Status pinned(const FoldEvent& event);
  Status unpinned(const FoldEvent& event);
  Status receipt_set(const FoldEvent& event);
  Status presence_set(const FoldEvent& event);

  /// A message that a later event speaks of.
  struct Target {
    std::uint64_t conversation = 0;
    const PlaceRow* place = nullptr;  // null: there is no such message
  };

  /// The conversation, made when it is not there: a log may begin in the middle of one.
  Result<ConversationRow*> conversation(const FoldEvent& event, std::string_view name);
  /// Null: never a member.
  Result<MemberRow*> known_member(std::string_view conversation, std::string_view user);
  Result<Target> target(const flatbuffers::String& conversation, const flatbuffers::String& message);
  /// Finds the timeline that a new message belongs to, and gives it the next position there.
  Status find_place(const chat::fb::MessageSent& message, const FoldEvent& event, ConversationRow& conversation,
                    PlaceRow& place);
  Status count_reply(std::uint64_t conversation, std::uint64_t root, const FoldEvent& event, PlaceRow& reply);
  Status note_own(std::uint64_t conversation, const PlaceRow& place);
  void write_message(std::uint64_t conversation, const PlaceRow& place, const MessageRow& message);
  void write_mentions(std::uint64_t conversation, PlaceRow& place, std::vector<std::string> mentions);
  Status set_mark(const chat::fb::ReceiptSet& receipt, const FoldEvent& event, const Target& target, Scope scope);

  Key& message_key(std::uint64_t conversation, Timeline timeline, std::uint64_t offset) {
    return key_.clear().number(conversation).number(timeline).number(offset);
  }
  Key& name_key(std::uint64_t conversation, std::string_view name) {
    return key_.clear().number(conversation).text(name);
  }
  template <class Row>
  void put(std::uint8_t table, const Key& key, const Row& row) {
    buffer_.clear();
    encode_row(row, buffer_);
    state_.put(table, key, buffer_);
  }

  FoldState& state_;
  Table<CounterRow> counters_;
  Table<ConversationRow> conversations_;
  Table<MemberRow> members_;
  Table<PlaceRow> places_;
  Table<StateRow> states_;
  Table<TransactionRow> transactions_;
  Table<ReactionRow> reactions_;
  Table<PinRow> pins_;
  Table<ReceiptRow> receipts_;
  Key key_;
  std::string buffer_;
  MessageRow message_;
};

}  // namespace bahi::projections::timelines
