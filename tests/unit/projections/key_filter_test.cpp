#include "key_filter.hpp"

#include <catch2/catch.hpp>

#include <random>

namespace bahi::projections {
namespace {

TEST_CASE("key filter: what was added is always there, and few others seem to be", "[projections][filter]") {
  KeyFilter filter;
  CHECK_FALSE(filter.may_contain(1));
  std::mt19937_64 random(20261121);
  std::vector<std::uint64_t> added(300'000);
  for (std::uint64_t& hash : added) {
    hash = random();
    filter.add(hash);
  }
  std::size_t missing = 0;
  for (const std::uint64_t hash : added) missing += filter.may_contain(hash) ? 0 : 1;
  CHECK(missing == 0);
  std::size_t wrong = 0;
  for (int i = 0; i < 100'000; ++i) wrong += filter.may_contain(random()) ? 1 : 0;
  CHECK(wrong < 3'000);
}

}  // namespace
}  // namespace bahi::projections
