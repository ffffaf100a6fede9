// What is decided about stock: all or nothing, never more than there is, whoever else decides at the same time.
#include <catch2/catch.hpp>

#include <random>

#include <fmt/format.h>

#include "stock_fixture.hpp"

namespace bahi::test {
namespace {

using Catch::Contains;

/// Far enough ahead for every test that means "not expired".
constexpr const char* kLongFresh = "2099-12-31";

Fact tax_rate(const std::string& item, int basis_points) {
  return {"stock.TaxRateSet",
          fmt::format(R"({{"item":"{}","rate_basis_points":{}}})", item, basis_points),
          {"stock:" + item},
          time_of("2020-01-01T00:00:00Z")};
}

TEST_CASE("stock sell: over two batches by expiry, with tax to the paisa and a total in rupees", "[stock][sell]") {
  const StockFixture stock;
  stock.append({item_defined("tea"), tax_rate("tea", 1'800),
                batch_received({"tea", "new", 10}, "main", 1'000, kLongFresh),
                batch_received({"tea", "old", 2}, "main", 100, "2099-01-31")});
  const std::string lines = R"("location":"main","lines":[{"item":"tea","quantity":3,"price_paise":6251}])";
  const Json quote = stock.ask("quote", "{" + lines + "}");
  const Json sold = stock.run("sell", R"({"sale":"s1","customer":"asha",)" + lines + "}");
  CHECK(sold.size("/events") == 1);
  CHECK(sold.text("/events/0/type") == "stock.Sold");
  CHECK(sold.text("/events/0/stream") == "sale-s1");
  const std::string data = "/events/0/data";
  CHECK(sold.text(data + "/lines/0/batch") == "old");
  CHECK(sold.number(data + "/lines/0/quantity") == 2);
  CHECK(sold.number(data + "/lines/0/amount_paise") == 12'502);
  CHECK(sold.number(data + "/lines/0/cgst_paise") == 1'125);  // 9 % of 125.02: 11.2518
  CHECK(sold.text(data + "/lines/1/batch") == "new");
  CHECK(sold.number(data + "/lines/1/quantity") == 1);
  CHECK(sold.number(data + "/lines/1/cgst_paise") == 563);  // 9 % of 62.51: 5.6259
  CHECK(sold.number(data + "/lines/1/sgst_paise") == 563);
  CHECK(sold.number(data + "/taxable_paise") == 18'753);
  CHECK(sold.number(data + "/tax_paise") == 3'376);
  CHECK(sold.number(data + "/total_paise") == 22'100);  // 221.29
  CHECK(sold.number(data + "/rounding_paise") == -29);
  CHECK(quote.number("/total_paise") == 22'100);
  CHECK(quote.size("/lines") == 2);
  const Json record = stock.ask("sale", R"({"sale":"s1"})");
  CHECK(record.number("/events/0/lines/0/cost_paise") == 100);
  CHECK(record.number("/events/0/lines/1/cost_paise") == 100);
  CHECK(record.number("/events/0/total_paise") == 22'100);
  const Json between = stock.ask("quote", R"({"inter_state":true,)" + lines + "}");
  REQUIRE(between.size("/lines") == 1);                   // the old batch is sold out
  CHECK(between.number("/lines/0/igst_paise") == 3'376);  // 18 % of 187.53: 33.7554
  CHECK(between.number("/lines/0/cgst_paise") == 0);
}

TEST_CASE("stock sell: without a price at the MRP of each batch, and never above it", "[stock][sell]") {
  const StockFixture stock;
  const std::string past = "2020-01-02T00:00:00Z";
  stock.append({item_defined("tea"), tax_rate("tea", 1'200),
                at(batch_received({"tea", "a", 1}, "main", 100, "2098-01-01", 11'200), past),
                at(batch_received({"tea", "b", 5}, "main", 500, "2099-01-01", 5'600), past)});
  const Json quote = stock.ask("quote", R"({"location":"main","lines":[{"item":"tea","quantity":2}]})");
  CHECK(quote.number("/lines/0/amount_paise") == 10'000);
  CHECK(quote.number("/lines/1/amount_paise") == 5'000);
  CHECK(quote.number("/total_paise") == 16'800);
  CHECK(stock.ask("quote", R"({"location":"main","lines":[{"item":"tea","quantity":1,"price_paise":10000}]})")
            .number("/total_paise") == 11'200);
  const Error above = stock.refusal(
      "sell", R"({"sale":"s","location":"main","lines":[{"item":"tea","quantity":2,"price_paise":5001}]})");
  CHECK(above.code() == ErrorCode::kRefused);
  CHECK_THAT(above.message(), Contains("MRP of 5600 paise") && Contains("batch 'b'"));
}

TEST_CASE("stock sell: all or nothing, and what it is refused for is named with its numbers", "[stock][sell]") {
  const StockFixture stock;
  stock.append({item_defined("tea"), item_defined("milk"), batch_received({"tea", "gone", 4}, "main", 0, "2020-01-31"),
                batch_received({"tea", "called", 3}, "main", 0, kLongFresh),
                batch_fact("stock.Recalled", "tea", "called"), batch_received({"tea", "held", 2}, "main", 0),
                batch_fact("stock.BatchHeld", "tea", "held"), batch_received({"tea", "good", 5}, "main", 0),
                batch_received({"milk", "m", 5}, "main", 0), reserved("r", "main", {{"tea", "good", 1}})});
  const Error error = stock.refusal(
      "sell", R"({"sale":"s1","location":"main","lines":[{"item":"milk","quantity":5},{"item":"tea","quantity":5}]})");
  CHECK(error.code() == ErrorCode::kRefused);
  CHECK_THAT(error.message(), Contains("5 of item 'tea' at 'main' are wanted, 4 can be given") &&
                                  Contains("on hand 14, reserved 1, expired, recalled or held 9"));
  CHECK(stock.ask("availability", R"({"item":"milk"})").number("/total/on_hand") == 5);
  // Two lines of the same item count together.
  CHECK(stock
            .refusal("sell", R"({"sale":"s1","location":"main","lines":[{"item":"tea","quantity":3},)"
                             R"({"item":"tea","quantity":2}]})")
            .code() == ErrorCode::kRefused);
  stock.run("sell",
            R"({"sale":"s1","location":"main","lines":[{"item":"tea","quantity":3},{"item":"tea","quantity":1}]})");
  CHECK(stock.refusal("sell", sale_of("s2", "tea", 1)).code() == ErrorCode::kRefused);
  CHECK(stock.refusal("sell", sale_of("s2", "coffee", 1)).code() == ErrorCode::kNotFound);
  CHECK(stock.refusal("sell", sale_of("s2", "tea", 1, "nowhere")).code() == ErrorCode::kRefused);
  const Error repeated = stock.refusal("sell", sale_of("s1", "milk", 1));
  CHECK_THAT(repeated.message(), Contains("'s1' is recorded already"));
}

TEST_CASE("stock sell: the plan and the sale pick the same", "[stock][sell]") {
  const StockFixture stock;
  std::mt19937_64 random(20261121);
  std::vector<Fact> facts{item_defined("tea")};
  for (int i = 0; i < 12; ++i) {
    const std::string batch = fmt::format("b{}", i);
    const std::string expiry = i % 4 == 3 ? "" : fmt::format("20{}-0{}-01", i % 4 == 2 ? 20 : 98, random() % 9 + 1);
    facts.push_back(batch_received({"tea", batch, static_cast<std::int64_t>(random() % 9) + 1}, "main", 100, expiry));
    if (i % 5 == 0) facts.push_back(batch_fact("stock.Recalled", "tea", batch));
    if (i % 3 == 0) facts.push_back(reserved("r" + batch, "main", {{"tea", batch, 1}}));
  }
  stock.append(facts);
  for (int sale = 0;; ++sale) {
    const auto quantity = static_cast<std::int64_t>(random() % 6) + 1;
    const Json plan = stock.ask("plan", fmt::format(R"({{"item":"tea","location":"main","quantity":{}}})", quantity));
    const auto sold = stock.try_run("sell", sale_of(fmt::format("s{}", sale), "tea", quantity));
    REQUIRE(sold.has_value() == plan.flag("/complete"));
    if (!sold) break;
    const Json event(sold->json);
    REQUIRE(event.size("/events/0/data/lines") == plan.size("/picks"));
    for (std::size_t i = 0; i < plan.size("/picks"); ++i) {
      CHECK(event.text(fmt::format("/events/0/data/lines/{}/batch", i)) ==
            plan.text(fmt::format("/picks/{}/batch", i)));
      CHECK(event.number(fmt::format("/events/0/data/lines/{}/quantity", i)) ==
            plan.number(fmt::format("/picks/{}/quantity", i)));
    }
  }
}

TEST_CASE("stock sell: a repeat of the same command sells once", "[stock][sell]") {
  const StockFixture stock;
  stock.append({item_defined("tea"), batch_received({"tea", "a", 10}, "main", 100)});
  const ProducerPosition position{{1, 2}, 3};
  const auto first = stock.try_run("sell", sale_of("s1", "tea", 4), position);
  const auto again = stock.try_run("sell", sale_of("s1", "tea", 4), position);
  REQUIRE(first);
  REQUIRE(again);
  CHECK(again->appended.first_offset == first->appended.first_offset);
  CHECK(stock.ask("availability", R"({"item":"tea"})").number("/total/on_hand") == 6);
}

TEST_CASE("stock reserve: kept for one sale, freed when it ends", "[stock][reserve]") {
  const StockFixture stock;
  stock.append({item_defined("tea"), batch_received({"tea", "a", 3}, "main", 300, "2098-01-01"),
                batch_received({"tea", "b", 7}, "main", 700, kLongFresh)});
  const auto available = [&] { return stock.ask("availability", R"({"item":"tea"})").number("/total/available"); };
  stock.run("reserve", R"({"reservation":"r1","location":"main","lines":[{"item":"tea","quantity":8}]})");
  CHECK(available() == 2);
  CHECK(stock.refusal("sell", sale_of("s1", "tea", 3)).code() == ErrorCode::kRefused);
  CHECK_THAT(stock.refusal("reserve", R"({"reservation":"r1","location":"main","lines":[{"item":"tea","quantity":1}]})")
                 .message(),
             Contains("'r1' was made already"));
  // With the reservation there is enough; what it does not take is free again.
  stock.run("sell", R"({"sale":"s1","location":"main","reservation":"r1","lines":[{"item":"tea","quantity":4}]})");
  CHECK(available() == 6);
  CHECK(stock.ask("reservation", R"({"reservation":"r1"})").text("/state") == "sold");
  CHECK_THAT(stock.refusal("release", R"({"reservation":"r1"})").message(), Contains("is sold already"));
  CHECK(stock.refusal("release", R"({"reservation":"r9"})").code() == ErrorCode::kNotFound);

  stock.run("reserve", R"({"reservation":"r2","location":"main","lines":[{"item":"tea","quantity":6}],)"
                       R"("expires_at":"2099-06-30T00:00:00Z"})");
  CHECK_THAT(stock.refusal("expire", R"({"reservation":"r2"})").message(), Contains("has not come yet"));
  CHECK(stock.ask("due_reservations", R"({"at":"2099-06-29T00:00:00Z"})").size("/reservations") == 0);
  CHECK(stock.ask("due_reservations", R"({"at":"2099-06-30T00:00:00Z"})").size("/reservations") == 1);
  stock.run("release", R"({"reservation":"r2"})");
  CHECK(stock.ask("due_reservations", R"({"at":"2099-06-30T00:00:00Z"})").size("/reservations") == 0);
  CHECK(available() == 6);

  Fact lapsed = reserved("r3", "main", {{"tea", "b", 2}});
  lapsed.data.insert(lapsed.data.size() - 1, R"(,"expires_at":"2020-01-01T00:00:00Z")");
  stock.append({lapsed});
  CHECK(available() == 4);
  stock.run("expire", R"({"reservation":"r3"})");
  CHECK(available() == 6);
  CHECK(stock.ask("reservation", R"({"reservation":"r3"})").text("/state") == "expired");
}

TEST_CASE("stock return: to its batch, at what it left at, and not more than was sold", "[stock][return]") {
  const StockFixture stock;
  stock.append({item_defined("tea"), batch_received({"tea", "a", 3}, "main", 100)});
  stock.run("sell", sale_of("s1", "tea", 2));
  stock.append({batch_received({"tea", "a", 1}, "main", 5'000)});
  const auto give_back = [](int quantity) {
    return fmt::format(R"({{"sale":"s1","lines":[{{"item":"tea","batch":"a","quantity":{}}}]}})", quantity);
  };
  CHECK_THAT(stock.refusal("return", give_back(3)).message(), Contains("2 of sale 's1' are still out"));
  CHECK(stock.run("return", give_back(1)).number("/events/0/data/lines/0/cost_paise") == 34);  // 67 left: 33.5 up
  CHECK(stock.run("return", give_back(1)).number("/events/0/data/lines/0/cost_paise") == 33);
  CHECK(stock.refusal("return", give_back(1)).code() == ErrorCode::kRefused);
  CHECK(stock.ask("availability", R"({"item":"tea"})").number("/total/paise") == 5'100);
  CHECK(stock.refusal("return", R"({"sale":"s9","lines":[{"item":"tea","batch":"a","quantity":1}]})").code() ==
        ErrorCode::kNotFound);
  CHECK(stock.refusal("return", R"({"sale":"s1","lines":[{"item":"tea","batch":"b","quantity":1}]})").code() ==
        ErrorCode::kRefused);
}

TEST_CASE("stock keeping: transfers, write-offs, counts and receipts keep to what there is", "[stock]") {
  const StockFixture stock;
  CHECK(
      stock.refusal("receive", R"({"item":"tea","batch":"a","location":"main","quantity":1,"cost_paise":1})").code() ==
      ErrorCode::kNotFound);
  stock.append({item_defined("tea")});
  stock.run("receive", R"({"item":"tea","batch":"a","location":"main","quantity":10,"cost_paise":1000,)"
                       R"("expires_on":"2099-12-31"})");
  CHECK_THAT(stock
                 .refusal("receive", R"({"item":"tea","batch":"a","location":"shop","quantity":1,"cost_paise":1,)"
                                     R"("expires_on":"2099-12-30"})")
                 .message(),
             Contains("expiry 2099-12-31"));
  stock.append({batch_received({"tea", "bad", 4}, "main", 400), batch_fact("stock.Recalled", "tea", "bad"),
                reserved("r", "main", {{"tea", "a", 3}})});
  const auto move = [](const std::string& batch, int quantity) {
    return fmt::format(R"({{"from":"main","to":"shop","lines":[{{"item":"tea",{}"quantity":{}}}]}})",
                       batch.empty() ? "" : fmt::format(R"("batch":"{}",)", batch), quantity);
  };
  CHECK(stock.refusal("transfer", move("", 8)).code() == ErrorCode::kRefused);
  CHECK(stock.refusal("transfer", move("a", 8)).code() == ErrorCode::kRefused);
  CHECK(stock.refusal("transfer", move("bad", 5)).code() == ErrorCode::kRefused);
  CHECK(stock.refusal("transfer", R"({"from":"main","to":"main","lines":[{"item":"tea","quantity":1}]})").code() ==
        ErrorCode::kInvalidArgument);
  stock.run("transfer", move("", 5));
  stock.run("transfer", move("bad", 4));  // named: a recalled batch may go back where it came from
  CHECK(stock.ask("availability", R"({"item":"tea","location":"shop"})").number("/total/on_hand") == 9);
  const auto throw_away = [](int first, int second) {
    return fmt::format(R"({{"location":"main","reason":"wet","lines":[{{"item":"tea","batch":"a","quantity":{}}},)"
                       R"({{"item":"tea","batch":"a","quantity":{}}}]}})",
                       first, second);
  };
  CHECK_THAT(stock.refusal("write_off", throw_away(3, 3)).message(), Contains("6 of item 'tea'") && Contains("are 5"));
  stock.run("write_off", throw_away(3, 1));
  const std::string count = R"("item":"tea","batch":"a","location":"main","quantity":6,"reason":"stocktaking")";
  CHECK_THAT(stock.refusal("count", R"({"expected":5,)" + count + "}").message(), Contains("the ledger has 1"));
  stock.run("count", R"({"expected":1,)" + count + "}");
  const Json left = stock.ask("availability", R"({"item":"tea","location":"main"})");
  CHECK(left.number("/total/on_hand") == 6);
  CHECK(left.number("/total/paise") == 600);
}

TEST_CASE("stock commands: wrong arguments are named, and nothing is stored", "[stock]") {
  const StockFixture stock;
  stock.append({item_defined("tea"), batch_received({"tea", "a", 5'000}, "main", 100)});
  struct Case {
    const char* command;
    const char* arguments;
    const char* message;
  };
  const Case cases[] = {
      {"sell", R"({"sale":"s","location":"main","lines":[]})", "'lines' must be a list of 1"},
      {"sell", R"({"sale":"s","location":"main","lines":[{"item":"tea","quantity":0}]})",
       "'lines[0].quantity' must be"},
      {"sell", R"({"sale":"s","location":"main","lines":[{"item":"tea","quantity":-1}]})", "'lines[0].quantity' must"},
      {"sell", R"({"sale":"s","location":"main","lines":[{"item":"tea","quantity":9000000000000000000}]})",
       "'lines[0].quantity' must be"},
      {"sell", R"({"sale":"s","location":"main","lines":[{"item":"tea","quantity":1,"colour":1}]})",
       "'lines[0].colour' is not known"},
      {"sell", R"({"location":"main","lines":[{"item":"tea","quantity":1}]})", "'sale' is missing"},
      {"sell", R"({"sale":"s","location":"main","at":"noon","lines":[{"item":"tea","quantity":1}]})", "'at' must be"},
      {"sell", R"({"sale":"s","location":"main","lines":[{"item":"tea","quantity":2000,"price_paise":1000000000000}]})",
       "quantity and price"},
      {"receive", R"({"item":"tea","batch":"a","location":"main","quantity":1,"cost_paise":-1})", "'cost_paise' must"},
      {"count", R"({"item":"tea","batch":"a","location":"main","quantity":-1,"reason":"x"})", "'quantity' must"},
      {"write_off", R"({"location":"main","lines":[{"item":"tea","batch":"a","quantity":1}]})", "'reason' is missing"},
  };
  for (const Case& each : cases) {
    INFO(each.command << " " << each.arguments);
    const Error error = stock.refusal(each.command, each.arguments);
    CHECK(error.code() == ErrorCode::kInvalidArgument);
    CHECK_THAT(error.message(), Contains(each.message));
  }
  std::string many = R"({"sale":"s","location":"main","lines":[)";
  std::vector<Fact> facts;
  for (int i = 0; i < 61; ++i) {
    facts.push_back(item_defined(fmt::format("i{}", i)));
    facts.push_back(batch_received({fmt::format("i{}", i), "a", 1}, "main", 1));
    many += fmt::format(R"({}{{"item":"i{}","quantity":1}})", i == 0 ? "" : ",", i);
  }
  stock.append(facts);
  CHECK_THAT(stock.refusal("sell", many + "]}").message(), Contains("61 different items"));
}

}  // namespace
}  // namespace bahi::test
