// What the queries and commands of the timelines look up.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "projection.hpp"
#include "timelines/tables.hpp"

namespace bahi::projections::timelines {

/// Rows that one query looks at, at most: one that finds little in a lot of history ends its page there.
inline constexpr std::size_t kExaminedMax = 5'000;

/// The number at the end of a key.
[[nodiscard]] std::uint64_t last_number(std::string_view key);

template <class Row>
Status decode(std::string_view bytes, Row& row) {
  if (decode_row(bytes, row)) return {};
  return Error{ErrorCode::kViewsDamaged, "timelines: a row is malformed; rebuild the read model"};
}

/// Errors: kNotFound.
[[nodiscard]] Result<ConversationRow> find_conversation(const StateView& state, std::string_view conversation);
/// Nothing: there is no such message.
[[nodiscard]] Result<std::optional<PlaceRow>> look_for_place(const StateView& state, std::uint64_t conversation,
                                                             std::string_view message);
/// Errors: kNotFound.
[[nodiscard]] Result<PlaceRow> find_place(const StateView& state, std::uint64_t conversation, std::string_view message);
/// As `find_place`, and kNotFound as well when the user, if one is given, may not see the message.
[[nodiscard]] Result<PlaceRow> find_visible_place(const StateView& state, std::uint64_t conversation,
                                                  std::string_view message, const std::optional<std::string>& user);

/// What a user may see of a conversation: what was said while they were a member. Without a user, everything.
class Visibility {
 public:
  Visibility(const StateView& state, std::uint64_t conversation, const std::optional<std::string>& user);

  /// The last visible offset that is not behind `offset`; nothing: there is none.
  [[nodiscard]] Result<std::optional<std::uint64_t>> at_or_before(std::uint64_t offset);
  /// The first visible offset that is not in front of `offset`.
  [[nodiscard]] Result<std::optional<std::uint64_t>> at_or_after(std::uint64_t offset);
  [[nodiscard]] Result<bool> sees(std::uint64_t offset);

 private:
  Result<bool> load();

  Key prefix_;
  std::optional<RowScan> stays_;  // none: everything is visible
  std::uint64_t from_ = 1;        // the stay that was looked at last: [from_, to_)
  std::uint64_t to_ = 0;
};

/// Counts the messages of a timeline by their positions.
class TimelineCounter {
 public:
  TimelineCounter(const StateView& state, std::uint64_t conversation, Timeline timeline);
  /// Messages with offsets below `through`.
  [[nodiscard]] Result<std::uint64_t> below(std::uint64_t through);
  /// Offset of the message at a position from 1 on; nothing: there are fewer.
  [[nodiscard]] Result<std::optional<std::uint64_t>> offset_at(std::uint64_t position);

 private:
  Key prefix_;
  RowScan messages_;
};

/// How far a user has read: the furthest of what they marked, openly or not, and of what they wrote themselves.
class ReadMarks {
 public:
  ReadMarks(const StateView& state, std::uint64_t conversation, std::string_view user)
      : state_(state), conversation_(conversation), user_(user) {}
  /// Everything in the timeline with a smaller offset is read.
  [[nodiscard]] Result<std::uint64_t> through(Timeline timeline);
  /// What the receipts of the whole conversation cover.
  [[nodiscard]] Result<std::uint64_t> unthreaded();

 private:
  const StateView& state_;
  std::uint64_t conversation_;
  std::string user_;
  std::optional<std::uint64_t> unthreaded_;
};

/// Messages of a timeline that the user may see and has not read.
[[nodiscard]] Result<std::uint64_t> unread_of(const StateView& state, std::uint64_t conversation, std::string_view user,
                                              Timeline timeline, std::uint64_t through);

}  // namespace bahi::projections::timelines
