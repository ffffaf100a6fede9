// Holds, releases, payouts, totals, pages and commands of payments: in process, and through a server.
#include <catch2/catch.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <thread>

#include <fmt/format.h>

#include "bahi/base/text.hpp"
#include "payments_facts.hpp"

namespace bahi::test {
namespace {

Json payment(const ReadModelHost& host, const std::string& name) {
  return host.ask("payment", named("payment", name));
}

TEST_CASE("payments: captured money is held until it is released, and paid out once", "[payments]") {
  const auto host = read_model_host("payments");
  host->append({order_placed("o1", 1000), captured("p1", "o1", 1000)});
  CHECK(payment(*host, "p1").flag("/captures/0/held"));
  CHECK_THAT(std::string(host->refusal("payout", named("payment", "p1")).message()), Catch::Contains("held"));
  host->run("release", named("payment", "p1"));
  CHECK(host->refusal("release", named("payment", "p1")).code() == ErrorCode::kRefused);
  CHECK(host->all_rows("payout_queue", "{}", "captures").size() == 1);
  CHECK(host->all_rows("release_queue", "{}", "captures").empty());

  host->run("refund", R"({"payment":"p1","refund":"r1","amount_paise":100})");
  CHECK(host->refusal("payout", R"({"payment":"p1","amount_paise":900,"fee_paise":1})").code() == ErrorCode::kRefused);
  const Json paid = host->run("payout", R"({"payment":"p1","payout":"w1","fee_paise":20})");
  CHECK(paid.number("/result/amount_paise") == 880);
  CHECK(host->all_rows("payout_queue", "{}", "captures").empty());
  CHECK_THAT(std::string(host->refusal("payout", R"({"payment":"p1","amount_paise":1})").message()),
             Catch::Contains("at most one"));
  CHECK(host->refusal("refund", R"({"payment":"p1","amount_paise":1})").code() == ErrorCode::kRefused);
  host->append({payout_fact("PayoutCompleted", "w1", "", 880)});
  CHECK(payment(*host, "p1").number("/paid_out_paise") == 880);
  CHECK(payment(*host, "p1").number("/fee_paise") == 20);
  CHECK(payment(*host, "p1").text("/payouts/0/state") == "completed");
  CHECK(host->refusal("payout", R"({"payment":"p1","payout":"w1"})").code() == ErrorCode::kRefused);

  // The payee's bank sends it back: it is there again, and may be paid out anew.
  host->append({payout_fact("PayoutFailed", "w1", "", 880)});
  CHECK(payment(*host, "p1").number("/left_paise") == 900);
  host->run("payout", R"({"payment":"p1","payout":"w2","amount_paise":900})");
  CHECK(payment(*host, "p1").number("/left_paise") == 0);
}

TEST_CASE("payments: two live payouts of one capture in the log are reported", "[payments]") {
  const auto host = read_model_host("payments");
  host->append({order_placed("o1", 100), captured("p1", "o1", 100), payout_fact("PayoutRequested", "w1", "p1", 40),
                payout_fact("PayoutRequested", "w2", "p1", 40)});
  const Json found = host->ask("reconciliation", "{}");
  REQUIRE(found.size("/findings") == 1);
  CHECK(found.text("/findings/0/kind") == "several_payouts");
  host->append({payout_fact("PayoutFailed", "w2", "", 40)});
  CHECK(host->all_rows("reconciliation", "{}", "findings").empty());
}

TEST_CASE("payments: what a payout was for may be heard after its end", "[payments]") {
  const auto host = read_model_host("payments");
  host->append({order_placed("o1", 100), captured("p1", "o1", 100), payout_fact("PayoutCompleted", "w1", "", 60)});
  CHECK(payment(*host, "p1").number("/paid_out_paise") == 0);
  host->append({payout_fact("PayoutRequested", "w1", "p1", 60, 3)});
  CHECK(payment(*host, "p1").number("/paid_out_paise") == 60);
  CHECK(payment(*host, "p1").number("/fee_paise") == 3);
  CHECK(host->all_rows("reconciliation", "{}", "findings").empty());
  const Json history = host->ask("payment", named("payment", "p1"));
  CHECK(history.size("/history") == 3);
  CHECK(host->ask("payout", named("payout", "w1")).text("/state") == "completed");
}

TEST_CASE("payments: holds are overdue at the caller's time", "[payments]") {
  const auto host = read_model_host("payments");
  std::vector<Fact> facts;
  for (int day = 1; day <= 9; ++day) {
    const std::string name = fmt::format("p{}", day);
    facts.push_back(captured(name, "", 100));
    facts.push_back(hold_fact("HoldSet", name, fmt::format("2099-01-0{}T00:00:00Z", day)));
  }
  facts.push_back(captured("px", "", 5));
  facts.push_back(refund_fact("RefundCreated", "r1", "nobody", 5));
  facts.push_back(hold_fact("HoldSet", "nobody"));
  host->append(facts);
  const auto overdue = [&](const std::string& at, int limit = 100) {
    return host->all_rows("overdue_holds", named("at", at), "holds", limit).size();
  };
  CHECK(overdue("2098-12-31T23:59:59Z") == 0);
  CHECK(overdue("2099-01-01T00:00:00Z") == 1);
  CHECK(overdue("2099-01-05T12:00:00Z") == 5);
  CHECK(overdue("2099-01-05T12:00:00Z", 1) == 5);
  CHECK(overdue("2199-01-01T00:00:00Z", 4) == 9);
  CHECK(host->try_ask("overdue_holds", "{}").error().code() == ErrorCode::kInvalidArgument);
  const auto queue = host->all_rows("release_queue", named("at", "2099-01-02T00:00:00Z"), "captures", 3);
  REQUIRE(queue.size() == 10);
  CHECK(Json(queue[1]).flag("/due"));
  CHECK_FALSE(Json(queue[2]).flag("/due"));
  CHECK(Json(queue[9]).text("/payment") == "px");

  CHECK(host->refusal("release", named("payment", "p9")).code() == ErrorCode::kRefused);
  host->append({hold_fact("ReleaseDue", "p9", "2026-01-01T00:00:00Z")});
  host->run("release", named("payment", "p9"));
  host->run("release", R"({"payment":"p1","early":true,"reason":"delivered"})");
  CHECK(overdue("2199-01-01T00:00:00Z") == 7);
  host->run("hold", R"({"payment":"p1","due_at":"2099-03-01T00:00:00Z","reason":"complaint"})");
  CHECK(payment(*host, "p1").flag("/captures/0/held"));
  CHECK(payment(*host, "p1").text("/captures/0/hold_reason") == "complaint");
  CHECK(overdue("2099-02-01T00:00:00Z") == 7);
  CHECK(overdue("2099-03-01T00:00:00Z") == 8);
}

TEST_CASE("payments: holds and releases converge in any order", "[payments]") {
  const auto host = read_model_host("payments");
  std::array<int, 5> order_of{0, 1, 2, 3, 4};
  std::vector<Fact> facts;
  std::vector<std::string> payments;
  do {
    const std::string name = fmt::format("p{:03}", payments.size());
    const std::array<Fact, 5> five{at(captured(name, "", 100), "2026-01-01T00:00:00Z"),
                                   at(hold_fact("HoldSet", name, "2026-02-01T00:00:00Z"), "2026-01-02T00:00:00Z"),
                                   at(hold_fact("Released", name), "2026-01-03T00:00:00Z"),
                                   at(hold_fact("HoldSet", name), "2026-01-04T00:00:00Z"),
                                   at(hold_fact("ReleaseDue", name, "2026-03-01T00:00:00Z"), "2026-01-05T00:00:00Z")};
    for (const int index : order_of) facts.push_back(five.at(static_cast<std::size_t>(index)));
    payments.push_back(name);
  } while (std::next_permutation(order_of.begin(), order_of.end()));
  host->append(facts);
  const auto queue = host->all_rows("release_queue", "{}", "captures");
  CHECK(queue.size() == payments.size());
  for (const std::string& row : queue) CHECK(Json(row).text("/due_at") == "2026-03-01T00:00:00Z");
}

TEST_CASE("payments: totals of days in India", "[payments]") {
  const auto host = read_model_host("payments");
  // 18:30 in London's winter is midnight in India.
  host->append(
      {at(captured("p1", "", 1000), "2026-01-01T18:29:59Z"), at(captured("p2", "", 500), "2026-01-01T18:30:00Z"),
       at(refund_fact("RefundFailed", "r1", "p1", 300), "2026-01-05T10:00:00Z"),
       at(refund_fact("RefundSucceeded", "r1", "p1", 300), "2026-01-03T10:00:00Z"),
       at(refund_fact("RefundFailed", "r2", "p1", 70), "2026-01-03T10:00:00Z"),
       at(payout_fact("PayoutCompleted", "w1", "p2", 200, 7), "2026-01-03T11:00:00Z"),
       at(dispute_fact("DisputeLost", "d1", "p2", 90), "2026-01-03T12:00:00Z"),
       // Heard again, later; and once more, earlier than ever.
       at(captured("p1", "", 1000), "2026-01-09T00:00:00Z"), at(captured("p2", "", 500), "2026-01-01T10:00:00Z")});
  const Json all = host->ask("totals", "{}");
  REQUIRE(all.size("/days") >= 3);
  CHECK(all.text("/days/0/day") == "2026-01-01");
  CHECK(all.number("/days/0/captured_paise") == 1500);
  CHECK(all.number("/days/0/captures") == 2);
  CHECK(all.number("/total/captured_paise") == 1500);
  CHECK(all.number("/total/refunded_paise") == 300);
  CHECK(all.number("/total/refunds_reversed_paise") == 300);
  const Json third = host->ask("totals", R"({"from":"2026-01-03","to":"2026-01-04"})");
  REQUIRE(third.size("/days") == 1);
  CHECK(third.number("/days/0/refunded_paise") == 300);
  CHECK(third.number("/days/0/refunds_reversed_paise") == 0);
  CHECK(third.number("/days/0/paid_out_paise") == 200);
  CHECK(third.number("/days/0/fees_paise") == 7);
  CHECK(third.number("/days/0/lost_paise") == 90);
  const Json fifth = host->ask("totals", R"({"from":"2026-01-05","to":"2026-01-05"})");
  CHECK(fifth.number("/days/0/refunds_reversed_paise") == 300);
}

TEST_CASE("payments: pages give each row once, and cursors belong to their query", "[payments]") {
  const auto host = read_model_host("payments");
  std::vector<Fact> facts;
  for (int i = 0; i < 60; ++i) facts.push_back(payment_fact("Authorised", fmt::format("p{}", i), "o1", 10));
  for (int i = 0; i < 40; ++i) facts.push_back(order_placed(fmt::format("o{}", i), 10));
  host->append(facts);
  for (int limit = 1; limit <= 61; limit += 7) {
    CHECK(host->all_rows("payments", named("state", "authorised"), "payments", limit).size() == 60);
    CHECK(host->all_rows("orders", named("state", "placed"), "orders", limit).size() == 40);
    const auto history = host->all_rows("order", named("order", "o1"), "history", limit);
    REQUIRE(history.size() == 61);
    std::int64_t last = -1;
    for (const std::string& row : history) {
      CHECK(Json(row).number("/offset") > last);
      last = Json(row).number("/offset");
    }
  }
  const std::string cursor = host->ask("payments", R"({"state":"authorised","limit":5})").text("/next");
  const auto refused = [&](const std::string& query, const std::string& arguments) {
    return host->try_ask(query, fmt::format(R"({{{},"cursor":"{}"}})", arguments, cursor)).error().code();
  };
  CHECK(refused("payments", R"("state":"captured")") == ErrorCode::kInvalidCursor);
  CHECK(refused("payments", R"("state":"reconciliation_needed")") == ErrorCode::kInvalidCursor);
  CHECK(refused("orders", R"("state":"placed")") == ErrorCode::kInvalidCursor);
  CHECK(refused("order", R"("order":"o1")") == ErrorCode::kInvalidCursor);
  CHECK(refused("totals", R"("from":"2026-01-01")") == ErrorCode::kInvalidCursor);
  CHECK(host->try_ask("payments", R"({"state":"lost"})").error().code() == ErrorCode::kInvalidArgument);
  CHECK(host->try_ask("payment", named("payment", "nobody")).error().code() == ErrorCode::kNotFound);
  CHECK(host->try_ask("order", named("order", "nobody")).error().code() == ErrorCode::kNotFound);
}

TEST_CASE("payments: the same command again is answered, and stores nothing", "[payments]") {
  const auto host = read_model_host("payments");
  host->append({order_placed("o1", 100), captured("p1", "o1", 100)});
  const ProducerPosition position{random_uuid(), 0};
  const std::string refund = R"({"payment":"p1","amount_paise":60})";
  const auto first = host->try_run("refund", refund, position);
  REQUIRE(first);
  const Offset end = host->end();
  const auto again = host->try_run("refund", refund, position);
  REQUIRE(again);
  CHECK(again->appended.duplicate);
  CHECK(host->end() == end);
  CHECK(payment(*host, "p1").number("/left_paise") == 40);
  CHECK(host->refusal("refund", refund).code() == ErrorCode::kRefused);
}

TEST_CASE("payments: refunds and payouts at once take no more than there is", "[payments]") {
  const auto host = read_model_host("payments");
  host->append({order_placed("o1", 1000), captured("p1", "o1", 1000)});
  host->run("release", named("payment", "p1"));
  std::atomic<int> refunds{0};
  std::atomic<int> payouts{0};
  std::atomic<int> others{0};
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 6; ++thread) {
    threads.emplace_back([&, thread] {
      for (int i = 0; i < 4; ++i) {
        const bool refund = thread % 2 == 0;
        const auto done = refund ? host->try_run("refund", R"({"payment":"p1","amount_paise":100})")
                                 : host->try_run("payout", R"({"payment":"p1","amount_paise":290,"fee_paise":10})");
        if (done) ++(refund ? refunds : payouts);
        if (!done && done.error().code() != ErrorCode::kRefused) ++others;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(others == 0);
  CHECK(payouts <= 1);
  CHECK(refunds == (payouts == 1 ? 7 : 10));
  const Json found = payment(*host, "p1");
  CHECK(found.number("/left_paise") == 0);
  CHECK(found.number("/refunding_paise") == refunds * 100);
  CHECK(found.number("/paying_paise") == payouts * 300);
  CHECK(host->all_rows("reconciliation", "{}", "findings").empty());
}

TEST_CASE("payments: commands with wrong arguments are refused by name", "[payments]") {
  const auto host = read_model_host("payments");
  host->append({order_placed("o1", 100), captured("p1", "o1", 100)});
  const auto code = [&](const std::string& command, const std::string& arguments) {
    return host->refusal(command, arguments).code();
  };
  CHECK(code("refund", R"({"amount_paise":1})") == ErrorCode::kInvalidArgument);
  CHECK(code("refund", R"({"payment":"p1","order":"o1","amount_paise":1})") == ErrorCode::kInvalidArgument);
  CHECK(code("refund", R"({"payment":"p1","amount_paise":0})") == ErrorCode::kInvalidArgument);
  CHECK(code("refund", R"({"payment":"p1","amount_paise":1,"sum":2})") == ErrorCode::kInvalidArgument);
  CHECK(code("refund", R"({"payment":"p9","amount_paise":1})") == ErrorCode::kNotFound);
  CHECK(code("refund", R"({"order":"o9","amount_paise":1})") == ErrorCode::kNotFound);
  CHECK(code("payout", R"({"payment":"p1","capture":"c9"})") == ErrorCode::kNotFound);
  CHECK(code("release", R"({"payment":"p9"})") == ErrorCode::kNotFound);
  CHECK(code("capture", R"({"payment":"p1"})") == ErrorCode::kRefused);
}

}  // namespace
}  // namespace bahi::test
