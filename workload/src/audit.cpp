#include "audit.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "bahi/workload/words.hpp"
#include "text.hpp"

namespace bahi::workload {
namespace {

constexpr std::uint64_t kEventsPerDay = 20'000;
constexpr std::uint64_t kEventsPerCase = 3;
constexpr std::size_t kSettings = 400;

constexpr auto kRoles =
    std::to_array<std::string_view>({"viewer", "cashier", "pharmacist", "manager", "auditor", "administrator"});
constexpr auto kReasons = std::to_array<std::string_view>(
    {"request of the branch", "new employee", "employee has left", "transfer to another branch", "quarterly review",
     "complaint of a customer", "suspected fraud", "festival season", "notice of the tax office", "password was lost"});
constexpr auto kReports = std::to_array<std::string_view>(
    {"sales by branch", "stock below minimum", "refunds of the month", "GST return", "members by city"});
constexpr auto kAreas = std::to_array<std::string_view>({"billing", "delivery", "login", "printing", "tax", "webhook"});

}  // namespace

Audit::Audit(const HistoryOptions& options)
    : ActedHistory(options.seed),
      pace_(options.from,
            std::max<std::uint64_t>(
                1, (options.events_per_day == 0 ? kEventsPerDay : options.events_per_day) / kEventsPerCase)),
      administrators_(options.administrators),
      accounts_(options.accounts),
      settings_(kSettings) {}

void Audit::act() {
  begin_case();
  if (random().chance(1, 4)) log_in();
  const std::uint64_t what = random().below(100);
  if (what < 8) return change_setting();
  if (what < 18) return export_report();
  for (std::uint64_t acts = 1 + random().below(5); acts > 0; --acts) {
    const std::uint64_t next = random().below(100);
    if (next < 35) {
      look();
    } else if (next < 55) {
      grant_role();
    } else if (next < 75) {
      set_limit();
    } else if (next < 92) {
      lock_or_unlock();
    } else {
      be_denied();
    }
    case_.at = case_.at + random().between(1, 20) * kSecond;
  }
}

void Audit::begin_case() {
  case_.at = pace_.next(random());
  case_.administrator = static_cast<std::uint32_t>(random().skewed_below(administrators_));
  case_.account = static_cast<std::uint32_t>(random().below(accounts_.size()));
  case_.correlation = fmt::format("case-{:08}", ++case_count_);
  case_.reason = pick(kReasons, random());
  case_.last = {};
}

const std::string& Audit::administrator() {
  write_handle(case_.administrator + 1, name_);
  return name_;
}

const std::string& Audit::account() {
  name_ = fmt::format("acc-{:06}", case_.account + 1);
  return name_;
}

Draft& Audit::of_case(std::string_view type) {
  Draft& draft = add(type, case_.at);
  draft.actor(administrator()).correlation(case_.correlation);
  if (!case_.last.is_nil()) draft.causation(case_.last);
  case_.last = draft.id();
  return draft;
}

Draft& Audit::recorded(std::string_view action, std::string_view outcome) {
  Draft& draft = of_case("audit.Recorded");
  draft.stream("account", account()).tag("account", name_).reason(case_.reason);
  draft.data().text("action", action).text("target_type", "account").text("target_id", name_);
  draft.data().text("outcome", outcome);
  return draft;
}

void Audit::change(Draft& draft, std::string_view field, std::string_view before, std::string_view now) {
  draft.data().begin_list("changes").begin_object().text("field", field);
  draft.data().text_if("old", before).text_if("new", now).end_object().end_list();
}

void Audit::describe(Draft& draft) {
  write_message(random(), text_);
  draft.data().text("details", text_);
}

void Audit::log_in() {
  Draft& draft = of_case("user.LoggedIn");
  draft.stream("user", administrator());
  draft.data().text("from", fmt::format("10.{}.{}.{}", random().below(4), random().below(256), random().below(256)));
  draft.data().flag("second_factor", random().chance(9, 10));
}

void Audit::export_report() {
  const std::string_view report = pick(kReports, random());
  Draft& draft = of_case("report.Exported");
  draft.stream("report", fmt::format("{}", 1 + random().below(12))).target("report", report).reason(case_.reason);
  write_message(random(), text_);
  draft.data().text("report", report).number("rows", static_cast<std::int64_t>(random().below(100'000)));
  draft.data().text("note", text_);
}

void Audit::change_setting() {
  const std::uint64_t number = random().below(settings_.size());
  const std::string name = fmt::format("{}.{:03}", kAreas[number % kAreas.size()], number);
  const std::uint32_t before = settings_[number];
  settings_[number] = 1 + static_cast<std::uint32_t>(random().below(1'000));
  Draft& draft = of_case("audit.Recorded");
  draft.stream("setting", name).tag("setting", name).reason(case_.reason);
  draft.data().text("action", "setting.changed").text("target_type", "setting").text("target_id", name);
  draft.data().text("outcome", "done");
  change(draft, "value", before == 0 ? "" : std::to_string(before), std::to_string(settings_[number]));
  describe(draft);
}

void Audit::look() {
  Draft& draft = recorded("account.viewed", "done");
  if (random().chance(1, 10)) draft.on_behalf_of("support.desk");
}

void Audit::grant_role() {
  Account& account = accounts_[case_.account];
  const std::uint8_t before = account.role;
  account.role = static_cast<std::uint8_t>(random().below(kRoles.size()));
  Draft& draft = recorded("account.role.granted", "done");
  change(draft, "role", kRoles[before], kRoles[account.role]);
  describe(draft);
}

void Audit::set_limit() {
  Account& account = accounts_[case_.account];
  const std::uint8_t before = account.limit;
  account.limit = static_cast<std::uint8_t>(random().below(50));
  const auto text = [](std::uint8_t limit) { return limit == 0 ? "" : fmt::format("{}", limit * 1'000'000); };
  Draft& draft = recorded(account.limit == 0 ? "account.limit.reset" : "account.limit.set", "done");
  change(draft, "limit_paise", text(before), text(account.limit));
  describe(draft);
}

void Audit::lock_or_unlock() {
  Account& account = accounts_[case_.account];
  account.locked = !account.locked;
  Draft& draft = recorded(account.locked ? "account.locked" : "account.unlocked", "done");
  change(draft, "locked", account.locked ? "false" : "true", account.locked ? "true" : "false");
}

void Audit::be_denied() {
  Draft& draft = recorded("account.balance.adjusted", "denied");
  describe(draft);
}

}  // namespace bahi::workload
