#include "bahi/schemas/hash.hpp"

#include <string>

#include <catch2/catch.hpp>

#include "bahi/base/text.hpp"

namespace bahi {
namespace {

TEST_CASE("hash: values of xxHash 0.8, which stored logs depend on", "[schemas][hash]") {
  CHECK(format_hash(xxh3_128("")) == "99aa06d3014798d86001c324468d497f");
  CHECK(xxh3_64("") == 0x2d06800538d394c2ULL);
  CHECK(format_hash(xxh3_128("bahi")) == "80138ce87440ac284bd09ee823582913");
  CHECK(xxh3_64("bahi") == 0xe1034b1dcb9fa71eULL);
}

TEST_CASE("hash: two parts hash as their concatenation", "[schemas][hash]") {
  std::string text;
  for (int i = 0; i < 1000; ++i) text += static_cast<char>(i * 7);
  for (const std::size_t cut : {0U, 1U, 104U, 240U, 999U, 1000U}) {
    CHECK(xxh3_128(text.substr(0, cut), text.substr(cut)) == xxh3_128(text));
  }
}

TEST_CASE("hash: a seed gives another hash", "[schemas][hash]") { CHECK(xxh3_64("bahi", 1) != xxh3_64("bahi")); }

}  // namespace
}  // namespace bahi
