#include "payments/fold.hpp"

namespace bahi::projections::payments {

const std::array<Handler<PaymentsFold>, 20> PaymentsFold::kHandlers{{
    // A history row names its event by the place here: new ones come at the end.
    {"payment.OrderPlaced", &PaymentsFold::place_order},
    {"payment.IntentCreated", &PaymentsFold::create},
    {"payment.RequiresAction", &PaymentsFold::require_action},
    {"payment.Authorised", &PaymentsFold::authorise},
    {"payment.Captured", &PaymentsFold::capture},
    {"payment.Failed", &PaymentsFold::fail},
    {"payment.Cancelled", &PaymentsFold::cancel},
    {"payment.RefundCreated", &PaymentsFold::create_refund},
    {"payment.RefundSucceeded", &PaymentsFold::succeed_refund},
    {"payment.RefundFailed", &PaymentsFold::fail_refund},
    {"payment.DisputeOpened", &PaymentsFold::open_dispute},
    {"payment.DisputeWon", &PaymentsFold::win_dispute},
    {"payment.DisputeLost", &PaymentsFold::lose_dispute},
    {"payment.PayoutRequested", &PaymentsFold::request_payout},
    {"payment.PayoutCompleted", &PaymentsFold::complete_payout},
    {"payment.PayoutFailed", &PaymentsFold::fail_payout},
    {"payment.HoldSet", &PaymentsFold::hold},
    {"payment.ReleaseDue", &PaymentsFold::set_due},
    {"payment.Released", &PaymentsFold::release},
    {"payment.WebhookReceived", &PaymentsFold::receive_webhook},
}};

PaymentsFold::PaymentsFold(FoldState& state)
    : state_(state),
      orders_(state, kOrders, 100'000, Misses::kCommon),
      payments_(state, kPayments, 100'000, Misses::kCommon),
      captures_(state, kCaptures, 100'000, Misses::kCommon),
      refunds_(state, kRefunds, 100'000, Misses::kCommon),
      disputes_(state, kDisputes, 10'000, Misses::kCommon),
      payouts_(state, kPayouts, 100'000, Misses::kCommon),
      totals_(state, kTotals) {}

void PaymentsFold::begin(const FoldEvent& event) {
  event_ = &event.view;
  kind_ = static_cast<std::uint8_t>(event.handler);
  effective_at_ = effective_time(event.view).nanos;
}

// --- orders and payments

Status PaymentsFold::place_order(const FoldEvent& event) {
  begin(event);
  const auto& fact = event.as<fb::OrderPlaced>();
  const std::string_view order = text_of(fact.order());
  BAHI_ASSIGN(OrderRow * row, orders_.edit_or_add(row_key_.clear().text(order)));
  const OrderStanding before = standing_of(*row);
  bool changed = !row->placed;
  row->placed = true;
  changed |= row->amount.merge(fact.amount_paise(), 1);
  changed |= merge_text(row->customer, text_of(fact.customer()));
  if (row->amount.differs) set_finding(Finding::kAmountsDiffer, order, {}, true);
  if (changed) close_order(order, *row, before);
  put_history(kOrderHistory, order, {kind_, changed, 0, fact.amount_paise(), 0, {}, text_of(fact.customer())});
  return {};
}

Status PaymentsFold::create(const FoldEvent& event) {
  begin(event);
  const auto& fact = event.as<fb::IntentCreated>();
  return state_payment({text_of(fact.payment()), text_of(fact.order()), kCreated, fact.amount_paise(), {}});
}

Status PaymentsFold::require_action(const FoldEvent& event) {
  begin(event);
  const auto& fact = event.as<fb::RequiresAction>();
  return state_payment({text_of(fact.payment()), text_of(fact.order()), kActionRequired, 0, text_of(fact.action())});
}

Status PaymentsFold::authorise(const FoldEvent& event) {
  begin(event);
  const auto& fact = event.as<fb::Authorised>();
  return state_payment({text_of(fact.payment()), text_of(fact.order()), kAuthorised, fact.amount_paise(), {}});
}

Status PaymentsFold::fail(const FoldEvent& event) {
  begin(event);
  const auto& fact = event.as<fb::Failed>();
  return state_payment({text_of(fact.payment()), text_of(fact.order()), kFailed, 0, text_of(fact.reason())});
}

Status PaymentsFold::cancel(const FoldEvent& event) {
  begin(event);
  const auto& fact = event.as<fb::Cancelled>();
  return state_payment({text_of(fact.payment()), text_of(fact.order()), kCancelled, 0, text_of(fact.reason())});
}

Status PaymentsFold::state_payment(const PaymentSaid& said) {
  note_if_untagged(said.payment);
  BAHI_ASSIGN(const OpenPayment payment, open_payment(said.payment));
  PaymentRow& row = *payment.row;
  BAHI_ASSIGN(bool changed, merge_order(payment, said.order));
  changed |= merge_bits(row.seen, said.seen);
  changed |= row.amount.merge(said.paise, said.seen == kAuthorised ? 2 : 1);
  if (said.seen == kFailed || said.seen == kCancelled) changed |= merge_text(row.reason, said.note);
  if (changed) BAHI_TRY(close_payment(payment));
  put_history(kPaymentHistory, said.payment, {kind_, changed, 0, said.paise, 0, {}, said.note});
  return {};
}

Status PaymentsFold::capture(const FoldEvent& event) {
  begin(event);
  const auto& fact = event.as<fb::Captured>();
  const std::string_view id = text_of(fact.payment());
  note_if_untagged(id);
  BAHI_ASSIGN(const OpenPayment payment, open_payment(id));
  BAHI_ASSIGN(bool changed, merge_order(payment, text_of(fact.order())));
  BAHI_ASSIGN(const OpenCapture capture, open_capture(id, capture_or(text_of(fact.capture()), id)));
  CaptureRow& row = *capture.row;
  const std::int64_t paise_before = row.amount.paise;
  const std::int64_t at_before = row.captured_at;
  const bool differed = row.amount.differs;
  bool moved = row.amount.merge(fact.amount_paise(), 1);
  moved |= merge_time(row.captured_at, effective_at_);
  if (row.amount.differs && !differed) set_finding(Finding::kAmountsDiffer, id, capture.id, true);
  if (moved) {
    BAHI_TRY(add_to(payment.row->sums.captured, row.amount.paise - paise_before));
    if (paise_before != 0) {
      BAHI_ASSIGN(TotalsRow * totals, totals_at(at_before));
      BAHI_TRY(add_to(totals->captured, -paise_before));
      --totals->captures;
    }
    BAHI_ASSIGN(TotalsRow * totals, totals_at(row.captured_at));
    BAHI_TRY(add_to(totals->captured, row.amount.paise));
    ++totals->captures;
    BAHI_TRY(close_capture(capture));
  }
  changed |= moved;
  if (changed) BAHI_TRY(close_payment(payment));
  put_history(kPaymentHistory, id, {kind_, changed, 0, fact.amount_paise(), 0, capture.id, {}});
  return {};
}

// --- refunds and disputes

Status PaymentsFold::create_refund(const FoldEvent& event) {
  begin(event);
  const auto& fact = event.as<fb::RefundCreated>();
  return state_refund({text_of(fact.refund()), text_of(fact.payment()), text_of(fact.capture()), fact.amount_paise(), 0,
                       text_of(fact.reason()), kBegun});
}

Status PaymentsFold::succeed_refund(const FoldEvent& event) {
  begin(event);
  const auto& fact = event.as<fb::RefundSucceeded>();
  return state_refund(
      {text_of(fact.refund()), text_of(fact.payment()), text_of(fact.capture()), fact.amount_paise(), 0, {}, kDone});
}

Status PaymentsFold::fail_refund(const FoldEvent& event) {
  begin(event);
  const auto& fact = event.as<fb::RefundFailed>();
  return state_refund({text_of(fact.refund()), text_of(fact.payment()), text_of(fact.capture()), fact.amount_paise(), 0,
                       text_of(fact.reason()), kUndone});
}

Status PaymentsFold::state_refund(const Statement& said) {
  note_if_untagged(said.payment);
  BAHI_ASSIGN(RefundRow * row, refunds_.edit_or_add(row_key_.clear().text(said.payment).text(said.id)));
  const Reckoned before{row->seen, row->amount.paise, 0, row->succeeded_at, row->failed_at};
  const bool differed = row->amount.differs;
  capture_before_ = row->capture;
  bool changed = merge_bits(row->seen, said.seen);
  changed |= row->amount.merge(said.paise, said.seen);
  changed |= merge_text(row->capture, said.capture);
  changed |= merge_text(row->reason, said.reason);
  if (said.seen == kDone) changed |= merge_time(row->succeeded_at, effective_at_);
  if (said.seen == kUndone) changed |= merge_time(row->failed_at, effective_at_);
  if (row->amount.differs && !differed) set_finding(Finding::kAmountsDiffer, said.payment, said.id, true);
  if (changed) {
    const Reckoned after{row->seen, row->amount.paise, 0, row->succeeded_at, row->failed_at};
    const Taking took = taking_of(before.seen, before.paise);
    const Taking takes = taking_of(after.seen, after.paise);
    const std::string_view capture = capture_or(row->capture, said.payment);
    const std::string_view capture_before = capture_or(capture_before_, said.payment);
    if (capture == capture_before) {
      BAHI_TRY(take_refund(said.payment, capture, took, takes));
    } else {
      BAHI_TRY(take_refund(said.payment, capture_before, took, {}));
      BAHI_TRY(take_refund(said.payment, capture, {}, takes));
    }
    BAHI_TRY(total_refund(before, -1));
    BAHI_TRY(total_refund(after, 1));
  }
  put_history(kPaymentHistory, said.payment, {kind_, changed, 0, said.paise, 0, said.id, said.reason});
  return {};
}

Status PaymentsFold::open_dispute(const FoldEvent& event) {
  begin(event);
  const auto& fact = event.as<fb::DisputeOpened>();
  return state_dispute(
      {text_of(fact.dispute()), text_of(fact.payment()), {}, fact.amount_paise(), 0, text_of(fact.reason()), kBegun});
}

Status PaymentsFold::win_dispute(const FoldEvent& event) {
  begin(event);
  const auto& fact = event.as<fb::DisputeWon>();
  return state_dispute({text_of(fact.dispute()), text_of(fact.payment()), {}, fact.amount_paise(), 0, {}, kDone});
}

Status PaymentsFold::lose_dispute(const FoldEvent& event) {
  begin(event);
  const auto& fact = event.as<fb::DisputeLost>();
  return state_dispute({text_of(fact.dispute()), text_of(fact.payment()), {}, fact.amount_paise(), 0, {}, kUndone});
}

Status PaymentsFold::state_dispute(const Statement& said) {
  note_if_untagged(said.payment);
  BAHI_ASSIGN(DisputeRow * row, disputes_.edit_or_add(row_key_.clear().text(said.payment).text(said.id)));
  const Taking took = row->seen == 0 ? Taking{} : taking_of_dispute(row->seen, row->amount.paise);
  const std::int64_t lost_at_before = row->lost_at;
  const bool differed = row->amount.differs;
  bool changed = merge_bits(row->seen, said.seen);
  changed |= row->amount.merge(said.paise, said.seen);
  changed |= merge_text(row->reason, said.reason);
  if (said.seen == kUndone) changed |= merge_time(row->lost_at, effective_at_);
  if (row->amount.differs && !differed) set_finding(Finding::kAmountsDiffer, said.payment, said.id, true);
  if (changed) {
    const Taking takes = taking_of_dispute(row->seen, row->amount.paise);
    BAHI_ASSIGN(const OpenPayment payment, open_payment(said.payment));
    BAHI_TRY(add_to(payment.row->sums.disputed, takes.pending - took.pending));
    BAHI_TRY(add_to(payment.row->sums.lost, takes.done - took.done));
    BAHI_TRY(close_payment(payment));
    if (took.done != 0) {
      BAHI_ASSIGN(TotalsRow * totals, totals_at(lost_at_before));
      BAHI_TRY(add_to(totals->lost, -took.done));
    }
    if (takes.done != 0) {
      BAHI_ASSIGN(TotalsRow * totals, totals_at(row->lost_at));
      BAHI_TRY(add_to(totals->lost, takes.done));
    }
  }
  put_history(kPaymentHistory, said.payment, {kind_, changed, 0, said.paise, 0, said.id, said.reason});
  return {};
}

}  // namespace bahi::projections::payments
