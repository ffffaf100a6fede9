// Webhooks from their bytes to the payments read model, through a running server.
#include <fmt/format.h>

#include "bahi/webhooks/delivery.hpp"
#include "payments_facts.hpp"
#include "server_fixture.hpp"

namespace bahi::test {
namespace {

/// Delivers a webhook as a receiver does; what the log says to it.
Result<AppendResult> deliver(client::Client& client, const Result<webhooks::Delivery>& delivery,
                             const std::string& body) {
  REQUIRE(delivery);
  BAHI_ASSIGN(AppendRequest request, webhooks::append_of(*delivery, body, SystemClock::instance().now()));
  return client.append(std::move(request));
}

std::string stripe(const std::string& event, const std::string& type, const std::string& object) {
  return fmt::format(R"({{"id":"{}","type":"{}","created":1767225600,"data":{{"object":{}}}}})", event, type, object);
}

std::string razorpay(const std::string& event, const std::string& kind, const std::string& entity) {
  return fmt::format(R"({{"event":"{}","created_at":1767225600,"payload":{{"{}":{{"entity":{}}}}}}})", event, kind,
                     entity);
}

struct Shop {
  Shop() {
    wire::ManageProjection start;
    start.act = wire::ManageProjection::Act::kStart;
    start.projection = "payments";
    REQUIRE(client->manage_projection(start));
  }
  Json ask(const std::string& query, const std::string& arguments) {
    const auto answer = client->query({"payments", query, arguments, end(), 60'000});
    REQUIRE(answer);
    return Json(answer->json);
  }
  Offset end() { return server.engine().durable_offset(server.shop()); }
  static server::ServerOptions options() {
    auto options = TestServer::server_options();
    options.views = "views";
    return options;
  }
  TestServer server{options()};
  std::unique_ptr<client::Client> client = server.client();
};

TEST_CASE("webhook: a delivery is stored once, however often it comes", "[e2e][webhook]") {
  Shop shop;
  const std::string body = stripe("evt_1", "payment_intent.succeeded",
                                  R"({"id":"pi_1","amount_received":5000,"currency":"inr","metadata":{"order":"o1"}})");
  const auto first = deliver(*shop.client, webhooks::read_stripe(body), body);
  REQUIRE(first);
  CHECK(first->event_count == 2);
  CHECK_FALSE(first->duplicate);
  const Offset end = shop.end();
  const auto again = deliver(*shop.client, webhooks::read_stripe(body), body);
  REQUIRE(again);
  CHECK(again->duplicate);
  CHECK(shop.end() == end);
  // Another event about the same says nothing new.
  const std::string other = stripe("evt_2", "charge.succeeded",
                                   R"({"id":"ch_1","payment_intent":"pi_1","captured":true,"amount":5000,)"
                                   R"("amount_captured":5000,"currency":"inr"})");
  REQUIRE(deliver(*shop.client, webhooks::read_stripe(other), other));
  const Json found = shop.ask("payment", named("payment", "pi_1"));
  CHECK(found.number("/captured_paise") == 5000);
  CHECK(found.text("/order") == "o1");
  CHECK(found.flag("/reconciliation_needed"));
  CHECK_FALSE(found.flag("/history/1/changed"));
  // The body is there, byte for byte.
  ReadRequest request = everything(shop.server.shop());
  request.filter.types = {"payment.WebhookReceived"};
  const auto received = read_all(shop.server.engine(), request);
  REQUIRE(received.size() == 2);
  CHECK(Json(received[0].event.data).text("/body") == body);
}

TEST_CASE("webhook: Razorpay's failed before captured, and a refund that fails after it was processed",
          "[e2e][webhook]") {
  Shop shop;
  const std::string payment = R"({"id":"pay_1","amount":70000,"currency":"INR","order_id":"order_1","notes":[],)"
                              R"("error_description":"timed out"})";
  const std::string refund = R"({"id":"rfnd_1","payment_id":"pay_1","amount":20000,"currency":"INR"})";
  const auto send = [&](const std::string& id, const std::string& body) {
    const auto stored = deliver(*shop.client, webhooks::read_razorpay(body, id), body);
    REQUIRE(stored);
  };
  send("e1", razorpay("payment.failed", "payment", payment));
  CHECK(shop.ask("payment", named("payment", "pay_1")).text("/state") == "failed");
  send("e2", razorpay("payment.captured", "payment", payment));
  CHECK(shop.ask("payment", named("payment", "pay_1")).text("/state") == "captured");
  send("e3", razorpay("order.paid", "payment", payment));
  send("e4", razorpay("refund.processed", "refund", refund));
  send("e5", razorpay("refund.created", "refund", refund));
  CHECK(shop.ask("payment", named("payment", "pay_1")).number("/refunded_paise") == 20000);
  send("e6", razorpay("refund.failed", "refund", refund));
  const Json found = shop.ask("payment", named("payment", "pay_1"));
  CHECK(found.text("/state") == "captured");
  CHECK(found.number("/captured_paise") == 70000);
  CHECK(found.number("/refunded_paise") == 0);
  send("e7", razorpay("subscription.charged", "subscription", R"({"id":"sub_1"})"));
  const Json kept = shop.ask("not_translated", "{}");
  REQUIRE(kept.size("/webhooks") == 1);
  CHECK(kept.text("/webhooks/0/type") == "subscription.charged");
}

}  // namespace
}  // namespace bahi::test
