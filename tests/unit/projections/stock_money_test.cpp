#include "stock/money.hpp"

#include <catch2/catch.hpp>

#include <random>

#include "catch_result.hpp"

namespace bahi::projections::stock {
namespace {

TEST_CASE("stock money: what leaves a lot is in proportion, rounded half up, and the last takes all", "[stock]") {
  struct Case {
    Lot lot;
    std::int64_t quantity;
    std::int64_t paise;
  };
  const Case cases[] = {
      {{20'000, 313'052'000}, 1'728, 27'047'693},
      {{2, 250}, 1, 125},
      {{2, 1}, 1, 1},  // 0.5 up
      {{3, 1}, 1, 0},  // 0.33
      {{3, 2}, 1, 1},  // 0.67
      {{3, 100}, 3, 100},
      {{3, 100}, 5, 100},
      {{0, 0}, 5, 0},
      {{-4, 0}, 5, 0},
      {{INT64_MAX, INT64_MAX}, INT64_MAX - 1, INT64_MAX - 1},
      {{INT64_MAX, INT64_MAX - 1}, 1, 1},
  };
  for (const Case& each : cases) {
    INFO(each.lot.quantity << " worth " << each.lot.paise << ", " << each.quantity << " leave");
    CHECK(value_out(each.lot, each.quantity) == each.paise);
  }
}

TEST_CASE("stock money: however a lot leaves in parts, the parts add up to its value", "[stock]") {
  std::mt19937_64 random(20261121);
  for (int trial = 0; trial < 2000; ++trial) {
    Lot lot{static_cast<std::int64_t>(random() % 1000) + 1, static_cast<std::int64_t>(random() % 1'000'000'000)};
    const std::int64_t whole = lot.paise;
    std::int64_t out = 0;
    while (lot.quantity > 0) {
      const auto quantity = static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(lot.quantity)) + 1;
      const std::int64_t paise = value_out(lot, quantity);
      CHECK(paise >= 0);
      lot.quantity -= quantity;
      lot.paise -= paise;
      out += paise;
    }
    CHECK(lot.paise == 0);
    CHECK(out == whole);
  }
}

TEST_CASE("stock money: a product beyond 64 bits is noticed", "[stock]") {
  CHECK(multiply_divide(INT64_MAX, INT64_MAX, INT64_MAX) == INT64_MAX);
  CHECK_FALSE(multiply_divide(INT64_MAX, 2, 1));
  CHECK_FALSE(multiply_divide(INT64_MAX, INT64_MAX, 1));
  std::int64_t sum = INT64_MAX - 1;
  CHECK(add_to(sum, 1));
  CHECK_FALSE(add_to(sum, 1));
}

TEST_CASE("stock money: tax of a line is to the paisa, only the total is to the rupee", "[stock]") {
  CHECK(tax_on(6'251, 900) == 563);     // 62.51 at 9 %: 5.6259
  CHECK(tax_on(21'600, 900) == 1'944);  // 216 at 9 %: 19.44
  CHECK(round_to_rupee(1'944) == 1'900);
  CHECK(round_to_rupee(1'950) == 2'000);
  CHECK(round_to_rupee(1'949) == 1'900);
  CHECK(round_to_rupee(0) == 0);
  CHECK(round_to_rupee(49) == 0);
  CHECK(round_to_rupee(50) == 100);
}

TEST_CASE("stock money: within a state the tax is two equal halves, between states it is one", "[stock]") {
  const auto inside = tax_on_top(6'251, 1'800, false);
  REQUIRE(inside);
  CHECK(inside->amount_paise == 6'251);
  CHECK(inside->cgst_paise == 563);
  CHECK(inside->sgst_paise == 563);
  CHECK(inside->igst_paise == 0);
  const auto between = tax_on_top(6'251, 1'800, true);
  REQUIRE(between);
  CHECK(between->igst_paise == 1'125);  // 11.2518
  CHECK(between->tax_paise() == 1'125);
}

TEST_CASE("stock money: an MRP is amount and taxes to the paisa, whatever the rate", "[stock]") {
  for (const std::int64_t rate : {0, 25, 300, 500, 1'200, 1'800, 2'800, 10'000}) {
    for (std::int64_t gross = 0; gross < 1'000; ++gross) {
      for (const bool inter_state : {false, true}) {
        const auto line = tax_within(gross, rate, inter_state);
        REQUIRE(line);
        CHECK(line->amount_paise + line->tax_paise() == gross);
        CHECK(line->amount_paise >= 0);
        CHECK(line->cgst_paise == line->sgst_paise);
      }
    }
  }
  const auto line = tax_within(11'200, 1'200, false);  // 112 with 12 %
  REQUIRE(line);
  CHECK(line->amount_paise == 10'000);
  CHECK(line->cgst_paise == 600);
}

}  // namespace
}  // namespace bahi::projections::stock
