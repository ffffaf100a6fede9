// What must be true of payments, whoever asks: in process, and through a server.
#include <catch2/catch.hpp>

#include <algorithm>
#include <numeric>
#include <set>

#include <fmt/format.h>

#include "payments_facts.hpp"

namespace bahi::test {
namespace {

Json payment(const ReadModelHost& host, const std::string& name) {
  return host.ask("payment", named("payment", name));
}
Json order(const ReadModelHost& host, const std::string& name) {
  return host.ask("order", named("order", name));
}
std::set<std::string> names_in(const ReadModelHost& host, const std::string& query, const std::string& arguments,
                               const std::string& list, const std::string& member, int limit = 100) {
  std::set<std::string> names;
  for (const std::string& row : host.all_rows(query, arguments, list, limit)) {
    const bool fresh = names.insert(Json(row).text("/" + member)).second;
    CHECK(fresh);
  }
  return names;
}

TEST_CASE("payments: a refund that failed after it succeeded, in every order, and twice", "[payments]") {
  const auto host = read_model_host("payments");
  constexpr std::int64_t kPaise = 30'000'000;
  // All 120 orders, those too in which a refund fails before it was created.
  std::array<int, 5> order_of{0, 1, 2, 3, 4};
  std::vector<Fact> facts;
  std::vector<std::string> payments;
  do {
    const std::string name = fmt::format("p{:03}", payments.size());
    const std::array<Fact, 5> five{payment_fact("Authorised", name, "", kPaise), captured(name, "", kPaise),
                                   refund_fact("RefundCreated", "r1", name, kPaise),
                                   refund_fact("RefundSucceeded", "r1", name, kPaise),
                                   refund_fact("RefundFailed", "r1", name, kPaise)};
    for (const int index : order_of) {
      facts.push_back(at(five.at(static_cast<std::size_t>(index)), fmt::format("2026-01-01T00:00:0{}Z", index)));
      if (payments.size() % 2 == 1) facts.push_back(facts.back());
    }
    payments.push_back(name);
  } while (std::next_permutation(order_of.begin(), order_of.end()));
  host->append(facts);
  const std::string expected = state_of(*host, payments[0]);
  for (const std::string& name : payments) {
    const Json found = payment(*host, name);
    CHECK(found.text("/state") == "captured");
    CHECK(found.number("/captured_paise") == kPaise);
    CHECK(found.number("/refunded_paise") == 0);
    CHECK(found.number("/refunding_paise") == 0);
    CHECK(found.number("/left_paise") == kPaise);
    CHECK(found.text("/refunds/0/state") == "failed");
    // The capture's name is the payment's.
    std::string state = state_of(*host, name);
    for (auto place = state.find(name); place != std::string::npos; place = state.find(name, place + 4)) {
      state.replace(place, 4, "p000");
    }
    CHECK(state == expected);
  }
  const Json doubled = payment(*host, "p001");
  REQUIRE(doubled.size("/history") == 10);
  for (int i = 0; i < 10; ++i) CHECK(doubled.flag(fmt::format("/history/{}/changed", i)) == (i % 2 == 0));
}

TEST_CASE("payments: the refunded total rises with a refund and falls back with its failure", "[payments]") {
  const auto host = read_model_host("payments");
  host->append({order_placed("o1", 1000), captured("p1", "o1", 1000)});
  host->append({refund_fact("RefundCreated", "r1", "p1", 400)});
  CHECK(payment(*host, "p1").text("/state") == "captured");
  CHECK(payment(*host, "p1").number("/left_paise") == 600);
  host->append({refund_fact("RefundSucceeded", "r1", "p1", 400)});
  CHECK(payment(*host, "p1").text("/state") == "partly_refunded");
  CHECK(order(*host, "o1").text("/state") == "partly_refunded");
  host->append({refund_fact("RefundSucceeded", "r2", "p1", 600)});
  CHECK(payment(*host, "p1").text("/state") == "refunded");
  CHECK(order(*host, "o1").text("/state") == "refunded");
  host->append({refund_fact("RefundFailed", "r1", "p1", 400), refund_fact("RefundFailed", "r2", "p1", 600)});
  CHECK(payment(*host, "p1").number("/refunded_paise") == 0);
  CHECK(payment(*host, "p1").text("/state") == "captured");
  CHECK(order(*host, "o1").text("/state") == "paid");
  CHECK(names_in(*host, "payments", named("state", "captured"), "payments", "payment") == std::set<std::string>{"p1"});
  CHECK(names_in(*host, "payments", named("state", "refunded"), "payments", "payment").empty());
}

TEST_CASE("payments: two captures pay an order, and a refund is split across them", "[payments]") {
  const auto host = read_model_host("payments");
  host->append({order_placed("o1", 1000), payment_fact("Authorised", "p1", "o1", 1000)});
  CHECK(order(*host, "o1").text("/state") == "placed");
  host->run("capture", R"({"payment":"p1","amount_paise":600})");
  CHECK(order(*host, "o1").text("/state") == "partly_paid");
  CHECK(payment(*host, "p1").text("/state") == "partly_captured");
  host->run("capture", R"({"payment":"p1"})");
  CHECK(order(*host, "o1").text("/state") == "paid");
  CHECK(payment(*host, "p1").text("/state") == "captured");
  CHECK(host->refusal("capture", R"({"payment":"p1","amount_paise":1})").code() == ErrorCode::kRefused);

  const Json refunded = host->run("refund", R"({"order":"o1","refund":"r1","amount_paise":700,"reason":"late"})");
  REQUIRE(refunded.size("/events") == 2);
  CHECK(refunded.number("/events/0/data/amount_paise") == 600);
  CHECK(refunded.text("/events/0/data/capture") == "p1");
  CHECK(refunded.number("/events/1/data/amount_paise") == 100);
  CHECK(refunded.text("/events/1/data/capture") == "p1-2");
  CHECK(refunded.number("/result/left_paise") == 300);
  CHECK(order(*host, "o1").number("/left_paise") == 300);
  const Error more = host->refusal("refund", R"({"order":"o1","amount_paise":301})");
  CHECK(more.code() == ErrorCode::kRefused);
  CHECK_THAT(std::string(more.message()), Catch::Contains("3.01 rupees") && Catch::Contains("3.00 rupees"));
  CHECK(host->refusal("refund", R"({"order":"o1","refund":"r1","amount_paise":1})").code() == ErrorCode::kRefused);
  host->append({refund_fact("RefundSucceeded", "r1-1", "p1", 600), refund_fact("RefundFailed", "r1-2", "p1", 100)});
  CHECK(order(*host, "o1").number("/left_paise") == 400);
  host->run("refund", R"({"payment":"p1","amount_paise":400})");
  CHECK(host->refusal("refund", R"({"payment":"p1","amount_paise":1})").code() == ErrorCode::kRefused);
}

TEST_CASE("payments: two captures of two payments, too", "[payments]") {
  const auto host = read_model_host("payments");
  host->append({order_placed("o1", 1000), at(captured("p1", "o1", 600), "2026-01-01T00:00:00Z"),
                at(captured("p2", "o1", 400), "2026-01-01T00:00:01Z")});
  CHECK(order(*host, "o1").text("/state") == "paid");
  const Json refunded = host->run("refund", R"({"order":"o1","refund":"r1","amount_paise":700})");
  REQUIRE(refunded.size("/events") == 2);
  CHECK(refunded.text("/events/0/data/payment") == "p1");
  CHECK(refunded.number("/events/0/data/amount_paise") == 600);
  CHECK(refunded.text("/events/1/data/payment") == "p2");
  CHECK(order(*host, "o1").number("/left_paise") == 300);
  CHECK(host->refusal("refund", R"({"order":"o1","amount_paise":301})").code() == ErrorCode::kRefused);
}

TEST_CASE("payments: an order with two charges is paid while one stands", "[payments]") {
  const auto host = read_model_host("payments");
  host->append({order_placed("o1", 500), captured("p1", "o1", 500), captured("p2", "o1", 500)});
  CHECK(order(*host, "o1").text("/state") == "paid");
  CHECK(host->all_rows("reconciliation", named("kind", "order_overpaid"), "findings").size() == 1);
  host->append({refund_fact("RefundSucceeded", "r1", "p1", 500)});
  CHECK(order(*host, "o1").text("/state") == "paid");
  CHECK(order(*host, "o1").number("/net_paise") == 500);
  CHECK(host->all_rows("reconciliation", "{}", "findings").empty());
  host->append({dispute_fact("DisputeOpened", "d1", "p2", 500)});
  CHECK(payment(*host, "p2").text("/state") == "disputed");
  CHECK(order(*host, "o1").text("/state") == "paid");
  host->append({dispute_fact("DisputeLost", "d1", "p2", 500)});
  CHECK(payment(*host, "p2").text("/state") == "charged_back");
  CHECK(order(*host, "o1").text("/state") == "refunded");
}

TEST_CASE("payments: a dispute that is won takes nothing", "[payments]") {
  const auto host = read_model_host("payments");
  host->append({order_placed("o1", 500), captured("p1", "o1", 500), dispute_fact("DisputeOpened", "d1", "p1", 500)});
  CHECK(host->refusal("refund", R"({"payment":"p1","amount_paise":1})").code() == ErrorCode::kRefused);
  CHECK(host->refusal("release", named("payment", "p1")).code() == ErrorCode::kRefused);
  host->append({dispute_fact("DisputeWon", "d1", "p1", 500)});
  CHECK(payment(*host, "p1").text("/state") == "captured");
  CHECK(payment(*host, "p1").number("/left_paise") == 500);
}

TEST_CASE("payments: failed may be heard before captured, and cancelled after", "[payments]") {
  const auto host = read_model_host("payments");
  host->append({order_placed("o1", 100), payment_note("Failed", "p1", "o1", "network"), captured("p1", "o1", 100)});
  CHECK(payment(*host, "p1").text("/state") == "captured");
  host->append({payment_note("Cancelled", "p1", "o1")});
  CHECK(payment(*host, "p1").text("/state") == "captured");
  host->append({payment_note("Failed", "p2", "o1", "no money"), payment_note("RequiresAction", "p2"),
                payment_fact("IntentCreated", "p2", "o1", 100)});
  CHECK(payment(*host, "p2").text("/state") == "failed");
  CHECK(payment(*host, "p2").text("/reason") == "no money");
  CHECK(host->refusal("capture", named("payment", "p2")).code() == ErrorCode::kRefused);
  host->append({payment_fact("Authorised", "p2", "o1", 100)});
  CHECK(payment(*host, "p2").text("/state") == "authorised");
  host->append({payment_note("Cancelled", "p2", "o1")});
  CHECK(host->refusal("capture", named("payment", "p2")).code() == ErrorCode::kRefused);
}

TEST_CASE("payments: a capture that fits no order needs reconciliation until the order comes", "[payments]") {
  const auto host = read_model_host("payments");
  host->append({captured("p1", "o1", 100), captured("p2", "", 50), captured("p3", "o1", 20)});
  CHECK(payment(*host, "p1").flag("/reconciliation_needed"));
  CHECK(payment(*host, "p1").text("/captures/0/state") == "reconciliation_needed");
  CHECK(payment(*host, "p1").text("/state") == "captured");
  const std::string state = named("state", "reconciliation_needed");
  for (const int limit : {1, 2, 100}) {
    CHECK(names_in(*host, "payments", state, "payments", "payment", limit) == std::set<std::string>{"p1", "p2", "p3"});
  }
  CHECK(host->all_rows("reconciliation", named("kind", "orphan_capture"), "findings").size() == 2);
  host->run("release", named("payment", "p1"));
  CHECK(host->refusal("payout", named("payment", "p1")).code() == ErrorCode::kRefused);
  host->append({order_placed("o1", 120)});
  CHECK_FALSE(payment(*host, "p1").flag("/reconciliation_needed"));
  CHECK(payment(*host, "p1").text("/captures/0/state") == "captured");
  CHECK(order(*host, "o1").text("/state") == "paid");
  CHECK(names_in(*host, "payments", state, "payments", "payment") == std::set<std::string>{"p2"});
  // The other one learns its order late.
  host->append({order_placed("o2", 50), payment_fact("Authorised", "p2", "o2", 50)});
  CHECK(host->all_rows("payments", state, "payments").empty());
  CHECK(host->all_rows("reconciliation", "{}", "findings").empty());
  host->run("payout", named("payment", "p1"));
}

TEST_CASE("payments: nothing is counted beyond what was captured", "[payments]") {
  const auto host = read_model_host("payments");
  host->append({order_placed("o1", 100), refund_fact("RefundSucceeded", "r1", "p1", 80),
                payout_fact("PayoutCompleted", "w1", "p1", 50, 5)});
  const auto check = [&](std::int64_t captured_paise, std::int64_t refunded, std::int64_t out, std::int64_t excess) {
    const Json found = payment(*host, "p1");
    CHECK(found.number("/captured_paise") == captured_paise);
    CHECK(found.number("/refunded_paise") == refunded);
    CHECK(found.number("/paid_out_paise") + found.number("/fee_paise") == out);
    CHECK(found.has("/excess_paise") == (excess > 0));
    CHECK(host->all_rows("reconciliation", named("kind", "out_above_captured"), "findings").empty() == (excess == 0));
  };
  check(0, 0, 0, 135);
  host->append({captured("p1", "o1", 100)});
  check(100, 80, 20, 35);
  host->append({payout_fact("PayoutFailed", "w1", "", 50)});
  check(100, 80, 0, 0);
}

TEST_CASE("payments: mismatched amounts are reported", "[payments]") {
  const auto host = read_model_host("payments");
  host->append({order_placed("o1", 100), payment_fact("Authorised", "p1", "o1", 100), captured("p1", "o1", 90),
                captured("p1", "o1", 110), order_placed("o2", 70), order_placed("o2", 80),
                payment_fact("Authorised", "p2", "o2", 80), payment_fact("IntentCreated", "p2", "o1", 80),
                payout_fact("PayoutCompleted", "w9", "", 5)});
  std::multiset<std::string> kinds;
  for (const std::string& row : host->all_rows("reconciliation", "{}", "findings", 2))
    kinds.insert(Json(row).text("/kind"));
  CHECK(kinds == std::multiset<std::string>{"order_overpaid", "captured_above_authorised", "orders_differ",
                                            "amounts_differ", "amounts_differ", "payout_of_nothing"});
  const Json overpaid = host->ask("reconciliation", named("kind", "order_overpaid"));
  CHECK(overpaid.number("/findings/0/expected_paise") == 100);
  CHECK(overpaid.number("/findings/0/found_paise") == 110);
  CHECK(host->try_ask("reconciliation", named("kind", "sadness")).error().code() == ErrorCode::kInvalidArgument);
}

TEST_CASE("payments: facts without the tag that guards decisions are reported", "[payments]") {
  const auto host = read_model_host("payments");
  Fact untagged = captured("p1", "", 10);
  untagged.tags = {"payment:p11"};
  host->append({untagged});
  const Json found = host->ask("reconciliation", named("kind", "untagged"));
  REQUIRE(found.size("/findings") == 1);
  CHECK(found.text("/findings/0/payment") == "p1");
  CHECK(found.text("/findings/0/offset") == "0");
}

TEST_CASE("payments: an event of a known type with wrong content is refused, and nothing is stored", "[payments]") {
  const auto host = read_model_host("payments");
  const std::vector<std::pair<std::string, std::string>> wrong{
      {"OrderPlaced", R"({"order":"o1"})"},
      {"OrderPlaced", R"({"order":"","amount_paise":1})"},
      {"OrderPlaced", R"({"order":"o1","amount_paise":0})"},
      {"OrderPlaced", R"({"order":"o1","amount_paise":1.5})"},
      {"Captured", R"({"payment":"p1","amount_paise":-5})"},
      {"Captured", R"({"amount_paise":5})"},
      {"Captured", R"({"payment":"p1","amount_paise":1000000000000001})"},
      {"Captured", R"({"payment":"p1","amount_paise":99999999999999999999})"},
      {"Captured", R"({"payment":7,"amount_paise":5})"},
      {"RefundCreated", R"({"refund":"r1","amount_paise":5})"},
      {"RefundSucceeded", R"({"refund":"r1","payment":"p1"})"},
      {"PayoutRequested", R"({"payout":"w1","amount_paise":5})"},
      {"PayoutRequested", R"({"payout":"w1","payment":"p1","amount_paise":5,"fee_paise":-1})"},
      {"PayoutCompleted", R"({"payout":"w1"})"},
      {"HoldSet", R"({"payment":"p1","due_at":"tomorrow"})"},
      {"ReleaseDue", R"({"payment":"p1"})"},
      {"WebhookReceived", R"({"provider":"stripe","event":"e1","type":"t"})"},
      {"Failed", R"([])"},
      {"Failed", R"({"payment":"p1")"},
  };
  for (const auto& [type, data] : wrong) {
    INFO(type << " " << data);
    const auto stored = host->try_append({captured("p1", "o1", 5), {"payment." + type, data, {}, {}}});
    REQUIRE_FALSE(stored);
    CHECK((stored.error().code() == ErrorCode::kMalformedEvent || stored.error().code() == ErrorCode::kMalformedJson));
    CHECK(host->end() == Offset{0});
  }
  // What is not known is kept, and folded by nobody.
  host->append({{"payment.CoffeeSpilt", "[1]", {}, {}},
                {"payment.OrderPlaced", R"({"order":"o1","amount_paise":1,"gift":true})", {"order:o1"}, {}}});
  CHECK(order(*host, "o1").text("/state") == "placed");
}

}  // namespace
}  // namespace bahi::test
