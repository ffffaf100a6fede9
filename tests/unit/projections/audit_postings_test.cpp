// Blocks of postings: their two forms, and the lists that are made of them.
#include "audit/posting_block.hpp"

#include <catch2/catch.hpp>

#include <random>
#include <set>

namespace bahi::projections::audit {
namespace {

std::string distances_of(const std::vector<Place>& places) {
  std::string distances;
  std::uint32_t end = 0;
  for (const Place place : places) append_distance(distances, end, place);
  return distances;
}

TEST_CASE("audit postings: a block gives back what it was made of, few or many", "[audit]") {
  std::mt19937_64 random(7);
  for (const std::size_t count : {1U, 2U, 100U, 1'000U, 2'000U, 4'000U, 16'384U}) {
    std::set<Place> chosen;
    while (chosen.size() < count) chosen.insert(static_cast<Place>(random() % kBlockOffsets));
    const std::vector<Place> places(chosen.begin(), chosen.end());
    std::string row;
    encode_block(distances_of(places), row);
    CHECK(row.size() <= 1 + kBitmapBytes);
    std::vector<Place> read;
    REQUIRE(decode_block(row, read));
    CHECK(read == places);
  }
}

TEST_CASE("audit postings: malformed blocks are noticed", "[audit]") {
  std::vector<Place> places;
  CHECK_FALSE(decode_block("", places));
  CHECK_FALSE(decode_block(std::string_view("\x02", 1), places));
  CHECK_FALSE(decode_block(std::string_view("\x00\x80", 2), places));      // a number without its end
  CHECK_FALSE(decode_block(std::string_view("\x00\xFF\xFF", 3), places));  // beyond the block
  CHECK_FALSE(decode_block(std::string_view("\x01\x00", 2), places));      // too few bits
}

}  // namespace
}  // namespace bahi::projections::audit
