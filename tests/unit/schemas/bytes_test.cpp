#include "bahi/schemas/bytes.hpp"

#include <limits>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

namespace bahi::bytes {
namespace {

TEST_CASE("bytes: big-endian integers sort as their bytes do", "[schemas][bytes]") {
  std::string small;
  std::string large;
  put_be64(small, 0x00FF);
  put_be64(large, 0x0100);
  CHECK(small < large);
  CHECK(get_be64(large.data()) == 0x0100);
  std::string word;
  put_be32(word, 0x01020304);
  CHECK(word == "\x01\x02\x03\x04");
  CHECK(get_be32(word.data()) == 0x01020304);
}

TEST_CASE("bytes: variable-width integers round-trip at every width", "[schemas][bytes]") {
  std::string all;
  std::vector<std::uint64_t> values{0, 127, 128, 16'383, 16'384, std::numeric_limits<std::uint64_t>::max()};
  for (unsigned bit = 0; bit < 64; ++bit) values.push_back(std::uint64_t{1} << bit);
  for (const std::uint64_t value : values) put_varint(all, value);
  std::string_view in = all;
  for (const std::uint64_t value : values) {
    std::uint64_t read = 0;
    REQUIRE(take_varint(in, read));
    REQUIRE(read == value);
  }
  CHECK(in.empty());
}

TEST_CASE("bytes: a variable-width integer that ends early or does not fit is refused", "[schemas][bytes]") {
  using namespace std::string_view_literals;
  for (const auto wrong : {""sv, "\x80"sv, "\xFF\xFF"sv, "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x02"sv,
                           "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"sv}) {
    std::string_view in = wrong;
    std::uint64_t value = 0;
    CHECK_FALSE(take_varint(in, value));
  }
}

}  // namespace
}  // namespace bahi::bytes
