// The facts of a stock ledger, and what it says of them.
#include <catch2/catch.hpp>

#include <algorithm>

#include <fmt/format.h>

#include "stock_fixture.hpp"

namespace bahi::test {
namespace {

std::vector<std::int64_t> numbers(const Json& answer, const std::string& list, const std::string& member) {
  std::vector<std::int64_t> all;
  for (std::size_t i = 0; i < answer.size("/" + list); ++i) {
    all.push_back(answer.number(fmt::format("/{}/{}/{}", list, i, member)));
  }
  return all;
}
std::vector<std::string> texts(const Json& answer, const std::string& list, const std::string& member) {
  std::vector<std::string> all;
  for (std::size_t i = 0; i < answer.size("/" + list); ++i) {
    all.push_back(answer.text(fmt::format("/{}/{}/{}", list, i, member)));
  }
  return all;
}
using Numbers = std::vector<std::int64_t>;
using Texts = std::vector<std::string>;

TEST_CASE("stock: each batch has a moving average of its own", "[stock]") {
  const StockFixture stock;
  stock.append({item_defined("tea"), batch_received({"tea", "X", 1}, "main", 100),
                batch_received({"tea", "Y", 1}, "main", 50), batch_received({"tea", "X", 1}, "main", 150),
                batch_received({"tea", "Y", 1}, "main", 100)});
  for (const char* batch : {"Y", "X", "Y", "X"}) stock.append({written_off("main", {{"tea", batch, 1}})});
  const Json ledger = stock.ask("ledger", R"({"item":"tea","location":"main"})");
  CHECK(numbers(ledger, "rows", "paise") == Numbers{100, 50, 150, 100, -75, -125, -75, -125});
  CHECK(numbers(ledger, "rows", "balance_paise") == Numbers{100, 150, 300, 400, 325, 200, 125, 0});
  CHECK(numbers(ledger, "rows", "balance_quantity") == Numbers{1, 2, 3, 4, 3, 2, 1, 0});
  CHECK(stock.ask("availability", R"({"item":"tea"})").size("/batches") == 0);
  CHECK(stock.ask("valuation", "{}").number("/total_paise") == 0);
}

TEST_CASE("stock: what is available is on hand less reserved, over all batches", "[stock]") {
  const StockFixture stock;
  stock.append({item_defined("tea"), batch_received({"tea", "a", 5}, "main", 500),
                batch_received({"tea", "b", 12}, "main", 1200), batch_received({"tea", "c", 8}, "main", 800),
                batch_received({"tea", "d", 35}, "main", 3500),
                reserved("r1", "main", {{"tea", "a", 2}, {"tea", "b", 12}, {"tea", "c", 3}, {"tea", "d", 12}}),
                counted({"tea", "b", 10}, "main")});
  const std::string of_tea = R"({"item":"tea","location":"main"})";
  const Json before = stock.ask("availability", of_tea);
  CHECK(numbers(before, "batches", "on_hand") == Numbers{5, 10, 8, 35});
  CHECK(numbers(before, "batches", "reserved") == Numbers{2, 12, 3, 12});
  CHECK(before.number("/total/available") == 29);
  CHECK(before.number("/total/on_hand") == 58);
  // What one batch lacks for its reservations, the others must give: no more than 29 can be promised.
  const Json plan = stock.ask("plan", R"({"item":"tea","location":"main","quantity":30})");
  CHECK(plan.number("/planned") == 29);
  CHECK(plan.number("/missing") == 1);
  CHECK_FALSE(plan.flag("/complete"));
  const Json made =
      stock.run("reserve", R"({"reservation":"r2","location":"main","lines":[{"item":"tea","quantity":10}]})");
  CHECK(made.text("/events/0/type") == "stock.Reserved");
  CHECK(stock.ask("availability", of_tea).number("/total/available") == 19);
  CHECK(stock.refusal("reserve", R"({"reservation":"r3","location":"main","lines":[{"item":"tea","quantity":20}]})")
            .code() == ErrorCode::kRefused);
  stock.run("release", R"({"reservation":"r2"})");
  CHECK(stock.ask("availability", of_tea).number("/total/available") == 29);
}

TEST_CASE("stock: a transfer moves exactly what left", "[stock]") {
  const StockFixture stock;
  stock.append({item_defined("rice"), batch_received({"rice", "r", 20'000}, "mill", 313'052'000),
                transferred("mill", "shop", {{"rice", "r", 1'728}})});
  CHECK(numbers(stock.ask("ledger", R"({"item":"rice","location":"mill"})"), "rows", "paise") ==
        Numbers{313'052'000, -27'047'693});
  const Json shelf = stock.ask("availability", R"({"item":"rice"})");
  CHECK(texts(shelf, "batches", "location") == Texts{"mill", "shop"});
  CHECK(numbers(shelf, "batches", "paise") == Numbers{286'004'307, 27'047'693});
  CHECK(numbers(shelf, "batches", "on_hand") == Numbers{18'272, 1'728});
  const Json value = stock.ask("valuation", "{}");
  CHECK(value.number("/total_paise") == 313'052'000);
  CHECK(stock.ask("valuation", R"({"location":"shop"})").number("/total_paise") == 27'047'693);
  CHECK(stock.ask("valuation", R"({"location":"shop"})").size("/items") == 1);
  CHECK(stock.ask("valuation", R"({"item":"rice","location":"mill"})").number("/total_paise") == 286'004'307);
}

TEST_CASE("stock: of facts with the same effective time, the offset says which came first", "[stock][as-of]") {
  const StockFixture stock;
  const std::string noon = "2026-03-01T12:00:00Z";
  stock.append({item_defined("tea"), at(batch_received({"tea", "a", 10}, "main", 100), noon),
                at(written_off("main", {{"tea", "a", 5}}), noon),
                at(batch_received({"tea", "a", 10}, "main", 300), noon)});
  const Json then = stock.ask("balance_as_of_date", R"({"item":"tea","at":"2026-03-01T12:00:00Z"})");
  CHECK(then.number("/quantity") == 15);
  CHECK(then.number("/paise") == 350);  // both receipts before the write-off would leave 300
  CHECK(stock.ask("balance_as_of_date", R"({"item":"tea","at":"2026-03-01T11:59:59Z"})").number("/quantity") == 0);
}

TEST_CASE("stock: a backdated fact changes balances as of its date, and no row of the ledger", "[stock][as-of]") {
  const StockFixture stock;
  stock.append({item_defined("tea"), at(batch_received({"tea", "a", 10}, "main", 100), "2026-03-01T06:00:00Z"),
                at(transferred("main", "shop", {{"tea", "a", 5}}), "2026-03-03T06:00:00Z")});
  const auto before = stock.all_rows("ledger", R"({"item":"tea","location":"main"})", "rows");
  stock.append({at(batch_received({"tea", "a", 10}, "main", 300), "2026-03-02T06:00:00Z")});
  const auto after = stock.all_rows("ledger", R"({"item":"tea","location":"main"})", "rows");
  REQUIRE(after.size() == 3);
  CHECK(std::vector(after.begin(), after.begin() + 2) == before);

  struct Case {
    const char* arguments;
    std::int64_t quantity;
    std::int64_t paise;
  };
  const Case cases[] = {
      {R"({"item":"tea","date":"2026-02-28"})", 0, 0},
      {R"({"item":"tea","date":"2026-03-01"})", 10, 100},
      {R"({"item":"tea","date":"2026-03-02"})", 20, 400},
      {R"({"item":"tea","date":"2026-03-03"})", 20, 400},
      {R"({"item":"tea","location":"main","date":"2026-03-03"})", 15, 300},
      {R"({"item":"tea","location":"shop","date":"2026-03-03"})", 5, 100},
  };
  for (const Case& each : cases) {
    INFO(each.arguments);
    const Json then = stock.ask("balance_as_of_date", each.arguments);
    CHECK(then.number("/quantity") == each.quantity);
    CHECK(then.number("/paise") == each.paise);
  }
  // The ledger itself goes by offset: 50 had left, and stays left.
  CHECK(stock.ask("valuation", R"({"item":"tea","location":"shop"})").number("/total_paise") == 50);
  CHECK(stock.ask("valuation", R"({"item":"tea"})").number("/total_paise") == 400);
  CHECK(stock.try_ask("balance_as_of_date", R"({"item":"tea"})").error().code() == ErrorCode::kInvalidArgument);
}

TEST_CASE("stock: first expiry first out, then first received, then by name; none last", "[stock][fefo]") {
  const StockFixture stock;
  stock.append({item_defined("tea"), batch_received({"tea", "never", 5}, "main", 0),
                batch_received({"tea", "late", 5}, "main", 0, "2027-12-31"),
                batch_received({"tea", "second", 5}, "main", 0, "2027-01-31"),
                batch_received({"tea", "first-of-others", 5}, "main", 0, "2027-01-31"),
                batch_received({"tea", "early", 5}, "main", 0, "2026-12-31")});
  const auto plan = [&](std::int64_t quantity, const std::string& date) {
    return stock.ask("plan",
                     fmt::format(R"({{"item":"tea","location":"main","quantity":{},"date":"{}"}})", quantity, date));
  };
  CHECK(texts(plan(25, "2026-11-01"), "picks", "batch") ==
        Texts{"early", "second", "first-of-others", "late", "never"});
  CHECK(numbers(plan(12, "2026-11-01"), "picks", "quantity") == Numbers{5, 5, 2});
  // Expired from its expiry date on.
  CHECK(texts(plan(6, "2026-12-30"), "picks", "batch") == Texts{"early", "second"});
  CHECK(texts(plan(6, "2026-12-31"), "picks", "batch") == Texts{"second", "first-of-others"});
  const Json partial = plan(30, "2026-12-31");
  CHECK(partial.number("/planned") == 20);
  CHECK_FALSE(partial.flag("/complete"));

  stock.append({batch_fact("stock.Recalled", "tea", "second"), batch_fact("stock.BatchHeld", "tea", "late")});
  CHECK(texts(plan(25, "2026-11-01"), "picks", "batch") == Texts{"early", "first-of-others", "never"});
  const Json batch = stock.ask("batch", R"({"item":"tea","batch":"second"})");
  CHECK(batch.flag("/recalled"));
  CHECK(batch.number("/locations/0/on_hand") == 5);
  stock.append({batch_fact("stock.RecallLifted", "tea", "second"), batch_fact("stock.HoldLifted", "tea", "late")});
  CHECK(texts(plan(25, "2026-11-01"), "picks", "batch") ==
        Texts{"early", "second", "first-of-others", "late", "never"});
  CHECK(stock.try_ask("plan", R"({"item":"coffee","location":"main","quantity":1})").error().code() ==
        ErrorCode::kNotFound);
}

TEST_CASE("stock: the plan is for the local date of the tenant's time zone", "[stock][fefo]") {
  const StockFixture stock;
  stock.append({item_defined("tea"), batch_received({"tea", "a", 5}, "main", 0, "2026-03-31")});
  const auto planned = [&](const std::string& time) {
    return stock.ask("plan", R"({"item":"tea","location":"main","quantity":1,"at":")" + time + "\"}")
        .number("/planned");
  };
  // Midnight in India is 18:30 UTC.
  CHECK(planned("2026-03-30T18:29:59.999999999Z") == 1);
  CHECK(planned("2026-03-30T18:30:00Z") == 0);
  stock.append({{"stock.TimeZoneSet", R"({"utc_offset_minutes":0})"}});
  CHECK(planned("2026-03-30T18:30:00Z") == 1);
  CHECK(planned("2026-03-31T00:00:00Z") == 0);
  stock.append({{"stock.TimeZoneSet", R"({"utc_offset_minutes":-480})"}});
  CHECK(planned("2026-03-31T07:59:59Z") == 1);
  CHECK(planned("2026-03-31T08:00:00Z") == 0);
}

TEST_CASE("stock: availability by item, by location and by expiry names the same balances", "[stock]") {
  const StockFixture stock;
  std::vector<Fact> facts;
  for (const char* item : {"a", "b", "c"}) {
    facts.push_back(item_defined(item));
    for (int month = 1; month <= 4; ++month) {
      const std::string batch = fmt::format("{}{}", item, month);
      const std::string expiry = month == 4 ? "" : fmt::format("2027-0{}-15", month);
      facts.push_back(batch_received({item, batch, 10}, "main", 100, expiry));
      facts.push_back(transferred("main", "shop", {{item, batch, month}}));
    }
  }
  facts.push_back(written_off("shop", {{"b", "b1", 1}}));
  stock.append(facts);
  for (const int limit : {1, 2, 5, 100}) {
    INFO("limit " << limit);
    const auto all = stock.all_rows("availability", "{}", "batches", limit);
    CHECK(all.size() == 23);
    CHECK(stock.all_rows("availability", R"({"location":"shop"})", "batches", limit).size() == 11);
    CHECK(stock.all_rows("availability", R"({"item":"b"})", "batches", limit).size() == 7);
    CHECK(stock.all_rows("availability", R"({"item":"b","location":"shop"})", "batches", limit).size() == 3);
    // By expiry, without those of that day and those that never expire.
    CHECK(stock.all_rows("availability", R"({"expiring_before":"2027-02-15"})", "batches", limit).size() == 5);
    CHECK(stock.all_rows("availability", R"({"expiring_before":"2027-02-16"})", "batches", limit).size() == 11);
    CHECK(stock.all_rows("availability", R"({"location":"shop","expiring_before":"2027-02-16"})", "batches", limit)
              .size() == 5);
    CHECK(stock.all_rows("availability", R"({"item":"b","expiring_before":"2027-02-16"})", "batches", limit).size() ==
          3);
    CHECK(stock.all_rows("valuation", "{}", "items", limit).size() == 6);
  }
}

TEST_CASE("stock: a batch received again keeps its expiry; one that lay there before its receipt gets it", "[stock]") {
  const StockFixture stock;
  stock.append({item_defined("tea"), counted({"tea", "old", 7}, "main"), counted({"tea", "old", 2}, "shop")});
  CHECK(stock.all_rows("availability", R"({"expiring_before":"2030-01-01"})", "batches").empty());
  stock.append({batch_received({"tea", "old", 1}, "main", 100, "2029-06-30")});
  CHECK(stock.all_rows("availability", R"({"expiring_before":"2030-01-01"})", "batches").size() == 2);
  CHECK(stock.all_rows("availability", R"({"location":"shop","expiring_before":"2030-01-01"})", "batches").size() == 1);
  stock.append({batch_received({"tea", "old", 1}, "main", 100, "2031-06-30")});
  CHECK(stock.ask("batch", R"({"item":"tea","batch":"old"})").text("/expires_on") == "2029-06-30");
  CHECK(texts(stock.ask("discrepancies", "{}"), "discrepancies", "kind") == Texts{"expiry differs"});
  stock.append({written_off("main", {{"tea", "old", 9}}), written_off("shop", {{"tea", "old", 2}})});
  CHECK(stock.all_rows("availability", R"({"expiring_before":"2040-01-01"})", "batches").empty());
}

TEST_CASE("stock: a batch is traced to its sales, and a sale to its batches", "[stock][trace]") {
  const StockFixture stock;
  stock.append({item_defined("tea"), item_defined("milk"), batch_received({"tea", "a", 10}, "main", 1000),
                batch_received({"milk", "m", 10}, "main", 300), transferred("main", "shop", {{"tea", "a", 6}}),
                sold("s1", "main", {{"tea", "a", 1}, {"milk", "m", 2}}), sold("s2", "shop", {{"tea", "a", 3}}),
                returned("s2", "shop", {{"tea", "a", 1}}), sold("s3", "main", {{"milk", "m", 1}})});
  const Json trace = stock.ask("trace", R"({"item":"tea","batch":"a"})");
  CHECK(texts(trace, "movements", "kind") ==
        Texts{"received", "transferred out", "transferred in", "sold", "sold", "returned"});
  CHECK(trace.text("/movements/3/sale") == "s1");
  CHECK(trace.text("/movements/4/sale") == "s2");
  CHECK(trace.number("/movements/4/quantity") == -3);
  CHECK(trace.text("/movements/4/location") == "shop");
  const Json sale = stock.ask("sale", R"({"sale":"s1"})");
  REQUIRE(sale.size("/events") == 1);
  CHECK(sale.text("/events/0/lines/1/batch") == "m");
  CHECK(sale.number("/events/0/lines/1/cost_paise") == 60);
  CHECK(texts(stock.ask("sale", R"({"sale":"s2"})"), "events", "kind") == Texts{"sold", "returned"});
  CHECK(stock.try_ask("sale", R"({"sale":"s9"})").error().code() == ErrorCode::kNotFound);
  for (const int limit : {1, 2, 3, 4, 5}) {
    CHECK(stock.all_rows("trace", R"({"item":"tea","batch":"a"})", "movements", limit).size() == 6);
  }
}

TEST_CASE("stock: the ledger's pages give each row once, in either order and at every size", "[stock][ledger]") {
  const StockFixture stock;
  std::vector<Fact> facts{item_defined("tea"), batch_received({"tea", "a", 500}, "main", 50'000)};
  for (int i = 0; i < 60; ++i) facts.push_back(written_off("main", {{"tea", "a", 1}, {"tea", "a", 2}}));
  stock.append(facts);
  const std::string oldest = R"({"item":"tea","location":"main"})";
  const std::string newest = R"({"item":"tea","location":"main","order":"newest"})";
  const auto all = stock.all_rows("ledger", oldest, "rows", 1000);
  REQUIRE(all.size() == 121);
  for (const int limit : {1, 2, 7, 60, 120, 121, 122}) {
    INFO("limit " << limit);
    CHECK(stock.all_rows("ledger", oldest, "rows", limit) == all);
    auto backward = stock.all_rows("ledger", newest, "rows", limit);
    std::reverse(backward.begin(), backward.end());
    CHECK(backward == all);
  }
  CHECK_FALSE(stock.ask("ledger", R"({"item":"tea","location":"main","limit":121})").has("/next"));
  const std::string cursor = stock.ask("ledger", R"({"item":"tea","location":"main","limit":5})").text("/next");
  for (const char* other : {R"("item":"tea","location":"shop")", R"("item":"milk","location":"main")",
                            R"("item":"tea","location":"main","order":"newest")"}) {
    CHECK(stock.try_ask("ledger", fmt::format(R"({{{},"cursor":"{}"}})", other, cursor)).error().code() ==
          ErrorCode::kInvalidCursor);
  }
  CHECK(stock.try_ask("discrepancies", R"({"cursor":")" + cursor + "\"}").error().code() == ErrorCode::kInvalidCursor);
  const std::string arguments = fmt::format(R"({{"item":"tea","location":"main","cursor":"{}"}})", cursor);
  CHECK(stock.try_ask_neighbour({}, "ledger", arguments).error().code() == ErrorCode::kInvalidCursor);
  CHECK(stock.try_ask("ledger", R"({"item":"tea","location":"main","cursor":"zz"})").error().code() ==
        ErrorCode::kInvalidCursor);
}

TEST_CASE("stock: facts that contradict the ledger are folded, and listed", "[stock]") {
  const StockFixture stock;
  Fact untagged = written_off("main", {{"tea", "a", 1}});
  untagged.tags.clear();
  stock.append({item_defined("tea"), batch_received({"tea", "a", 5}, "main", 500),
                sold("s1", "main", {{"tea", "a", 8}}), reservation_ended("stock.Released", "r9", "tea"),
                reserved("r1", "main", {{"tea", "a", 1}}), reserved("r1", "main", {{"tea", "a", 1}}),
                reservation_ended("stock.ReservationExpired", "r1", "tea"),
                reservation_ended("stock.Released", "r1", "tea"), untagged});
  Texts kinds = texts(stock.ask("discrepancies", "{}"), "discrepancies", "kind");
  std::reverse(kinds.begin(), kinds.end());
  CHECK(kinds == Texts{"below zero", "unknown reservation", "reservation repeated", "reservation not open", "untagged",
                       "below zero"});
  const Json left = stock.ask("availability", R"({"item":"tea"})");
  CHECK(numbers(left, "batches", "on_hand") == Numbers{-4});
  CHECK(left.number("/total/reserved") == 0);
  CHECK(left.number("/total/paise") == 0);
  stock.append({batch_received({"tea", "a", 10}, "main", 700)});
  CHECK(stock.ask("availability", R"({"item":"tea"})").number("/total/on_hand") == 6);
  CHECK(stock.ask("availability", R"({"item":"tea"})").number("/total/paise") == 700);
}

TEST_CASE("stock: tax rate and MRP are those effective at the time", "[stock][gst]") {
  const StockFixture stock;
  const auto rate = [](int basis_points, const std::string& from) {
    return Fact{"stock.TaxRateSet",
                fmt::format(R"({{"item":"tea","rate_basis_points":{},"effective_at":"{}"}})", basis_points, from),
                {"stock:tea"}};
  };
  stock.append(
      {item_defined("tea"),
       rate(1'200, "2026-01-01T00:00:00Z"),
       rate(500, "2026-06-01T00:00:00Z"),
       // Appended later, effective in between.
       rate(1'800, "2026-03-01T00:00:00Z"),
       at(batch_received({"tea", "a", 5}, "main", 0, "", 11'200), "2026-01-01T00:00:00Z"),
       at(batch_received({"tea", "b", 5}, "main", 0), "2026-01-01T00:00:00Z"),
       {"stock.MrpSet", R"({"item":"tea","mrp_paise":9900,"effective_at":"2026-05-01T00:00:00Z"})", {"stock:tea"}},
       {"stock.MrpSet",
        R"({"item":"tea","batch":"b","mrp_paise":8800,"effective_at":"2026-07-01T00:00:00Z"})",
        {"stock:tea"}}});
  const auto rate_at = [&](const std::string& time) {
    return stock.ask("item", R"({"item":"tea","at":")" + time + "\"}").number("/tax_rate_basis_points");
  };
  CHECK(rate_at("2025-12-31T23:59:59Z") == 0);
  CHECK(rate_at("2026-01-01T00:00:00Z") == 1'200);
  CHECK(rate_at("2026-02-28T23:59:59.999999999Z") == 1'200);
  CHECK(rate_at("2026-03-01T00:00:00Z") == 1'800);
  CHECK(rate_at("2026-12-01T00:00:00Z") == 500);
  const auto mrp_at = [&](const std::string& batch, const std::string& time) {
    const Json answer = stock.ask("batch", fmt::format(R"({{"item":"tea","batch":"{}","at":"{}"}})", batch, time));
    return answer.has("/mrp_paise") ? answer.number("/mrp_paise") : 0;
  };
  CHECK(mrp_at("a", "2026-04-30T00:00:00Z") == 11'200);
  CHECK(mrp_at("a", "2026-05-01T00:00:00Z") == 9'900);
  CHECK(mrp_at("b", "2026-04-30T00:00:00Z") == 0);
  CHECK(mrp_at("b", "2026-06-30T00:00:00Z") == 9'900);
  CHECK(mrp_at("b", "2026-07-01T00:00:00Z") == 8'800);
  CHECK(mrp_at("a", "2026-07-01T00:00:00Z") == 9'900);
}

}  // namespace
}  // namespace bahi::test
