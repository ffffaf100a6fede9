#include "payments/standing.hpp"

#include <algorithm>

namespace bahi::projections::payments {
namespace {

PaymentState state_of(const PaymentRow& row, const Intake& intake) {
  if (intake.captured == 0) {
    // By how far it came, not by what was heard last: deliveries have no order.
    if ((row.seen & kCancelled) != 0) return PaymentState::kCancelled;
    if ((row.seen & kAuthorised) != 0) return PaymentState::kAuthorised;
    if ((row.seen & kFailed) != 0) return PaymentState::kFailed;
    if ((row.seen & kActionRequired) != 0) return PaymentState::kRequiresAction;
    return (row.seen & kCreated) != 0 ? PaymentState::kCreated : PaymentState::kUnknown;
  }
  if (row.sums.disputed > 0) return PaymentState::kDisputed;
  const std::int64_t net = intake.captured - intake.refunded - intake.lost;
  if (net == 0) return intake.lost > 0 ? PaymentState::kChargedBack : PaymentState::kRefunded;
  if (intake.refunded > 0 || intake.lost > 0) return PaymentState::kPartlyRefunded;
  return intake.captured < row.amount.paise ? PaymentState::kPartlyCaptured : PaymentState::kCaptured;
}

}  // namespace

Result<PaymentStanding> standing_of(const PaymentRow& row) {
  const Sums& sums = row.sums;
  std::int64_t out = sums.paid_out;
  BAHI_TRY(add_to(out, sums.fees));
  std::int64_t wanted = out;
  BAHI_TRY(add_to(wanted, sums.refunded));
  BAHI_TRY(add_to(wanted, sums.lost));
  PaymentStanding standing;
  Intake& intake = standing.intake;
  intake.captured = sums.captured;
  intake.refunded = std::min(sums.refunded, intake.captured);
  intake.lost = std::min(sums.lost, intake.captured - intake.refunded);
  out = std::min(out, intake.captured - intake.refunded - intake.lost);
  standing.paid_out = std::min(sums.paid_out, out);
  standing.fees = out - standing.paid_out;
  standing.excess = wanted - intake.refunded - intake.lost - out;
  standing.state = state_of(row, intake);
  if (intake.captured > 0 && row.order.empty()) standing.findings |= bit(Finding::kOrphanPayment);
  if (row.amount.paise > 0 && intake.captured > row.amount.paise) standing.findings |= bit(Finding::kAboveAuthorised);
  if (standing.excess > 0) standing.findings |= bit(Finding::kAboveCaptured);
  if ((row.seen & kOrdersDiffer) != 0) standing.findings |= bit(Finding::kOrdersDiffer);
  return standing;
}

Result<std::int64_t> left_of(const Sums& sums) {
  std::int64_t left = sums.captured;
  for (const std::int64_t taken :
       {sums.refunding, sums.refunded, sums.disputed, sums.lost, sums.paying, sums.paid_out, sums.fees}) {
    BAHI_TRY(add_to(left, -taken));
  }
  return left;
}

OrderStanding standing_of(const OrderRow& row) {
  OrderStanding standing;
  standing.net = row.intake.captured - row.intake.refunded - row.intake.lost;
  if (!row.placed) {
    if (row.intake.captured > 0) standing.findings |= bit(Finding::kOrphanOrder);
    return standing;
  }
  if (standing.net > row.amount.paise) standing.findings |= bit(Finding::kOrderOverpaid);
  if (standing.net >= row.amount.paise) {
    standing.state = OrderState::kPaid;
  } else if (row.intake.captured == 0) {
    standing.state = OrderState::kPlaced;
  } else if (standing.net == 0) {
    standing.state = OrderState::kRefunded;
  } else {
    standing.state = row.intake.captured < row.amount.paise ? OrderState::kPartlyPaid : OrderState::kPartlyRefunded;
  }
  return standing;
}

CaptureQueue queue_of(const CaptureRow& row) {
  if (row.amount.paise == 0) return {};
  if (row.held()) return {CaptureQueue::Kind::kHeld, row.due_at == 0 ? kNever : row.due_at};
  if (row.payouts > 0 || row.left() <= 0) return {};
  return {CaptureQueue::Kind::kPayable, row.released_at};
}

}  // namespace bahi::projections::payments
