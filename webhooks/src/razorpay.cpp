// Razorpay's events: https://razorpay.com/docs/webhooks/payloads/
//
// A Razorpay payment is captured once.

#include <array>

#include <fmt/format.h>

#include "translation.hpp"

namespace bahi::webhooks {
namespace {

struct Message {
  Delivery& delivery;
  Timestamp at;
};

/// How a type is translated: what of the payload it is about, the event that follows, and who reads it.
struct Translation {
  std::string_view type;
  const char* entity;
  std::string_view what;
  void (*read)(const Message& message, const Value& entity, std::string_view what);
};

/// The shop's own order when the payment has it in its notes, otherwise Razorpay's.
std::string order_of(const Value& payment) {
  return first_of({text(payment, {"notes", "order"}), text(payment, {"order_id"})});
}

void read_payment(const Message& message, const Value& entity, std::string_view what) {
  const Subject subject{text(entity, {"id"}), order_of(entity), {}};
  Members data;
  data.text("payment", subject.payment).text("order", subject.order);
  if (what == "Failed") {
    data.text("reason", first_of({text(entity, {"error_description"}), text(entity, {"error_code"})}));
  } else {
    data.number("amount_paise", number(entity, {"amount"}));
  }
  add_event(message.delivery, what, subject, data, message.at);
}

void read_refund(const Message& message, const Value& entity, std::string_view what) {
  const std::string payment = text(entity, {"payment_id"});
  Members data;
  data.text("refund", first_of({text(entity, {"notes", "refund"}), text(entity, {"id"})})).text("payment", payment);
  data.number("amount_paise", number(entity, {"amount"}));
  add_event(message.delivery, what, {payment, {}, {}}, data, message.at);
}

void read_dispute(const Message& message, const Value& entity, std::string_view what) {
  // "closed" says in its status how it ended.
  if (what.empty()) what = text(entity, {"status"}) == "lost" ? "DisputeLost" : "DisputeWon";
  const std::string payment = text(entity, {"payment_id"});
  Members data;
  data.text("dispute", text(entity, {"id"})).text("payment", payment);
  data.number("amount_paise", number(entity, {"amount"}));
  if (what == "DisputeOpened") data.text("reason", text(entity, {"reason_code"}));
  add_event(message.delivery, what, {payment, {}, {}}, data, message.at);
}

void read_payout(const Message& message, const Value& entity, std::string_view what) {
  const std::string payment = text(entity, {"notes", "payment"});
  const std::string payout = first_of({text(entity, {"reference_id"}), text(entity, {"id"})});
  Members data;
  data.text("payout", payout).text("payment", payment).text("capture", text(entity, {"notes", "capture"}));
  data.number("amount_paise", number(entity, {"amount"}));
  if (what == "PayoutFailed") {
    data.text("reason", first_of({text(entity, {"failure_reason"}), text(entity, {"status_details", "description"})}));
  } else {
    // Razorpay's tax is part of its fees.
    data.number("fee_paise", number(entity, {"fees"}));
  }
  add_event(message.delivery, what, {payment, {}, payout}, data, message.at);
}

constexpr std::array kTranslations{
    Translation{"payment.authorized", "payment", "Authorised", &read_payment},
    Translation{"payment.captured", "payment", "Captured", &read_payment},
    Translation{"payment.failed", "payment", "Failed", &read_payment},
    Translation{"order.paid", "payment", "Captured", &read_payment},
    Translation{"refund.created", "refund", "RefundCreated", &read_refund},
    Translation{"refund.processed", "refund", "RefundSucceeded", &read_refund},
    Translation{"refund.failed", "refund", "RefundFailed", &read_refund},
    Translation{"payment.dispute.created", "dispute", "DisputeOpened", &read_dispute},
    Translation{"payment.dispute.under_review", "dispute", "DisputeOpened", &read_dispute},
    Translation{"payment.dispute.action_required", "dispute", "DisputeOpened", &read_dispute},
    Translation{"payment.dispute.won", "dispute", "DisputeWon", &read_dispute},
    Translation{"payment.dispute.lost", "dispute", "DisputeLost", &read_dispute},
    Translation{"payment.dispute.closed", "dispute", "", &read_dispute},
    Translation{"payout.pending", "payout", "PayoutRequested", &read_payout},
    Translation{"payout.queued", "payout", "PayoutRequested", &read_payout},
    Translation{"payout.initiated", "payout", "PayoutRequested", &read_payout},
    Translation{"payout.processed", "payout", "PayoutCompleted", &read_payout},
    Translation{"payout.reversed", "payout", "PayoutFailed", &read_payout},
    Translation{"payout.failed", "payout", "PayoutFailed", &read_payout},
    Translation{"payout.rejected", "payout", "PayoutFailed", &read_payout},
};

}  // namespace

Result<Delivery> read_razorpay(std::string_view body, std::string_view event) {
  BAHI_ASSIGN(const rapidjson::Document document, parse_body(body));
  Delivery delivery{"razorpay", std::string(event), text(document, {"event"}), {}, {}};
  const Value* payload = member(document, {"payload"});
  if (delivery.type.empty() || payload == nullptr || !payload->IsObject()) {
    return Error{ErrorCode::kInvalidArgument,
                 "webhook: the body is no event of Razorpay: 'event' or 'payload' is missing"};
  }
  if (delivery.event.empty()) {
    return Error{ErrorCode::kInvalidArgument,
                 "webhook: the header X-Razorpay-Event-Id is missing; duplicates are known by it"};
  }
  delivery.not_translated = fmt::format("nothing follows from the type '{}'", delivery.type);
  for (const Translation& translation : kTranslations) {
    if (translation.type != delivery.type) continue;
    const Value* entity = member(*payload, {translation.entity, "entity"});
    if (entity == nullptr || !entity->IsObject()) {
      delivery.not_translated = fmt::format("'payload.{}.entity' is missing", translation.entity);
      return delivery;
    }
    const std::string currency = text(*entity, {"currency"});
    if (!currency.empty() && currency != "INR") {
      delivery.not_translated = fmt::format("the currency is '{}'; only INR is kept in paise", currency);
      return delivery;
    }
    translation.read({delivery, from_seconds(number(document, {"created_at"}))}, *entity, translation.what);
  }
  return delivery;
}

}  // namespace bahi::webhooks
