// The marketplace: it never gives more than it was told that it has.
#include <catch2/catch.hpp>

#include <map>
#include <set>

#include <fmt/format.h>

#include "folded_history.hpp"

namespace bahi::test {
namespace {

using workload::Kind;

/// What the log said of one capture so far.
struct Books {
  std::int64_t captured = 0;
  std::map<std::string, std::int64_t> refunds;   // that did not fail
  std::map<std::string, std::int64_t> payouts;   // with fees, that did not fail
  std::map<std::string, std::int64_t> disputes;  // open or lost
  [[nodiscard]] std::int64_t left() const {
    std::int64_t left = captured;
    for (const auto* const given : {&refunds, &payouts, &disputes}) {
      for (const auto& [name, paise] : *given) left -= paise;
    }
    return left;
  }
};

class Ledger {
 public:
  void take(const NewEvent& event) {
    ++types[std::string(event.type)];
    data_.Parse(event.data.data(), event.data.size());
    REQUIRE_FALSE(data_.HasParseError());
    const std::string_view what = event.type.substr(event.type.find('.') + 1);
    if (what == "WebhookReceived") return take_delivery();
    if (what.starts_with("Payout") && data_.HasMember("payout")) return take_payout(what);
    if (!data_.HasMember("payment")) return;
    Books& books = captures_[capture()];
    const std::string payment = member("payment");
    if (what == "Authorised") authorised_.insert(payment);
    if (what == "Captured") {
      if (!authorised_.contains(payment)) ++out_of_order;
      books.captured = paise();
    }
    if (what == "RefundCreated") {
      CHECK(books.left() >= paise());
      books.refunds[member("refund")] = paise();
    }
    if (what == "RefundSucceeded") succeeded_.insert(member("refund"));
    if (what == "RefundFailed") {
      if (succeeded_.contains(member("refund"))) ++failed_after_success;
      books.refunds.erase(member("refund"));
    }
    if (what == "DisputeOpened") {
      CHECK((books.disputes.contains(member("dispute")) || books.left() >= paise()));
      if (!settled_.contains(member("dispute"))) books.disputes[member("dispute")] = paise();
    }
    if (what == "DisputeWon") books.disputes.erase(member("dispute"));
    if (what == "DisputeWon" || what == "DisputeLost") settled_.insert(member("dispute"));
  }

  std::map<std::string, int> types;
  int out_of_order = 0;
  int failed_after_success = 0;
  int twice = 0;

 private:
  [[nodiscard]] std::string member(const char* name) const { return text_of(data_, name); }
  [[nodiscard]] std::int64_t paise() const { return number_of(data_, "amount_paise"); }
  [[nodiscard]] std::string capture() const { return member(data_.HasMember("capture") ? "capture" : "payment"); }

  void take_delivery() {
    rapidjson::Document body;
    REQUIRE_FALSE(body.Parse(data_["body"].GetString()).HasParseError());
    CHECK(text_of(body, "event") == member("type"));
    if (!deliveries_.insert(member("event")).second) ++twice;
  }
  void take_payout(std::string_view what) {
    const std::string payout = member("payout");
    if (what == "PayoutRequested") {
      Books& books = captures_[capture()];
      CHECK(books.payouts.empty());
      CHECK(books.disputes.empty());
      const std::int64_t out = paise() + number_of(data_, "fee_paise");
      CHECK(books.left() >= out);
      books.payouts[payout] = out;
      of_payout_[payout] = capture();
    }
    if (what == "PayoutFailed") captures_[of_payout_.at(payout)].payouts.erase(payout);
  }

  rapidjson::Document data_;
  std::map<std::string, Books> captures_;
  std::map<std::string, std::string> of_payout_;
  std::set<std::string> authorised_;
  std::set<std::string> succeeded_;
  std::set<std::string> settled_;
  std::set<std::string> deliveries_;
};

TEST_CASE("workload: payments: no decision is about more than is left, and real troubles come",
          "[workload][payments]") {
  for (const std::uint64_t seed : {1U, 2U}) {
    INFO("seed " << seed);
    auto options = small_history(Kind::kPayments, seed);
    options.events_per_day = 2'000;
    const auto history = workload::make_history(options);
    Ledger ledger;
    NewEvent event;
    for (int i = 0; i < 60'000; ++i) {
      history->next(event);
      INFO("event " << i << ": " << event.type << ' ' << event.data);
      ledger.take(event);
    }
    CHECK(ledger.types.size() == 20);
    CHECK(ledger.out_of_order > 20);
    CHECK(ledger.failed_after_success > 2);
    CHECK(ledger.twice > 100);
  }
}

TEST_CASE("workload: payments: the read model finds only what the history has wrong on purpose",
          "[workload][payments]") {
  auto options = small_history(Kind::kPayments, 4);
  options.events_per_day = 2'000;
  const FoldedHistory marketplace(options, "payments", 20'000);
  std::map<std::string, int> findings;
  marketplace.each("reconciliation", "", "findings",
                   [&](const rapidjson::Value& found) { ++findings[text_of(found, "kind")]; });
  for (const auto& [kind, count] : findings) {
    INFO(kind << ": " << count);
    // Captures whose order was never placed, and payers who paid twice.
    CHECK((kind == "orphan_capture" || kind == "order_overpaid"));
  }
  int payments = 0;
  for (const char* const state :
       {"captured", "partly_captured", "refunded", "partly_refunded", "disputed", "charged_back"}) {
    marketplace.each("payments", fmt::format(R"("state":"{}")", state), "payments", [&](const rapidjson::Value& row) {
      INFO(text_of(row, "payment"));
      ++payments;
      std::int64_t left = number_of(row, "captured_paise");
      for (const char* const part : {"refunded_paise", "refunding_paise", "disputed_paise", "lost_paise",
                                     "paying_paise", "paid_out_paise", "fee_paise"}) {
        left -= number_of(row, part);
      }
      CHECK(left == number_of(row, "left_paise"));
      CHECK(left >= 0);
    });
  }
  CHECK(payments > 500);
}

}  // namespace
}  // namespace bahi::test
