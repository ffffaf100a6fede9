// What follows from the rows: states, what counts of the sums, what does not fit. Nothing of it is stored but as index.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "payments/rows.hpp"

namespace bahi::projections::payments {

enum class PaymentState : std::uint8_t {
  kUnknown,  // spoken of by others only, for example by its refund
  kCreated,
  kRequiresAction,
  kFailed,
  kAuthorised,
  kCancelled,
  kPartlyCaptured,
  kCaptured,
  kPartlyRefunded,
  kRefunded,
  kDisputed,
  kChargedBack,  // a dispute was lost, and nothing is left
};
inline constexpr std::array<std::string_view, 12> kPaymentStateNames{
    "unknown",         "created",  "requires_action", "failed",   "authorised", "cancelled",
    "partly_captured", "captured", "partly_refunded", "refunded", "disputed",   "charged_back"};
[[nodiscard]] constexpr std::string_view to_string(PaymentState state) {
  return kPaymentStateNames.at(static_cast<std::size_t>(state));
}

enum class OrderState : std::uint8_t { kPlaced, kPartlyPaid, kPaid, kPartlyRefunded, kRefunded };
inline constexpr std::array<std::string_view, 5> kOrderStateNames{"placed", "partly_paid", "paid", "partly_refunded",
                                                                  "refunded"};
[[nodiscard]] constexpr std::string_view to_string(OrderState state) {
  return kOrderStateNames.at(static_cast<std::size_t>(state));
}

[[nodiscard]] constexpr std::uint32_t bit(Finding finding) {
  return std::uint32_t{1} << static_cast<unsigned>(finding);
}

/// Nothing is counted beyond what was captured: captured >= refunded + lost + paid out + fees, always. What the facts
/// have beyond that is `excess`.
struct PaymentStanding {
  PaymentState state = PaymentState::kUnknown;
  Intake intake;
  std::int64_t paid_out = 0;
  std::int64_t fees = 0;
  std::int64_t excess = 0;
  std::uint32_t findings = 0;  // bits; the subject of each is the payment alone
};
/// Error: a sum is beyond 64 bits.
[[nodiscard]] Result<PaymentStanding> standing_of(const PaymentRow& row);
/// What refunds and payouts could still take; below zero when too much went out.
[[nodiscard]] Result<std::int64_t> left_of(const Sums& sums);

struct OrderStanding {
  std::optional<OrderState> state;  // nothing: not placed
  std::int64_t net = 0;             // captured, and neither refunded nor lost
  std::uint32_t findings = 0;
};
[[nodiscard]] OrderStanding standing_of(const OrderRow& row);

/// Where a capture waits.
struct CaptureQueue {
  enum class Kind : std::uint8_t {
    kNone,
    kHeld,     // `at`: when its release is due, kNever when nobody said
    kPayable,  // released, something is left, and no payout is live; `at`: its release
  };
  Kind kind = Kind::kNone;
  std::int64_t at = 0;
  bool operator==(const CaptureQueue&) const = default;
};
[[nodiscard]] CaptureQueue queue_of(const CaptureRow& row);

/// Most payments are captured once, under their own name.
[[nodiscard]] constexpr std::string_view capture_or(std::string_view capture, std::string_view payment) {
  return capture.empty() ? payment : capture;
}

/// What a refund, dispute or payout takes: while it is under way, and when it is done.
struct Taking {
  std::int64_t pending = 0;
  std::int64_t done = 0;
  bool operator==(const Taking&) const = default;
};
[[nodiscard]] constexpr Taking taking_of(std::uint8_t seen, std::int64_t paise) {
  if ((seen & kUndone) != 0) return {};
  if ((seen & kDone) != 0) return {0, paise};
  return {paise, 0};
}
/// Of a dispute: won, nothing is taken; lost is what takes.
[[nodiscard]] constexpr Taking taking_of_dispute(std::uint8_t seen, std::int64_t paise) {
  if ((seen & kUndone) != 0) return {0, paise};
  if ((seen & kDone) != 0) return {};
  return {paise, 0};
}

/// "requested", "completed", … by what was seen.
[[nodiscard]] constexpr std::string_view progress(std::uint8_t seen, const std::array<std::string_view, 3>& names) {
  if ((seen & kUndone) != 0) return names[2];
  return (seen & kDone) != 0 ? names[1] : names[0];
}
inline constexpr std::array<std::string_view, 3> kRefundStates{"created", "succeeded", "failed"};
inline constexpr std::array<std::string_view, 3> kDisputeStates{"open", "won", "lost"};
inline constexpr std::array<std::string_view, 3> kPayoutStates{"requested", "completed", "failed"};

}  // namespace bahi::projections::payments
