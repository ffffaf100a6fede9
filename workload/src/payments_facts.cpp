#include <iterator>

#include <fmt/format.h>

#include "bahi/workload/words.hpp"
#include "payments.hpp"
#include "text.hpp"

namespace bahi::workload {
namespace {

constexpr std::string_view kProvider = "razorpay";
constexpr auto kRefundReasons = std::to_array<std::string_view>(
    {"parcel was damaged", "wrong size", "arrived too late", "ordered by mistake", "paid twice"});
constexpr auto kFailures =
    std::to_array<std::string_view>({"insufficient funds", "declined by the bank", "timed out", "wrong PIN"});

/// A fee of 2 %, in what is paid out.
std::int64_t fee_in(std::int64_t paise) {
  return paise / 50;
}

}  // namespace

const std::string& Payments::order_name(const Step& step) {
  order_name_ = fmt::format("O{:08}", orders_[step.order].number);
  return order_name_;
}

const std::string& Payments::payment_name(const Step& step) {
  payment_name_ = fmt::format("pay_{:08}{:c}", orders_[step.order].number, 'a' + step.payment - 1);
  return payment_name_;
}

const std::string& Payments::capture_name(const Step& step) {
  capture_name_ = payment_name(step);
  // A payment that is captured once lends the capture its name.
  if (orders_[step.order].parts > 1) fmt::format_to(std::back_inserter(capture_name_), "-{}", step.capture + 1);
  return capture_name_;
}

const std::string& Payments::refund_name(const Step& step) {
  name_ = fmt::format("rfnd_{:08}-{}", orders_[step.order].number, step.serial);
  return name_;
}

const std::string& Payments::payout_name(const Step& step) {
  name_ = fmt::format("pout_{:08}{:c}{}-{}", orders_[step.order].number, 'a' + step.payment - 1, step.capture + 1,
                      step.serial);
  return name_;
}

void Payments::name_capture(JsonText& data, const Step& step) {
  if (orders_[step.order].parts > 1) data.text("capture", capture_name(step));
}

Draft& Payments::about_payment(std::string_view type, const Step& step, Timestamp at, bool names_order) {
  Draft& draft = add(type, at);
  draft.stream("payment", payment_name(step)).tag("payment", payment_name_);
  draft.data().text("payment", payment_name_);
  if (names_order) {
    draft.data().text("order", order_name(step));
    draft.tag("order", order_name_);
  }
  return draft;
}

void Payments::write_own(std::string_view type, const Step& step) {
  const Timestamp at{step.at};
  const Order& order = orders_[step.order];
  if (step.kind == Kind::kPlace) {
    Draft& draft = add(type, at);
    draft.stream("order", order_name(step)).tag("order", order_name_);
    write_handle(order.customer, name_);
    draft.actor(name_).data().text("order", order_name_).number("amount_paise", order.amount_paise);
    draft.data().text("customer", name_);
    return;
  }
  Draft& draft = about_payment(type, step, at, step.kind == Kind::kBegin);
  JsonText& data = draft.data();
  if (step.kind == Kind::kBegin) {
    data.number("amount_paise", step.paise);
    write_handle(order.customer, name_);
    draft.actor(name_);
    return;
  }
  name_capture(data, step);
  const Capture& capture = capture_of(step);
  draft.actor("marketplace");
  switch (step.kind) {
    case Kind::kHold:
      data.time("due_at", Timestamp{capture.due_at}).text("reason", "until the parcel has arrived");
      return;
    case Kind::kReleaseDue: data.time("due_at", Timestamp{capture.due_at}); return;
    case Kind::kRelease: data.text("reason", "delivered"); return;
    case Kind::kRefund:
      data.text("refund", refund_name(step)).number("amount_paise", step.paise);
      data.text("reason", pick(kRefundReasons, random()));
      return;
    default: break;
  }
  data.text("payout", payout_name(step));
  data.number("amount_paise", step.paise - fee_in(step.paise)).number("fee_paise", fee_in(step.paise));
  draft.tag("payout", name_);
}

void Payments::write_report(const Step& step) {
  write_webhook(step);
  const Timestamp at{step.fact_at};
  const bool of_payout = step.kind == Kind::kPayoutCompleted || step.kind == Kind::kPayoutFailed;
  if (of_payout) {
    Draft& draft = add(step.kind == Kind::kPayoutCompleted ? "payment.PayoutCompleted" : "payment.PayoutFailed", at);
    draft.stream("payment", payment_name(step)).tag("payout", payout_name(step));
    draft.data().text("payout", name_);
    // The provider does not always know what a payout was for. Of the same one it says the same each time.
    if (orders_[step.order].number % 3 != 0) {
      draft.data().text("payment", payment_name_);
      draft.tag("payment", payment_name_);
      name_capture(draft.data(), step);
    }
    draft.data().number("amount_paise", step.paise - fee_in(step.paise));
    if (step.kind == Kind::kPayoutCompleted) draft.data().number("fee_paise", fee_in(step.paise));
    if (step.kind == Kind::kPayoutFailed) draft.data().text("reason", "sent back by the bank");
    return;
  }
  const auto about = [&](std::string_view type, bool names_order) -> JsonText& {
    return about_payment(type, step, at, names_order).data();
  };
  switch (step.kind) {
    case Kind::kRequiresAction: about("payment.RequiresAction", true).text("action", "confirm with the bank"); return;
    case Kind::kAuthorised: about("payment.Authorised", true).number("amount_paise", step.paise); return;
    case Kind::kFailed:
      about("payment.Failed", true).text("reason", kFailures[step.delivery % kFailures.size()]);
      return;
    case Kind::kCancelled: about("payment.Cancelled", true).text("reason", "out of stock"); return;
    case Kind::kCaptured: {
      JsonText& data = about("payment.Captured", true);
      name_capture(data, step);
      data.number("amount_paise", step.paise);
      return;
    }
    case Kind::kRefundSucceeded:
    case Kind::kRefundFailed: {
      const bool failed = step.kind == Kind::kRefundFailed;
      JsonText& data = about(failed ? "payment.RefundFailed" : "payment.RefundSucceeded", false);
      name_capture(data, step);
      data.text("refund", refund_name(step)).number("amount_paise", step.paise);
      if (failed) data.text("reason", "account closed");
      return;
    }
    default: break;
  }
  const std::string_view closed = step.won ? "payment.DisputeWon" : "payment.DisputeLost";
  JsonText& data = about(step.kind == Kind::kDisputeOpened ? "payment.DisputeOpened" : closed, false);
  data.text("dispute", fmt::format("disp_{:08}{:c}", orders_[step.order].number, 'a' + step.payment - 1));
  data.number("amount_paise", step.paise);
  if (step.kind == Kind::kDisputeOpened) data.text("reason", "not received");
}

void Payments::write_webhook(const Step& step) {
  static constexpr std::array<std::string_view, 18> kTypes{"",
                                                           "",
                                                           "",
                                                           "",
                                                           "",
                                                           "",
                                                           "",
                                                           "payment.action_required",
                                                           "payment.authorized",
                                                           "payment.captured",
                                                           "payment.failed",
                                                           "payment.cancelled",
                                                           "refund.processed",
                                                           "refund.failed",
                                                           "payment.dispute.created",
                                                           "payment.dispute.closed",
                                                           "payout.processed",
                                                           "payout.failed"};
  const std::string_view type = kTypes[static_cast<std::size_t>(step.kind)];
  const Order& order = orders_[step.order];
  const std::string event = fmt::format("evt_{:010}", step.delivery);
  body_.clear();
  body_.begin_object().text("entity", "event").text("account_id", "acc_7GhK2LmQ9xZp").text("event", type);
  body_.begin_object("payload").begin_object("payment").begin_object("entity");
  body_.text("id", payment_name(step)).text("entity", "payment").number("amount", step.paise);
  body_.text("currency", "INR").text("method", words::kMethods[order.number % words::kMethods.size()]);
  body_.begin_object("notes").text("order", order_name(step)).end_object();
  body_.end_object().end_object().end_object().number("created_at", step.fact_at / kSecond).end_object();
  Draft& draft = add("payment.WebhookReceived", Timestamp{step.at});
  draft.stream("webhook", kProvider).tag("webhook", event);
  draft.data().text("provider", kProvider).text("event", event).text("type", type).text("body", body_.view());
}

}  // namespace bahi::workload
