// Stripe's events: https://docs.stripe.com/api/events/types
//
// A Stripe payment intent is one payment with one capture, whose amount is what Stripe says was captured in all.

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "translation.hpp"

namespace bahi::webhooks {
namespace {

/// The event under way.
struct Message {
  Delivery& delivery;
  const Value& object;
  std::string what;  // the type behind its first word: `intent.succeeded` has `succeeded`
  Timestamp at;
};

/// Payments are named by their intent; charges of before there were intents, by themselves.
std::string payment_of(const Value& object) {
  return first_of({text(object, {"payment_intent"}), text(object, {"payment_intent", "id"}), text(object, {"charge"}),
                   text(object, {"charge", "id"})});
}

std::string order_of(const Value& object) {
  return first_of({text(object, {"metadata", "order"}), text(object, {"metadata", "order_id"})});
}

std::string failure_of(const Value& object) {
  return first_of({text(object, {"last_payment_error", "message"}), text(object, {"last_payment_error", "code"}),
                   text(object, {"failure_message"}), text(object, {"failure_code"})});
}

void say_payment(const Message& message, std::string_view what, const std::string& payment, std::int64_t paise,
                 const std::string& reason = {}) {
  const Subject subject{payment, order_of(message.object), {}};
  Members data;
  data.text("payment", payment).text("order", subject.order).number("amount_paise", paise);
  data.text(what == "RequiresAction" ? "action" : "reason", reason);
  add_event(message.delivery, what, subject, data, message.at);
}

void read_intent(const Message& message) {
  const Value& object = message.object;
  const std::string payment = text(object, {"id"});
  if (message.what == "created") {
    say_payment(message, "IntentCreated", payment, number(object, {"amount"}));
  } else if (message.what == "requires_action") {
    say_payment(message, "RequiresAction", payment, 0, text(object, {"next_action", "type"}));
  } else if (message.what == "amount_capturable_updated") {
    say_payment(message, "Authorised", payment, number(object, {"amount_capturable"}));
  } else if (message.what == "succeeded") {
    say_payment(message, "Captured", payment, number(object, {"amount_received"}));
  } else if (message.what == "payment_failed") {
    say_payment(message, "Failed", payment, 0, failure_of(object));
  } else if (message.what == "canceled") {
    say_payment(message, "Cancelled", payment, 0, text(object, {"cancellation_reason"}));
  }
}

void read_refund(const Message& message, const Value& refund, const std::string& payment) {
  const std::string status = text(refund, {"status"});
  const std::string_view what = status == "succeeded"                        ? "RefundSucceeded"
                                : status == "failed" || status == "canceled" ? "RefundFailed"
                                                                             : "RefundCreated";
  Members data;
  data.text("refund", text(refund, {"id"})).text("payment", payment).number("amount_paise", number(refund, {"amount"}));
  if (what != "RefundSucceeded")
    data.text("reason", first_of({text(refund, {"failure_reason"}), text(refund, {"reason"})}));
  add_event(message.delivery, what, {payment, {}, {}}, data, message.at);
}

void read_charge(const Message& message) {
  const Value& object = message.object;
  const std::string payment = first_of({payment_of(object), text(object, {"id"})});
  const Value* captured = member(object, {"captured"});
  const bool is_captured = captured != nullptr && captured->IsTrue();
  if (message.what == "captured" || (message.what == "succeeded" && is_captured)) {
    say_payment(message, "Captured", payment, number(object, {"amount_captured"}));
  } else if (message.what == "succeeded") {
    say_payment(message, "Authorised", payment, number(object, {"amount"}));
  } else if (message.what == "failed") {
    say_payment(message, "Failed", payment, 0, failure_of(object));
  } else if (message.what == "expired") {
    say_payment(message, "Cancelled", payment, 0, "expired");
  } else if (message.what == "refunded") {
    const Value* refunds = member(object, {"refunds", "data"});
    if (refunds == nullptr || !refunds->IsArray()) return;
    for (const Value& refund : refunds->GetArray()) read_refund(message, refund, payment);
  }
}

void read_dispute(const Message& message) {
  const Value& object = message.object;
  const std::string status = text(object, {"status"});
  const std::string_view what = status == "lost"                                ? "DisputeLost"
                                : status == "won" || status == "warning_closed" ? "DisputeWon"
                                                                                : "DisputeOpened";
  const std::string payment = payment_of(object);
  Members data;
  data.text("dispute", text(object, {"id"})).text("payment", payment);
  data.number("amount_paise", number(object, {"amount"}));
  if (what == "DisputeOpened") data.text("reason", text(object, {"reason"}));
  add_event(message.delivery, what, {payment, {}, {}}, data, message.at);
}

void read_payout(const Message& message) {
  const Value& object = message.object;
  const std::string status = text(object, {"status"});
  const std::string_view what = status == "paid"                             ? "PayoutCompleted"
                                : status == "failed" || status == "canceled" ? "PayoutFailed"
                                                                             : "PayoutRequested";
  // What a payout is for is known to who asked for it, in the metadata.
  const std::string payment = text(object, {"metadata", "payment"});
  const std::string payout = first_of({text(object, {"metadata", "payout"}), text(object, {"id"})});
  Members data;
  data.text("payout", payout).text("payment", payment).text("capture", text(object, {"metadata", "capture"}));
  data.number("amount_paise", number(object, {"amount"}));
  if (what == "PayoutFailed") data.text("reason", failure_of(object));
  add_event(message.delivery, what, {payment, {}, payout}, data, message.at);
}

void read_refund_itself(const Message& message) {
  read_refund(message, message.object, payment_of(message.object));
}

struct Family {
  std::string_view prefix;
  void (*read)(const Message& message);
};
/// The first whose prefix fits.
constexpr std::array kFamilies{
    Family{"payment_intent.", &read_intent},       Family{"charge.dispute.", &read_dispute},
    Family{"charge.refund.", &read_refund_itself}, Family{"charge.", &read_charge},
    Family{"refund.", &read_refund_itself},        Family{"payout.", &read_payout},
};

}  // namespace

Result<Delivery> read_stripe(std::string_view body) {
  BAHI_ASSIGN(const rapidjson::Document document, parse_body(body));
  Delivery delivery{"stripe", text(document, {"id"}), text(document, {"type"}), {}, {}};
  const Value* object = member(document, {"data", "object"});
  if (delivery.event.empty() || delivery.type.empty() || object == nullptr || !object->IsObject()) {
    return Error{ErrorCode::kInvalidArgument,
                 "webhook: the body is no event of Stripe: 'id', 'type' or 'data.object' is missing"};
  }
  delivery.not_translated = fmt::format("nothing follows from the type '{}'", delivery.type);
  const std::string currency = text(*object, {"currency"});
  if (!currency.empty() && currency != "inr") {
    delivery.not_translated = fmt::format("the currency is '{}'; only inr is kept in paise", currency);
    return delivery;
  }
  for (const Family& family : kFamilies) {
    if (!delivery.type.starts_with(family.prefix)) continue;
    family.read(
        {delivery, *object, delivery.type.substr(family.prefix.size()), from_seconds(number(document, {"created"}))});
    break;
  }
  return delivery;
}

}  // namespace bahi::webhooks
