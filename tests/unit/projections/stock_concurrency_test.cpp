// Many who decide about the same stock at the same time.
#include <catch2/catch.hpp>

#include <atomic>
#include <map>
#include <mutex>
#include <random>
#include <thread>

#include <fmt/format.h>

#include "stock_fixture.hpp"

namespace bahi::test {
namespace {

constexpr const char* kLongFresh = "2099-12-31";

/// What the log says was sold, by sale; fails when a sale is there twice.
std::map<std::string, std::int64_t> sales_in(const StockFixture& stock, const std::string& item,
                                             const std::string& batch) {
  std::map<std::string, std::int64_t> sales;
  for (const std::string& row :
       stock.all_rows("trace", fmt::format(R"({{"item":"{}","batch":"{}"}})", item, batch), "movements")) {
    const Json movement(row);
    if (movement.text("/kind") != "sold") continue;
    CHECK(sales.emplace(movement.text("/sale"), -movement.number("/quantity")).second);
  }
  return sales;
}

void check_ledger(const StockFixture& stock, const std::string& item, std::int64_t on_hand, std::int64_t paise) {
  std::int64_t quantity_sum = 0;
  std::int64_t paise_sum = 0;
  for (const std::string& row :
       stock.all_rows("ledger", fmt::format(R"({{"item":"{}","location":"main"}})", item), "rows")) {
    const Json movement(row);
    quantity_sum += movement.number("/quantity");
    paise_sum += movement.number("/paise");
    CHECK(movement.number("/balance_quantity") == quantity_sum);
    CHECK(movement.number("/balance_paise") == paise_sum);
    CHECK(movement.number("/batch_quantity") >= 0);
    CHECK(movement.number("/balance_quantity") >= 0);
  }
  const Json balance = stock.ask("availability", fmt::format(R"({{"item":"{}","location":"main"}})", item));
  CHECK(balance.number("/total/on_hand") == on_hand);
  CHECK(quantity_sum == on_hand);
  CHECK(balance.number("/total/paise") == paise);
  CHECK(paise_sum == paise);
}

TEST_CASE("stock sell: many at once sell one item to its last piece, and none twice", "[stock][sell][concurrent]") {
  const StockFixture stock;
  stock.append({item_defined("tea"), batch_received({"tea", "a", 61}, "main", 10'007, "2098-01-01"),
                batch_received({"tea", "b", 60}, "main", 9'001, kLongFresh)});
  std::atomic<std::int64_t> acknowledged{0};
  std::atomic<std::int64_t> wrong{0};
  std::vector<std::thread> sellers;
  for (int seller = 0; seller < 16; ++seller) {
    sellers.emplace_back([&, seller] {
      for (int sale = 0; sale < 12; ++sale) {
        const auto sold = stock.try_run("sell", sale_of(fmt::format("s{}-{}", seller, sale), "tea", 1));
        if (sold) {
          ++acknowledged;
        } else if (sold.error().code() != ErrorCode::kRefused) {
          ++wrong;
        }
      }
    });
  }
  for (std::thread& seller : sellers) seller.join();
  CHECK(wrong == 0);
  CHECK(acknowledged == 121);
  CHECK(sales_in(stock, "tea", "a").size() + sales_in(stock, "tea", "b").size() == 121);
  check_ledger(stock, "tea", 0, 0);
  CHECK(stock.ask("discrepancies", "{}").size("/discrepancies") == 0);
}

TEST_CASE("stock: sales, reservations, transfers and returns at once never give what is not there",
          "[stock][sell][concurrent]") {
  const StockFixture stock;
  constexpr int kItems = 6;
  std::vector<Fact> facts;
  for (int i = 0; i < kItems; ++i) {
    facts.push_back(item_defined(fmt::format("i{}", i)));
    facts.push_back(batch_received({fmt::format("i{}", i), "a", 40}, "main", 12'345));
  }
  stock.append(facts);
  std::mutex mutex;
  std::map<std::string, std::map<std::string, std::int64_t>> sold;  // by item, then sale
  std::atomic<int> wrong{0};
  const auto work = [&](int worker) {
    std::mt19937_64 random(static_cast<std::uint64_t>(worker));
    for (int step = 0; step < 40; ++step) {
      const std::string item = fmt::format("i{}", random() % kItems);
      const auto quantity = static_cast<std::int64_t>(random() % 4) + 1;
      const std::string name = fmt::format("{}-{}", worker, step);
      Result<projections::CommandAnswer> done = projections::CommandAnswer{};
      switch (random() % 4) {
        case 0:
          done =
              stock.try_run("reserve", fmt::format(R"({{"reservation":"{}","location":"main","lines":[{{"item":"{}",)"
                                                   R"("quantity":{}}}]}})",
                                                   name, item, quantity));
          if (done) done = stock.try_run("release", fmt::format(R"({{"reservation":"{}"}})", name));
          break;
        case 1:
          done = stock.try_run(
              "transfer", fmt::format(R"({{"from":"main","to":"shop","lines":[{{"item":"{}","quantity":1}}]}})", item));
          break;
        default:
          done = stock.try_run("sell", sale_of(name, item, quantity));
          if (!done) break;
          const std::scoped_lock lock(mutex);
          sold[item][name] = quantity;
      }
      if (!done && done.error().code() != ErrorCode::kRefused) ++wrong;
    }
  };
  std::vector<std::thread> workers;
  for (int worker = 0; worker < 8; ++worker) workers.emplace_back(work, worker);
  for (std::thread& worker : workers) worker.join();
  CHECK(wrong == 0);
  CHECK(stock.ask("discrepancies", "{}").size("/discrepancies") == 0);
  for (int i = 0; i < kItems; ++i) {
    const std::string item = fmt::format("i{}", i);
    CHECK(sales_in(stock, item, "a") == sold[item]);
    std::int64_t out = 0;
    for (const auto& [sale, quantity] : sold[item]) out += quantity;
    const Json total = stock.ask("availability", fmt::format(R"({{"item":"{}"}})", item));
    CHECK(total.number("/total/on_hand") == 40 - out);
    CHECK(total.number("/total/reserved") == 0);
    const Json main = stock.ask("availability", fmt::format(R"({{"item":"{}","location":"main"}})", item));
    check_ledger(stock, item, main.number("/total/on_hand"), main.number("/total/paise"));
  }
}

}  // namespace
}  // namespace bahi::test
