#include "bahi/base/clock.hpp"
#include "page_scan.hpp"
#include "timelines/queries.hpp"
#include "timelines/timeline_walk.hpp"

namespace bahi::projections::timelines {
namespace {

constexpr std::size_t kUsersMax = 1'000;

/// What all queries about one message take.
struct MessageArguments {
  std::string conversation;
  std::string message;
  std::optional<std::string> user;
  PageRequest page;

  explicit MessageArguments(Arguments& arguments)
      : conversation(arguments.text("conversation")),
        message(arguments.text("message")),
        user(arguments.optional_text("user")),
        page(PageRequest::take(arguments, kPageDefault, kPageMax)) {}
};

// --- receipts

/// The readers of a message are those whose receipt stands at it or behind it: first those of the whole conversation,
/// then those of the message's timeline. Of a user who has both, the former counts.
class Readers {
 public:
  Readers(const QueryContext& context, std::uint64_t conversation, const PlaceRow& place)
      : state_(context.state), conversation_(conversation), place_(place) {}

  Status show(std::optional<std::string> after, std::int64_t limit, Answer& answer) {
    const std::array scopes{kUnthreaded, scope_of(place_.timeline)};
    for (std::uint64_t phase = 0; phase < scopes.size(); ++phase) {
      const Key first = Key().number(phase).number(place_.offset);
      if (after && KeyReader(*after).number() > phase) continue;
      BAHI_ASSIGN(const bool full,
                  scan(phase, scopes[phase], after ? *after : first.bytes(), after.has_value(), limit, answer));
      if (full) return {};
      after.reset();
    }
    return {};
  }
  /// Behind which the next page begins: phase, offset, user. Nothing: this was the last.
  [[nodiscard]] const std::optional<std::string>& next() const noexcept { return next_; }

 private:
  /// True: the page is full, and there may be more.
  Result<bool> scan(std::uint64_t phase, Scope scope, std::string_view from, bool exclusive, std::int64_t& left,
                    Answer& answer) {
    const Key prefix = Key().number(conversation_).number(scope);
    const std::string start = prefix.bytes() + std::string(from.substr(8));
    RowScan readers = state_.scan(kReaders, prefix);
    readers.seek(start);
    if (exclusive && readers.valid() && readers.key() == start) readers.next();
    for (; readers.valid(); readers.next()) {
      if (left == 0) {
        next_ = last_;
        return true;
      }
      KeyReader key(readers.key().substr(24));
      const std::string user = key.text();
      if (phase == 1) {
        BAHI_ASSIGN(const bool counted, has_unthreaded(user));
        if (counted) continue;
      }
      ReaderRow row;
      BAHI_TRY(decode(readers.value(), row));
      answer.begin_element()
          .text("user", user)
          .text("scope", phase == 0                 ? "unthreaded"
                         : place_.timeline == kMain ? "main"
                                                    : "thread")
          .text("read_to", row.message)
          .time("at", {row.at})
          .end_object();
      last_ = Key().number(phase).bytes() + std::string(readers.key().substr(16));
      --left;
    }
    BAHI_TRY(readers.status());
    return false;
  }

  Result<bool> has_unthreaded(const std::string& user) const {
    ReceiptRow row;
    BAHI_TRY(get_row(state_, kReceipts, Key().number(conversation_).text(user).number(kUnthreaded), row));
    return row.shown.through > place_.offset;
  }

