// What is decided about payments. Each reads the read model, refuses or says which events shall be appended, and guards
// them by the tags of the payments that it looked at.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "payments/standing.hpp"
#include "projection.hpp"

namespace bahi::projections::payments {

// --- commands.cpp
[[nodiscard]] Result<Decision> decide_capture(const CommandContext& context, Arguments& arguments);
[[nodiscard]] Result<Decision> decide_hold(const CommandContext& context, Arguments& arguments);
[[nodiscard]] Result<Decision> decide_release(const CommandContext& context, Arguments& arguments);
[[nodiscard]] Result<Decision> decide_payout(const CommandContext& context, Arguments& arguments);

// --- refund.cpp
[[nodiscard]] Result<Decision> decide_refund(const CommandContext& context, Arguments& arguments);

// --- what they share: decision.cpp

inline constexpr std::int64_t kPaiseMax = 1'000'000'000'000'000;

/// Events about payments, and the boundary that guards them.
class Deciding {
 public:
  /// The decision looked at what carries this payment's tag.
  void look_at(std::string_view payment);
  void look_at_order(std::string_view order);
  void look_at_payout(std::string_view payout);
  /// An event about a payment; `data` holds its members.
  void add(std::string_view type, std::string_view payment, const PaymentRow& row, Answer& data,
           std::vector<std::string> more_tags = {});
  /// When the event added last took effect; otherwise now.
  void effective_at(std::int64_t nanos) { decision_.events.back().occurred_at = Timestamp{nanos}; }
  [[nodiscard]] Result<Decision> finish(Answer& answer);

 private:
  Decision decision_;
};

[[nodiscard]] Error refused(std::string message);
/// "12.34 rupees"
[[nodiscard]] std::string rupees(std::int64_t paise);

/// A payment and one of its captures, as commands name them.
struct NamedCapture {
  std::string payment;
  std::string capture;
  PaymentRow payment_row;
  CaptureRow row;
};
/// Errors: kNotFound when nothing was captured under that name.
[[nodiscard]] Result<NamedCapture> captured(const StateView& state, std::string payment,
                                            const std::optional<std::string>& capture);

}  // namespace bahi::projections::payments
