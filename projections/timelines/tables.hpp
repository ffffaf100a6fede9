// The rows of the timelines and their keys.
//
// A message is placed by its offset in the log. Conversations have numbers, in the order in which they were first
// named, which keep keys short. A timeline of a conversation is either the main one or a thread; messages of a timeline
// have positions 1, 2, 3, … without gaps, which nothing ever changes: a redacted message keeps its place.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "key.hpp"

namespace bahi::projections::timelines {

enum Tables : std::uint8_t {
  kCounters = 1,       // (nothing) -> CounterRow
  kConversations = 2,  // text conversation -> ConversationRow
  kMembers = 3,        // conversation, text user -> MemberRow
  kStays = 4,          // conversation, text user, number joined at -> StayRow
  kMemberships = 5,    // text user, text conversation -> MembershipRow; of those who are members now
  kPlaces = 6,         // conversation, text message -> PlaceRow
  kMessages = 7,       // conversation, timeline, number offset -> MessageRow
  kStates = 8,         // as kMessages -> StateRow; of messages to which something happened
  kVersions = 9,       // conversation, number offset of the message, number of the edit from 1 -> VersionRow
  kTransactions = 10,  // conversation, text transaction -> TransactionRow
  kReactions = 11,     // conversation, number offset of the message, text reaction, text user -> ReactionRow
  kPins = 12,          // conversation, number offset of the message -> PinRow
  kMentions = 13,      // conversation, text user, number 0 main or 1 thread, number offset -> MentionRow
  kReceipts = 14,      // conversation, text user, scope -> ReceiptRow
  kReaders = 15,      // conversation, scope, number offset of the message read, text user -> ReaderRow; no private ones
  kThreadOrder = 16,  // conversation, descending offset of the last reply -> ThreadOrderRow
  kPresence = 17,     // text user -> PresenceRow
};

/// 0: the main timeline; otherwise one more than the offset of the message that began the thread.
using Timeline = std::uint64_t;
inline constexpr Timeline kMain = 0;
[[nodiscard]] constexpr Timeline thread_of(std::uint64_t root_offset) noexcept {
  return root_offset + 1;
}
[[nodiscard]] constexpr std::uint64_t root_of(Timeline thread) noexcept {
  return thread - 1;
}

/// What a receipt speaks of: 0 the whole conversation; otherwise one more than the timeline.
using Scope = std::uint64_t;
inline constexpr Scope kUnthreaded = 0;
[[nodiscard]] constexpr Scope scope_of(Timeline timeline) noexcept {
  return timeline + 1;
}

inline constexpr std::uint64_t kStillThere = UINT64_MAX;
/// Other reactions on the same message beyond so many are not recorded, so that a message's state stays small.
inline constexpr std::size_t kReactionsMax = 64;

struct CounterRow {
  std::uint64_t conversations = 0;
  void fields(auto& row) { row(conversations); }
};

struct ConversationRow {
  std::uint64_t number = 0;  ///< from 1
  std::uint8_t kind = 1;     ///< ConversationKind; group when nobody said
  bool created = false;
  std::string title;
  std::uint64_t main_count = 0;     ///< messages of the main timeline
  std::uint64_t last_activity = 0;  ///< offset of the last message, before the first that of the first event
  std::int64_t last_at = 0;         ///< when that occurred
  void fields(auto& row) { row(number, kind, created, title, main_count, last_activity, last_at); }
};

struct MemberRow {
  bool present = false;
  std::uint8_t role = 0;      ///< MemberRole
  std::uint64_t joined = 0;   ///< offset of the last joining
  std::uint64_t through = 0;  ///< behind the last message of their own in the main timeline
  void fields(auto& row) { row(present, role, joined, through); }
};

struct StayRow {
  std::uint64_t left = kStillThere;  ///< offset of the leaving
  void fields(auto& row) { row(left); }
};

struct MembershipRow {
  std::uint64_t since = 0;
  void fields(auto& row) { row(since); }
};

/// What later events need to know of a message.
struct PlaceRow {
  Timeline timeline = kMain;
  std::uint64_t offset = 0;
  std::uint64_t position = 0;
  std::int64_t at = 0;
  bool redacted = false;
  std::string sender;
  std::string thread;                 ///< the message that began the thread
  std::vector<std::string> mentions;  ///< as of the last edit
  void fields(auto& row) { row(timeline, offset, position, at, redacted, sender, thread, mentions); }
};

/// A message as it was sent; without content when it was redacted. Views hold while the row's bytes do.
struct MessageRow {
  std::uint64_t position = 0;
  std::int64_t at = 0;
  std::string_view message;
  std::string_view sender;
  std::string_view thread;
  std::string_view text;
  std::string_view reply_to;
  std::vector<std::string_view> mentions;
  void fields(auto& row) { row(position, at, message, sender, thread, text, reply_to, mentions); }
};

struct ReactionCount {
  std::string reaction;
  std::uint64_t count = 0;
  void fields(auto& row) { row(reaction, count); }
};

struct StateRow {
  std::uint64_t versions = 0;  ///< edits
  std::string text;            ///< of the last edit
  std::vector<std::string> mentions;
  std::uint64_t edited_offset = 0;
  std::int64_t edited_at = 0;
  bool redacted = false;
  std::string redacted_by;
  std::uint64_t redacted_offset = 0;
  std::uint64_t replies = 0;
  std::uint64_t last_reply = 0;  ///< offset
  std::int64_t last_reply_at = 0;
  std::vector<ReactionCount> reactions;  ///< in the order of their first
  void fields(auto& row) {
    row(versions, text, mentions, edited_offset, edited_at, redacted, redacted_by, redacted_offset, replies, last_reply,
        last_reply_at, reactions);
  }
};

struct VersionRow {
  std::uint64_t offset = 0;
  std::int64_t at = 0;
  std::string_view text;
  std::vector<std::string_view> mentions;
  void fields(auto& row) { row(offset, at, text, mentions); }
};

struct TransactionRow {
  std::string message;
  void fields(auto& row) { row(message); }
};

struct ReactionRow {
  std::uint64_t offset = 0;
  std::int64_t at = 0;
  void fields(auto& row) { row(offset, at); }
};

struct PinRow {
  Timeline timeline = kMain;
  std::string message;
  std::string by;
  std::uint64_t offset = 0;
  std::int64_t at = 0;
  void fields(auto& row) { row(timeline, message, by, offset, at); }
};

struct MentionRow {
  Timeline timeline = kMain;
  void fields(auto& row) { row(timeline); }
};

/// "Read up to and including"; nothing when `through` is 0.
struct Mark {
  std::uint64_t through = 0;  ///< one more than the message's offset
  std::int64_t at = 0;
  std::string message;
  void fields(auto& row) { row(through, at, message); }
};

struct ReceiptRow {
  Mark shown;
  Mark secret;                    ///< of private receipts
  std::uint64_t own_through = 0;  ///< behind the last message of their own; of threads only
  void fields(auto& row) { row(shown, secret, own_through); }
  [[nodiscard]] std::uint64_t through() const { return std::max({shown.through, secret.through, own_through}); }
};

struct ReaderRow {
  std::int64_t at = 0;
  std::string message;
  void fields(auto& row) { row(at, message); }
};

struct ThreadOrderRow {
  std::uint64_t root = 0;  ///< offset of the message that began it
  void fields(auto& row) { row(root); }
};

struct PresenceRow {
  std::string status;
  std::int64_t expires_at = 0;  ///< 0: does not expire
  std::int64_t at = 0;
  void fields(auto& row) { row(status, expires_at, at); }
};

}  // namespace bahi::projections::timelines
