#include "payments/commands.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "bahi/base/text.hpp"
#include "page_scan.hpp"
#include "payments/queries.hpp"

namespace bahi::projections::payments {
namespace {

/// The payment's own name for the first capture, a number behind it for the next ones.
Result<std::string> free_capture_name(const StateView& state, const std::string& payment) {
  for (std::size_t number = 1;; ++number) {
    std::string name = number == 1 ? payment : fmt::format("{}-{}", payment, number);
    CaptureRow row;
    BAHI_ASSIGN(const bool found, get_row(state, kCaptures, Key().text(payment).text(name), row));
    if (!found || row.amount.paise == 0) return name;
  }
}

Result<std::int64_t> left_of(const NamedCapture& capture) {
  BAHI_ASSIGN(const std::int64_t of_payment, left_of(capture.payment_row.sums));
  return std::max<std::int64_t>(std::min(of_payment, capture.row.left()), 0);
}

Status check_payable(const StateView& state, const NamedCapture& capture) {
  BAHI_ASSIGN(const bool orphan, is_orphan(state, capture.payment_row));
  if (orphan) {
    return refused(fmt::format("payment '{}' fits no order that was placed; it needs reconciliation before a payout",
                               capture.payment));
  }
  if (capture.row.held()) {
    return refused(fmt::format("capture '{}' of payment '{}' is held{}; release it first", capture.capture,
                               capture.payment,
                               capture.row.hold_reason.empty() ? "" : " (" + capture.row.hold_reason + ")"));
  }
  if (capture.row.payouts > 0) {
    return refused(
        fmt::format("capture '{}' of payment '{}' has a payout that is under way or completed; there is at "
                    "most one",
                    capture.capture, capture.payment));
  }
  if (capture.payment_row.sums.disputed > 0) {
    return refused(fmt::format("payment '{}' is disputed for {}; wait for the dispute's end", capture.payment,
                               rupees(capture.payment_row.sums.disputed)));
  }
  return {};
}

}  // namespace

Result<Decision> decide_capture(const CommandContext& context, Arguments& arguments) {
  const std::string payment = arguments.text("payment");
  const auto wanted_name = arguments.optional_text("capture");
  const auto wanted = arguments.optional_number("amount_paise", 1, kPaiseMax);
  BAHI_TRY(arguments.check());
  const StateView& state = context.query.state;
  BAHI_ASSIGN(const PaymentRow row, known_payment(state, payment));
  if ((row.seen & kAuthorised) == 0) {
    return refused(fmt::format("payment '{}' was not authorised, so nothing can be captured", payment));
  }
  if ((row.seen & kCancelled) != 0) return refused(fmt::format("payment '{}' was cancelled", payment));
  const std::int64_t left = row.amount.paise - row.sums.captured;
  const std::int64_t paise = wanted.value_or(left);
  if (paise <= 0 || paise > left) {
    return refused(fmt::format("payment '{}': {} cannot be captured; authorised are {}, captured {} already", payment,
                               rupees(std::max<std::int64_t>(paise, 0)), rupees(row.amount.paise),
                               rupees(row.sums.captured)));
  }
  std::string capture = wanted_name.value_or("");
  if (capture.empty()) {
    BAHI_ASSIGN(capture, free_capture_name(state, payment));
  } else {
    CaptureRow earlier;
    BAHI_TRY(get_row(state, kCaptures, Key().text(payment).text(capture), earlier));
    if (earlier.amount.paise > 0) {
      return refused(fmt::format("payment '{}' has a capture '{}' already, of {}", payment, capture,
                                 rupees(earlier.amount.paise)));
    }
  }
  Deciding deciding;
  deciding.look_at(payment);
  Answer data;
  data.text("payment", payment).text("capture", capture).text_if("order", row.order).number("amount_paise", paise);
  deciding.add("payment.Captured", payment, row, data);
  Answer answer;
  answer.text("capture", capture).number("amount_paise", paise).number("left_paise", left - paise);
  return deciding.finish(answer);
}

Result<Decision> decide_hold(const CommandContext& context, Arguments& arguments) {
  const std::string payment = arguments.text("payment");
  const auto name = arguments.optional_text("capture");
  const auto due_at = arguments.optional_time("due_at");
  const std::string reason = arguments.optional_text("reason").value_or("");
  BAHI_TRY(arguments.check());
  BAHI_ASSIGN(const NamedCapture capture, captured(context.query.state, payment, name));
  if (capture.row.payouts > 0) {
    return refused(fmt::format("capture '{}' of payment '{}' is paid out or about to be; a hold would come too late",
                               capture.capture, payment));
  }
  Deciding deciding;
  deciding.look_at(payment);
  Answer data;
  data.text("payment", payment).text("capture", capture.capture).text_if("reason", reason);
  if (due_at) data.time("due_at", *due_at);
  deciding.add("payment.HoldSet", payment, capture.payment_row, data);
  // The later one of a hold and a release counts, and clocks differ: this one comes behind what was decided on.
  deciding.effective_at(std::max({context.now.nanos, capture.row.released_at + 1, capture.row.due_set_at + 1}));
  Answer answer;
  answer.text("capture", capture.capture);
  return deciding.finish(answer);
}

Result<Decision> decide_release(const CommandContext& context, Arguments& arguments) {
  const std::string payment = arguments.text("payment");
  const auto name = arguments.optional_text("capture");
  const std::string reason = arguments.optional_text("reason").value_or("");
  const bool early = arguments.flag("early");
  BAHI_TRY(arguments.check());
  BAHI_ASSIGN(const NamedCapture capture, captured(context.query.state, payment, name));
  if (!capture.row.held()) {
    return refused(fmt::format("capture '{}' of payment '{}' was released at {}", capture.capture, payment,
                               format_timestamp({capture.row.released_at})));
  }
  if (capture.payment_row.sums.disputed > 0) {
    return refused(fmt::format("payment '{}' is disputed for {}; wait for the dispute's end", payment,
                               rupees(capture.payment_row.sums.disputed)));
  }
  if (capture.row.due_at > context.now.nanos && !early) {
    return refused(fmt::format("capture '{}' of payment '{}' is held until {}; early=true releases it now",
                               capture.capture, payment, format_timestamp({capture.row.due_at})));
  }
  Deciding deciding;
  deciding.look_at(payment);
  Answer data;
  data.text("payment", payment).text("capture", capture.capture).text_if("reason", reason);
  deciding.add("payment.Released", payment, capture.payment_row, data);
  deciding.effective_at(std::max(context.now.nanos, capture.row.held_at));
  Answer answer;
  BAHI_ASSIGN(const std::int64_t left, left_of(capture));
  answer.text("capture", capture.capture).number("left_paise", left);
  return deciding.finish(answer);
}

Result<Decision> decide_payout(const CommandContext& context, Arguments& arguments) {
  const std::string payment = arguments.text("payment");
  const auto name = arguments.optional_text("capture");
  const std::string payout = arguments.optional_text("payout").value_or(format_uuid(random_uuid()));
  const auto wanted = arguments.optional_number("amount_paise", 1, kPaiseMax);
  const std::int64_t fee = arguments.number_or("fee_paise", 0, 0, kPaiseMax);
  BAHI_TRY(arguments.check());
  const StateView& state = context.query.state;
  BAHI_ASSIGN(const NamedCapture capture, captured(state, payment, name));
  PayoutRow earlier;
  BAHI_ASSIGN(const bool repeated, get_row(state, kPayouts, Key().text(payout), earlier));
  if (repeated) {
    return refused(fmt::format("there is a payout '{}' already: {}", payout, progress(earlier.seen, kPayoutStates)));
  }
  BAHI_TRY(check_payable(state, capture));
  BAHI_ASSIGN(const std::int64_t left, left_of(capture));
  const std::int64_t paise = wanted.value_or(left - fee);
  if (paise <= 0 || paise > left - fee) {
    return refused(
        fmt::format("capture '{}' of payment '{}': {} with a fee of {} cannot be paid out, {} is left: "
                    "captured {}, refunded {}, refunds under way {}",
                    capture.capture, payment, rupees(std::max<std::int64_t>(paise, 0)), rupees(fee), rupees(left),
                    rupees(capture.row.amount.paise), rupees(capture.payment_row.sums.refunded),
                    rupees(capture.payment_row.sums.refunding)));
  }
  Deciding deciding;
  deciding.look_at(payment);
  // Its name is free for as long as nobody else takes it.
  deciding.look_at_payout(payout);
  Answer data;
  data.text("payout", payout).text("payment", payment).text("capture", capture.capture);
  data.number("amount_paise", paise).number("fee_paise", fee);
  deciding.add("payment.PayoutRequested", payment, capture.payment_row, data, {payout_tag(payout)});
  Answer answer;
  answer.text("payout", payout).number("amount_paise", paise).number("fee_paise", fee);
  answer.number("left_paise", left - fee - paise);
  return deciding.finish(answer);
}

}  // namespace bahi::projections::payments