  const StateView& state_;
  const std::uint64_t conversation_;
  const PlaceRow& place_;
  std::string last_;
  std::optional<std::string> next_;
};

Status receipts(const QueryContext& context, Arguments& arguments, Answer& answer) {
  const MessageArguments asked(arguments);
  BAHI_TRY(arguments.check());
  BAHI_ASSIGN(const ConversationRow row, find_conversation(context.state, asked.conversation));
  BAHI_ASSIGN(const PlaceRow place, find_visible_place(context.state, row.number, asked.message, asked.user));
  const PageCursor cursor(context.tenant, {"receipts", asked.conversation, asked.message, asked.user.value_or("")});
  std::optional<std::string> after;
  if (asked.page.cursor) {
    BAHI_ASSIGN(after, cursor.decode(*asked.page.cursor));
    if (after->size() < 16) return Error{ErrorCode::kInvalidCursor, "the cursor is malformed; begin without a cursor"};
  }
  Readers readers(context, row.number, place);
  answer.begin_list("receipts");
  BAHI_TRY(readers.show(std::move(after), asked.page.limit, answer));
  answer.end_list();
  if (readers.next()) answer.text("next", cursor.encode(*readers.next()));
  return {};
}

// --- reactions

Status reactions(const QueryContext& context, Arguments& arguments, Answer& answer) {
  const MessageArguments asked(arguments);
  const auto reaction = arguments.optional_text("reaction");
  BAHI_TRY(arguments.check());
  BAHI_ASSIGN(const ConversationRow row, find_conversation(context.state, asked.conversation));
  BAHI_ASSIGN(const PlaceRow place, find_visible_place(context.state, row.number, asked.message, asked.user));
  const PageCursor cursor(
      context.tenant, {"reactions", asked.conversation, asked.message, asked.user.value_or(""), reaction.value_or("")});
  Key prefix = Key().number(row.number).number(place.offset);
  if (reaction) prefix.text(*reaction);
  BAHI_ASSIGN(PageScan page, PageScan::begin(context.state, kReactions, prefix, false, asked.page, cursor));
  answer.begin_list("reactions");
  for (; page.more(); page.next()) {
    ReactionRow each;
    BAHI_TRY(decode(page.value(), each));
    KeyReader key(page.key());
    (void)key.number();
    (void)key.number();
    const std::string name = key.text();
    answer.begin_element().text("reaction", name).text("user", key.text()).time("at", {each.at}).end_object();
  }
  answer.end_list();
  return page.finish(answer);
}

// --- pins

Status pins(const QueryContext& context, Arguments& arguments, Answer& answer) {
  const std::string conversation = arguments.text("conversation");
  WalkOptions walk;
  walk.user = arguments.optional_text("user");
  const PageRequest asked = PageRequest::take(arguments, kPageDefault, kPageMax);
  BAHI_TRY(arguments.check());
  BAHI_ASSIGN(const ConversationRow row, find_conversation(context.state, conversation));
  walk.conversation = row.number;
  const PageCursor cursor(context.tenant, {"pins", conversation, walk.user.value_or("")});
  const Key prefix = Key().number(row.number);
  BAHI_ASSIGN(PageScan page, PageScan::begin(context.state, kPins, prefix, true, asked, cursor));
  Visibility visibility(context.state, row.number, walk.user);
  answer.begin_list("pins");
  for (std::size_t examined = 0; page.more() && examined < kExaminedMax; ++examined) {
    const std::uint64_t offset = last_number(page.key());
    BAHI_ASSIGN(const bool sees, visibility.sees(offset));
    if (sees) {
      PinRow pin;
      BAHI_TRY(decode(page.value(), pin));
      SingleMessage message;
      BAHI_TRY(look_up_message(context.state, row.number, pin.timeline, offset, message));
      answer.begin_element().text("by", pin.by).time("at", {pin.at}).begin_object("message");
      BAHI_TRY(show_message(context.state, walk, offset, message.row, message.changes_or_null(), answer));
      answer.end_object().end_object();
    }
    page.next(sees);
  }
  answer.end_list();
  return page.finish(answer);
}

// --- presence

Status presence(const QueryContext& context, Arguments& arguments, Answer& answer) {
  const auto users = arguments.texts("users", kUsersMax);
  const auto at = arguments.optional_time("at");
  BAHI_TRY(arguments.check());
  const Timestamp now = at ? *at : SystemClock::instance().now();
  answer.time("at", now).begin_list("users");
  for (const std::string& user : users) {
    PresenceRow row;
    BAHI_ASSIGN(const bool found, get_row(context.state, kPresence, Key().text(user), row));
    const bool holds = found && (row.expires_at == 0 || row.expires_at > now.nanos);
    answer.begin_element().text("user", user).flag("known", holds);
    if (holds) answer.text("status", row.status).time("since", {row.at});
    if (holds && row.expires_at != 0) answer.time("expires_at", {row.expires_at});
    answer.end_object();
  }
  answer.end_list();
  return {};
}

}  // namespace

std::vector<QueryEntry> attachment_queries() {
  return {{"receipts", receipts}, {"reactions", reactions}, {"pins", pins}, {"presence", presence}};
}

}  // namespace bahi::projections::timelines
