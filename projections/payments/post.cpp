// How a change of one row reaches the rows that sum over it, the indexes and the findings.

#include "payments/fold.hpp"

namespace bahi::projections::payments {
namespace {

constexpr std::int64_t kNanosPerSecond = 1'000'000'000;
constexpr std::int64_t kSecondsPerDay = 86'400;

std::int64_t day_of(std::int64_t nanos) {
  const std::int64_t seconds = nanos / kNanosPerSecond - (nanos % kNanosPerSecond < 0 ? 1 : 0) + kUtcOffsetMinutes * 60;
  return seconds / kSecondsPerDay - (seconds % kSecondsPerDay < 0 ? 1 : 0);
}

}  // namespace

// --- payments

Result<PaymentsFold::OpenPayment> PaymentsFold::open_payment(std::string_view payment) {
  OpenPayment open{payment, nullptr, {}};
  BAHI_ASSIGN(open.row, payments_.edit_or_add(row_key_.clear().text(payment)));
  BAHI_ASSIGN(open.before, standing_of(*open.row));
  return open;
}

Status PaymentsFold::close_payment(const OpenPayment& payment) {
  BAHI_ASSIGN(const PaymentStanding after, standing_of(*payment.row));
  const PaymentStanding& before = payment.before;
  if (after.state != before.state) {
    if (before.state != PaymentState::kUnknown) {
      state_.erase(kPaymentStates, key_.clear().number(static_cast<std::uint64_t>(before.state)).text(payment.id));
    }
    if (after.state != PaymentState::kUnknown) {
      state_.put(kPaymentStates, key_.clear().number(static_cast<std::uint64_t>(after.state)).text(payment.id), {});
    }
  }
  change_findings(payment.id, before.findings, after.findings);
  if (payment.row->order.empty()) {
    // A row that says nothing is none, so that it does not tell what was said first.
    return payment.row->blank() ? payments_.erase(row_key_.clear().text(payment.id)) : Status();
  }
  return change_intake(payment.row->order, before.intake, after.intake);
}

Result<bool> PaymentsFold::merge_order(const OpenPayment& payment, std::string_view order) {
  PaymentRow& row = *payment.row;
  bool changed = false;
  if (!order.empty() && !row.order.empty() && row.order != order) changed = merge_bits(row.seen, kOrdersDiffer);
  order_before_ = row.order;
  if (!merge_text(row.order, order)) return changed;
  if (!order_before_.empty()) {
    state_.erase(kOrderPayments, key_.clear().text(order_before_).text(payment.id));
    BAHI_TRY(change_intake(order_before_, payment.before.intake, {}));
  }
  state_.put(kOrderPayments, key_.clear().text(row.order).text(payment.id), {});
  BAHI_TRY(change_intake(row.order, {}, payment.before.intake));
  return true;
}

Status PaymentsFold::change_intake(std::string_view order, const Intake& before, const Intake& after) {
  if (before == after) return {};
  BAHI_ASSIGN(OrderRow * row, orders_.edit_or_add(row_key_.clear().text(order)));
  const OrderStanding standing = standing_of(*row);
  BAHI_TRY(add_to(row->intake.captured, after.captured - before.captured));
  BAHI_TRY(add_to(row->intake.refunded, after.refunded - before.refunded));
  BAHI_TRY(add_to(row->intake.lost, after.lost - before.lost));
  close_order(order, *row, standing);
  return row->blank() ? orders_.erase(row_key_) : Status();
}

void PaymentsFold::close_order(std::string_view order, const OrderRow& row, const OrderStanding& before) {
  const OrderStanding after = standing_of(row);
  if (after.state != before.state) {
    if (before.state) {
      state_.erase(kOrderStates, key_.clear().number(static_cast<std::uint64_t>(*before.state)).text(order));
    }
    if (after.state) {
      state_.put(kOrderStates, key_.clear().number(static_cast<std::uint64_t>(*after.state)).text(order), {});
    }
  }
  change_findings(order, before.findings, after.findings);
}

// --- captures

Result<PaymentsFold::OpenCapture> PaymentsFold::open_capture(std::string_view payment, std::string_view capture) {
  OpenCapture open{payment, capture, nullptr, {}, 0};
  BAHI_ASSIGN(open.row, captures_.edit_or_add(row_key_.clear().text(payment).text(capture)));
  open.before = queue_of(*open.row);
  open.payouts_before = open.row->payouts;
  return open;
}

Status PaymentsFold::close_capture(const OpenCapture& capture) {
  using Kind = CaptureQueue::Kind;
  const CaptureQueue after = queue_of(*capture.row);
  if (after != capture.before) {
    const auto key_of = [&](const CaptureQueue& queue) -> const Key& {
      return key_.clear().signed_number(queue.at).text(capture.payment).text(capture.id);
    };
    const auto table_of = [](Kind kind) { return kind == Kind::kHeld ? kHeld : kPayable; };
    if (capture.before.kind != Kind::kNone) state_.erase(table_of(capture.before.kind), key_of(capture.before));
    if (after.kind != Kind::kNone) state_.put(table_of(after.kind), key_of(after), {});
  }
  const bool several = capture.row->payouts > 1;
  if (several != (capture.payouts_before > 1)) {
    set_finding(Finding::kSeveralPayouts, capture.payment, capture.id, several);
  }
  if (!capture.row->blank()) return {};
  return captures_.erase(row_key_.clear().text(capture.payment).text(capture.id));
}

Status PaymentsFold::take_refund(std::string_view payment, std::string_view capture, const Taking& before,
                                 const Taking& after) {
  BAHI_ASSIGN(const OpenPayment open, open_payment(payment));
  BAHI_TRY(add_to(open.row->sums.refunding, after.pending - before.pending));
  BAHI_TRY(add_to(open.row->sums.refunded, after.done - before.done));
  BAHI_TRY(close_payment(open));
  BAHI_ASSIGN(const OpenCapture from, open_capture(payment, capture));
  BAHI_TRY(add_to(from.row->refunding, after.pending - before.pending));
  BAHI_TRY(add_to(from.row->refunded, after.done - before.done));
  return close_capture(from);
}

// --- totals

Result<TotalsRow*> PaymentsFold::totals_at(std::int64_t time) {
  return totals_.edit_or_add(row_key_.clear().signed_number(day_of(time)));
}

Status PaymentsFold::total_refund(const Reckoned& refund, std::int64_t sign) {
  if ((refund.seen & kDone) == 0) return {};
  BAHI_ASSIGN(TotalsRow * totals, totals_at(refund.done_at));
  BAHI_TRY(add_to(totals->refunded, sign * refund.paise));
  totals->refunds += sign;
  if ((refund.seen & kUndone) == 0) return {};
  BAHI_ASSIGN(totals, totals_at(refund.undone_at));
  return add_to(totals->refunds_reversed, sign * refund.paise);
}

Status PaymentsFold::total_payout(const Reckoned& payout, std::int64_t sign) {
  if ((payout.seen & kDone) == 0) return {};
  BAHI_ASSIGN(TotalsRow * totals, totals_at(payout.done_at));
  BAHI_TRY(add_to(totals->paid_out, sign * payout.paise));
  BAHI_TRY(add_to(totals->fees, sign * payout.fee));
  totals->payouts += sign;
  if ((payout.seen & kUndone) == 0) return {};
  BAHI_ASSIGN(totals, totals_at(payout.undone_at));
  return add_to(totals->payouts_reversed, sign * (payout.paise + payout.fee));
}

// --- what is noted

void PaymentsFold::set_finding(Finding kind, std::string_view subject, std::string_view reference, bool there) {
  key_.clear().number(static_cast<std::uint64_t>(kind)).text(subject).text(reference);
  there ? state_.put(kFindings, key_, {}) : state_.erase(kFindings, key_);
}

void PaymentsFold::change_findings(std::string_view subject, std::uint32_t before, std::uint32_t after) {
  const std::uint32_t changed = before ^ after;
  if (changed == 0) return;
  for (std::size_t kind = 0; kind < kFindingNames.size(); ++kind) {
    const auto finding = static_cast<Finding>(kind);
    if ((changed & bit(finding)) != 0) set_finding(finding, subject, {}, (after & bit(finding)) != 0);
  }
}

void PaymentsFold::note_if_untagged(std::string_view payment) {
  constexpr std::string_view kPrefix = "payment:";
  for (const std::string_view tag : event_->tags) {
    if (tag.size() == kPrefix.size() + payment.size() && tag.starts_with(kPrefix) && tag.ends_with(payment)) return;
  }
  set_finding(Finding::kUntagged, payment, std::to_string(event_->offset.value), true);
}

void PaymentsFold::put_history(std::uint8_t table, std::string_view id, HistoryRow row) {
  row.effective_at = effective_at_;
  row_.clear();
  encode_row(row, row_);
  state_.put(table, key_.clear().text(id).number(event_->offset.value), row_);
}

}  // namespace bahi::projections::payments
