#include "bahi/schemas/batch_header.hpp"

#include <limits>

#include "bahi/schemas/bytes.hpp"
#include "bahi/schemas/hash.hpp"
#include "bahi/schemas/limits.hpp"
#include "sample_events.hpp"
#include "support/catch_result.hpp"

namespace bahi::test {
namespace {

/// A stored batch whose body is not looked at by the header's functions.
std::string stored_with(BatchHeader header, const std::vector<std::int64_t>& first_versions) {
  std::string stored;
  encode_batch_header(header, first_versions, stored);
  return stored + std::string(header.stored_size, 'b');
}

BatchHeader small_header() {
  EncodedBody body;
  body.raw_size = 10;
  body.event_count = 3;
  body.bytes = "bbbbbbbbbb";
  return sample_header(body);
}

/// Sets a byte of the hashed part and makes the chain hash right again, as another writer would.
std::string with_byte(std::string stored, std::size_t place, int value) {
  stored[place] = static_cast<char>(value);
  const std::uint32_t version_bytes = boost::endian::load_little_u32(reinterpret_cast<const unsigned char*>(&stored[28]));
  const std::string_view view(stored);
  const Hash128 hash = xxh3_128(view.substr(0, 104), view.substr(kBatchHeaderBytes, version_bytes));
  boost::endian::store_little_u64(reinterpret_cast<unsigned char*>(&stored[104]), hash.high);
  boost::endian::store_little_u64(reinterpret_cast<unsigned char*>(&stored[112]), hash.low);
  return stored;
}

TEST_CASE("header: every field comes back", "[schemas][header]") {
  BatchHeader header = small_header();
  header.codec = Codec::kZstd;
  std::string stored;
  encode_batch_header(header, std::vector<std::int64_t>{0, 127, 128}, stored);
  CHECK(header.stream_count == 3);
  CHECK(header.version_bytes == 4);
  stored += "bbbbbbbbbb";
  const auto decoded = decode_batch_header(stored);
  REQUIRE(decoded);
  CHECK(decoded->codec == Codec::kZstd);
  CHECK(decoded->tenant == header.tenant);
  CHECK(decoded->first_offset == header.first_offset);
  CHECK(decoded->event_count == 3);
  CHECK(decoded->stream_count == 3);
  CHECK(decoded->version_bytes == 4);
  CHECK(decoded->stored_size == 10);
  CHECK(decoded->raw_size == 10);
  CHECK(decoded->recorded_at == header.recorded_at);
  CHECK(decoded->producer_id == header.producer_id);
  CHECK(decoded->producer_sequence == header.producer_sequence);
  CHECK(decoded->body_hash == header.body_hash);
  CHECK(decoded->previous_hash == header.previous_hash);
  CHECK(decoded->chain_hash == header.chain_hash);
  CHECK(decoded->last_offset() == Offset{1002});
  CHECK(decoded->next_offset() == Offset{1003});
  CHECK(*decode_first_versions(*decoded, stored) == std::vector<std::int64_t>{0, 127, 128});
  CHECK(stored_body(*decoded, stored) == "bbbbbbbbbb");
}

TEST_CASE("header: each field has its own place", "[schemas][header]") {
  // Changing one input field changes exactly its bytes, and the chain hash.
  const std::string before = stored_with(small_header(), {0});
  struct Field {
    std::size_t place;
    std::size_t size;
    void (*change)(BatchHeader&);
  };
  const Field fields[] = {
      {6, 1, [](BatchHeader& h) { h.codec = Codec::kLz4; }},
      {8, 8, [](BatchHeader& h) { h.first_offset.value ^= 0x8000000000000001ULL; }},
      {16, 4, [](BatchHeader& h) { h.tenant.value ^= 0x80000001U; }},
      {20, 4, [](BatchHeader& h) { h.event_count ^= 0x80000001U; }},
      {36, 4, [](BatchHeader& h) { h.raw_size ^= 0x80000001U; }},
      {40, 8, [](BatchHeader& h) { h.recorded_at.nanos ^= 0x4000000000000001LL; }},
      {48, 8, [](BatchHeader& h) { h.producer_id.high ^= 0x8000000000000001ULL; }},
      {56, 8, [](BatchHeader& h) { h.producer_id.low ^= 0x8000000000000001ULL; }},
      {64, 8, [](BatchHeader& h) { h.producer_sequence ^= 0x8000000000000001ULL; }},
      {72, 8, [](BatchHeader& h) { h.body_hash.high ^= 0x8000000000000001ULL; }},
      {80, 8, [](BatchHeader& h) { h.body_hash.low ^= 0x8000000000000001ULL; }},
      {88, 8, [](BatchHeader& h) { h.previous_hash.high ^= 0x8000000000000001ULL; }},
      {96, 8, [](BatchHeader& h) { h.previous_hash.low ^= 0x8000000000000001ULL; }},
  };
  for (const Field& field : fields) {
    INFO("field at " << field.place);
    BatchHeader header = small_header();
    field.change(header);
    const std::string after = stored_with(header, {0});
    REQUIRE(after.size() == before.size());
    for (std::size_t i = 0; i < 104; ++i) {
      const bool ends_of_field = i == field.place || i == field.place + field.size - 1;
      REQUIRE((before[i] != after[i]) == ends_of_field);
    }
    CHECK(before.substr(104, 16) != after.substr(104, 16));
  }
}

TEST_CASE("header: bytes cut off or added are refused", "[schemas][header]") {
  const std::string stored = stored_with(small_header(), {1, 2});
  REQUIRE(decode_batch_header(stored));
  for (std::size_t size = 0; size < stored.size(); ++size) {
    const auto header = decode_batch_header(std::string(stored, 0, size));
    REQUIRE_FALSE(header);
    REQUIRE(header.error().code() == ErrorCode::kCorruptLog);
  }
  CHECK_FALSE(decode_batch_header(stored + "x"));
}

TEST_CASE("header: a newer format is told from damage", "[schemas][header]") {
  const std::string stored = stored_with(small_header(), {1});
  SECTION("format version") {
    const auto header = decode_batch_header(with_byte(stored, 4, 2));
    REQUIRE_FALSE(header);
    CHECK(header.error().code() == ErrorCode::kNewerFormat);
  }
  SECTION("codec") { CHECK(decode_batch_header(with_byte(stored, 6, 3)).error().code() == ErrorCode::kNewerFormat); }
  SECTION("flags") { CHECK(decode_batch_header(with_byte(stored, 7, 1)).error().code() == ErrorCode::kNewerFormat); }
  SECTION("without the right hash it is damage") {
    std::string damaged = stored;
    damaged[4] = 2;
    CHECK(decode_batch_header(damaged).error().code() == ErrorCode::kCorruptLog);
  }
  SECTION("a format that never was") {
    CHECK(decode_batch_header(with_byte(stored, 4, 0)).error().code() == ErrorCode::kCorruptLog);
  }
}

TEST_CASE("header: fields outside the limits are refused though the hash is right", "[schemas][header]") {
  BatchHeader header = small_header();
  SECTION("no event") { header.event_count = 0; }
  SECTION("too many events") { header.event_count = kBatchEventsMax + 1; }
  SECTION("fewer events than streams") { header.event_count = 1; }
  SECTION("too large a body") { header.raw_size = kBatchRawBytesMax + 1; }
  SECTION("an offset that the events would carry past the last one") { header.first_offset = kOffsetMax - 2; }
  const auto decoded = decode_batch_header(stored_with(header, {1, 2}));
  REQUIRE_FALSE(decoded);
  CHECK(decoded.error().code() == ErrorCode::kCorruptLog);
}

TEST_CASE("header: a version section that is too short, too long or out of range is refused", "[schemas][header]") {
  const std::string stored = stored_with(small_header(), {1, 300});
  BatchHeader header = decode_batch_header(stored).value();
  CHECK(decode_first_versions(header, stored));
  header.stream_count = 3;
  CHECK_FALSE(decode_first_versions(header, stored));
  header.stream_count = 1;
  CHECK_FALSE(decode_first_versions(header, stored));
  for (const std::int64_t wrong : {std::int64_t{-1}, std::numeric_limits<std::int64_t>::max()}) {
    const std::string forged = stored_with(small_header(), {wrong});
    const auto decoded = decode_batch_header(forged);
    REQUIRE(decoded);
    const auto versions = decode_first_versions(*decoded, forged);
    REQUIRE_FALSE(versions);
    CHECK(versions.error().code() == ErrorCode::kCorruptLog);
  }
}

TEST_CASE("header: the chain hash follows from everything before it", "[schemas][header]") {
  BatchHeader first = small_header();
  BatchHeader second = small_header();
  std::string out;
  encode_batch_header(first, std::vector<std::int64_t>{1}, out);
  second.previous_hash.low ^= 1U;
  encode_batch_header(second, std::vector<std::int64_t>{1}, out);
  CHECK(first.chain_hash != second.chain_hash);
  BatchHeader third = small_header();
  encode_batch_header(third, std::vector<std::int64_t>{2}, out);
  CHECK(first.chain_hash != third.chain_hash);
  BatchHeader again = small_header();
  encode_batch_header(again, std::vector<std::int64_t>{1}, out);
  CHECK(first.chain_hash == again.chain_hash);
}

}  // namespace
}  // namespace bahi::test
