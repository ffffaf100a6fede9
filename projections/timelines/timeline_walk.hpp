// Goes through the messages of one timeline and shows them.
#pragma once

#include <optional>
#include <string>

#include "bahi/schemas/event_filter.hpp"
#include "timelines/lookup.hpp"

namespace bahi::projections::timelines {

struct WalkOptions {
  std::uint64_t conversation = 0;
  Timeline timeline = kMain;
  std::optional<std::string> user;         ///< only what they may see
  std::optional<std::string> sender;       ///< only theirs
  std::optional<std::uint64_t> at_offset;  ///< as it was when only the events below had happened
};

/// The messages of a timeline that fit the options, one after the other. Not thread-safe; must not outlive its view.
class TimelineWalk {
 public:
  TimelineWalk(const StateView& state, WalkOptions options, Direction direction);

  /// `next` will begin at `offset`, or at the first in the walk's direction.
  void start(std::optional<std::uint64_t> offset);
  /// False: there is none, or too many others lie before it (see `limited`).
  [[nodiscard]] Result<bool> next();
  /// The walk ended because it has looked at enough; it can go on behind `offset`.
  [[nodiscard]] bool limited() const noexcept { return limited_; }
  /// Of the message that was looked at last.
  [[nodiscard]] std::uint64_t offset() const noexcept { return offset_; }
  /// Writes the message that `next` has found as an element of the list under way.
  Status show(Answer& answer);

 private:
  void seek(std::uint64_t offset);
  void step(RowScan& scan) const;
  Result<const StateRow*> find_state();

  const StateView& state_;
  WalkOptions options_;
  Direction direction_;
  Key prefix_;
  RowScan messages_;
  std::optional<RowScan> states_;  // goes along; opened when first needed
  Visibility visibility_;
  MessageRow row_;
  StateRow state_row_;
  std::uint64_t offset_ = 0;
  std::size_t examined_ = 0;
  bool on_new_row_ = false;
  bool limited_ = false;
};

/// One message, looked up. Not to be copied: its row views its bytes.
struct SingleMessage {
  std::string bytes;
  MessageRow row;
  StateRow changes;
  bool changed = false;

  SingleMessage() = default;
  SingleMessage(const SingleMessage&) = delete;
  SingleMessage& operator=(const SingleMessage&) = delete;
  [[nodiscard]] const StateRow* changes_or_null() const noexcept { return changed ? &changes : nullptr; }
};
/// The message must be there: kViewsDamaged otherwise.
Status look_up_message(const StateView& state, std::uint64_t conversation, Timeline timeline, std::uint64_t offset,
                       SingleMessage& message);

/// Writes the members of a message. `state`: null when nothing happened to it.
Status show_message(const StateView& state, const WalkOptions& options, std::uint64_t offset, const MessageRow& row,
                    const StateRow* changes, Answer& answer);

}  // namespace bahi::projections::timelines
