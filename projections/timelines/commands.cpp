#include "timelines/commands.hpp"

#include <fmt/format.h>

#include "bahi/base/text.hpp"
#include "bahi/schemas/limits.hpp"
#include "chat_generated.h"
#include "timelines/lookup.hpp"

namespace bahi::projections::timelines {
namespace {

constexpr std::size_t kMentionsInMessageMax = 1'000;

Error refused(std::string message) {
  return {ErrorCode::kRefused, std::move(message)};
}

/// What every command looks at: the conversation, and who acts in it.
struct Scene {
  std::string conversation;
  std::string user;
  ConversationRow row;
  MemberRow member;
};

/// Identifiers become tags, which are of limited length.
Status check_tags(const std::vector<std::string>& tags) {
  for (const std::string& tag : tags) {
    if (tag.size() <= kNameBytesMax) continue;
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("argument '{}' is too long: with its name it must fit a tag of {} bytes",
                             tag.substr(0, tag.find(':')), kNameBytesMax)};
  }
  return {};
}

std::string tag(std::string_view name, std::string_view value) {
  return fmt::format("{}:{}", name, value);
}

/// Fills in the rows. Errors: kNotFound; kRefused when the user is not a member.
Status enter(const StateView& state, Scene& scene) {
  BAHI_ASSIGN(scene.row, find_conversation(state, scene.conversation));
  BAHI_TRY(get_row(state, kMembers, Key().number(scene.row.number).text(scene.user), scene.member));
  if (scene.member.present) return {};
  return refused(
      fmt::format("'{}' is not a member of '{}'; only members act in a conversation", scene.user, scene.conversation));
}

/// What no command may have missed: that the user left, or what they may do changed.
QueryItem membership(const Scene& scene) {
  return {{"chat.MemberJoined", "chat.MemberLeft", "chat.MemberRoleChanged"},
          {tag("conversation", scene.conversation), tag("user", scene.user)}};
}
QueryItem of_message(const Scene& scene, std::string_view message, std::vector<std::string> types) {
  return {std::move(types), {tag("conversation", scene.conversation), tag("message", message)}};
}

/// A message that must be there, not redacted, and visible to the user.
Result<PlaceRow> live_message(const StateView& state, const Scene& scene, std::string_view message) {
  BAHI_ASSIGN(PlaceRow place, find_visible_place(state, scene.row.number, message, scene.user));
  if (place.redacted) return refused(fmt::format("message '{}' was redacted; nothing more is done to it", message));
  return place;
}

Status add_event(Decision& decision, const Scene& scene, std::string_view type, Answer& data,
                 std::vector<std::string> tags) {
  tags.push_back(tag("conversation", scene.conversation));
  tags.push_back(tag("user", scene.user));
  BAHI_TRY(check_tags(tags));
  decision.events.push_back(
      {"conversation-" + scene.conversation, std::string(type), data.finish(), kJsonContentType, std::move(tags), {}});
  return {};
}

void put_mentions(Answer& data, const std::vector<std::string>& mentions) {
  if (mentions.empty()) return;
  data.begin_list("mentions");
  for (const std::string& user : mentions) data.element(user);
  data.end_list();
}

std::string unchanged(std::string_view message) {
  Answer answer;
  return answer.text("message", message).flag("repeated", true).finish();
}

// --- send

struct Sending {
  Scene scene;
  std::optional<std::string> message;
  std::string text;
  std::optional<std::string> thread;
  std::optional<std::string> reply_to;
  std::vector<std::string> mentions;
  std::optional<std::string> transaction;
};

/// The message that this transaction sent before, if it did.
Result<std::optional<std::string>> sent_before(const StateView& state, const Sending& sending) {
  if (!sending.transaction) return std::optional<std::string>();
  TransactionRow earlier;
  const Key key = Key().number(sending.scene.row.number).text(*sending.transaction);
  BAHI_ASSIGN(const bool found, get_row(state, kTransactions, key, earlier));
  return found ? std::optional(earlier.message) : std::nullopt;
}

Status check_sending(const StateView& state, const Sending& sending, const std::string& message) {
  const std::uint64_t number = sending.scene.row.number;
  BAHI_ASSIGN(const auto same, look_for_place(state, number, message));
  if (same) return refused(fmt::format("there is a message '{}' already; identifiers are not used twice", message));
  for (const auto& named : {sending.thread, sending.reply_to}) {
    if (!named) continue;
    BAHI_ASSIGN(const PlaceRow place, find_visible_place(state, number, *named, sending.scene.user));
    if (named != sending.thread || place.timeline == kMain) continue;
    return refused(fmt::format("'{}' is a reply in the thread of '{}'; threads do not nest", *named, place.thread));
  }
  return {};
}

Result<Decision> send(const CommandContext& context, Arguments& arguments) {
  Sending sending;
  sending.scene.conversation = arguments.text("conversation");
  sending.scene.user = arguments.text("sender");
  sending.message = arguments.optional_text("message");
  sending.text = arguments.text("text");
  sending.thread = arguments.optional_text("thread");
  sending.reply_to = arguments.optional_text("reply_to");
  sending.mentions = arguments.texts("mentions", kMentionsInMessageMax);
  sending.transaction = arguments.optional_text("transaction");
  BAHI_TRY(arguments.check());
  const StateView& state = context.query.state;
  Scene& scene = sending.scene;
  BAHI_TRY(enter(state, scene));
  Decision decision;
  BAHI_ASSIGN(const auto earlier, sent_before(state, sending));
  if (earlier) {
    decision.answer = unchanged(*earlier);
    return decision;
  }
  const std::string message = sending.message ? *sending.message : format_uuid(random_uuid());
  BAHI_TRY(check_sending(state, sending, message));
  Answer data;
  data.text("conversation", scene.conversation)
      .text("message", message)
      .text("sender", scene.user)
      .text("text", sending.text)
      .text_if("thread", sending.thread.value_or(""))
      .text_if("reply_to", sending.reply_to.value_or(""))
      .text_if("transaction", sending.transaction.value_or(""));
  put_mentions(data, sending.mentions);
  std::vector<std::string> tags{tag("message", message)};
  decision.boundary.items = {membership(scene), of_message(scene, message, {"chat.MessageSent"})};
  if (sending.transaction) {
    tags.push_back(tag("transaction", *sending.transaction));
    decision.boundary.items.push_back({{"chat.MessageSent"}, {tag("conversation", scene.conversation), tags.back()}});
  }
  BAHI_TRY(add_event(decision, scene, "chat.MessageSent", data, std::move(tags)));
  Answer answer;
  decision.answer = answer.text("message", message).flag("repeated", false).finish();
  return decision;
}

// --- edit and redact

Result<Decision> edit(const CommandContext& context, Arguments& arguments) {
  Scene scene;
  scene.conversation = arguments.text("conversation");
  scene.user = arguments.text("sender");
  const std::string message = arguments.text("message");
  const std::string text = arguments.text("text");
  const auto mentions = arguments.texts("mentions", kMentionsInMessageMax);
  BAHI_TRY(arguments.check());
  BAHI_TRY(enter(context.query.state, scene));
  BAHI_ASSIGN(const PlaceRow place, live_message(context.query.state, scene, message));
  if (place.sender != scene.user) {
    return refused(fmt::format("message '{}' is from '{}'; only its sender edits it", message, place.sender));
  }
  Answer data;
  data.text("conversation", scene.conversation).text("message", message).text("sender", scene.user).text("text", text);
  put_mentions(data, mentions);
  Decision decision;
  decision.boundary.items = {membership(scene), of_message(scene, message, {"chat.MessageRedacted"})};
  BAHI_TRY(add_event(decision, scene, "chat.MessageEdited", data, {tag("message", message)}));
  return decision;
}

Result<Decision> redact(const CommandContext& context, Arguments& arguments) {
  Scene scene;
  scene.conversation = arguments.text("conversation");
  scene.user = arguments.text("by");
  const std::string message = arguments.text("message");
  BAHI_TRY(arguments.check());
  BAHI_TRY(enter(context.query.state, scene));
  // Who keeps order removes what was said before they came, too.
  const bool keeps_order = static_cast<chat::fb::MemberRole>(scene.member.role) != chat::fb::MemberRole::member;
  const auto seen_by = keeps_order ? std::nullopt : std::optional(scene.user);
  BAHI_ASSIGN(const PlaceRow place, find_visible_place(context.query.state, scene.row.number, message, seen_by));
  if (place.sender != scene.user && !keeps_order) {
    return refused(fmt::format("message '{}' is from '{}'; only its sender, a moderator or an owner redacts it",
                               message, place.sender));
  }
  Decision decision;
  if (place.redacted) {
    decision.answer = unchanged(message);
    return decision;
  }
  Answer data;
  data.text("conversation", scene.conversation).text("message", message).text("by", scene.user);
  decision.boundary.items = {membership(scene), of_message(scene, message, {"chat.MessageRedacted"})};
  BAHI_TRY(add_event(decision, scene, "chat.MessageRedacted", data, {tag("message", message)}));
  return decision;
}

// --- reactions

/// Whether nobody reacted to the message in this way yet. Error: there are too many ways already.
Result<bool> is_new_reaction(const StateView& state, const Scene& scene, const PlaceRow& place,
                             const std::string& reaction) {
  StateRow changes;
  BAHI_TRY(
      get_row(state, kStates, Key().number(scene.row.number).number(place.timeline).number(place.offset), changes));
  const bool known = std::any_of(changes.reactions.begin(), changes.reactions.end(),
                                 [&](const ReactionCount& each) { return each.reaction == reaction; });
  if (known || changes.reactions.size() < kReactionsMax) return !known;
  return refused(fmt::format("the message has {} different reactions already, which is the most", kReactionsMax));
}

Result<Decision> change_reaction(const CommandContext& context, Arguments& arguments, bool add) {
  Scene scene;
  scene.conversation = arguments.text("conversation");
  scene.user = arguments.text("user");
  const std::string message = arguments.text("message");
  const std::string reaction = arguments.text("reaction");
  BAHI_TRY(arguments.check());
  const StateView& state = context.query.state;
  BAHI_TRY(enter(state, scene));
  BAHI_ASSIGN(const PlaceRow place, live_message(state, scene, message));
  ReactionRow row;
  const Key key = Key().number(scene.row.number).number(place.offset).text(reaction).text(scene.user);
  BAHI_ASSIGN(const bool there, get_row(state, kReactions, key, row));
  Decision decision;
  if (there == add) {
    decision.answer = unchanged(message);
    return decision;
  }
  bool is_new = false;
  if (add) {
    BAHI_ASSIGN(is_new, is_new_reaction(state, scene, place, reaction));
  }
  Answer data;
  data.text("conversation", scene.conversation)
      .text("message", message)
      .text("user", scene.user)
      .text("reaction", reaction);
  QueryItem own = of_message(scene, message, {"chat.ReactionAdded", "chat.ReactionRemoved"});
  // One more of a kind concerns nobody else; a new kind counts against the most there may be.
  if (!is_new) own.tags.push_back(tag("user", scene.user));
  decision.boundary.items = {membership(scene), of_message(scene, message, {"chat.MessageRedacted"}), std::move(own)};
  BAHI_TRY(
      add_event(decision, scene, add ? "chat.ReactionAdded" : "chat.ReactionRemoved", data, {tag("message", message)}));
  return decision;
}

Result<Decision> react(const CommandContext& context, Arguments& arguments) {
  return change_reaction(context, arguments, true);
}
Result<Decision> unreact(const CommandContext& context, Arguments& arguments) {
  return change_reaction(context, arguments, false);
}

}  // namespace

std::vector<CommandEntry> commands() {
  return {{"send", send}, {"edit", edit}, {"redact", redact}, {"react", react}, {"unreact", unreact}};
}

}  // namespace bahi::projections::timelines
