// The stock ledger against a plain one, over generated histories.
#include <catch2/catch.hpp>

#include <cstdlib>
#include <random>

#include <fmt/format.h>

#include "process_host.hpp"
#include "stock_reference.hpp"

namespace bahi::test {
namespace {

/// Facts of a chain of shops, a few of which contradict the ledger.
class History {
 public:
  explicit History(std::uint64_t seed) : random_(seed) {}

  Fact next() {
    ++count_;
    const std::uint64_t kind = pick(100);
    if (kind < 14 || count_ < 50) return receive();
    if (kind < 58) return sell();
    if (kind < 64) return returned(sale(), location(), lines(1));
    if (kind < 72) return transferred(location(), location(), lines(2));
    if (kind < 76) return written_off(location(), lines(2));
    if (kind < 80) return counted({item(), batch(), static_cast<std::int64_t>(pick(60))}, location());
    if (kind < 89) return reserved(reservation(pick(20) == 0), location(), lines(2));
    if (kind < 95) {
      return reservation_ended(pick(2) == 0 ? "stock.Released" : "stock.ReservationExpired", old_reservation(), item());
    }
    constexpr const char* kKinds[] = {"stock.Recalled",   "stock.RecallLifted", "stock.BatchHeld",
                                      "stock.HoldLifted", "stock.RecallLifted", "stock.HoldLifted"};
    return batch_fact(kKinds[pick(6)], item(), batch());
  }

  std::uint64_t pick(std::uint64_t below) { return random_() % below; }
  std::string item() { return fmt::format("item-{}", pick(12)); }
  std::string location() { return fmt::format("shop-{}", pick(4)); }

 private:
  Fact receive() {
    const std::string name = item();
    const std::string lot = batch();
    const auto quantity = static_cast<std::int64_t>(pick(100)) + 1;
    // A batch has one expiry, but a twentieth of the receipts say another.
    const std::uint64_t hash = std::hash<std::string>{}(name + lot) + (pick(20) == 0 ? 1 : 0);
    const std::string expiry = hash % 4 == 0 ? "" : fmt::format("2026-{:02}-{:02}", hash % 12 + 1, hash / 12 % 28 + 1);
    return batch_received({name, lot, quantity}, location(), static_cast<std::int64_t>(pick(10'000'000)), expiry);
  }
  Fact sell() {
    const bool of_reservation = pick(8) == 0;
    return sold(fmt::format("sale-{}", count_), location(), lines(3), of_reservation ? old_reservation() : "");
  }
  std::string batch() { return fmt::format("b{}", pick(8)); }
  std::string sale() { return fmt::format("sale-{}", pick(count_)); }
  std::string reservation(bool repeat) { return repeat ? old_reservation() : fmt::format("r{}", ++reservations_); }
  std::string old_reservation() { return fmt::format("r{}", pick(reservations_ + 3)); }
  std::vector<FactLine> lines(std::uint64_t max) {
    std::vector<FactLine> lines;
    for (std::uint64_t left = pick(max) + 1; left > 0; --left) {
      lines.push_back({item(), batch(), static_cast<std::int64_t>(pick(12)) + 1});
    }
    return lines;
  }

