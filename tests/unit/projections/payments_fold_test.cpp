// The payments against plain ones, over generated histories with duplicates, late and contradicting facts.
#include <catch2/catch.hpp>

#include <algorithm>
#include <cstdlib>
#include <random>

#include <fmt/format.h>

#include "payments_reference.hpp"
#include "process_host.hpp"

namespace bahi::test {
namespace {

/// Payments of a marketplace whose providers tell things late, twice and sometimes wrongly.
class History {
 public:
  explicit History(std::uint64_t seed) : random_(seed) {}

  Fact next() {
    ++count_;
    // A twentieth is heard again, as it was.
    if (!recent_.empty() && pick(20) == 0) return recent_[pick(recent_.size())];
    Fact fact = make();
    fact.occurred_at = {kStart + static_cast<std::int64_t>(pick(200)) * 3'600'000'000'000 +
                        static_cast<std::int64_t>(count_)};
    if (recent_.size() < 500) {
      recent_.push_back(fact);
    } else {
      recent_[pick(recent_.size())] = fact;
    }
    return fact;
  }

  std::uint64_t pick(std::uint64_t below) { return random_() % below; }

 private:
  static constexpr std::int64_t kStart = 1'767'225'600'000'000'000;  // 2026-01-01

  Fact make() {
    const std::string payment = name('p', 8);
    const std::string order = pick(30) == 0 ? "" : fmt::format("o{}", (number_ / 2) + pick(3));
    const std::int64_t paise = pick(10) == 0 ? amount() : 1000;
    const std::string capture = pick(4) == 0 ? fmt::format("c{}", pick(2)) : "";
    const std::uint64_t kind = pick(100);
    if (kind < 10) return order_placed(fmt::format("o{}", (number_ / 2) + pick(4)), paise);
    if (kind < 18) return payment_fact("IntentCreated", payment, order, paise);
    if (kind < 20) return payment_note("RequiresAction", payment, order, "otp");
    if (kind < 30) return payment_fact("Authorised", payment, order, paise);
    if (kind < 46) return captured(payment, order, paise, capture);
    if (kind < 50) return payment_note("Failed", payment, order, pick(2) == 0 ? "bank" : "network");
    if (kind < 52) return payment_note("Cancelled", payment, order);
    if (kind < 70) {
      constexpr const char* kKinds[] = {"RefundCreated", "RefundSucceeded", "RefundFailed"};
      return refund_fact(kKinds[pick(3)], fmt::format("r{}", pick(3)), payment, pick(4) == 0 ? amount() : 300, capture);
    }
    if (kind < 76) {
      constexpr const char* kKinds[] = {"DisputeOpened", "DisputeWon", "DisputeLost"};
      return dispute_fact(kKinds[pick(3)], fmt::format("d{}", pick(2)), payment, pick(2) == 0 ? amount() : 1000);
    }
    if (kind < 90) return payout(payment, capture);
    constexpr const char* kKinds[] = {"HoldSet", "ReleaseDue", "Released", "Released"};
    const std::string what = kKinds[pick(4)];
    const std::string due = what == "Released" ? "" : fmt::format("2026-03-{:02}T00:00:00Z", pick(28) + 1);
    return hold_fact(what, payment, due, capture);
  }

  Fact payout(const std::string& payment, const std::string& capture) {
    constexpr const char* kKinds[] = {"PayoutRequested", "PayoutCompleted", "PayoutFailed"};
    const std::string what = kKinds[pick(3)];
    const bool silent = what != "PayoutRequested" && pick(2) == 0;
    const auto fee = what == "PayoutFailed" ? 0 : static_cast<std::int64_t>(pick(3)) * 5;
    // Its number is mostly its payment's, rarely another's.
    const std::string own = pick(40) == 0 ? name('w', 8) : fmt::format("w{}", payment.substr(1));
    return payout_fact(what, own, silent ? "" : payment, pick(4) == 0 ? amount() : 500, fee, silent ? "" : capture);
  }

