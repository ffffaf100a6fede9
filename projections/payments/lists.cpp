// Payments and orders by state, what is held, what is to be paid out, and the sums of days.

#include <algorithm>

#include <fmt/format.h>

#include "page_scan.hpp"
#include "payments/queries.hpp"

namespace bahi::projections::payments {
namespace {

constexpr std::string_view kOrphans = "reconciliation_needed";

/// The number of a state by its name. Error: kInvalidArgument with the names there are.
template <std::size_t count>
Result<std::uint64_t> state_named(const std::array<std::string_view, count>& names, std::size_t first,
                                  std::string_view name, std::string_view besides) {
  const auto found = std::find(names.begin() + first, names.end(), name);
  if (found != names.end()) return static_cast<std::uint64_t>(found - names.begin());
  return Error{ErrorCode::kInvalidArgument,
               fmt::format("argument 'state' must be one of {}{}, is '{}'",
                           fmt::join(names.begin() + first, names.end(), ", "), besides, name)};
}

struct QueuedCapture {
  std::int64_t at = 0;
  std::string payment;
  std::string capture;
};

QueuedCapture queued(std::string_view key) {
  KeyReader reader(key);
  QueuedCapture capture;
  capture.at = reader.signed_number();
  capture.payment = reader.text();
  capture.capture = reader.text();
  return capture;
}

Status write_queued(const StateView& state, const QueuedCapture& queued, std::string_view time, Answer& answer) {
  CaptureRow row;
  BAHI_TRY(get_row(state, kCaptures, Key().text(queued.payment).text(queued.capture), row));
  BAHI_ASSIGN(const PaymentRow payment, known_payment(state, queued.payment));
  BAHI_ASSIGN(const bool orphan, is_orphan(state, payment));
  BAHI_ASSIGN(const std::int64_t left, left_of(payment.sums));
  if (queued.at != kNever) answer.time(time, {queued.at});
  answer.text("payment", queued.payment)
      .text("capture", queued.capture)
      .text_if("order", payment.order)
      .number("amount_paise", row.amount.paise)
      .number("left_paise", std::clamp<std::int64_t>(left, 0, std::max<std::int64_t>(row.left(), 0)))
      .text_if("hold_reason", row.hold_reason);
  if (orphan) answer.flag(kOrphans, true);
  if (payment.sums.disputed > 0) answer.flag("disputed", true);
  return {};
}

void write_totals(const TotalsRow& row, Answer& answer) {
  answer.number("captures", row.captures)
      .number("captured_paise", row.captured)
      .number("refunds", row.refunds)
      .number("refunded_paise", row.refunded)
      .number("refunds_reversed_paise", row.refunds_reversed)
      .number("lost_paise", row.lost)
      .number("payouts", row.payouts)
      .number("paid_out_paise", row.paid_out)
      .number("fees_paise", row.fees)
      .number("payouts_reversed_paise", row.payouts_reversed);
}

Status add_totals(TotalsRow& sum, const TotalsRow& row) {
  sum.captures += row.captures;
  sum.refunds += row.refunds;
  sum.payouts += row.payouts;
  BAHI_TRY(add_to(sum.captured, row.captured));
  BAHI_TRY(add_to(sum.refunded, row.refunded));
  BAHI_TRY(add_to(sum.refunds_reversed, row.refunds_reversed));
  BAHI_TRY(add_to(sum.lost, row.lost));
  BAHI_TRY(add_to(sum.paid_out, row.paid_out));
  BAHI_TRY(add_to(sum.fees, row.fees));
  return add_to(sum.payouts_reversed, row.payouts_reversed);
}

}  // namespace

Status list_payments(const QueryContext& context, Arguments& arguments, Answer& answer) {
  const std::string state = arguments.text("state");
  if (state == kOrphans) return list_orphans(context, arguments, answer);
  const PageRequest request = PageRequest::take(arguments);
  BAHI_TRY(arguments.check());
  BAHI_ASSIGN(const std::uint64_t number, state_named(kPaymentStateNames, 1, state, ", reconciliation_needed"));
  const PageCursor cursor(context.tenant, {"payments.payments", state});
  const Key prefix = Key().number(number);
  BAHI_ASSIGN(PageScan page, PageScan::begin(context.state, kPaymentStates, prefix, false, request, cursor));
  answer.begin_list("payments");
  for (; page.more(); page.next()) {
    const std::string payment = KeyReader(page.key().substr(prefix.bytes().size())).text();
    BAHI_ASSIGN(const PaymentRow row, known_payment(context.state, payment));
    answer.begin_element();
    BAHI_TRY(write_payment(context.state, payment, row, answer));
    answer.end_object();
  }
  answer.end_list();
  return page.finish(answer);
}

Status list_orders(const QueryContext& context, Arguments& arguments, Answer& answer) {
  const std::string state = arguments.text("state");
  const PageRequest request = PageRequest::take(arguments);
  BAHI_TRY(arguments.check());
  BAHI_ASSIGN(const std::uint64_t number, state_named(kOrderStateNames, 0, state, ""));
  const PageCursor cursor(context.tenant, {"payments.orders", state});
  const Key prefix = Key().number(number);
  BAHI_ASSIGN(PageScan page, PageScan::begin(context.state, kOrderStates, prefix, false, request, cursor));
  answer.begin_list("orders");
  for (; page.more(); page.next()) {
    const std::string order = KeyReader(page.key().substr(prefix.bytes().size())).text();
    OrderRow row;
    BAHI_TRY(get_row(context.state, kOrders, Key().text(order), row));
    answer.begin_element();
    BAHI_TRY(write_order(order, row, answer));
    answer.end_object();
  }
  answer.end_list();
  return page.finish(answer);
}

Status list_overdue_holds(const QueryContext& context, Arguments& arguments, Answer& answer) {
  const auto at = arguments.optional_time("at");
  const PageRequest request = PageRequest::take(arguments);
  BAHI_TRY(arguments.check());
  if (!at) {
    return Error{ErrorCode::kInvalidArgument,
                 "argument 'at' is missing: the time at which holds are overdue, like \"2026-03-31T09:30:00Z\""};
  }
  const PageCursor cursor(context.tenant, {"payments.overdue_holds"});
  BAHI_ASSIGN(PageScan page, PageScan::begin(context.state, kHeld, {}, false, request, cursor));
  answer.begin_list("holds");
  for (; page.more(); page.next()) {
    const QueuedCapture capture = queued(page.key());
    if (capture.at > at->nanos) {
      page.end();
      break;
    }
    answer.begin_element();
    BAHI_TRY(write_queued(context.state, capture, "due_at", answer));
    answer.end_object();
  }
  answer.end_list();
  return page.finish(answer);
}

Status list_release_queue(const QueryContext& context, Arguments& arguments, Answer& answer) {
  const auto at = arguments.optional_time("at");
  const PageRequest request = PageRequest::take(arguments);
  BAHI_TRY(arguments.check());
  const PageCursor cursor(context.tenant, {"payments.release_queue"});
  BAHI_ASSIGN(PageScan page, PageScan::begin(context.state, kHeld, {}, false, request, cursor));
  answer.begin_list("captures");
  for (; page.more(); page.next()) {
    const QueuedCapture capture = queued(page.key());
    answer.begin_element();
    BAHI_TRY(write_queued(context.state, capture, "due_at", answer));
    if (at) answer.flag("due", capture.at <= at->nanos);
    answer.end_object();
  }
  answer.end_list();
  return page.finish(answer);
}

Status list_payout_queue(const QueryContext& context, Arguments& arguments, Answer& answer) {
  const PageRequest request = PageRequest::take(arguments);
  BAHI_TRY(arguments.check());
  const PageCursor cursor(context.tenant, {"payments.payout_queue"});
  BAHI_ASSIGN(PageScan page, PageScan::begin(context.state, kPayable, {}, false, request, cursor));
  answer.begin_list("captures");
  for (; page.more(); page.next()) {
    answer.begin_element();
    BAHI_TRY(write_queued(context.state, queued(page.key()), "released_at", answer));
    answer.end_object();
  }
  answer.end_list();
  return page.finish(answer);
}

Status list_totals(const QueryContext& context, Arguments& arguments, Answer& answer) {
  const auto from = arguments.optional_date("from");
  const auto to = arguments.optional_date("to");
  const PageRequest request = PageRequest::take(arguments, 366, 4000);
  BAHI_TRY(arguments.check());
  const PageCursor cursor(context.tenant, {"payments.totals", from ? std::to_string(*from) : std::string()});
  const std::string first = from ? Key().signed_number(*from).bytes() : std::string();
  BAHI_ASSIGN(PageScan page, PageScan::begin(context.state, kTotals, {}, false, request, cursor, first));
  TotalsRow sum;
  answer.begin_list("days");
  for (bool counted = true; page.more(); page.next(counted)) {
    const std::int64_t day = KeyReader(page.key()).signed_number();
    if (to && day > *to) {
      page.end();
      break;
    }
    TotalsRow row;
    BAHI_TRY(read_row(page.value(), row));
    // What was booked on a day may turn out to belong to an earlier one.
    counted = row != TotalsRow{};
    if (!counted) continue;
    BAHI_TRY(add_totals(sum, row));
    answer.begin_element().date("day", static_cast<std::int32_t>(day));
    write_totals(row, answer);
    answer.end_object();
  }
  answer.end_list();
  BAHI_ASSIGN(const bool more, page.has_next());
  if (!request.cursor && !more) {
    // All days are on this page.
    answer.begin_object("total");
    write_totals(sum, answer);
    answer.end_object();
  }
  return page.finish(answer);
}

Status list_not_translated(const QueryContext& context, Arguments& arguments, Answer& answer) {
  const PageRequest request = PageRequest::take(arguments);
  BAHI_TRY(arguments.check());
  const PageCursor cursor(context.tenant, {"payments.not_translated"});
  BAHI_ASSIGN(PageScan page, PageScan::begin(context.state, kNotTranslated, {}, true, request, cursor));
  answer.begin_list("webhooks");
  for (; page.more(); page.next()) {
    NotTranslatedRow row;
    BAHI_TRY(read_row(page.value(), row));
    answer.begin_element()
        .number("offset", static_cast<std::int64_t>(KeyReader(page.key()).number()))
        .text("provider", row.provider)
        .text("event", row.event)
        .text("type", row.type)
        .text("why", row.why)
        .end_object();
  }
  answer.end_list();
  return page.finish(answer);
}

}  // namespace bahi::projections::payments
