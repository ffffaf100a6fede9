// The second half of a payment's life: held, released, paid out. And what was only received.

#include "payments/fold.hpp"

namespace bahi::projections::payments {

// --- payouts

Status PaymentsFold::request_payout(const FoldEvent& event) {
  begin(event);
  const auto& fact = event.as<fb::PayoutRequested>();
  return state_payout({text_of(fact.payout()),
                       text_of(fact.payment()),
                       text_of(fact.capture()),
                       fact.amount_paise(),
                       fact.fee_paise(),
                       {},
                       kBegun});
}

Status PaymentsFold::complete_payout(const FoldEvent& event) {
  begin(event);
  const auto& fact = event.as<fb::PayoutCompleted>();
  return state_payout({text_of(fact.payout()),
                       text_of(fact.payment()),
                       text_of(fact.capture()),
                       fact.amount_paise(),
                       fact.fee_paise(),
                       {},
                       kDone});
}

Status PaymentsFold::fail_payout(const FoldEvent& event) {
  begin(event);
  const auto& fact = event.as<fb::PayoutFailed>();
  return state_payout({text_of(fact.payout()), text_of(fact.payment()), text_of(fact.capture()), fact.amount_paise(), 0,
                       text_of(fact.reason()), kUndone});
}

Status PaymentsFold::state_payout(const Statement& said) {
  if (!said.payment.empty()) note_if_untagged(said.payment);
  BAHI_ASSIGN(PayoutRow * row, payouts_.edit_or_add(row_key_.clear().text(said.id)));
  const Reckoned before{row->seen, row->amount.paise, row->fee, row->completed_at, row->failed_at};
  const bool differed = row->amount.differs;
  const bool had_payment = !row->payment.empty();
  payment_before_ = row->payment;
  capture_before_ = row->capture;
  bool changed = merge_bits(row->seen, said.seen);
  changed |= row->amount.merge(said.paise, said.seen);
  changed |= merge_text(row->payment, said.payment);
  changed |= merge_text(row->capture, said.capture);
  changed |= merge_text(row->reason, said.reason);
  if (said.fee > row->fee) {
    row->fee = said.fee;
    changed = true;
  }
  if (said.seen == kDone) changed |= merge_time(row->completed_at, effective_at_);
  if (said.seen == kUndone) changed |= merge_time(row->failed_at, effective_at_);
  if (row->amount.differs && !differed) set_finding(Finding::kAmountsDiffer, {}, said.id, true);
  put_history(kPayoutHistory, said.id, {kind_, changed, 0, said.paise, 0, said.id, said.reason});
  if (!changed) return {};

  const Reckoned after{row->seen, row->amount.paise, row->fee, row->completed_at, row->failed_at};
  BAHI_TRY(total_payout(before, -1));
  BAHI_TRY(total_payout(after, 1));
  const bool has_payment = !row->payment.empty();
  if (row->payment != payment_before_) {
    if (had_payment) state_.erase(kPaymentPayouts, key_.clear().text(payment_before_).text(said.id));
    state_.put(kPaymentPayouts, key_.clear().text(row->payment).text(said.id), {});
  }
  // It is there from the payout's first fact on, until one names the payment.
  const bool was_noted = before.seen != 0 && !had_payment;
  if (was_noted == has_payment) set_finding(Finding::kPayoutOfNothing, said.id, {}, !has_payment);
  const std::string_view capture = capture_or(row->capture, row->payment);
  const std::string_view capture_before = capture_or(capture_before_, payment_before_);
  if (row->payment == payment_before_ && capture == capture_before) {
    return has_payment ? take_payout(row->payment, capture, before, after) : Status();
  }
  if (had_payment) BAHI_TRY(take_payout(payment_before_, capture_before, before, {}));
  return has_payment ? take_payout(row->payment, capture, {}, after) : Status();
}

Status PaymentsFold::take_payout(std::string_view payment, std::string_view capture, const Reckoned& before,
                                 const Reckoned& after) {
  const Taking took = taking_of(before.seen, before.paise);
  const Taking takes = taking_of(after.seen, after.paise);
  const Taking fee_before = taking_of(before.seen, before.fee);
  const Taking fee_after = taking_of(after.seen, after.fee);
  const auto live = [](std::uint8_t seen) { return seen != 0 && (seen & kUndone) == 0 ? 1 : 0; };
  BAHI_ASSIGN(const OpenPayment open, open_payment(payment));
  Sums& sums = open.row->sums;
  BAHI_TRY(add_to(sums.paying, takes.pending - took.pending));
  BAHI_TRY(add_to(sums.paying, fee_after.pending - fee_before.pending));
  BAHI_TRY(add_to(sums.paid_out, takes.done - took.done));
  BAHI_TRY(add_to(sums.fees, fee_after.done - fee_before.done));
  BAHI_TRY(close_payment(open));
  BAHI_ASSIGN(const OpenCapture from, open_capture(payment, capture));
  BAHI_TRY(add_to(from.row->paying, takes.pending - took.pending));
  BAHI_TRY(add_to(from.row->paying, fee_after.pending - fee_before.pending));
  BAHI_TRY(add_to(from.row->paid, takes.done - took.done));
  BAHI_TRY(add_to(from.row->paid, fee_after.done - fee_before.done));
  from.row->payouts += live(after.seen) - live(before.seen);
  return close_capture(from);
}

// --- holds

Status PaymentsFold::hold(const FoldEvent& event) {
  begin(event);
  const auto& fact = event.as<fb::HoldSet>();
  const std::string_view payment = text_of(fact.payment());
  note_if_untagged(payment);
  BAHI_ASSIGN(const OpenCapture capture, open_capture(payment, capture_or(text_of(fact.capture()), payment)));
  CaptureRow& row = *capture.row;
  const std::string_view reason = text_of(fact.reason());
  bool changed = false;
  if (effective_at_ > row.held_at) {
    row.held_at = effective_at_;
    row.hold_reason = reason;
    changed = true;
  } else if (effective_at_ == row.held_at) {
    changed = merge_text(row.hold_reason, reason);
  }
  if (fact.due_at() != 0) changed |= merge_due(row, fact.due_at());
  if (changed) BAHI_TRY(close_capture(capture));
  put_history(kPaymentHistory, payment, {kind_, changed, 0, 0, fact.due_at(), capture.id, reason});
  return {};
}

Status PaymentsFold::set_due(const FoldEvent& event) {
  begin(event);
  const auto& fact = event.as<fb::ReleaseDue>();
  const std::string_view payment = text_of(fact.payment());
  note_if_untagged(payment);
  BAHI_ASSIGN(const OpenCapture capture, open_capture(payment, capture_or(text_of(fact.capture()), payment)));
  const bool changed = merge_due(*capture.row, fact.due_at());
  if (changed) BAHI_TRY(close_capture(capture));
  put_history(kPaymentHistory, payment, {kind_, changed, 0, 0, fact.due_at(), capture.id, {}});
  return {};
}

bool PaymentsFold::merge_due(CaptureRow& row, std::int64_t due_at) const {
  if (effective_at_ < row.due_set_at || (effective_at_ == row.due_set_at && due_at <= row.due_at)) return false;
  row.due_set_at = effective_at_;
  row.due_at = due_at;
  return true;
}

Status PaymentsFold::release(const FoldEvent& event) {
  begin(event);
  const auto& fact = event.as<fb::Released>();
  const std::string_view payment = text_of(fact.payment());
  note_if_untagged(payment);
  BAHI_ASSIGN(const OpenCapture capture, open_capture(payment, capture_or(text_of(fact.capture()), payment)));
  const bool changed = effective_at_ > capture.row->released_at;
  if (changed) {
    capture.row->released_at = effective_at_;
    BAHI_TRY(close_capture(capture));
  }
  put_history(kPaymentHistory, payment, {kind_, changed, 0, 0, 0, capture.id, text_of(fact.reason())});
  return {};
}

Status PaymentsFold::receive_webhook(const FoldEvent& event) {
  const auto& fact = event.as<fb::WebhookReceived>();
  // One that was translated says nothing that its other event does not.
  if (text_of(fact.not_translated()).empty()) return {};
  row_.clear();
  encode_row(NotTranslatedRow{text_of(fact.provider()), text_of(fact.event()), text_of(fact.type()),
                              text_of(fact.not_translated())},
             row_);
  state_.put(kNotTranslated, key_.clear().number(event.view.offset.value), row_);
  return {};
}

}  // namespace bahi::projections::payments
