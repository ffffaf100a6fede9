// What does not fit together: captures without an order, amounts that contradict each other.

#include <algorithm>

#include <fmt/format.h>

#include "page_scan.hpp"
#include "payments/queries.hpp"

namespace bahi::projections::payments {
namespace {

/// Shown with the order that was never placed.
constexpr std::size_t kPaymentsShownMax = 10;

/// The payments of an order, of those that captured something, from `first` on.
class CapturedOfOrder {
 public:
  CapturedOfOrder(const StateView& state, std::string_view order, std::string_view first)
      : state_(&state), prefix_(Key().text(order)), scan_(state.scan(kOrderPayments, prefix_)) {
    first.empty() ? scan_.seek_first() : scan_.seek(Key().text(order).text(first));
  }
  /// False: there is no more. Skips `except`.
  Result<bool> next(std::string_view except, std::string& payment, PaymentRow& row) {
    for (; scan_.valid(); scan_.next()) {
      payment = KeyReader(scan_.key().substr(prefix_.bytes().size())).text();
      if (payment == except) continue;
      BAHI_ASSIGN(row, known_payment(*state_, payment));
      if (row.sums.captured == 0) continue;
      scan_.next();
      return true;
    }
    BAHI_TRY(scan_.status());
    return false;
  }

 private:
  const StateView* state_;
  Key prefix_;
  RowScan scan_;
};

Status write_orphan_order(const StateView& state, std::string_view order, Answer& answer) {
  OrderRow row;
  BAHI_TRY(get_row(state, kOrders, Key().text(order), row));
  answer.text("order", order).number("found_paise", row.intake.captured).begin_list("payments");
  CapturedOfOrder payments(state, order, {});
  std::string payment;
  PaymentRow each;
  for (std::size_t shown = 0; shown < kPaymentsShownMax; ++shown) {
    BAHI_ASSIGN(const bool found, payments.next({}, payment, each));
    if (!found) break;
    answer.element(payment);
  }
  answer.end_list();
  return {};
}

Status write_overpaid(const StateView& state, std::string_view order, Answer& answer) {
  OrderRow row;
  BAHI_TRY(get_row(state, kOrders, Key().text(order), row));
  answer.text("order", order).number("expected_paise", row.amount.paise);
  answer.number("found_paise", standing_of(row).net);
  return {};
}

/// A finding about a payment as a whole.
Status write_payment_finding(const StateView& state, Finding kind, std::string_view payment, Answer& answer) {
  BAHI_ASSIGN(const PaymentRow row, known_payment(state, payment));
  answer.text("payment", payment).text_if("order", row.order);
  if (kind == Finding::kOrdersDiffer) return {};
  if (kind == Finding::kAboveAuthorised) answer.number("expected_paise", row.amount.paise);
  if (kind != Finding::kAboveCaptured) {
    answer.number("found_paise", row.sums.captured);
    return {};
  }
  BAHI_ASSIGN(const PaymentStanding standing, standing_of(row));
  std::int64_t out = row.sums.captured;
  BAHI_TRY(add_to(out, standing.excess));
  answer.number("expected_paise", row.sums.captured).number("found_paise", out);
  return {};
}

Status write_finding(const StateView& state, std::string_view key, Answer& answer) {
  KeyReader reader(key);
  const auto kind = static_cast<Finding>(reader.number());
  const std::string subject = reader.text();
  const std::string reference = reader.text();
  answer.begin_element().text("kind", kFindingNames.at(static_cast<std::size_t>(kind)));
  switch (kind) {
    case Finding::kOrphanOrder: BAHI_TRY(write_orphan_order(state, subject, answer)); break;
    case Finding::kOrderOverpaid: BAHI_TRY(write_overpaid(state, subject, answer)); break;
    case Finding::kAmountsDiffer:
      if (subject.empty()) answer.text("payout", reference);
      if (!subject.empty()) answer.text(reference.empty() ? "order" : "payment", subject);
      if (!subject.empty()) answer.text_if("reference", reference);
      break;
    case Finding::kSeveralPayouts: answer.text("payment", subject).text("capture", reference); break;
    case Finding::kPayoutOfNothing: answer.text("payout", subject); break;
    case Finding::kUntagged: answer.text("payment", subject).text("offset", reference); break;
    default: BAHI_TRY(write_payment_finding(state, kind, subject, answer));
  }
  answer.end_object();
  return {};
}

/// The numbers of a kind's name: they follow each other.
Result<std::pair<std::uint64_t, std::uint64_t>> kinds_named(std::string_view name) {
  if (name.empty()) return std::pair<std::uint64_t, std::uint64_t>{0, kFindingNames.size()};
  const auto first = std::find(kFindingNames.begin(), kFindingNames.end(), name);
  if (first == kFindingNames.end()) {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("argument 'kind' must be one of {}, is '{}'",
                             fmt::join(kFindingNames.begin() + 1, kFindingNames.end(), ", "), name)};
  }
  const auto last = std::find_if(first, kFindingNames.end(), [name](std::string_view each) { return each != name; });
  return std::pair{static_cast<std::uint64_t>(first - kFindingNames.begin()),
                   static_cast<std::uint64_t>(last - kFindingNames.begin())};
}

}  // namespace

