#include "audit_reference.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "bahi/base/text.hpp"

namespace bahi::projections::test_audit {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kDay = 86'400 * kSecond;
constexpr std::int64_t kStart = 1'700'000'000 * kSecond;

std::string quoted(const std::optional<std::string>& value) {
  return value ? "'" + *value + "'" : "null";
}

}  // namespace

std::string Question::arguments() const {
  std::string text = fmt::format(R"("order":"{}")", newest ? "newest" : "oldest");
  const auto add = [&](const char* name, const std::string& value) {
    if (!value.empty()) text += fmt::format(R"(,"{}":"{}")", name, value);
  };
  const auto add_time = [&](const char* name, const std::optional<Timestamp>& time) {
    if (time) add(name, format_timestamp(*time));
  };
  add("actor", actor);
  add("action", action);
  add("action_prefix", action_prefix);
  add("target_type", target_type);
  add("target_id", target_id);
  add("correlation", correlation);
  add("outcome", outcome);
  std::string wanted;
  for (const std::string& each : words) wanted += each + " ";
  if (!word_prefix.empty()) wanted += word_prefix + "*";
  add("text", wanted);
  add_time("from", from);
  add_time("to", to);
  add_time("occurred_from", occurred_from);
  add_time("occurred_to", occurred_to);
  if (at_offset) text += fmt::format(R"(,"at_offset":{})", *at_offset);
  return text;
}

// --- histories