  std::mt19937_64 random_;
  std::uint64_t count_ = 0;
  std::uint64_t reservations_ = 0;
};

void compare_balances(const ReadModelHost& stock, const ReferenceLedger& reference) {
  std::map<ReferenceLedger::Place, ReferenceBalance> found;
  for (const std::string& text : stock.all_rows("availability", "{}", "batches", 97)) {
    const Json row(text);
    found[{row.text("/item"), row.text("/location"), row.text("/batch")}] = {
        row.number("/on_hand"), row.number("/paise"), row.number("/reserved")};
    const auto batch = reference.batches.find({row.text("/item"), row.text("/batch")});
    const ReferenceBatch expected = batch == reference.batches.end() ? ReferenceBatch{} : batch->second;
    CHECK((row.has("/expires_on") ? row.text("/expires_on") : "never") == expected.expires_on);
    CHECK(row.flag("/recalled") == expected.recalled);
    CHECK(row.flag("/held") == expected.held);
  }
  std::map<ReferenceLedger::Place, ReferenceBalance> expected;
  std::int64_t paise = 0;
  for (const auto& [place, balance] : reference.balances) {
    if (!(balance == ReferenceBalance{})) expected[place] = balance;
    paise += balance.paise;
  }
  CHECK(found == expected);
  CHECK(stock.ask("valuation", "{}").number("/total_paise") == paise);
  std::size_t by_location = 0;
  for (int shop = 0; shop < 4; ++shop) {
    by_location += stock.all_rows("availability", fmt::format(R"({{"location":"shop-{}"}})", shop), "batches").size();
  }
  CHECK(by_location == expected.size());
  std::size_t dated = 0;
  for (const auto& [place, balance] : expected) {
    const auto batch = reference.batches.find({std::get<0>(place), std::get<2>(place)});
    if (batch != reference.batches.end() && batch->second.expires_on != "never") ++dated;
  }
  CHECK(stock.all_rows("availability", R"({"expiring_before":"9999-01-01"})", "batches").size() == dated);
}

void compare_ledgers(const ReadModelHost& stock, const ReferenceLedger& reference) {
  for (const auto& [place, expected] : reference.ledgers) {
    INFO(place.first << " at " << place.second);
    std::vector<ReferenceRow> found;
    const std::string arguments = fmt::format(R"({{"item":"{}","location":"{}"}})", place.first, place.second);
    for (const std::string& text : stock.all_rows("ledger", arguments, "rows", 1000)) {
      const Json row(text);
      found.push_back({static_cast<std::uint64_t>(row.number("/offset")), row.text("/kind"), row.text("/batch"),
                       row.number("/quantity"), row.number("/paise"), row.number("/balance_quantity"),
                       row.number("/balance_paise")});
    }
    CHECK(found == expected);
    std::int64_t paise = 0;
    std::int64_t quantity = 0;
    for (const ReferenceRow& row : found) {
      paise += row.paise;
      quantity += row.quantity;
    }
    const Json balance = stock.ask("availability", arguments);
    CHECK(balance.number("/total/on_hand") == quantity);
    CHECK(balance.number("/total/paise") == paise);
  }
}

void compare_plans(const ReadModelHost& stock, const ReferenceLedger& reference, History& history) {
  for (int i = 0; i < 60; ++i) {
    const std::string item = history.item();
    const std::string location = history.location();
    const auto quantity = static_cast<std::int64_t>(history.pick(200)) + 1;
    const std::string date = fmt::format("2026-{:02}-15", history.pick(12) + 1);
    const Json plan = stock.ask("plan", fmt::format(R"({{"item":"{}","location":"{}","quantity":{},"date":"{}"}})",
                                                    item, location, quantity, date));
    std::vector<std::pair<std::string, std::int64_t>> found;
    for (std::size_t pick = 0; pick < plan.size("/picks"); ++pick) {
      found.emplace_back(plan.text(fmt::format("/picks/{}/batch", pick)),
                         plan.number(fmt::format("/picks/{}/quantity", pick)));
    }
    INFO(item << " at " << location << ", " << quantity << " on " << date);
    CHECK(found == reference.plan(item, location, quantity, date));
  }
}

TEST_CASE("stock: the read model is what a plain ledger says, through restarts and rebuilds", "[stock][fold]") {
  const char* wanted = std::getenv("BAHI_FOLD_EVENTS");
  const std::uint64_t events_max = wanted == nullptr ? 20'000 : std::stoull(wanted);
  const std::uint64_t seed = 20261121;
  INFO("seed " << seed);
  History history(seed);
  ReferenceLedger reference;
  ProcessHost stock("stock");
  std::uint64_t offset = 0;
  std::vector<Fact> facts;
  for (int i = 0; i < 12; ++i) facts.push_back(item_defined(fmt::format("item-{}", i)));
  std::uint64_t compared = 0;
  while (offset < events_max) {
    const std::uint64_t batch = history.pick(3) == 0 ? 1 : history.pick(400) + 1;
    while (facts.size() < batch) facts.push_back(history.next());
    stock.append(facts);
    for (const Fact& fact : facts) reference.apply(fact, offset++);
    facts.clear();
    if (history.pick(60) == 0) stock.restart();
    if (history.pick(60) == 0) {
      stock.settle();
      const Status rebuilt = stock.projections->rebuild(stock.tenant, "stock", "admin");
      CHECK((rebuilt || rebuilt.error().code() == ErrorCode::kProjectionExists));
    }
    if (offset > compared + events_max / 3) {
      compare_balances(stock, reference);
      compared = offset;
    }
  }
  compare_balances(stock, reference);
  compare_ledgers(stock, reference);
  compare_plans(stock, reference, history);

  // From nothing, twice: the same state to the byte.
  const Hash128 live = stock.fingerprint();
  for (int i = 0; i < 2; ++i) {
    stock.start_over();
    CHECK(stock.fingerprint() == live);
  }
}

TEST_CASE("stock: sums beyond 64 bits park the read model in front of the event", "[stock][fold]") {
  const ProcessHost stock("stock");
  stock.append({item_defined("tea")});
  // The largest receipt there is, ten thousand times: more than 64 bits hold.
  const Fact most = batch_received({"tea", "a", 1'000'000'000'000}, "main", 1'000'000'000'000'000);
  stock.append(std::vector<Fact>(10'000, most));
  stock.settle();
  const auto all = stock.projections->list(stock.tenant);
  REQUIRE(all.size() == 1);
  CHECK(all[0].state == projections::ProjectionState::kParked);
  REQUIRE(all[0].parked_at);
  CHECK(*all[0].parked_at == Offset{1 + 9'223});
  CHECK_THAT(all[0].parked_because, Catch::Contains("beyond 64 bits"));
  const auto answer = stock.projections->query({stock.tenant, "stock", "valuation", "{}", {}});
  REQUIRE(answer);
  CHECK(Json(answer->json).number("/total_paise") == 9'223'000'000'000'000'000);
}

}  // namespace
}  // namespace bahi::test