Status list_findings(const QueryContext& context, Arguments& arguments, Answer& answer) {
  const std::string name = arguments.optional_text("kind").value_or("");
  const PageRequest request = PageRequest::take(arguments);
  BAHI_TRY(arguments.check());
  BAHI_ASSIGN(const auto kinds, kinds_named(name));
  const PageCursor cursor(context.tenant, {"payments.reconciliation", name});
  BAHI_ASSIGN(PageScan page,
              PageScan::begin(context.state, kFindings, {}, false, request, cursor, Key().number(kinds.first)));
  answer.begin_list("findings");
  for (; page.more(); page.next()) {
    if (KeyReader(page.key()).number() >= kinds.second) {
      page.end();
      break;
    }
    BAHI_TRY(write_finding(context.state, page.key(), answer));
  }
  answer.end_list();
  return page.finish(answer);
}

Status list_orphans(const QueryContext& context, Arguments& arguments, Answer& answer) {
  const PageRequest request = PageRequest::take(arguments);
  BAHI_TRY(arguments.check());
  const StateView& state = context.state;
  const PageCursor cursor(context.tenant, {"payments.payments", "reconciliation_needed"});
  // The cursor is the finding's key and, of an order, the payment.
  std::string finding;
  std::string after;
  if (request.cursor) {
    BAHI_ASSIGN(const std::string last, cursor.decode(*request.cursor));
    KeyReader reader(last);
    finding = reader.text();
    after = reader.text();
  }
  std::int64_t left = request.limit;
  std::string last_finding;
  std::string last_payment;
  const auto write = [&](const std::string& payment, const PaymentRow& row) -> Status {
    answer.begin_element();
    BAHI_TRY(write_payment(state, payment, row, answer));
    answer.end_object();
    last_payment = payment;
    --left;
    return {};
  };
  const std::uint64_t end = static_cast<std::uint64_t>(Finding::kOrphanOrder) + 1;
  RowScan scan = state.scan(kFindings);
  finding.empty() ? scan.seek_first() : scan.seek(finding);
  bool more = false;
  answer.begin_list("payments");
  for (; scan.valid() && KeyReader(scan.key()).number() < end && !more; scan.next()) {
    KeyReader reader(scan.key());
    const bool of_order = static_cast<Finding>(reader.number()) == Finding::kOrphanOrder;
    const std::string subject = reader.text();
    const std::string begin = scan.key() == finding ? after : std::string();
    if (!of_order && subject == begin) continue;
    if (left == 0) {
      more = true;
    } else if (!of_order) {
      BAHI_ASSIGN(const PaymentRow row, known_payment(state, subject));
      BAHI_TRY(write(subject, row));
      last_finding = scan.key();
    } else {
      CapturedOfOrder payments(state, subject, begin);
      std::string payment;
      PaymentRow row;
      for (;;) {
        BAHI_ASSIGN(const bool found, payments.next(begin, payment, row));
        if (!found) break;
        if (left == 0) {
          more = true;
          break;
        }
        BAHI_TRY(write(payment, row));
        last_finding = scan.key();
      }
    }
  }
  BAHI_TRY(scan.status());
  answer.end_list();
  if (more) answer.text("next", cursor.encode(Key().text(last_finding).text(last_payment)));
  return {};
}

}  // namespace bahi::projections::payments
