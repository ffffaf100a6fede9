// A payment, an order or a payout by its name, with its full history.

#include <algorithm>

#include <fmt/format.h>

#include "page_scan.hpp"
#include "payments/queries.hpp"

namespace bahi::projections::payments {
namespace {

/// Of an order, shown with it; all of them have histories.
constexpr std::int64_t kPaymentsShownMax = 1000;

Error not_found(std::string_view what, std::string_view name) {
  return {ErrorCode::kNotFound, fmt::format("there is no {} '{}'", what, name)};
}

}  // namespace

Result<PaymentRow> known_payment(const StateView& state, std::string_view payment) {
  PaymentRow row;
  BAHI_ASSIGN(const bool found, get_row(state, kPayments, Key().text(payment), row));
  if (found) return row;
  // Perhaps it was only spoken of, by a hold or a refund that failed.
  for (const std::uint8_t table : {kPaymentHistory, kPaymentPayouts}) {
    RowScan scan = state.scan(table, Key().text(payment));
    scan.seek_first();
    if (scan.valid()) return row;
    BAHI_TRY(scan.status());
  }
  return not_found("payment", payment);
}

Result<bool> is_orphan(const StateView& state, const PaymentRow& row) {
  if (row.sums.captured == 0) return false;
  if (row.order.empty()) return true;
  OrderRow order;
  BAHI_ASSIGN(const bool found, get_row(state, kOrders, Key().text(row.order), order));
  return !found || !order.placed;
}

Status write_payment(const StateView& state, std::string_view payment, const PaymentRow& row, Answer& answer) {
  BAHI_ASSIGN(const PaymentStanding standing, standing_of(row));
  BAHI_ASSIGN(const std::int64_t left, left_of(row.sums));
  BAHI_ASSIGN(const bool orphan, is_orphan(state, row));
  answer.text("payment", payment)
      .text("state", to_string(standing.state))
      .flag("reconciliation_needed", orphan)
      .text_if("order", row.order)
      .number("amount_paise", row.amount.paise)
      .number("captured_paise", standing.intake.captured)
      .number("refunded_paise", standing.intake.refunded)
      .number("refunding_paise", row.sums.refunding)
      .number("disputed_paise", row.sums.disputed)
      .number("lost_paise", standing.intake.lost)
      .number("paying_paise", row.sums.paying)
      .number("paid_out_paise", standing.paid_out)
      .number("fee_paise", standing.fees)
      .number("left_paise", std::max<std::int64_t>(left, 0));
  if (standing.excess > 0) answer.number("excess_paise", standing.excess);
  answer.text_if("reason", row.reason);
  return {};
}

Status write_order(std::string_view order, const OrderRow& row, Answer& answer) {
  const OrderStanding standing = standing_of(row);
  answer.text("order", order)
      .text("state", standing.state ? to_string(*standing.state) : "unknown")
      .text_if("customer", row.customer)
      .number("amount_paise", row.amount.paise)
      .number("captured_paise", row.intake.captured)
      .number("refunded_paise", row.intake.refunded)
      .number("lost_paise", row.intake.lost)
      .number("net_paise", standing.net);
  return {};
}

Status find_payment(const QueryContext& context, Arguments& arguments, Answer& answer) {
  const std::string payment = arguments.text("payment");
  const PageRequest request = PageRequest::take(arguments);
  BAHI_TRY(arguments.check());
  BAHI_ASSIGN(const PaymentRow row, known_payment(context.state, payment));
  BAHI_TRY(write_payment(context.state, payment, row, answer));
  BAHI_ASSIGN(const bool orphan, is_orphan(context.state, row));
  BAHI_TRY(write_parts(context.state, payment, orphan, answer));
  std::vector<HistorySource> sources;
  BAHI_TRY(add_sources(context.state, payment, sources));
  const PageCursor cursor(context.tenant, {"payments.payment", payment});
  return write_history(context.state, sources, request.limit, request.cursor, cursor, answer);
}

Status find_order(const QueryContext& context, Arguments& arguments, Answer& answer) {
  const std::string order = arguments.text("order");
  const PageRequest request = PageRequest::take(arguments);
  BAHI_TRY(arguments.check());
  OrderRow row;
  BAHI_TRY(get_row(context.state, kOrders, Key().text(order), row));
  const Key prefix = Key().text(order);
  RowScan scan = context.state.scan(kOrderPayments, prefix);
  scan.seek_first();
  if (!row.placed && !scan.valid()) {
    BAHI_TRY(scan.status());
    return not_found("order", order);
  }
  BAHI_TRY(write_order(order, row, answer));
  std::vector<HistorySource> sources{{kOrderHistory, order}};
  std::int64_t left = 0;
  std::int64_t shown = 0;
  answer.begin_list("payments");
  for (; scan.valid() && shown < kPaymentsShownMax; scan.next(), ++shown) {
    const std::string payment = KeyReader(scan.key().substr(prefix.bytes().size())).text();
    BAHI_ASSIGN(const PaymentRow each, known_payment(context.state, payment));
    BAHI_ASSIGN(const std::int64_t left_of_it, left_of(each.sums));
    BAHI_TRY(add_to(left, std::max<std::int64_t>(left_of_it, 0)));
    answer.begin_element();
    BAHI_TRY(write_payment(context.state, payment, each, answer));
    answer.end_object();
    BAHI_TRY(add_sources(context.state, payment, sources));
  }
  BAHI_TRY(scan.status());
  answer.end_list().number("left_paise", left);
  if (scan.valid()) answer.flag("more_payments", true);
  const PageCursor cursor(context.tenant, {"payments.order", order});
  return write_history(context.state, sources, request.limit, request.cursor, cursor, answer);
}

Status find_payout(const QueryContext& context, Arguments& arguments, Answer& answer) {
  const std::string payout = arguments.text("payout");
  const PageRequest request = PageRequest::take(arguments);
  BAHI_TRY(arguments.check());
  PayoutRow row;
  BAHI_ASSIGN(const bool found, get_row(context.state, kPayouts, Key().text(payout), row));
  if (!found) return not_found("payout", payout);
  answer.text("payout", payout)
      .text("state", progress(row.seen, kPayoutStates))
      .text_if("payment", row.payment)
      .text_if("capture", capture_or(row.capture, row.payment))
      .number("amount_paise", row.amount.paise)
      .number("fee_paise", row.fee)
      .text_if("reason", row.reason);
  const PageCursor cursor(context.tenant, {"payments.payout", payout});
  return write_history(context.state, {{kPayoutHistory, payout}}, request.limit, request.cursor, cursor, answer);
}

}  // namespace bahi::projections::payments
