// Stored bytes of format 1, which no change may make unreadable, and which the builder still makes.
#include "golden_batches.hpp"

#include <cstdio>

#include "bahi/schemas/decoded_batch.hpp"
#include "sample_events.hpp"
#include "support/catch_result.hpp"

namespace bahi::test {
namespace {

std::string to_hex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex;
  for (const char byte : bytes) {
    hex += kDigits[static_cast<unsigned char>(byte) >> 4U];
    hex += kDigits[static_cast<unsigned char>(byte) & 0xFU];
  }
  return hex;
}

std::string from_hex(std::string_view hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
  }
  return bytes;
}

std::string golden_stored(Codec codec) {
  SampleEvents sample;
  sample.add_golden();
  const EncodedBody body = encode(sample.events(), codec);
  REQUIRE(body.codec == codec);
  return stored_batch(body);
}

void require_golden_events(std::string_view hex, Codec codec) {
  const auto batch = DecodedBatch::decode(from_hex(hex));
  REQUIRE(batch);
  CHECK((*batch)->header().codec == codec);
  CHECK((*batch)->header().tenant == TenantId{7});
  CHECK((*batch)->header().first_offset == Offset{1000});
  CHECK((*batch)->header().producer_sequence == 99);
  CHECK((*batch)->first_versions() == std::vector<std::int64_t>{5, 300});
  SampleEvents sample;
  sample.add_golden();
  require_same_events(**batch, sample.events());
}

TEST_CASE("golden batch: format 1 without compression is made byte by byte as before", "[schemas][golden]") {
  CHECK(to_hex(golden_stored(Codec::kNone)) == kGoldenNone);
}

TEST_CASE("golden batch: format 1 without compression stays readable", "[schemas][golden]") {
  require_golden_events(kGoldenNone, Codec::kNone);
}

TEST_CASE("golden batch: format 1 with LZ4 stays readable", "[schemas][golden]") {
  require_golden_events(kGoldenLz4, Codec::kLz4);
}

TEST_CASE("golden batch: format 1 with Zstandard stays readable", "[schemas][golden]") {
  require_golden_events(kGoldenZstd, Codec::kZstd);
}

// Not a check: prints the bytes for golden_batches.hpp when a new format version is introduced.
TEST_CASE("golden batch: print", "[.][print]") {
  for (const Codec codec : {Codec::kNone, Codec::kLz4, Codec::kZstd}) {
    std::printf("%s\n", to_hex(golden_stored(codec)).c_str());
  }
}

}  // namespace
}  // namespace bahi::test
