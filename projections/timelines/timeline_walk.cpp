#include "timelines/timeline_walk.hpp"

namespace bahi::projections::timelines {
namespace {

/// Rows that are passed one by one before a seek is cheaper.
constexpr int kStepsMax = 8;

template <class Texts>
void show_texts(Answer& answer, std::string_view name, const Texts& texts) {
  if (texts.empty()) return;
  answer.begin_list(name);
  for (const auto& text : texts) answer.element(text);
  answer.end_list();
}

/// The last version below `at_offset`; false: the message as it was sent.
Result<bool> version_at(const StateView& state, const WalkOptions& options, std::uint64_t offset,
                        const StateRow& changes, std::string& bytes, VersionRow& version) {
  for (std::uint64_t edit = changes.versions; edit > 0; --edit) {
    const Key key = Key().number(options.conversation).number(offset).number(edit);
    BAHI_ASSIGN(const bool found, state.get(kVersions, key, bytes));
    if (!found) return Error{ErrorCode::kViewsDamaged, "timelines: a version is missing; rebuild the read model"};
    BAHI_TRY(decode(bytes, version));
    if (version.offset < *options.at_offset) return true;
  }
  return false;
}

void show_happenings(const StateRow& changes, Answer& answer) {
  if (!changes.reactions.empty()) {
    answer.begin_list("reactions");
    for (const ReactionCount& each : changes.reactions) {
      answer.begin_element().text("reaction", each.reaction);
      answer.number("count", static_cast<std::int64_t>(each.count)).end_object();
    }
    answer.end_list();
  }
  if (changes.replies == 0) return;
  answer.begin_object("replies")
      .number("count", static_cast<std::int64_t>(changes.replies))
      .number("last_offset", static_cast<std::int64_t>(changes.last_reply))
      .time("last_at", {changes.last_reply_at})
      .end_object();
}

}  // namespace

Status look_up_message(const StateView& state, std::uint64_t conversation, Timeline timeline, std::uint64_t offset,
                       SingleMessage& message) {
  const Key key = Key().number(conversation).number(timeline).number(offset);
  BAHI_ASSIGN(const bool there, state.get(kMessages, key, message.bytes));
  if (!there) return Error{ErrorCode::kViewsDamaged, "timelines: a message is missing; rebuild the read model"};
  BAHI_TRY(decode(message.bytes, message.row));
  BAHI_ASSIGN(message.changed, get_row(state, kStates, key, message.changes));
  return {};
}

Status show_message(const StateView& state, const WalkOptions& options, std::uint64_t offset, const MessageRow& row,
                    const StateRow* changes, Answer& answer) {
  answer.text("message", row.message)
      .number("offset", static_cast<std::int64_t>(offset))
      .number("position", static_cast<std::int64_t>(row.position))
      .text("sender", row.sender)
      .time("at", {row.at})
      .text_if("thread", row.thread);
  if (changes != nullptr && changes->redacted) {
    answer.begin_object("redacted")
        .text("by", changes->redacted_by)
        .number("offset", static_cast<std::int64_t>(changes->redacted_offset))
        .end_object();
  } else if (changes == nullptr || changes->versions == 0) {
    answer.text("text", row.text).text_if("reply_to", row.reply_to);
    show_texts(answer, "mentions", row.mentions);
  } else if (!options.at_offset) {
    answer.text("text", changes->text).text_if("reply_to", row.reply_to);
    show_texts(answer, "mentions", changes->mentions);
    answer.number("edits", static_cast<std::int64_t>(changes->versions)).time("edited_at", {changes->edited_at});
  } else {
    std::string bytes;
    VersionRow version;
    BAHI_ASSIGN(const bool edited, version_at(state, options, offset, *changes, bytes, version));
    answer.text("text", edited ? version.text : row.text).text_if("reply_to", row.reply_to);
    show_texts(answer, "mentions", edited ? version.mentions : row.mentions);
    if (edited) answer.time("edited_at", {version.at});
  }
  if (changes != nullptr && !options.at_offset) show_happenings(*changes, answer);
  return {};
}

TimelineWalk::TimelineWalk(const StateView& state, WalkOptions options, Direction direction)
    : state_(state),
      options_(std::move(options)),
      direction_(direction),
      prefix_(Key().number(options_.conversation).number(options_.timeline)),
      messages_(state.scan(kMessages, prefix_)),
      visibility_(state, options_.conversation, options_.user) {}

void TimelineWalk::start(std::optional<std::uint64_t> offset) {
  const std::uint64_t end = options_.at_offset.value_or(UINT64_MAX);
  if (direction_ == Direction::kForward) {
    seek(offset.value_or(0));
  } else {
    seek(std::min(offset.value_or(UINT64_MAX), end == 0 ? 0 : end - 1));
  }
}

void TimelineWalk::seek(std::uint64_t offset) {
  const Key key = Key(prefix_).number(offset);
  direction_ == Direction::kForward ? messages_.seek(key) : messages_.seek_backward(key);
  on_new_row_ = true;
}

void TimelineWalk::step(RowScan& scan) const {
  direction_ == Direction::kForward ? scan.next() : scan.previous();
}

Result<bool> TimelineWalk::next() {
  for (;;) {
    if (!on_new_row_) step(messages_);
    on_new_row_ = false;
    if (!messages_.valid()) {
      BAHI_TRY(messages_.status());
      return false;
    }
    const std::uint64_t offset = last_number(messages_.key());
    if (options_.at_offset && offset >= *options_.at_offset) return false;
    if (examined_ == kExaminedMax) {
      limited_ = true;
      return false;
    }
    ++examined_;
    offset_ = offset;
    const bool forward = direction_ == Direction::kForward;
    BAHI_ASSIGN(const auto visible, forward ? visibility_.at_or_after(offset) : visibility_.at_or_before(offset));
    if (!visible) return false;
    if (*visible != offset) {
      seek(*visible);
      continue;
    }
    BAHI_TRY(decode(messages_.value(), row_));
    if (!options_.sender || row_.sender == *options_.sender) return true;
  }
}

Result<const StateRow*> TimelineWalk::find_state() {
  const auto decoded = [this]() -> Result<const StateRow*> {
    BAHI_TRY(decode(states_->value(), state_row_));
    return &state_row_;
  };
  const StateRow* const none = nullptr;
  if (states_) {
    for (int steps = 0; steps < kStepsMax; ++steps, step(*states_)) {
      if (!states_->valid()) {
        BAHI_TRY(states_->status());
        return none;
      }
      const std::uint64_t there = last_number(states_->key());
      if (there == offset_) return decoded();
      if (direction_ == Direction::kForward ? there > offset_ : there < offset_) return none;
    }
  } else {
    states_.emplace(state_.scan(kStates, prefix_));
  }
  const Key key = Key(prefix_).number(offset_);
  direction_ == Direction::kForward ? states_->seek(key) : states_->seek_backward(key);
  if (!states_->valid()) {
    BAHI_TRY(states_->status());
    return none;
  }
  return last_number(states_->key()) == offset_ ? decoded() : Result<const StateRow*>(none);
}

Status TimelineWalk::show(Answer& answer) {
  BAHI_ASSIGN(const StateRow* changes, find_state());
  answer.begin_element();
  BAHI_TRY(show_message(state_, options_, offset_, row_, changes, answer));
  answer.end_object();
  return {};
}

}  // namespace bahi::projections::timelines