std::string Generator::word() {
  static const std::array<std::string, 12> kCommon{"rice", "broken", "glass",  "phone", "चावल", "ग्राहक",
                                                   "ચોખા", "order",  "refund", "late",  "the",  "3,000.50"};
  if (below(3) != 0) return kCommon[below(kCommon.size())];
  return fmt::format("w{}", below(3'000));
}

std::string Generator::text(std::set<std::string>& words, std::size_t count_max) {
  static const std::array<std::string, 5> kBetween{" ", ", ", " - ", "! ", " (₹) "};
  std::string text;
  for (std::size_t count = below(count_max + 1); count > 0; --count) {
    std::string each = word();
    words.insert(each);
    if (below(4) == 0 && each[0] >= 'a' && each[0] <= 'z') each[0] = static_cast<char>(each[0] - 'a' + 'A');
    text += each + kBetween[below(kBetween.size())];
  }
  return text;
}

void Generator::make_message(Fact& fact) {
  const std::string conversation = fmt::format("c{}", below(3));
  const std::string message = fmt::format("m{}", below(1'500));
  const std::string user = fmt::format("u{}", below(6));
  const std::uint64_t kind = below(10);
  fact.act.stream = "conversation-" + conversation;
  fact.target = fmt::format("message/{}/{}", conversation, message);
  if (fact.actor.empty()) fact.actor = user;
  fact.state_field = "text";
  fact.content_is_message = true;
  if (kind == 0) {
    fact.act.type = "chat.MessageRedacted";
    fact.action = "message.redacted";
    fact.act.data = fmt::format(R"({{"conversation":"{}","message":"{}","by":"{}"}})", conversation, message, user);
    fact.redacts = true;
    return;
  }
  fact.act.type = kind < 4 ? "chat.MessageEdited" : "chat.MessageSent";
  fact.action = kind < 4 ? "message.edited" : "message.sent";
  fact.state = text(fact.content_words, 8);
  fact.act.data = fmt::format(R"({{"conversation":"{}","message":"{}","sender":"{}","text":"{}"}})", conversation,
                              message, user, *fact.state);
}

void Generator::make_order(Fact& fact) {
  const std::uint64_t order = below(400);
  fact.act.stream = fmt::format("order-{}", order);
  fact.target = fmt::format("order/{}", order);
  fact.act.type = fact.action = fmt::format("order.{}", below(2) == 0 ? "Placed" : fmt::format("Step{}", below(20)));
  fact.act.data = fmt::format(R"({{"name":"{}","count":{},"inner":[{{"deep":"{}"}},true,null]}})",
                              text(fact.content_words, 4), below(100), text(fact.content_words, 3));
}

void Generator::make_recall(Fact& fact) {
  const bool lifted = below(2) == 0;
  const std::string item = fmt::format("i{}", below(20));
  fact.act.stream = "item-" + item;
  fact.act.type = lifted ? "stock.RecallLifted" : "stock.Recalled";
  fact.act.data = fmt::format(R"({{"item":"{}","batch":"b"}})", item);
  fact.action = lifted ? "batch.recall-lifted" : "batch.recalled";
  fact.target = fmt::format("batch/{}/b", item);
  fact.state_field = "recalled";
  fact.state = lifted ? "false" : "true";
}

void Generator::make_record(Fact& fact) {
  static const std::array<std::string, 3> kOutcomes{"done", "denied", "failed"};
  const std::string user = fmt::format("u{}", below(6));
  fact.act.stream = "user-" + user;
  fact.act.type = "audit.Recorded";
  fact.action = fmt::format("permission.{}", below(2) == 0 ? "granted" : "taken");
  fact.target = "user/" + user;
  fact.outcome = kOutcomes[below(kOutcomes.size())];
  fact.act.data =
      fmt::format(R"({{"action":"{}","target_type":"user","target_id":"{}","outcome":"{}","details":"{}"}})",
                  fact.action, user, fact.outcome, text(fact.content_words, 5));
}

Fact Generator::next() {
  Fact fact;
  if (below(4) != 0) fact.act.actor = fact.actor = fmt::format("u{}", below(6));
  if (below(2) == 0) fact.act.correlation = fmt::format("story-{}", below(2'000));
  if (below(5) == 0) fact.act.reason = fact.reason = text(fact.reason_words, 3);
  if (below(3) == 0) {
    fact.act.occurred_at = {kStart - static_cast<std::int64_t>(below(120)) * kDay +
                            static_cast<std::int64_t>(below(86'400)) * kSecond};
  }
  const std::uint64_t kind = below(10);
  if (kind < 5) {
    make_message(fact);
  } else if (kind < 8) {
    make_order(fact);
  } else if (kind == 8) {
    make_recall(fact);
  } else {
    make_record(fact);
  }
  return fact;
}

Question Generator::question(std::int64_t recorded_from, std::int64_t recorded_to) {
  Question question;
  question.newest = below(2) == 0;
  const auto maybe = [this] { return below(4) == 0; };
  if (maybe()) question.actor = fmt::format("u{}", below(7));
  if (maybe()) question.action = below(2) == 0 ? "message.sent" : "permission.granted";
  if (maybe()) question.action_prefix = below(2) == 0 ? "order." : "message.";
  if (maybe()) {
    question.target_type = below(2) == 0 ? "order" : "message";
    const std::string message = fmt::format("c{}/m{}", below(3), below(1'500));
    if (maybe()) question.target_id = question.target_type == "order" ? fmt::format("{}", below(400)) : message;
  }
  if (below(8) == 0) question.correlation = fmt::format("story-{}", below(2'000));
  if (below(8) == 0) question.outcome = "denied";
  for (std::uint64_t count = below(3); count > 0; --count) question.words.push_back(word());
  if (below(6) == 0) question.word_prefix = below(2) == 0 ? fmt::format("w{}", 100 + below(200)) : "ग्रा";
  const auto recorded = [&] {
    return Timestamp{recorded_from +
                     static_cast<std::int64_t>(below(static_cast<std::uint64_t>(recorded_to - recorded_from) + 1))};
  };
  if (maybe()) question.from = recorded();
  if (maybe())
    question.to =
        Timestamp{question.from.value_or(Timestamp{recorded_from}).nanos + 1 +
                  static_cast<std::int64_t>(below(static_cast<std::uint64_t>(recorded_to - recorded_from) + 1))};
  if (maybe()) {
    question.occurred_from = {kStart - static_cast<std::int64_t>(below(130)) * kDay +
                              static_cast<std::int64_t>(below(86'400)) * kSecond};
    question.occurred_to = {question.occurred_from->nanos + 1 + static_cast<std::int64_t>(below(80)) * kDay / 2 +
                            static_cast<std::int64_t>(below(7'200)) * kSecond};
  }
  return question;
}

// --- the trail

void Reference::apply(const Fact& fact, Timestamp recorded_at) {
  Entry entry{fact, next_++, 0, 0, std::nullopt, std::nullopt};
  latest_ = std::max(latest_, recorded_at.nanos);
  entry.recorded_at = latest_;
  entry.effective_at = fact.act.occurred_at.nanos != 0 ? fact.act.occurred_at.nanos : recorded_at.nanos;
  const bool known = !fact.act.type.starts_with("order.");
  const bool says_something = !fact.act.actor.empty() || !fact.act.correlation.empty() || !fact.act.reason.empty();
  if (!known && !says_something) return;
  if (!fact.state_field.empty()) {
    auto& state = states_[fact.target + " " + fact.state_field];
    entry.old_state = state;
    state = fact.state;
  }
  if (fact.redacts && redacted_.emplace(fact.target, entry.offset).second) {
    for (const std::size_t each : by_target_[fact.target]) entries_[each].hidden_by = entry.offset;
  }
  if (fact.content_is_message && !fact.redacts) {
    const auto redaction = redacted_.find(fact.target);
    if (redaction != redacted_.end()) entry.hidden_by = redaction->second;
    by_target_[fact.target].push_back(entries_.size());
  }
  entries_.push_back(std::move(entry));
}

bool Reference::matches(const Entry& entry, const Question& question) {
  const Fact& fact = entry.fact;
  const auto is = [](const std::string& wanted, const std::string& value) { return wanted.empty() || wanted == value; };
  if (!is(question.actor, fact.actor) || !is(question.action, fact.action) || !is(question.outcome, fact.outcome) ||
      !is(question.correlation, fact.act.correlation) || !fact.action.starts_with(question.action_prefix)) {
    return false;
  }
  if (!question.target_type.empty() && !fact.target.starts_with(question.target_type + "/")) return false;
  if (!question.target_id.empty() && fact.target != question.target_type + "/" + question.target_id) return false;
  if (question.from && entry.recorded_at < question.from->nanos) return false;
  if (question.to && entry.recorded_at >= question.to->nanos) return false;
  if (question.occurred_from && entry.effective_at < question.occurred_from->nanos) return false;
  if (question.occurred_to && entry.effective_at >= question.occurred_to->nanos) return false;
  if (question.at_offset && entry.offset >= *question.at_offset) return false;
  std::set<std::string> words = fact.reason_words;
  if (!entry.hidden_by) words.insert(fact.content_words.begin(), fact.content_words.end());
  for (const std::string& word : question.words) {
    if (!words.contains(word)) return false;
  }
  const auto begins = [&](const std::string& word) { return word.starts_with(question.word_prefix); };
  return question.word_prefix.empty() || std::any_of(words.begin(), words.end(), begins);
}

std::string Reference::line(const Entry& entry) {
  const Fact& fact = entry.fact;
  std::string line = fmt::format("{} {} {} {} [{}] ({}) #{}", entry.offset, fact.actor, fact.action, fact.target,
                                 fact.outcome, fact.reason, fact.act.correlation);
  if (entry.hidden_by) line += fmt::format(" redacted by {}", *entry.hidden_by);
  if (fact.state_field.empty()) return line;
  if (entry.hidden_by || fact.redacts) return line + fmt::format(" {}:redacted", fact.state_field);
  if (!fact.content_is_message && entry.old_state == fact.state) return line;
  return line + fmt::format(" {}:{}->{}", fact.state_field, quoted(entry.old_state), quoted(fact.state));
}

std::vector<std::string> Reference::answer(const Question& question) const {
  std::vector<std::string> lines;
  for (const Entry& entry : entries_) {
    if (matches(entry, question)) lines.push_back(line(entry));
  }
  if (question.newest) std::reverse(lines.begin(), lines.end());
  return lines;
}

}  // namespace bahi::projections::test_audit
