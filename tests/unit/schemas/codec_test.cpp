#include "bahi/schemas/codec.hpp"

#include <random>

#include <zstd.h>

#include "allocation_meter.hpp"
#include "bahi/schemas/limits.hpp"
#include "support/catch_result.hpp"

namespace bahi::test {
namespace {

std::string compressible(std::size_t size) {
  std::string text;
  for (int i = 0; text.size() < size; ++i) text += R"({"seq":)" + std::to_string(i) + R"(,"nick":"asha"})";
  text.resize(size);
  return text;
}

std::string random_bytes(std::size_t size) {
  std::mt19937_64 random(size);
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random());
  return bytes;
}

TEST_CASE("codec: names and numbers", "[schemas][codec]") {
  CHECK(static_cast<int>(Codec::kNone) == 0);
  CHECK(static_cast<int>(Codec::kLz4) == 1);
  CHECK(static_cast<int>(Codec::kZstd) == 2);
  for (const Codec codec : {Codec::kNone, Codec::kLz4, Codec::kZstd}) CHECK(*parse_codec(to_string(codec)) == codec);
  const auto wrong = parse_codec("gzip");
  REQUIRE_FALSE(wrong);
  CHECK(wrong.error().code() == ErrorCode::kUnsupportedCodec);
}

TEST_CASE("codec: what was compressed comes back", "[schemas][codec]") {
  const Codec codec = GENERATE(Codec::kNone, Codec::kLz4, Codec::kZstd);
  for (const std::size_t size : {0U, 1U, 2U, 100U, 4096U, 1'000'000U, 16'777'216U}) {
    const std::string raw = compressible(size);
    std::string stored;
    const Codec used = compress(codec, 1, raw, stored);
    if (size >= 4096) CHECK(used == codec);
    CHECK(stored.size() <= raw.size());
    const auto restored = decompress(used, stored, raw.size());
    REQUIRE(restored);
    REQUIRE(restored->view() == raw);
  }
}

TEST_CASE("codec: bytes that do not get smaller are stored as they are", "[schemas][codec]") {
  const std::string raw = random_bytes(10'000);
  for (const Codec codec : {Codec::kLz4, Codec::kZstd}) {
    std::string stored;
    CHECK(compress(codec, 1, raw, stored) == Codec::kNone);
    CHECK(stored == raw);
  }
}

TEST_CASE("codec: another announced size is malformed", "[schemas][codec]") {
  const Codec codec = GENERATE(Codec::kNone, Codec::kLz4, Codec::kZstd);
  const std::string raw = compressible(5000);
  std::string stored;
  REQUIRE(compress(codec, 1, raw, stored) == codec);
  for (const std::size_t size : {0U, 1U, 4999U, 5001U, 10'000U}) {
    const auto restored = decompress(codec, stored, size);
    REQUIRE_FALSE(restored);
    CHECK(restored.error().code() == ErrorCode::kMalformedBatch);
  }
  const auto beyond = decompress(codec, stored, kBatchRawBytesMax + 1);
  REQUIRE_FALSE(beyond);
  CHECK(beyond.error().code() == ErrorCode::kBatchTooLarge);
}

TEST_CASE("codec: damaged and truncated bytes never restore to another length", "[schemas][codec]") {
  const Codec codec = GENERATE(Codec::kLz4, Codec::kZstd);
  const std::string raw = compressible(3000);
  std::string stored;
  REQUIRE(compress(codec, 1, raw, stored) == codec);
  for (std::size_t size = 0; size < stored.size(); ++size) {
    REQUIRE_FALSE(decompress(codec, std::string(stored, 0, size), raw.size()));
  }
  for (std::size_t bit = 0; bit < stored.size() * 8; ++bit) {
    std::string changed = stored;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << bit % 8));
    const auto restored = decompress(codec, changed, raw.size());
    if (restored) REQUIRE(restored->size() == raw.size());
  }
}

TEST_CASE("codec: an announcement the bytes cannot keep takes no memory", "[schemas][codec]") {
  std::string zstd_stored;
  REQUIRE(compress(Codec::kZstd, 1, compressible(5000), zstd_stored) == Codec::kZstd);
  (void)decompress(Codec::kZstd, zstd_stored, 5000);  // the codec's own state is made once
  const std::size_t memory = peak_of([&] {
    CHECK_FALSE(decompress(Codec::kLz4, "\x0F", kBatchRawBytesMax));
    CHECK_FALSE(decompress(Codec::kNone, "x", kBatchRawBytesMax));
    CHECK_FALSE(decompress(Codec::kZstd, "not a frame", kBatchRawBytesMax));
  });
  CHECK(memory < 100'000);
}

TEST_CASE("codec: a bomb stops at the announced size", "[schemas][codec]") {
  const std::string zeros(100'000'000, '\0');
  std::string bomb(ZSTD_compressBound(zeros.size()), '\0');
  bomb.resize(ZSTD_compress(bomb.data(), bomb.size(), zeros.data(), zeros.size(), 3));
  REQUIRE(bomb.size() < 20'000);
  (void)decompress(Codec::kZstd, bomb, 1000);
  const std::size_t memory = peak_of([&bomb] {
    for (const std::size_t announced : {std::size_t{0}, std::size_t{1000}, std::size_t{1'000'000}}) {
      CHECK_FALSE(decompress(Codec::kZstd, bomb, announced));
    }
    CHECK_FALSE(decompress(Codec::kZstd, bomb, kBatchRawBytesMax));
  });
  CHECK(memory < 100'000);
}

TEST_CASE("codec: a codec number from the future is refused", "[schemas][codec]") {
  const auto restored = decompress(static_cast<Codec>(3), "x", 1);
  REQUIRE_FALSE(restored);
  CHECK(restored.error().code() == ErrorCode::kUnsupportedCodec);
}

}  // namespace
}  // namespace bahi::test
