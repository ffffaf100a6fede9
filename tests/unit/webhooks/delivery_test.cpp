#include "bahi/webhooks/delivery.hpp"

#include <catch2/catch.hpp>

#include <fmt/format.h>

#include "bahi/schemas/domain_event.hpp"
#include "catch_result.hpp"

namespace bahi::webhooks {
namespace {

/// A type, what it is about, and what must follow: "Type {data}", or nothing.
struct Case {
  std::string type;
  std::string entity;
  std::string follows;
};

std::string stripe_body(const Case& each) {
  return fmt::format(R"({{"id":"evt_1","type":"{}","created":1767225600,"data":{{"object":{}}}}})", each.type,
                     each.entity);
}

std::string razorpay_body(const Case& each, const std::string& kind) {
  return fmt::format(R"({{"event":"{}","created_at":1767225600,"payload":{{"{}":{{"entity":{}}}}}}})", each.type, kind,
                     each.entity);
}

std::string story(const Delivery& delivery) {
  std::string story;
  for (const TranslatedEvent& event : delivery.events) {
    story += (story.empty() ? "" : "; ") + event.type.substr(8) + " " + event.data;
    CHECK(event.occurred_at == Timestamp{1'767'225'600'000'000'000});
    DomainData scratch;
    CHECK(find_domain_type(event.type)->read("application/json", event.data, scratch));
  }
  CHECK(story.empty() == !delivery.not_translated.empty());
  return story;
}

TEST_CASE("webhook: Stripe's events, translated", "[webhook]") {
  const std::vector<Case> cases{
      {"payment_intent.created", R"({"id":"pi_1","amount":500,"currency":"inr","metadata":{"order_id":"o1"}})",
       R"(IntentCreated {"payment":"pi_1","order":"o1","amount_paise":500})"},
      {"payment_intent.requires_action", R"({"id":"pi_1","next_action":{"type":"use_stripe_sdk"}})",
       R"(RequiresAction {"payment":"pi_1","action":"use_stripe_sdk"})"},
      {"payment_intent.amount_capturable_updated", R"({"id":"pi_1","amount_capturable":500})",
       R"(Authorised {"payment":"pi_1","amount_paise":500})"},
      {"payment_intent.succeeded", R"({"id":"pi_1","amount":500,"amount_received":400})",
       R"(Captured {"payment":"pi_1","amount_paise":400})"},
      {"payment_intent.payment_failed", R"({"id":"pi_1","last_payment_error":{"message":"no money"}})",
       R"(Failed {"payment":"pi_1","reason":"no money"})"},
      {"payment_intent.canceled", R"({"id":"pi_1","cancellation_reason":"abandoned"})",
       R"(Cancelled {"payment":"pi_1","reason":"abandoned"})"},
      {"payment_intent.processing", R"({"id":"pi_1"})", ""},
      {"charge.succeeded",
       R"({"id":"ch_1","payment_intent":"pi_1","captured":true,"amount":500,"amount_captured":500})",
       R"(Captured {"payment":"pi_1","amount_paise":500})"},
      {"charge.succeeded", R"({"id":"ch_1","payment_intent":null,"captured":false,"amount":500,"amount_captured":0})",
       R"(Authorised {"payment":"ch_1","amount_paise":500})"},
      {"charge.captured", R"({"id":"ch_1","payment_intent":"pi_1","captured":true,"amount_captured":300})",
       R"(Captured {"payment":"pi_1","amount_paise":300})"},
      {"charge.failed", R"({"id":"ch_1","payment_intent":"pi_1","failure_code":"card_declined"})",
       R"(Failed {"payment":"pi_1","reason":"card_declined"})"},
      {"charge.expired", R"({"id":"ch_1","payment_intent":"pi_1"})",
       R"(Cancelled {"payment":"pi_1","reason":"expired"})"},
      {"charge.refunded",
       R"({"id":"ch_1","payment_intent":"pi_1","refunds":{"data":[{"id":"re_1","amount":10,"status":"succeeded"},)"
       R"({"id":"re_2","amount":20,"status":"pending"}]}})",
       R"(RefundSucceeded {"refund":"re_1","payment":"pi_1","amount_paise":10}; )"
       R"(RefundCreated {"refund":"re_2","payment":"pi_1","amount_paise":20})"},
      {"charge.refunded", R"({"id":"ch_1","payment_intent":"pi_1"})", ""},
      {"refund.created", R"({"id":"re_1","payment_intent":"pi_1","amount":10,"status":"pending","reason":"duplicate"})",
       R"(RefundCreated {"refund":"re_1","payment":"pi_1","amount_paise":10,"reason":"duplicate"})"},
      {"charge.refund.updated", R"({"id":"re_1","charge":"ch_1","amount":10,"status":"succeeded"})",
       R"(RefundSucceeded {"refund":"re_1","payment":"ch_1","amount_paise":10})"},
      {"refund.failed",
       R"({"id":"re_1","payment_intent":"pi_1","amount":10,"status":"failed",)"
       R"("failure_reason":"lost_or_stolen_card"})",
       R"(RefundFailed {"refund":"re_1","payment":"pi_1","amount_paise":10,"reason":"lost_or_stolen_card"})"},
      {"charge.dispute.created",
       R"({"id":"dp_1","payment_intent":"pi_1","amount":10,"status":"needs_response","reason":"fraudulent"})",
       R"(DisputeOpened {"dispute":"dp_1","payment":"pi_1","amount_paise":10,"reason":"fraudulent"})"},
      {"charge.dispute.closed", R"({"id":"dp_1","payment_intent":"pi_1","amount":10,"status":"won"})",
       R"(DisputeWon {"dispute":"dp_1","payment":"pi_1","amount_paise":10})"},
      {"charge.dispute.closed", R"({"id":"dp_1","payment_intent":"pi_1","amount":10,"status":"lost"})",
       R"(DisputeLost {"dispute":"dp_1","payment":"pi_1","amount_paise":10})"},
      {"payout.created", R"({"id":"po_1","amount":10,"status":"pending","metadata":{"payment":"pi_1","payout":"w1"}})",
       R"(PayoutRequested {"payout":"w1","payment":"pi_1","amount_paise":10})"},
      {"payout.created", R"({"id":"po_1","amount":10,"status":"pending"})", ""},
      {"payout.paid", R"({"id":"po_1","amount":10,"status":"paid"})",
       R"(PayoutCompleted {"payout":"po_1","amount_paise":10})"},
      {"payout.failed", R"({"id":"po_1","amount":10,"status":"failed","failure_message":"closed"})",
       R"(PayoutFailed {"payout":"po_1","amount_paise":10,"reason":"closed"})"},
      // What cannot be an event is kept, and stops nothing.
      {"payment_intent.succeeded", R"({"id":"pi_1","amount_received":0})", ""},
      {"payment_intent.succeeded", R"({"id":"pi_1","amount_received":"many"})", ""},
      {"payment_intent.succeeded", R"({"amount_received":5})", ""},
      {"payment_intent.succeeded", R"({"id":"pi_1","amount_received":500,"currency":"usd"})", ""},
      {"customer.created", R"({"id":"cus_1"})", ""},
  };
  for (const Case& each : cases) {
    INFO(each.type << " " << each.entity);
    const auto delivery = read_stripe(stripe_body(each));
    REQUIRE(delivery);
    CHECK(delivery->provider == "stripe");
    CHECK(delivery->event == "evt_1");
    CHECK(story(*delivery) == each.follows);
  }
}

TEST_CASE("webhook: Razorpay's events, translated", "[webhook]") {
  const std::string payment = R"({"id":"pay_1","amount":500,"currency":"INR","order_id":"order_1","notes":[]})";
  const std::string refund = R"({"id":"rfnd_1","payment_id":"pay_1","amount":10,"currency":"INR"})";
  const std::string dispute =
      R"({"id":"disp_1","payment_id":"pay_1","amount":10,"reason_code":"fraud","status":"lost"})";
  const std::string payout =
      R"({"id":"pout_1","amount":10,"fees":2,"reference_id":"w1","notes":{"payment":"pay_1"},"failure_reason":"bank"})";
  const std::string of_payment = R"({"payment":"pay_1","order":"order_1","amount_paise":500})";
  const std::string of_refund = R"({"refund":"rfnd_1","payment":"pay_1","amount_paise":10})";
  const std::string of_dispute = R"({"dispute":"disp_1","payment":"pay_1","amount_paise":10})";
  const std::vector<std::pair<std::string, Case>> cases{
      {"payment", {"payment.authorized", payment, "Authorised " + of_payment}},
      {"payment", {"payment.captured", payment, "Captured " + of_payment}},
      {"payment", {"order.paid", payment, "Captured " + of_payment}},
      {"payment",
       {"payment.failed", R"({"id":"pay_1","amount":500,"notes":{"order":"o7"},"error_description":"timed out"})",
        R"(Failed {"payment":"pay_1","order":"o7","reason":"timed out"})"}},
      {"refund", {"refund.created", refund, "RefundCreated " + of_refund}},
      {"refund", {"refund.processed", refund, "RefundSucceeded " + of_refund}},
      {"refund", {"refund.failed", refund, "RefundFailed " + of_refund}},
      {"refund", {"refund.speed_changed", refund, ""}},
      {"dispute",
       {"payment.dispute.created", dispute,
        R"(DisputeOpened {"dispute":"disp_1","payment":"pay_1","amount_paise":10,"reason":"fraud"})"}},
      {"dispute", {"payment.dispute.won", dispute, "DisputeWon " + of_dispute}},
      {"dispute", {"payment.dispute.lost", dispute, "DisputeLost " + of_dispute}},
      {"dispute", {"payment.dispute.closed", dispute, "DisputeLost " + of_dispute}},
      {"payout",
       {"payout.initiated", payout,
        R"(PayoutRequested {"payout":"w1","payment":"pay_1","amount_paise":10,"fee_paise":2})"}},
      {"payout",
       {"payout.processed", payout,
        R"(PayoutCompleted {"payout":"w1","payment":"pay_1","amount_paise":10,"fee_paise":2})"}},
      {"payout",
       {"payout.reversed", payout,
        R"(PayoutFailed {"payout":"w1","payment":"pay_1","amount_paise":10,"reason":"bank"})"}},
      {"order", {"payment.captured", payment, ""}},
      {"payment", {"payment.captured", R"({"id":"pay_1","amount":500,"currency":"USD"})", ""}},
      {"payment", {"payment.captured", R"({"id":"pay_1","amount":-5,"currency":"INR"})", ""}},
      {"payment", {"payment.pondered", payment, ""}},
  };
  for (const auto& [kind, each] : cases) {
    INFO(each.type << " " << each.entity);
    const auto delivery = read_razorpay(razorpay_body(each, kind), "e1");
    REQUIRE(delivery);
    CHECK(delivery->event == "e1");
    CHECK(story(*delivery) == each.follows);
  }
}

TEST_CASE("webhook: what is no event of the provider is refused", "[webhook]") {
  for (const char* body :
       {"", "{", "[]", "null", "{}", R"({"id":"e"})", R"({"id":"e","type":"t"})",
        R"({"id":"e","type":"t","data":{"object":5}})", R"({"id":7,"type":"t","data":{"object":{}}})",
        "{\"id\":\"\xff\",\"type\":\"t\",\"data\":{\"object\":{}}}"}) {
    INFO(body);
    CHECK_FALSE(read_stripe(body));
    CHECK_FALSE(read_razorpay(body, "e1"));
  }
  CHECK(read_razorpay(R"({"event":"payment.failed","payload":{}})", "").error().code() == ErrorCode::kInvalidArgument);
}

TEST_CASE("webhook: the append holds the body byte for byte, and names the delivery", "[webhook]") {
  const std::string body =
      stripe_body({"payment_intent.succeeded", R"({"id":"pi_1", "amount_received":5,"x":"é\"\\"})", ""});
  const auto delivery = read_stripe(body);
  REQUIRE(delivery);
  const auto append = append_of(*delivery, body, Timestamp{7});
  const auto again = append_of(*delivery, body, Timestamp{8});
  REQUIRE(append);
  REQUIRE(again);
  CHECK(append->producer->id == again->producer->id);
  Delivery other = *delivery;
  other.event = "evt_2";
  CHECK(append_of(other, body, Timestamp{7})->producer->id != append->producer->id);
  other = *delivery;
  other.provider = "razorpay";
  CHECK(append_of(other, body, Timestamp{7})->producer->id != append->producer->id);
  CHECK(append->body.event_count == 2);
}

TEST_CASE("webhook: names that are too long for the log keep only the event out", "[webhook]") {
  const std::string body = stripe_body(
      {"payment_intent.succeeded", fmt::format(R"({{"id":"{}","amount_received":5}})", std::string(600, 'p')), ""});
  const auto delivery = read_stripe(body);
  REQUIRE(delivery);
  CHECK(delivery->events.empty());
  CHECK_FALSE(delivery->not_translated.empty());
  CHECK(append_of(*delivery, body, Timestamp{7}));
}

}  // namespace
}  // namespace bahi::webhooks