  /// Of the last few, which move on slowly.
  std::string name(char kind, std::uint64_t spread) {
    if (pick(12) == 0) ++number_;
    return fmt::format("{}{}", kind, number_ + pick(spread));
  }
  std::int64_t amount() { return static_cast<std::int64_t>(pick(1200)) + 1; }

  std::mt19937_64 random_;
  std::uint64_t count_ = 0;
  std::uint64_t number_ = 0;
  std::vector<Fact> recent_;
};

void compare_payments(const ProcessHost& host, const ReferencePayments& reference, std::size_t every) {
  std::size_t index = 0;
  std::map<std::string, std::size_t> states;
  for (const auto& [name, expected] : reference.payments) {
    if (expected.state != "unknown") ++states[expected.state];
    if (expected.reconciliation_needed) ++states["reconciliation_needed"];
    if (++index % every != 0) continue;
    const Json found = host.ask("payment", fmt::format(R"({{"payment":"{}","limit":1}})", name));
    const ReferencePayment row{found.text("/state"),
                               found.has("/order") ? found.text("/order") : "",
                               found.flag("/reconciliation_needed"),
                               found.number("/captured_paise"),
                               found.number("/refunded_paise"),
                               found.number("/refunding_paise"),
                               found.number("/disputed_paise"),
                               found.number("/lost_paise"),
                               found.number("/paying_paise"),
                               found.number("/paid_out_paise") + found.number("/fee_paise"),
                               found.number("/left_paise"),
                               found.has("/excess_paise") ? found.number("/excess_paise") : 0};
    INFO(name << ": expected state " << expected.state << ", order " << expected.order);
    CHECK(row == expected);
    CHECK(row.captured >= row.refunded + row.lost + row.out);
  }
  for (const char* state :
       {"created", "requires_action", "failed", "authorised", "cancelled", "partly_captured", "captured",
        "partly_refunded", "refunded", "disputed", "charged_back", "reconciliation_needed"}) {
    INFO(state);
    CHECK(host.all_rows("payments", named("state", state), "payments", 997).size() == states[state]);
  }
}

void compare_orders(const ProcessHost& host, const ReferencePayments& reference, std::size_t every) {
  std::size_t index = 0;
  std::map<std::string, std::size_t> states;
  std::size_t orphans = 0;
  for (const auto& [name, expected] : reference.orders) {
    if (expected.state == "unknown" && expected.captured > 0) ++orphans;
    if (expected.state != "unknown") ++states[expected.state];
    if (++index % every != 0) continue;
    const Json found = host.ask("order", fmt::format(R"({{"order":"{}","limit":1}})", name));
    const ReferenceOrder row{found.text("/state"), found.number("/captured_paise"), found.number("/refunded_paise"),
                             found.number("/lost_paise")};
    INFO(name);
    CHECK(row == expected);
  }
  for (const char* state : {"placed", "partly_paid", "paid", "partly_refunded", "refunded"}) {
    CHECK(host.all_rows("orders", named("state", state), "orders", 1000).size() == states[state]);
  }
  for (const auto& [name, payment] : reference.payments) {
    if (payment.reconciliation_needed && payment.order.empty()) ++orphans;
  }
  CHECK(host.all_rows("reconciliation", named("kind", "orphan_capture"), "findings", 313).size() == orphans);
}

void compare_lists(const ProcessHost& host, const ReferencePayments& reference) {
  using Names = std::set<std::pair<std::string, std::string>>;
  const auto names = [&](const std::string& query) {
    Names found;
    for (const std::string& row : host.all_rows(query, "{}", "captures", 211)) {
      const Json json(row);
      found.emplace(json.text("/payment"), json.text("/capture"));
    }
    return found;
  };
  CHECK(names("release_queue") == reference.held);
  CHECK(names("payout_queue") == reference.payable);
  std::map<std::string, ReferenceDay> days;
  for (const std::string& row : host.all_rows("totals", "{}", "days", 3)) {
    const Json day(row);
    const ReferenceDay found{day.number("/captured_paise"),         day.number("/refunded_paise"),
                             day.number("/refunds_reversed_paise"), day.number("/lost_paise"),
                             day.number("/paid_out_paise"),         day.number("/fees_paise"),
                             day.number("/payouts_reversed_paise")};
    if (!(found == ReferenceDay{})) days[day.text("/day")] = found;
  }
  CHECK(days == reference.days);
}

void compare(const ProcessHost& host, ReferencePayments& reference, std::size_t every) {
  reference.conclude();
  compare_payments(host, reference, every);
  compare_orders(host, reference, every);
  compare_lists(host, reference);
}

TEST_CASE("payments: the read model is what plain payments say, through restarts and rebuilds", "[payments][fold]") {
  const char* wanted = std::getenv("BAHI_FOLD_EVENTS");
  const std::uint64_t events_max = wanted == nullptr ? 20'000 : std::stoull(wanted);
  const std::uint64_t seed = 20261121;
  INFO("seed " << seed);
  // Of long runs a share of the payments is asked for one by one.
  const std::size_t every = std::max<std::size_t>(1, events_max / 20'000);
  History history(seed);
  ReferencePayments reference;
  ProcessHost host("payments");
  std::uint64_t offset = 0;
  std::vector<Fact> facts;
  std::uint64_t compared = 0;
  while (offset < events_max) {
    const std::uint64_t batch = history.pick(3) == 0 ? 1 : history.pick(400) + 1;
    while (facts.size() < batch) facts.push_back(history.next());
    host.append(facts);
    for (const Fact& fact : facts) reference.apply(fact);
    offset += facts.size();
    facts.clear();
    if (history.pick(60) == 0) host.restart();
    if (history.pick(60) == 0) {
      host.settle();
      const Status rebuilt = host.projections->rebuild(host.tenant, "payments", "admin");
      CHECK((rebuilt || rebuilt.error().code() == ErrorCode::kProjectionExists));
    }
    if (offset > compared + events_max / 3) {
      compare(host, reference, every);
      compared = offset;
    }
  }
  compare(host, reference, every);

  // From nothing, twice: the same state to the byte.
  const Hash128 live = host.fingerprint();
  for (int i = 0; i < 2; ++i) {
    host.start_over();
    CHECK(host.fingerprint() == live);
  }
}

TEST_CASE("payments: the same facts in any order, some twice, end in the same state", "[payments][fold]") {
  History history(7);
  std::vector<Fact> facts;
  for (int i = 0; i < 1500; ++i) facts.push_back(history.next());
  std::mt19937_64 random(7);
  std::map<std::string, std::string> expected;
  for (int round = 0; round < 4; ++round) {
    ProcessHost host("payments");
    ReferencePayments reference;
    for (const Fact& fact : facts) reference.apply(fact);
    host.append(facts);
    reference.conclude();
    for (const auto& [name, row] : reference.payments) {
      const std::string state = state_of(host, name);
      const auto [place, fresh] = expected.emplace(name, state);
      CHECK(place->second == state);
    }
    compare_lists(host, reference);
    const std::size_t count = facts.size();
    for (std::size_t i = 0; i < count; i += 7) facts.push_back(facts[random() % count]);
    std::shuffle(facts.begin(), facts.end(), random);
  }
}

TEST_CASE("payments: sums beyond 64 bits park the read model in front of the event", "[payments][fold]") {
  const ProcessHost host("payments");
  std::vector<Fact> facts;
  for (int i = 0; i < 10'000; ++i) facts.push_back(captured("p1", "", 1'000'000'000'000'000, fmt::format("c{}", i)));
  host.append(facts);
  host.settle();
  const auto status = host.status();
  CHECK(status.state == projections::ProjectionState::kParked);
  REQUIRE(status.parked_at);
  CHECK(*status.parked_at == Offset{9'223});
  CHECK_THAT(status.parked_because, Catch::Contains("beyond 64 bits"));
  const auto answer = host.projections->query({host.tenant, "payments", "payment", named("payment", "p1"), {}});
  REQUIRE(answer);
  CHECK(Json(answer->json).number("/captured_paise") == 9'223'000'000'000'000'000);
}

}  // namespace
}  // namespace bahi::test
