#include "payments.hpp"

#include <algorithm>

namespace bahi::workload {
namespace {

constexpr std::uint64_t kEventsPerDay = 100'000;
/// An order leads to about so many events.
constexpr std::uint64_t kEventsPerOrder = 15;

}  // namespace

Payments::Payments(const HistoryOptions& options)
    : ActedHistory(options.seed),
      pace_(options.from,
            std::max<std::uint64_t>(
                1, (options.events_per_day == 0 ? kEventsPerDay : options.events_per_day) / kEventsPerOrder)),
      next_order_at_(pace_.next(random())),
      customers_(options.customers) {}

void Payments::act() {
  if (steps_.empty() || next_order_at_.nanos <= steps_.top().at) {
    open_order();
    next_order_at_ = pace_.next(random());
    return;
  }
  const Step step = steps_.top();
  steps_.pop();
  take(step);
  if (--orders_[step.order].steps == 0) free_orders_.push_back(step.order);
}

void Payments::push(Step step) {
  step.number = ++step_count_;
  ++orders_[step.order].steps;
  steps_.push(step);
}

void Payments::open_order() {
  if (free_orders_.empty()) {
    free_orders_.push_back(static_cast<std::uint32_t>(orders_.size()));
    orders_.emplace_back();
  }
  Step step;
  step.order = free_orders_.back();
  free_orders_.pop_back();
  Order& order = orders_[step.order];
  order = {};
  order.number = ++order_count_;
  order.customer = static_cast<std::uint32_t>(random().skewed_below(customers_));
  order.amount_paise = 100 * random().between(49, 500) * random().between(1, 20);
  order.parts = random().chance(8, 100) ? 2 : 1;
  const std::int64_t now = next_order_at_.nanos;
  // A few orders are written down after their payment, and of a very few there is only the payment.
  const std::uint64_t how = random().below(1'000);
  step.at = step.fact_at = now + (how < 4 ? random().between(10 * kMinute, 3 * kHour) : 0);
  step.kind = Kind::kPlace;
  if (how != 999) push(step);
  plan_payment(step.order, now + random().between(1, 90) * kSecond);
}

/// One payment of the order, from its beginning to what becomes of the attempt.
void Payments::plan_payment(std::uint32_t number, std::int64_t at) {
  Order& order = orders_[number];
  if (order.payments == kAttemptsMax) return;
  Step step;
  step.order = number;
  step.payment = ++order.payments;
  step.paise = order.amount_paise;
  step.at = step.fact_at = at;
  step.kind = Kind::kBegin;
  push(step);
  if (random().chance(15, 100)) {
    step.kind = Kind::kRequiresAction;
    step.fact_at += random().between(1, 5) * kSecond;
    plan_report(step);
  }
  step.fact_at += random().between(5, 120) * kSecond;
  const std::uint64_t outcome = random().below(100);
  if (outcome < 7) {
    step.kind = Kind::kFailed;
    plan_report(step);
    // The payer gives up, or tries again: with another payment, or with the same.
    if (outcome >= 5) return;
    if (outcome >= 2) return plan_payment(number, step.fact_at + kMinute);
    step.fact_at += random().between(20, 300) * kSecond;
  }
  step.kind = Kind::kAuthorised;
  plan_report(step);
  plan_captures(step);
}

void Payments::plan_captures(const Step& authorised) {
  Step step = authorised;
  step.fact_at += random().between(1, 20) * kSecond;
  if (random().chance(2, 100)) {
    step.kind = Kind::kCancelled;
    return plan_report(step);
  }
  const Order& order = orders_[step.order];
  std::int64_t left = order.amount_paise;
  step.kind = Kind::kCaptured;
  for (std::uint8_t part = 0; part < order.parts; ++part) {
    step.capture = part;
    step.paise = part + 1 == order.parts ? left : left * 6 / 10;
    left -= step.paise;
    plan_report(step);
    step.fact_at += random().between(1, 48) * kHour;
  }
  // The payer pressed the button twice, and pays twice.
  if (authorised.payment == 1 && random().chance(4, 1'000)) {
    plan_payment(step.order, authorised.fact_at + random().between(1, 30) * kSecond);
  }
}

Payments::Step Payments::plan(Kind kind, const Step& because, std::int64_t at) {
  Step step = because;
  step.again = false;
  step.kind = kind;
  step.at = step.fact_at = at;
  return step;
}

void Payments::plan_report(Step step) {
  const std::uint64_t how = random().below(1'000);
  std::int64_t delay = random().between(200, 5'000) * (kSecond / 1'000);
  if (how >= 880) delay = random().between(60, 1'200) * kSecond;
  if (how >= 970) delay = random().between(1, 12) * kHour;
  if (how >= 995) delay = random().between(1, 3) * kDay;
  step.at = step.fact_at + delay;
  step.delivery = ++delivery_count_;
  push(step);
  if (!random().chance(3, 100)) return;
  step.again = true;
  step.at += random().chance(4, 5) ? random().between(5, 600) * kSecond : random().between(1, 48) * kHour;
  push(step);
}

void Payments::take(const Step& step) {
  switch (step.kind) {
    case Kind::kPlace: return write_own("payment.OrderPlaced", step);
    case Kind::kBegin: return write_own("payment.IntentCreated", step);
    case Kind::kHold: return write_own("payment.HoldSet", step);
    case Kind::kReleaseDue: return write_own("payment.ReleaseDue", step);
    case Kind::kRelease: return release(step);
    case Kind::kRefund: return refund(step);
    case Kind::kPayOut: return pay_out(step);
    default: break;
  }
  if (!is_reported(step)) return;
  write_report(step);
  if (step.again) return;
  if (step.kind == Kind::kCaptured) return take_captured(step);
  if (step.kind == Kind::kRefundFailed) {
    Capture& capture = capture_of(step);
    capture.left_paise += step.paise;
    if (capture.released) push(plan(Kind::kPayOut, step, step.at + random().between(1, 24) * kHour));
    return;
  }
  if (step.kind == Kind::kDisputeOpened || step.kind == Kind::kDisputeClosed) return take_dispute(step);
  if (step.kind == Kind::kPayoutCompleted || step.kind == Kind::kPayoutFailed) return take_payout(step);
}

bool Payments::is_reported(const Step& step) {
  Order& order = orders_[step.order];
  if (step.kind == Kind::kDisputeOpened && !step.again) order.dispute_known = capture_of(step).left_paise >= step.paise;
  return step.kind != Kind::kDisputeOpened || order.dispute_known;
}

void Payments::take_captured(const Step& step) {
  Capture& capture = capture_of(step);
  capture.left_paise = step.paise;
  capture.due_at = step.at + random().between(1, 7) * kDay;
  push(plan(Kind::kHold, step, step.at + random().between(1, 5) * kSecond));
  push(plan(Kind::kReleaseDue, step, capture.due_at));
  push(plan(Kind::kRelease, step, capture.due_at + random().between(1, 60) * kMinute));
  const bool twice = step.payment > 1 && orders_[step.order].captures[0][step.capture].left_paise > 0;
  if (twice || random().chance(6, 100)) {
    Step refund = plan(Kind::kRefund, step, step.at + random().between(1, 72) * kHour);
    // All of it, or one thing out of the parcel.
    refund.paise = twice || random().chance(1, 2) ? step.paise : 1 + step.paise * random().between(1, 8) / 10;
    push(refund);
  }
  if (orders_[step.order].parts == 1 && random().chance(7, 1'000)) {
    const Step dispute = plan(Kind::kDisputeOpened, step, step.at + random().between(1, 90) * kHour);
    plan_report(dispute);
  }
}

/// The provider takes the money back until it is settled.
void Payments::take_dispute(const Step& step) {
  Order& order = orders_[step.order];
  Capture& capture = capture_of(step);
  if (step.kind == Kind::kDisputeOpened) {
    order.disputed = true;
    capture.left_paise -= step.paise;
    Step closed = plan(Kind::kDisputeClosed, step, step.fact_at + random().between(5, 20) * kDay);
    closed.won = random().chance(3, 5);
    return plan_report(closed);
  }
  order.disputed = false;
  if (!step.won) return;
  capture.left_paise += step.paise;
  push(plan(capture.released ? Kind::kPayOut : Kind::kRelease, step, step.at + random().between(1, 24) * kHour));
}

void Payments::release(const Step& step) {
  Capture& capture = capture_of(step);
  if (capture.released || orders_[step.order].disputed || capture.left_paise <= 0) return;
  capture.released = true;
  write_own("payment.Released", step);
  push(plan(Kind::kPayOut, step, step.at + random().between(5, 90) * kMinute));
}

void Payments::refund(const Step& planned) {
  Capture& capture = capture_of(planned);
  Step step = planned;
  step.paise = std::min(planned.paise, capture.left_paise);
  if (step.paise <= 0 || capture.paying) return;
  capture.left_paise -= step.paise;
  step.serial = ++orders_[step.order].refunds;
  write_own("payment.RefundCreated", step);
  Step report = plan(Kind::kRefundSucceeded, step, step.at + random().between(1, 240) * kMinute);
  const bool fails_at_once = random().chance(2, 100);
  if (!fails_at_once) plan_report(report);
  if (!fails_at_once && !random().chance(5, 100)) return;
  report.kind = Kind::kRefundFailed;
  if (!fails_at_once) report.fact_at += random().between(6, 120) * kHour;
  plan_report(report);
}

void Payments::pay_out(const Step& planned) {
  Capture& capture = capture_of(planned);
  if (capture.paying || orders_[planned.order].disputed || capture.left_paise <= 1 || capture.payouts == 5) return;
  Step step = planned;
  step.paise = capture.left_paise;
  step.serial = ++capture.payouts;
  capture.left_paise = 0;
  capture.paying = true;
  write_own("payment.PayoutRequested", step);
  Step report = plan(Kind::kPayoutCompleted, step, step.at + random().between(30, 600) * kMinute);
  const std::uint64_t outcome = random().below(1'000);
  if (outcome >= 15) return plan_report(report);
  if (outcome < 5) {
    plan_report(report);  // and is sent back by the payee's bank
    report.fact_at += random().between(2, 72) * kHour;
  }
  report.kind = Kind::kPayoutFailed;
  plan_report(report);
}

void Payments::take_payout(const Step& step) {
  Capture& capture = capture_of(step);
  if (step.kind == Kind::kPayoutCompleted || step.serial != capture.payouts) return;
  capture.paying = false;
  capture.left_paise += step.paise;
  push(plan(Kind::kPayOut, step, step.at + random().between(1, 24) * kHour));
}

}  // namespace bahi::workload
