// The chain of pharmacies, as the stock ledger sees it.
#include <catch2/catch.hpp>

#include <map>
#include <set>

#include <fmt/format.h>

#include "bahi/base/text.hpp"
#include "folded_history.hpp"

namespace bahi::test {
namespace {

using workload::Kind;

TEST_CASE("workload: pharmacy: nothing is sold that is not there, and every ledger adds up", "[workload][pharmacy]") {
  for (const std::uint64_t seed : {1U, 2U}) {
    INFO("seed " << seed);
    const FoldedHistory chain(small_history(Kind::kPharmacy, seed), "stock", 5'000);
    chain.each("discrepancies", "", "discrepancies", [](const rapidjson::Value& found) {
      FAIL_CHECK("a discrepancy at offset " << number_of(found, "offset"));
    });

    std::map<std::pair<std::string, std::string>, std::pair<std::int64_t, std::int64_t>> balances;
    chain.each("availability", "", "batches", [&](const rapidjson::Value& row) {
      CHECK(number_of(row, "on_hand") >= number_of(row, "reserved"));
      CHECK(number_of(row, "reserved") >= 0);
      auto& balance = balances[{text_of(row, "item"), text_of(row, "location")}];
      balance.first += number_of(row, "on_hand");
      balance.second += number_of(row, "paise");
    });
    REQUIRE(balances.size() > 50);
    for (const auto& [place, balance] : balances) {
      std::int64_t quantity = 0;
      std::int64_t paise = 0;
      chain.each("ledger", fmt::format(R"("item":"{}","location":"{}")", place.first, place.second), "rows",
                 [&](const rapidjson::Value& row) {
                   quantity += number_of(row, "quantity");
                   paise += number_of(row, "paise");
                   CHECK(number_of(row, "balance_quantity") == quantity);
                   CHECK(quantity >= 0);
                   CHECK(number_of(row, "balance_paise") == paise);
                 });
      CHECK(quantity == balance.first);
      CHECK(paise == balance.second);
    }
  }
}

TEST_CASE("workload: pharmacy: a history has all that happens to goods", "[workload][pharmacy]") {
  const FoldedHistory chain(small_history(Kind::kPharmacy), "stock", 12'000);
  std::map<std::string, int> types;
  std::map<std::string, int> reasons;
  chain.each_event([&](const EventView& event) {
    ++types[std::string(event.type)];
    rapidjson::Document data;
    data.Parse(event.data.data(), event.data.size());
    if (event.type == "stock.WrittenOff") ++reasons[text_of(data, "reason")];
  });
  CHECK(types.size() == 17);
  CHECK(types["stock.Sold"] > 6'000);
  CHECK(types["stock.Returned"] > 100);
  CHECK(types["stock.Recalled"] > 0);
  CHECK(reasons["expired"] > 10);
}

/// What a sale takes: by item and batch, in the order of its lines.
using Taken = std::vector<std::pair<std::string, std::int64_t>>;

TEST_CASE("workload: pharmacy: a sale takes first what expires first, as the read model plans it",
          "[workload][pharmacy]") {
  // One event at a time in front of a sale would take long; so the histories end right in front of one.
  int compared = 0;
  for (std::uint64_t events = 400; events < 3'000 && compared < 6; events += 371) {
    const auto options = small_history(Kind::kPharmacy, 11);
    const auto history = workload::make_history(options);
    NewEvent event;
    std::uint64_t place = 0;
    for (; place <= events || event.type != "stock.Sold"; ++place) history->next(event);
    rapidjson::Document sale;
    sale.Parse(event.data.data(), event.data.size());
    if (sale.HasMember("reservation")) continue;
    ++compared;
    const std::int64_t day = (event.occurred_at.nanos + 19'800'000'000'000) / 86'400'000'000'000;
    std::map<std::string, Taken> taken;
    for (const auto& line : sale["lines"].GetArray()) {
      taken[text_of(line, "item")].emplace_back(text_of(line, "batch"), number_of(line, "quantity"));
    }
    const FoldedHistory before(options, "stock", place - 1);
    for (const auto& [item, lines] : taken) {
      std::int64_t quantity = 0;
      for (const auto& line : lines) quantity += line.second;
      const auto plan = before.ask(
          "plan", fmt::format(R"({{"item":"{}","location":"{}","quantity":{},"date":"{}"}})", item,
                              text_of(sale, "location"), quantity, format_date(static_cast<std::int32_t>(day))));
      Taken planned;
      for (const auto& pick : plan["picks"].GetArray()) {
        planned.emplace_back(text_of(pick, "batch"), number_of(pick, "quantity"));
      }
      CHECK(planned == lines);
    }
  }
  CHECK(compared >= 4);
}

}  // namespace
}  // namespace bahi::test
