#include <map>

#include "chat_generated.h"
#include "page_scan.hpp"
#include "timelines/lookup.hpp"
#include "timelines/queries.hpp"

namespace bahi::projections::timelines {
namespace {

/// Mentions that are counted, at most; a user is told "more".
constexpr std::size_t kMentionsMax = 1'000;

struct MentionCount {
  std::uint64_t unread = 0;
  bool more = false;
};

/// Walks what mentions the user behind what they have read; in threads, back from the newest.
Result<MentionCount> count_mentions(const StateView& state, std::uint64_t conversation, const std::string& user,
                                    ReadMarks& marks) {
  MentionCount count;
  Visibility visibility(state, conversation, user);
  const Key prefix = Key().number(conversation).text(user);
  BAHI_ASSIGN(const std::uint64_t main_through, marks.through(kMain));
  RowScan main = state.scan(kMentions, Key(prefix).number(0));
  std::size_t examined = 0;
  for (main.seek(Key(prefix).number(0).number(main_through)); main.valid(); main.next()) {
    if (examined++ == kMentionsMax) break;
    BAHI_ASSIGN(const bool sees, visibility.sees(last_number(main.key())));
    if (sees) ++count.unread;
  }
  BAHI_TRY(main.status());
  count.more = main.valid();

  BAHI_ASSIGN(const std::uint64_t unthreaded, marks.unthreaded());
  std::map<Timeline, std::uint64_t> thread_through;
  RowScan threads = state.scan(kMentions, Key(prefix).number(1));
  examined = 0;
  for (threads.seek_last(); threads.valid() && last_number(threads.key()) >= unthreaded; threads.previous()) {
    if (examined++ == kMentionsMax) {
      count.more = true;
      break;
    }
    MentionRow row;
    BAHI_TRY(decode(threads.value(), row));
    auto through = thread_through.find(row.timeline);
    if (through == thread_through.end()) {
      BAHI_ASSIGN(const std::uint64_t read, marks.through(row.timeline));
      through = thread_through.emplace(row.timeline, read).first;
    }
    if (last_number(threads.key()) < through->second) continue;
    BAHI_ASSIGN(const bool sees, visibility.sees(last_number(threads.key())));
    if (sees) ++count.unread;
  }
  BAHI_TRY(threads.status());
  return count;
}

Status show_conversation(const StateView& state, const std::string& user, std::string_view name,
                         const ConversationRow& row, Answer& answer) {
  MemberRow member;
  BAHI_TRY(get_row(state, kMembers, Key().number(row.number).text(user), member));
  ReadMarks marks(state, row.number, user);
  BAHI_ASSIGN(const std::uint64_t through, marks.through(kMain));
  BAHI_ASSIGN(const std::uint64_t unread, unread_of(state, row.number, user, kMain, through));
  BAHI_ASSIGN(const MentionCount mentions, count_mentions(state, row.number, user, marks));
  answer.text("conversation", name)
      .text("kind", chat::fb::EnumNameConversationKind(static_cast<chat::fb::ConversationKind>(row.kind)))
      .text_if("title", row.title)
      .flag("member", member.present)
      .text("role", chat::fb::EnumNameMemberRole(static_cast<chat::fb::MemberRole>(member.role)))
      .number("last_offset", static_cast<std::int64_t>(row.last_activity))
      .time("last_at", {row.last_at})
      .number("unread", static_cast<std::int64_t>(unread))
      .number("mentions", static_cast<std::int64_t>(mentions.unread));
  if (mentions.more) answer.flag("more_mentions", true);
  return {};
}

/// The user's memberships and where something last happened in each: what the list's order needs.
Result<std::vector<std::pair<std::uint64_t, std::string>>> activity_of(const StateView& state, std::string_view user) {
  std::vector<std::pair<std::uint64_t, std::string>> activity;
  RowScan scan = state.scan(kMemberships, Key().text(user));
  for (scan.seek_first(); scan.valid(); scan.next()) {
    KeyReader key(scan.key());
    (void)key.text();
    std::string name = key.text();
    BAHI_ASSIGN(const ConversationRow row, find_conversation(state, name));
    activity.emplace_back(row.last_activity, std::move(name));
  }
  BAHI_TRY(scan.status());
  std::sort(activity.begin(), activity.end(), std::greater<>());
  return activity;
}

Status conversations(const QueryContext& context, Arguments& arguments, Answer& answer) {
  const std::string user = arguments.text("user");
  std::int64_t left = arguments.number_or("limit", kPageDefault, 1, kPageMax);
  const auto cursor_text = arguments.optional_text("cursor");
  BAHI_TRY(arguments.check());
  const PageCursor cursor(context.tenant, {"conversations", user});
  std::uint64_t before = UINT64_MAX;
  if (cursor_text) {
    BAHI_ASSIGN(const std::string key, cursor.decode(*cursor_text));
    before = last_number(key);
  }
  BAHI_ASSIGN(const auto activity, activity_of(context.state, user));
  auto next =
      std::find_if(activity.begin(), activity.end(), [before](const auto& each) { return each.first < before; });
  answer.begin_list("conversations");
  for (; next != activity.end() && left > 0; ++next, --left) {
    BAHI_ASSIGN(const ConversationRow row, find_conversation(context.state, next->second));
    before = next->first;
    answer.begin_element();
    BAHI_TRY(show_conversation(context.state, user, next->second, row, answer));
    answer.end_object();
  }
  answer.end_list();
  if (next != activity.end()) answer.text("next", cursor.encode(Key().number(before)));
  return {};
}

Status conversation(const QueryContext& context, Arguments& arguments, Answer& answer) {
  const std::string name = arguments.text("conversation");
  const std::string user = arguments.text("user");
  BAHI_TRY(arguments.check());
  BAHI_ASSIGN(const ConversationRow row, find_conversation(context.state, name));
  return show_conversation(context.state, user, name, row, answer);
}

void show_mark(Answer& answer, std::string_view scope, std::string_view thread, const Mark& mark, bool secret) {
  if (mark.through == 0) return;
  answer.begin_element()
      .text("scope", scope)
      .text_if("thread", thread)
      .text("message", mark.message)
      .number("offset", static_cast<std::int64_t>(mark.through - 1))
      .time("at", {mark.at})
      .flag("private", secret)
      .end_object();
}

/// The thread's name is that of the message that began it.
Result<std::string> name_of_thread(const StateView& state, std::uint64_t conversation, Timeline thread) {
  std::string bytes;
  const Key key = Key().number(conversation).number(kMain).number(root_of(thread));
  BAHI_ASSIGN(const bool found, state.get(kMessages, key, bytes));
  MessageRow row;
  if (found) {
    BAHI_TRY(decode(bytes, row));
  }
  return std::string(row.message);
}

Status own_receipts(const QueryContext& context, Arguments& arguments, Answer& answer) {
  const std::string name = arguments.text("conversation");
  const std::string user = arguments.text("user");
  const PageRequest asked = PageRequest::take(arguments, kPageDefault, kPageMax);
  BAHI_TRY(arguments.check());
  BAHI_ASSIGN(const ConversationRow row, find_conversation(context.state, name));
  const PageCursor cursor(context.tenant, {"own_receipts", name, user});
  const Key prefix = Key().number(row.number).text(user);
  BAHI_ASSIGN(PageScan page, PageScan::begin(context.state, kReceipts, prefix, false, asked, cursor));
  answer.begin_list("receipts");
  for (; page.more(); page.next()) {
    ReceiptRow receipt;
    BAHI_TRY(decode(page.value(), receipt));
    const Scope of = last_number(page.key());
    std::string thread;
    if (of > scope_of(kMain)) {
      BAHI_ASSIGN(thread, name_of_thread(context.state, row.number, of - 1));
    }
    const auto* const scope = chat::fb::EnumNamesReceiptScope()[std::min<Scope>(of, 2)];
    show_mark(answer, scope, thread, receipt.shown, false);
    show_mark(answer, scope, thread, receipt.secret, true);
  }
  answer.end_list();
  return page.finish(answer);
}

}  // namespace

std::vector<QueryEntry> conversation_queries() {
  return {{"conversations", conversations}, {"conversation", conversation}, {"own_receipts", own_receipts}};
}

}  // namespace bahi::projections::timelines
