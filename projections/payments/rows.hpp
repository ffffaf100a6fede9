// The tables of the payments. What is known of an order, payment, capture, refund, dispute or payout is the merge of
// the facts about it, which does not depend on their order or number; sums are taken over what was merged.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "checked_sum.hpp"
#include "key.hpp"

namespace bahi::projections::payments {

// Table numbers, with key -> row. They never change; a new kind of row gets a new number.
inline constexpr std::uint8_t kOrders = 1;          // order -> OrderRow
inline constexpr std::uint8_t kPayments = 2;        // payment -> PaymentRow
inline constexpr std::uint8_t kOrderPayments = 3;   // order, payment -> (nothing)
inline constexpr std::uint8_t kCaptures = 4;        // payment, capture -> CaptureRow
inline constexpr std::uint8_t kRefunds = 5;         // payment, refund -> RefundRow
inline constexpr std::uint8_t kDisputes = 6;        // payment, dispute -> DisputeRow
inline constexpr std::uint8_t kPayouts = 7;         // payout -> PayoutRow
inline constexpr std::uint8_t kPaymentPayouts = 8;  // payment, payout -> (nothing)
inline constexpr std::uint8_t kPaymentStates = 9;   // state, payment -> (nothing)
inline constexpr std::uint8_t kOrderStates = 10;    // state, order -> (nothing); of orders that were placed
inline constexpr std::uint8_t kHeld = 11;          // due time, payment, capture -> (nothing); of captures that are held
inline constexpr std::uint8_t kPayable = 12;       // release time, payment, capture -> (nothing); see CaptureQueue
inline constexpr std::uint8_t kTotals = 13;        // day -> TotalsRow
inline constexpr std::uint8_t kFindings = 14;      // kind, subject, reference -> (nothing)
inline constexpr std::uint8_t kOrderHistory = 15;  // order, offset -> HistoryRow
inline constexpr std::uint8_t kPaymentHistory = 16;  // payment, offset -> HistoryRow
inline constexpr std::uint8_t kPayoutHistory = 17;   // payout, offset -> HistoryRow
inline constexpr std::uint8_t kNotTranslated = 18;   // offset -> NotTranslatedRow

/// Days of the totals are India's.
inline constexpr std::int64_t kUtcOffsetMinutes = 330;
inline constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

/// An amount that several facts state. The furthest fact counts, among equal ones the largest amount.
struct Amount {
  std::int64_t paise = 0;
  std::uint8_t rank = 0;
  bool differs = false;  // two facts stated two amounts
  /// True: something changed.
  bool merge(std::int64_t stated, std::uint8_t stated_rank) {
    if (stated == 0) return false;
    const bool disagrees = !differs && paise != 0 && paise != stated;
    differs = differs || disagrees;
    if (stated_rank < rank || (stated_rank == rank && stated <= paise)) return disagrees;
    paise = stated;
    rank = stated_rank;
    return true;
  }
  void fields(auto& row) { row(paise, rank, differs); }
};

/// Of several texts the least counts; one that is not given says nothing. True: it changed.
inline bool merge_text(std::string& text, std::string_view stated) {
  if (stated.empty() || (!text.empty() && text <= stated)) return false;
  text = stated;
  return true;
}
/// Of several times the earliest counts. 0: none yet.
inline bool merge_time(std::int64_t& time, std::int64_t stated) {
  if (time != 0 && time <= stated) return false;
  time = stated;
  return true;
}
inline bool merge_bits(std::uint8_t& bits, std::uint8_t more) {
  if ((bits & more) == more) return false;
  bits |= more;
  return true;
}

/// What an order has from its payments.
struct Intake {
  std::int64_t captured = 0;
  std::int64_t refunded = 0;  // of each payment at most what was captured
  std::int64_t lost = 0;      // in disputes; of each payment at most what is left then
  bool operator==(const Intake&) const = default;
  void fields(auto& row) { row(captured, refunded, lost); }
};

struct OrderRow {
  bool placed = false;
  Amount amount;
  std::string customer;
  Intake intake;
  [[nodiscard]] bool blank() const { return !placed && intake == Intake{}; }
  void fields(auto& row) { row(placed, amount, customer, intake); }
};

// What was seen of a payment.
inline constexpr std::uint8_t kCreated = 1;
inline constexpr std::uint8_t kActionRequired = 2;
inline constexpr std::uint8_t kFailed = 4;
inline constexpr std::uint8_t kAuthorised = 8;
inline constexpr std::uint8_t kCancelled = 16;
inline constexpr std::uint8_t kOrdersDiffer = 32;  // two facts named two orders

/// Sums over a payment's captures, refunds, disputes and payouts, as the facts have it.
struct Sums {
  std::int64_t captured = 0;
  std::int64_t refunding = 0;  // created, neither succeeded nor failed
  std::int64_t refunded = 0;
  std::int64_t disputed = 0;  // open
  std::int64_t lost = 0;
  std::int64_t paying = 0;  // requested, with fees
  std::int64_t paid_out = 0;
  std::int64_t fees = 0;  // of what was paid out
  bool operator==(const Sums&) const = default;
  void fields(auto& row) { row(captured, refunding, refunded, disputed, lost, paying, paid_out, fees); }
};

struct PaymentRow {
  std::string order;
  Amount amount;
  std::uint8_t seen = 0;
  std::string reason;  // of its failure or cancellation
  Sums sums;
  /// Nothing is known, perhaps any more: another payment was meant.
  [[nodiscard]] bool blank() const { return seen == 0 && order.empty() && amount.paise == 0 && sums == Sums{}; }
  void fields(auto& row) { row(order, amount, seen, reason, sums); }
};

struct CaptureRow {
  Amount amount;  // 0: only spoken of
  std::int64_t captured_at = 0;
  std::int64_t refunding = 0;
  std::int64_t refunded = 0;
  std::int64_t paying = 0;   // with fees
  std::int64_t paid = 0;     // with fees
  std::int64_t payouts = 0;  // that are live: requested or completed, and not failed
  std::int64_t held_at = 0;  // the last time that a hold was set; 0: never
  std::string hold_reason;
  std::int64_t due_set_at = 0;  // when `due_at` was said
  std::int64_t due_at = 0;      // 0: no time was said
  std::int64_t released_at = 0;
  void fields(auto& row) {
    row(amount, captured_at, refunding, refunded, paying, paid, payouts, held_at, hold_reason, due_set_at, due_at,
        released_at);
  }
  [[nodiscard]] bool blank() const {
    return amount.paise == 0 && refunding == 0 && refunded == 0 && paying == 0 && paid == 0 && payouts == 0 &&
           held_at == 0 && due_set_at == 0 && released_at == 0;
  }
  [[nodiscard]] bool held() const { return released_at == 0 || released_at < held_at; }
  /// What a refund or payout could still take from it.
  [[nodiscard]] std::int64_t left() const { return amount.paise - refunding - refunded - paying - paid; }
};

// What was seen of a refund, a dispute or a payout; kDone and kUndone of a dispute are won and lost.
inline constexpr std::uint8_t kBegun = 1;
inline constexpr std::uint8_t kDone = 2;
inline constexpr std::uint8_t kUndone = 4;

struct RefundRow {
  Amount amount;
  std::uint8_t seen = 0;
  std::string capture;  // empty: the payment's own identifier
  std::int64_t succeeded_at = 0;
  std::int64_t failed_at = 0;
  std::string reason;
  void fields(auto& row) { row(amount, seen, capture, succeeded_at, failed_at, reason); }
};

struct DisputeRow {
  Amount amount;
  std::uint8_t seen = 0;
  std::int64_t lost_at = 0;
  std::string reason;
  void fields(auto& row) { row(amount, seen, lost_at, reason); }
};

struct PayoutRow {
  std::string payment;  // empty: nobody said it yet
  std::string capture;  // empty: the payment's own identifier
  Amount amount;
  std::int64_t fee = 0;
  std::uint8_t seen = 0;
  std::int64_t completed_at = 0;
  std::int64_t failed_at = 0;
  std::string reason;
  void fields(auto& row) { row(payment, capture, amount, fee, seen, completed_at, failed_at, reason); }
};

struct TotalsRow {
  std::int64_t captures = 0;
  std::int64_t captured = 0;
  std::int64_t refunds = 0;
  std::int64_t refunded = 0;
  std::int64_t refunds_reversed = 0;  // failed after they had succeeded
  std::int64_t lost = 0;
  std::int64_t payouts = 0;
  std::int64_t paid_out = 0;
  std::int64_t fees = 0;
  std::int64_t payouts_reversed = 0;  // failed after they were completed, with their fees
  bool operator==(const TotalsRow&) const = default;
  void fields(auto& row) {
    row(captures, captured, refunds, refunded, refunds_reversed, lost, payouts, paid_out, fees, payouts_reversed);
  }
};

/// What does not fit together. It is folded all the same, and leaves the report when the missing fact arrives.
enum class Finding : std::uint8_t {
  kOrphanPayment,    // captured, and names no order: subject is the payment
  kOrphanOrder,      // captured for an order that was not placed: subject is the order
  kOrderOverpaid,    // subject is the order
  kAboveAuthorised,  // more captured than the payment's amount: subject is the payment
  kAboveCaptured,    // more refunded, lost and paid out than captured: subject is the payment
  kOrdersDiffer,     // a payment's facts name two orders
  kAmountsDiffer,    // two amounts of one thing: subject is its payment or order, reference itself
  kSeveralPayouts,   // of one capture, live at once: reference is the capture
  kPayoutOfNothing,  // nobody said what it is for: subject is the payout
  kUntagged,         // without the tag that decisions are guarded by: reference is the offset
};
inline constexpr std::array<std::string_view, 10> kFindingNames{
    "orphan_capture", "orphan_capture", "order_overpaid",  "captured_above_authorised", "out_above_captured",
    "orders_differ",  "amounts_differ", "several_payouts", "payout_of_nothing",         "untagged"};

/// One event about an order, payment or payout. Its kind is its place among the fold's handlers.
struct HistoryRow {
  std::uint8_t kind = 0;
  bool changed = false;  // false: all of it was known already
  std::int64_t effective_at = 0;
  std::int64_t paise = 0;
  std::int64_t due_at = 0;     // of a hold
  std::string_view reference;  // the capture, refund, dispute or payout
  std::string_view note;       // reason, customer or action
  void fields(auto& row) { row(kind, changed, effective_at, paise, due_at, reference, note); }
};

struct NotTranslatedRow {
  std::string_view provider;
  std::string_view event;
  std::string_view type;
  std::string_view why;
  void fields(auto& row) { row(provider, event, type, why); }
};

/// The tag that every event about a payment carries, so that a decision on it can be guarded.
[[nodiscard]] inline std::string payment_tag(std::string_view payment) {
  return std::string("payment:").append(payment);
}
[[nodiscard]] inline std::string order_tag(std::string_view order) {
  return std::string("order:").append(order);
}
[[nodiscard]] inline std::string payout_tag(std::string_view payout) {
  return std::string("payout:").append(payout);
}

}  // namespace bahi::projections::payments
