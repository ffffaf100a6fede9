#include <fmt/format.h>

#include "page_scan.hpp"
#include "timelines/queries.hpp"
#include "timelines/timeline_walk.hpp"

namespace bahi::projections::timelines {
namespace {

/// What names the messages of a page: the same from page to page, and in both directions.
struct PageOf {
  std::string conversation;
  std::optional<std::string> thread;  ///< the message that began it
  WalkOptions walk;

  [[nodiscard]] PageCursor cursor(const QueryContext& context) const {
    return {context.tenant,
            {"timeline", conversation, thread.value_or(""), walk.user.value_or(""), walk.sender.value_or(""),
             walk.at_offset ? std::to_string(*walk.at_offset) : ""}};
  }
};

PageOf take_page(Arguments& arguments) {
  PageOf page;
  page.conversation = arguments.text("conversation");
  page.walk.user = arguments.optional_text("user");
  page.walk.sender = arguments.optional_text("sender");
  if (const auto offset = arguments.optional_number("at_offset", 0, INT64_MAX)) {
    page.walk.at_offset = static_cast<std::uint64_t>(*offset);
  }
  return page;
}

Status find_timeline(const QueryContext& context, PageOf& page) {
  BAHI_ASSIGN(const ConversationRow row, find_conversation(context.state, page.conversation));
  page.walk.conversation = row.number;
  if (!page.thread) return {};
  BAHI_ASSIGN(const PlaceRow root, find_place(context.state, row.number, *page.thread));
  if (root.timeline != kMain) {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("argument 'thread': '{}' is a reply in the thread of '{}'; name that message",
                             *page.thread, root.thread)};
  }
  page.walk.timeline = thread_of(root.offset);
  return {};
}

std::string cursor_at(const PageCursor& cursor, std::uint64_t offset) {
  return cursor.encode(Key().number(offset));
}

Result<std::uint64_t> offset_of(const PageCursor& cursor, std::string_view text) {
  BAHI_ASSIGN(const std::string key, cursor.decode(text));
  if (key.size() != 8) return Error{ErrorCode::kInvalidCursor, "the cursor is malformed; begin without a cursor"};
  return last_number(key);
}

/// Writes up to `limit` messages. The result: behind which offset the next page begins; nothing: this was the last.
Result<std::optional<std::uint64_t>> show_messages(TimelineWalk& walk, std::int64_t limit, Answer& answer) {
  std::optional<std::uint64_t> last;
  for (; limit > 0; --limit) {
    BAHI_ASSIGN(const bool found, walk.next());
    if (!found) return walk.limited() ? std::optional(walk.offset()) : std::nullopt;
    BAHI_TRY(walk.show(answer));
    last = walk.offset();
  }
  BAHI_ASSIGN(const bool more, walk.next());
  return more || walk.limited() ? last : std::nullopt;
}

// --- page

/// Where a page begins, as it was asked for.
struct PageStart {
  std::optional<std::string> cursor;
  std::optional<std::string> message;
  std::optional<std::int64_t> position;
  bool inclusive = false;
};

/// The anchor message's offset, if there is an anchor.
Result<std::optional<std::uint64_t>> find_anchor(const QueryContext& context, const PageOf& page,
                                                 const PageStart& start) {
  if (start.cursor) {
    BAHI_ASSIGN(const std::uint64_t offset, offset_of(page.cursor(context), *start.cursor));
    return std::optional(offset);
  }
  if (start.message) {
    BAHI_ASSIGN(const PlaceRow place,
                find_visible_place(context.state, page.walk.conversation, *start.message, page.walk.user));
    if (place.timeline != page.walk.timeline) {
      return Error{ErrorCode::kInvalidArgument,
                   fmt::format("argument 'message': '{}' is not of this timeline but of {}", *start.message,
                               place.timeline == kMain ? "the main one" : "the thread of '" + place.thread + "'")};
    }
    return std::optional(place.offset);
  }
  if (!start.position) return std::optional<std::uint64_t>();
  TimelineCounter counter(context.state, page.walk.conversation, page.walk.timeline);
  BAHI_ASSIGN(const std::uint64_t count, counter.below(page.walk.at_offset.value_or(kStillThere)));
  const auto wanted = *start.position;
  const auto position =
      wanted > 0 ? static_cast<std::uint64_t>(wanted) : count + 1 - static_cast<std::uint64_t>(-wanted);
  BAHI_ASSIGN(const auto offset, counter.offset_at(position <= count ? position : 0));
  if (!offset) {
    return Error{ErrorCode::kNotFound,
                 fmt::format("argument 'position': there is no message {}; the timeline has {}", wanted, count)};
  }
  return offset;
}

Status page(const QueryContext& context, Arguments& arguments, Answer& answer) {
  PageOf page = take_page(arguments);
  page.thread = arguments.optional_text("thread");
  const bool forward = arguments.choice("direction", {"backward", "forward"}) == 1;
  const std::int64_t limit = arguments.number_or("limit", kPageDefault, 1, kPageMax);
  PageStart start{arguments.optional_text("cursor"), arguments.optional_text("message"),
                  arguments.optional_number("position", INT32_MIN, INT64_MAX), arguments.flag("inclusive")};
  BAHI_TRY(arguments.check());
  if (int{start.cursor.has_value()} + int{start.message.has_value()} + int{start.position.has_value()} > 1) {
    return Error{ErrorCode::kInvalidArgument, "give one of 'cursor', 'message' and 'position', not several"};
  }
  if (start.position == 0) {
    return Error{ErrorCode::kInvalidArgument, "argument 'position' counts from 1, or backward from -1; it is 0"};
  }
  BAHI_TRY(find_timeline(context, page));
  BAHI_ASSIGN(auto anchor, find_anchor(context, page, start));
  const bool inclusive = !start.cursor && (start.position || start.inclusive);
  TimelineWalk walk(context.state, page.walk, forward ? Direction::kForward : Direction::kBackward);
  answer.begin_list("messages");
  std::optional<std::uint64_t> next;
  if (!anchor || inclusive || forward || *anchor > 0) {
    if (anchor && !inclusive) *anchor += forward ? 1 : UINT64_MAX;
    walk.start(anchor);
    BAHI_ASSIGN(next, show_messages(walk, limit, answer));
  }
  answer.end_list();
  if (next) answer.text("next", cursor_at(page.cursor(context), *next));
  answer.flag(forward ? "found_newest" : "found_oldest", !next);
  return {};
}

// --- around

struct Before {
  std::optional<std::uint64_t> first;  ///< offset of the first message to show
  std::optional<std::uint64_t> rest;   ///< there are more before; behind this offset, backward
};

Result<Before> look_before(const QueryContext& context, const PageOf& page, std::uint64_t anchor, std::int64_t count) {
  Before before;
  if (anchor == 0) return before;
  TimelineWalk walk(context.state, page.walk, Direction::kBackward);
  walk.start(anchor - 1);
  for (; count > 0; --count) {
    BAHI_ASSIGN(const bool found, walk.next());
    if (!found) {
      if (walk.limited()) before.rest = walk.offset();
      return before;
    }
    before.first = walk.offset();
  }
  BAHI_ASSIGN(const bool more, walk.next());
  if (more || walk.limited()) before.rest = before.first.value_or(anchor);
  return before;
}

Status around(const QueryContext& context, Arguments& arguments, Answer& answer) {
  PageOf page = take_page(arguments);
  const std::string message = arguments.text("message");
  const std::int64_t before_max = arguments.number_or("before", kPageDefault / 2, 0, kPageMax);
  const std::int64_t after_max = arguments.number_or("after", kPageDefault / 2, 0, kPageMax);
  BAHI_TRY(arguments.check());
  BAHI_TRY(find_timeline(context, page));
  BAHI_ASSIGN(const PlaceRow anchor,
              find_visible_place(context.state, page.walk.conversation, message, page.walk.user));
  page.walk.timeline = anchor.timeline;
  if (anchor.timeline != kMain) page.thread = anchor.thread;
  BAHI_ASSIGN(const Before before, look_before(context, page, anchor.offset, before_max));

  TimelineWalk walk(context.state, page.walk, Direction::kForward);
  walk.start(before.first.value_or(anchor.offset));
  bool found_anchor = false;
  std::optional<std::uint64_t> rest;  // there are more after; behind this offset
  std::uint64_t last = anchor.offset;
  std::int64_t left = after_max;
  answer.begin_list("messages");
  for (;;) {
    BAHI_ASSIGN(const bool found, walk.next());
    if (!found) {
      if (walk.limited()) rest = std::max(walk.offset(), anchor.offset);
      break;
    }
    if (walk.offset() > anchor.offset && left-- == 0) {
      rest = last;
      break;
    }
    found_anchor = found_anchor || walk.offset() == anchor.offset;
    last = std::max(last, walk.offset());
    BAHI_TRY(walk.show(answer));
  }
  answer.end_list();
  if (page.thread) answer.text("thread", *page.thread);
  answer.flag("found_anchor", found_anchor).flag("found_oldest", !before.rest).flag("found_newest", !rest);
  const PageCursor cursor = page.cursor(context);
  if (before.rest) answer.text("before", cursor_at(cursor, *before.rest));
  if (rest) answer.text("after", cursor_at(cursor, *rest));
  return {};
}

// --- single messages

Status message(const QueryContext& context, Arguments& arguments, Answer& answer) {
  PageOf page = take_page(arguments);
  const std::string name = arguments.text("message");
  BAHI_TRY(arguments.check());
  BAHI_TRY(find_timeline(context, page));
  const auto& walk = page.walk;
  BAHI_ASSIGN(const PlaceRow place, find_visible_place(context.state, walk.conversation, name, walk.user));
  if (walk.at_offset && place.offset >= *walk.at_offset) {
    return Error{ErrorCode::kNotFound, fmt::format("the conversation had no message '{}' yet", name)};
  }
  SingleMessage found;
  BAHI_TRY(look_up_message(context.state, walk.conversation, place.timeline, place.offset, found));
  return show_message(context.state, walk, place.offset, found.row, found.changes_or_null(), answer);
}

void show_version(Answer& answer, std::uint64_t number, std::uint64_t offset, std::int64_t at, std::string_view text,
                  const std::vector<std::string_view>& mentions) {
  answer.begin_element()
      .number("version", static_cast<std::int64_t>(number))
      .number("offset", static_cast<std::int64_t>(offset))
      .time("at", {at})
      .text("text", text);
  answer.begin_list("mentions");
  for (const std::string_view user : mentions) answer.element(user);
  answer.end_list().end_object();
}

Status versions(const QueryContext& context, Arguments& arguments, Answer& answer) {
  const std::string conversation = arguments.text("conversation");
  const std::string name = arguments.text("message");
  const auto user = arguments.optional_text("user");
  std::int64_t left = arguments.number_or("limit", kPageDefault, 1, kPageMax);
  const auto cursor_text = arguments.optional_text("cursor");
  BAHI_TRY(arguments.check());
  BAHI_ASSIGN(const ConversationRow row, find_conversation(context.state, conversation));
  BAHI_ASSIGN(const PlaceRow place, find_visible_place(context.state, row.number, name, user));
  const PageCursor cursor(context.tenant, {"versions", conversation, name, user.value_or("")});
  std::uint64_t number = 0;
  if (cursor_text) {
    BAHI_ASSIGN(number, offset_of(cursor, *cursor_text));
  }
  SingleMessage found;
  BAHI_TRY(look_up_message(context.state, row.number, place.timeline, place.offset, found));
  answer.flag("redacted", place.redacted).begin_list("versions");
  const std::uint64_t end = place.redacted ? 0 : found.changes.versions + 1;
  if (number == 0 && end > 0) {
    show_version(answer, number++, place.offset, place.at, found.row.text, found.row.mentions);
    --left;
  }
  RowScan scan = context.state.scan(kVersions, Key().number(row.number).number(place.offset));
  scan.seek(Key().number(row.number).number(place.offset).number(number));
  for (; scan.valid() && left > 0; scan.next(), --left) {
    VersionRow version;
    BAHI_TRY(decode(scan.value(), version));
    show_version(answer, number++, version.offset, version.at, version.text, version.mentions);
  }
  BAHI_TRY(scan.status());
  answer.end_list();
  if (number < end) answer.text("next", cursor_at(cursor, number));
  return {};
}

// --- threads

Status show_thread(const QueryContext& context, const WalkOptions& walk, std::uint64_t root, Answer& answer) {
  SingleMessage found;
  BAHI_TRY(look_up_message(context.state, walk.conversation, kMain, root, found));
  Visibility visibility(context.state, walk.conversation, walk.user);
  BAHI_ASSIGN(const bool sees_root, visibility.sees(root));
  answer.begin_element().text("thread", found.row.message);
  answer.number("replies", static_cast<std::int64_t>(found.changes.replies))
      .number("last_offset", static_cast<std::int64_t>(found.changes.last_reply))
      .time("last_at", {found.changes.last_reply_at});
  if (walk.user) {
    ReadMarks marks(context.state, walk.conversation, *walk.user);
    BAHI_ASSIGN(const std::uint64_t through, marks.through(thread_of(root)));
    BAHI_ASSIGN(const std::uint64_t unread,
                unread_of(context.state, walk.conversation, *walk.user, thread_of(root), through));
    answer.number("unread", static_cast<std::int64_t>(unread));
  }
  if (sees_root) {
    answer.begin_object("message");
    BAHI_TRY(show_message(context.state, walk, root, found.row, &found.changes, answer));
    answer.end_object();
  }
  answer.end_object();
  return {};
}

Status threads(const QueryContext& context, Arguments& arguments, Answer& answer) {
  const std::string conversation = arguments.text("conversation");
  WalkOptions walk;
  walk.user = arguments.optional_text("user");
  const PageRequest asked = PageRequest::take(arguments, kPageDefault, kPageMax);
  BAHI_TRY(arguments.check());
  BAHI_ASSIGN(const ConversationRow row, find_conversation(context.state, conversation));
  walk.conversation = row.number;
  const PageCursor cursor(context.tenant, {"threads", conversation, walk.user.value_or("")});
  const Key prefix = Key().number(row.number);
  BAHI_ASSIGN(PageScan page, PageScan::begin(context.state, kThreadOrder, prefix, false, asked, cursor));
  Visibility visibility(context.state, row.number, walk.user);
  answer.begin_list("threads");
  for (std::size_t examined = 0; page.more() && examined < kExaminedMax; ++examined) {
    BAHI_ASSIGN(const bool sees, visibility.sees(~last_number(page.key())));
    if (sees) {
      ThreadOrderRow order;
      BAHI_TRY(decode(page.value(), order));
      BAHI_TRY(show_thread(context, walk, order.root, answer));
    }
    page.next(sees);
  }
  answer.end_list();
  return page.finish(answer);
}

}  // namespace

std::vector<QueryEntry> message_queries() {
  return {{"page", page}, {"around", around}, {"message", message}, {"versions", versions}, {"threads", threads}};
}

}  // namespace bahi::projections::timelines
