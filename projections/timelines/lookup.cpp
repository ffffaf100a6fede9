#include "timelines/lookup.hpp"

#include <fmt/format.h>

namespace bahi::projections::timelines {

std::uint64_t last_number(std::string_view key) {
  return key.size() < 8 ? 0 : bytes::get_be64(key.data() + key.size() - 8);
}

Result<ConversationRow> find_conversation(const StateView& state, std::string_view conversation) {
  ConversationRow row;
  BAHI_ASSIGN(const bool found, get_row(state, kConversations, Key().text(conversation), row));
  if (!found) return Error{ErrorCode::kNotFound, fmt::format("there is no conversation '{}'", conversation)};
  return row;
}

Result<std::optional<PlaceRow>> look_for_place(const StateView& state, std::uint64_t conversation,
                                               std::string_view message) {
  PlaceRow row;
  BAHI_ASSIGN(const bool found, get_row(state, kPlaces, Key().number(conversation).text(message), row));
  if (!found) return std::optional<PlaceRow>();
  return std::optional<PlaceRow>(std::move(row));
}

Result<PlaceRow> find_place(const StateView& state, std::uint64_t conversation, std::string_view message) {
  BAHI_ASSIGN(auto place, look_for_place(state, conversation, message));
  if (!place) return Error{ErrorCode::kNotFound, fmt::format("the conversation has no message '{}'", message)};
  return std::move(*place);
}

Result<PlaceRow> find_visible_place(const StateView& state, std::uint64_t conversation, std::string_view message,
                                    const std::optional<std::string>& user) {
  BAHI_ASSIGN(PlaceRow place, find_place(state, conversation, message));
  Visibility visibility(state, conversation, user);
  BAHI_ASSIGN(const bool sees, visibility.sees(place.offset));
  // Said as if it were not there, which is all that the user may know.
  if (!sees) return Error{ErrorCode::kNotFound, fmt::format("the conversation has no message '{}'", message)};
  return place;
}

// --- visibility

Visibility::Visibility(const StateView& state, std::uint64_t conversation, const std::optional<std::string>& user) {
  if (!user) return;
  prefix_.number(conversation).text(*user);
  stays_.emplace(state.scan(kStays, prefix_));
}

Result<bool> Visibility::load() {
  if (!stays_->valid()) {
    BAHI_TRY(stays_->status());
    return false;
  }
  StayRow stay;
  BAHI_TRY(decode(stays_->value(), stay));
  from_ = last_number(stays_->key());
  to_ = stay.left;
  return true;
}

Result<std::optional<std::uint64_t>> Visibility::at_or_before(std::uint64_t offset) {
  if (!stays_ || (from_ <= offset && offset < to_)) return std::optional(offset);
  stays_->seek_backward(Key(prefix_).number(offset));
  BAHI_ASSIGN(const bool found, load());
  if (!found) return std::optional<std::uint64_t>();
  return std::optional(std::min(offset, to_ - 1));
}

Result<std::optional<std::uint64_t>> Visibility::at_or_after(std::uint64_t offset) {
  BAHI_ASSIGN(const auto before, at_or_before(offset));
  if (before && *before == offset) return before;
  stays_->seek(Key(prefix_).number(offset));
  BAHI_ASSIGN(const bool found, load());
  if (!found) return std::optional<std::uint64_t>();
  return std::optional(from_);
}

Result<bool> Visibility::sees(std::uint64_t offset) {
  BAHI_ASSIGN(const auto visible, at_or_before(offset));
  return visible && *visible == offset;
}

// --- counting

TimelineCounter::TimelineCounter(const StateView& state, std::uint64_t conversation, Timeline timeline)
    : prefix_(Key().number(conversation).number(timeline)), messages_(state.scan(kMessages, prefix_)) {}

Result<std::uint64_t> TimelineCounter::below(std::uint64_t through) {
  if (through == 0) return std::uint64_t{0};
  messages_.seek_backward(Key(prefix_).number(through - 1));
  if (!messages_.valid()) {
    BAHI_TRY(messages_.status());
    return std::uint64_t{0};
  }
  MessageRow row;
  BAHI_TRY(decode(messages_.value(), row));
  return row.position;
}

Result<std::optional<std::uint64_t>> TimelineCounter::offset_at(std::uint64_t position) {
  BAHI_ASSIGN(const std::uint64_t count, below(kStillThere));
  if (position == 0 || position > count) return std::optional<std::uint64_t>();
  messages_.seek_last();
  BAHI_TRY(messages_.status());
  // The smallest `through` below which there are so many.
  std::uint64_t low = 0;
  std::uint64_t high = last_number(messages_.key()) + 1;
  while (high - low > 1) {
    const std::uint64_t middle = low + (high - low) / 2;
    BAHI_ASSIGN(const std::uint64_t there, below(middle));
    (there >= position ? high : low) = middle;
  }
  return std::optional(high - 1);
}

// --- what is read

Result<std::uint64_t> ReadMarks::unthreaded() {
  if (!unthreaded_) {
    ReceiptRow receipt;
    const Key key = Key().number(conversation_).text(user_).number(kUnthreaded);
    BAHI_TRY(get_row(state_, kReceipts, key, receipt));
    unthreaded_ = receipt.through();
  }
  return *unthreaded_;
}

Result<std::uint64_t> ReadMarks::through(Timeline timeline) {
  BAHI_ASSIGN(const std::uint64_t whole, unthreaded());
  Key key = Key().number(conversation_).text(user_);
  std::uint64_t own = 0;
  if (timeline == kMain) {
    MemberRow member;
    BAHI_TRY(get_row(state_, kMembers, key, member));
    own = member.through;
  }
  ReceiptRow receipt;
  BAHI_TRY(get_row(state_, kReceipts, key.number(scope_of(timeline)), receipt));
  return std::max({whole, own, receipt.through()});
}

Result<std::uint64_t> unread_of(const StateView& state, std::uint64_t conversation, std::string_view user,
                                Timeline timeline, std::uint64_t through) {
  RowScan stays = state.scan(kStays, Key().number(conversation).text(user));
  TimelineCounter counter(state, conversation, timeline);
  std::uint64_t unread = 0;
  for (stays.seek_last(); stays.valid(); stays.previous()) {
    StayRow stay;
    BAHI_TRY(decode(stays.value(), stay));
    const std::uint64_t joined = last_number(stays.key());
    const std::uint64_t from = std::max(joined, through);
    if (stay.left > from) {
      BAHI_ASSIGN(const std::uint64_t all, counter.below(stay.left));
      BAHI_ASSIGN(const std::uint64_t before, counter.below(from));
      unread += all - before;
    }
    if (joined <= through) break;
  }
  BAHI_TRY(stays.status());
  return unread;
}

}  // namespace bahi::projections::timelines
