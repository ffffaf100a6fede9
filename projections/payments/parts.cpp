// The captures, refunds, disputes and payouts of a payment.

#include <algorithm>

#include "page_scan.hpp"
#include "payments/queries.hpp"

namespace bahi::projections::payments {
namespace {

/// Of each kind, shown with the payment; the query of the kind has all.
constexpr std::int64_t kPartsShownMax = 100;

/// How one kind is listed: its table, its name, and what is written of a row.
struct PartKind {
  std::uint8_t table;
  std::string_view name;
  Status (*write)(const StateView& state, std::string_view id, std::string_view row, bool orphan, Answer& answer);
};

Status write_capture(const StateView&, std::string_view id, std::string_view bytes, bool orphan, Answer& answer) {
  CaptureRow row;
  BAHI_TRY(read_row(bytes, row));
  const bool captured = row.amount.paise > 0;
  answer.text("capture", id).text("state", !captured ? "unknown" : orphan ? "reconciliation_needed" : "captured");
  answer.number("amount_paise", row.amount.paise);
  if (captured) answer.time("captured_at", {row.captured_at});
  answer.number("refunding_paise", row.refunding)
      .number("refunded_paise", row.refunded)
      .number("paying_paise", row.paying)
      .number("paid_out_paise", row.paid)
      .number("left_paise", std::max<std::int64_t>(row.left(), 0))
      .flag("held", row.held())
      .text_if("hold_reason", row.hold_reason);
  if (row.due_at != 0) answer.time("due_at", {row.due_at});
  if (row.released_at != 0) answer.time("released_at", {row.released_at});
  return {};
}

Status write_refund(const StateView&, std::string_view id, std::string_view bytes, bool, Answer& answer) {
  RefundRow row;
  BAHI_TRY(read_row(bytes, row));
  answer.text("refund", id)
      .text("state", progress(row.seen, kRefundStates))
      .number("amount_paise", row.amount.paise)
      .text_if("capture", row.capture);
  if (row.succeeded_at != 0) answer.time("succeeded_at", {row.succeeded_at});
  if (row.failed_at != 0) answer.time("failed_at", {row.failed_at});
  answer.text_if("reason", row.reason);
  return {};
}

Status write_dispute(const StateView&, std::string_view id, std::string_view bytes, bool, Answer& answer) {
  DisputeRow row;
  BAHI_TRY(read_row(bytes, row));
  answer.text("dispute", id)
      .text("state", progress(row.seen, kDisputeStates))
      .number("amount_paise", row.amount.paise)
      .text_if("reason", row.reason);
  return {};
}

Status write_payout(const StateView& state, std::string_view id, std::string_view, bool, Answer& answer) {
  PayoutRow row;
  BAHI_TRY(get_row(state, kPayouts, Key().text(id), row));
  answer.text("payout", id)
      .text("state", progress(row.seen, kPayoutStates))
      .number("amount_paise", row.amount.paise)
      .number("fee_paise", row.fee)
      .text("capture", capture_or(row.capture, row.payment));
  if (row.completed_at != 0) answer.time("completed_at", {row.completed_at});
  if (row.failed_at != 0) answer.time("failed_at", {row.failed_at});
  answer.text_if("reason", row.reason);
  return {};
}

constexpr std::array<PartKind, 4> kParts{{
    {kCaptures, "captures", &write_capture},
    {kRefunds, "refunds", &write_refund},
    {kDisputes, "disputes", &write_dispute},
    {kPaymentPayouts, "payouts", &write_payout},
}};

Status write_list(const StateView& state, const PartKind& kind, const Key& prefix, bool orphan, PageScan& page,
                  Answer& answer) {
  answer.begin_list(kind.name);
  for (; page.more(); page.next()) {
    answer.begin_element();
    const std::string id = KeyReader(page.key().substr(prefix.bytes().size())).text();
    BAHI_TRY(kind.write(state, id, page.value(), orphan, answer));
    answer.end_object();
  }
  answer.end_list();
  return {};
}

Status list_parts(const PartKind& kind, const QueryContext& context, Arguments& arguments, Answer& answer) {
  const std::string payment = arguments.text("payment");
  const PageRequest request = PageRequest::take(arguments);
  BAHI_TRY(arguments.check());
  BAHI_ASSIGN(const PaymentRow row, known_payment(context.state, payment));
  BAHI_ASSIGN(const bool orphan, is_orphan(context.state, row));
  const PageCursor cursor(context.tenant, {"payments.parts", kind.name, payment});
  const Key prefix = Key().text(payment);
  BAHI_ASSIGN(PageScan page, PageScan::begin(context.state, kind.table, prefix, false, request, cursor));
  BAHI_TRY(write_list(context.state, kind, prefix, orphan, page, answer));
  return page.finish(answer);
}

}  // namespace

Status write_parts(const StateView& state, std::string_view payment, bool orphan, Answer& answer) {
  const PageCursor cursor({}, {});  // never given out
  const Key prefix = Key().text(payment);
  for (const PartKind& kind : kParts) {
    BAHI_ASSIGN(PageScan page, PageScan::begin(state, kind.table, prefix, false, {kPartsShownMax, {}}, cursor));
    BAHI_TRY(write_list(state, kind, prefix, orphan, page, answer));
    BAHI_ASSIGN(const bool more, page.has_next());
    if (more) answer.flag(std::string("more_").append(kind.name), true);
  }
  return {};
}

Status list_captures(const QueryContext& context, Arguments& arguments, Answer& answer) {
  return list_parts(kParts[0], context, arguments, answer);
}
Status list_refunds(const QueryContext& context, Arguments& arguments, Answer& answer) {
  return list_parts(kParts[1], context, arguments, answer);
}
Status list_disputes(const QueryContext& context, Arguments& arguments, Answer& answer) {
  return list_parts(kParts[2], context, arguments, answer);
}
Status list_payouts(const QueryContext& context, Arguments& arguments, Answer& answer) {
  return list_parts(kParts[3], context, arguments, answer);
}

}  // namespace bahi::projections::payments
