#include "bahi/schemas/decoded_batch.hpp"

#include <algorithm>

#include "bahi/schemas/hash.hpp"
#include "sample_events.hpp"
#include "support/catch_result.hpp"

namespace bahi::test {
namespace {

std::string sample_stored(Codec codec) {
  SampleEvents sample;
  sample.add_golden();
  std::mt19937_64 random(11);
  sample.add_random(random, 12);
  const EncodedBody body = encode(sample.events(), codec);
  REQUIRE(body.codec == codec);
  return stored_batch(body);
}

TEST_CASE("decoded batch: any single flipped bit of a stored batch is detected", "[schemas][decode]") {
  const Codec codec = GENERATE(Codec::kNone, Codec::kLz4, Codec::kZstd);
  std::string stored = sample_stored(codec);
  REQUIRE(DecodedBatch::decode(stored));
  for (std::size_t bit = 0; bit < stored.size() * 8; ++bit) {
    const auto mask = static_cast<char>(1 << bit % 8);
    stored[bit / 8] = static_cast<char>(stored[bit / 8] ^ mask);
    const auto batch = DecodedBatch::decode(stored);
    if (batch || batch.error().code() != ErrorCode::kCorruptLog) {
      FAIL("bit " << bit % 8 << " of byte " << bit / 8 << " flipped unnoticed, or for the wrong reason");
    }
    stored[bit / 8] = static_cast<char>(stored[bit / 8] ^ mask);
  }
  CHECK(DecodedBatch::decode(stored));
}

TEST_CASE("decoded batch: truncated at any byte it is refused", "[schemas][decode]") {
  const Codec codec = GENERATE(Codec::kNone, Codec::kLz4, Codec::kZstd);
  const std::string stored = sample_stored(codec);
  for (std::size_t size = 0; size < stored.size(); ++size) {
    // A string of its own, so that a sanitizer sees a read past the cut.
    const auto batch = DecodedBatch::decode(std::string(stored, 0, size));
    REQUIRE_FALSE(batch);
    REQUIRE(batch.error().code() == ErrorCode::kCorruptLog);
  }
}

TEST_CASE("decoded batch: zeroed and swapped sectors are detected", "[schemas][decode]") {
  std::vector<NewEvent> events(200, simple_event());
  const std::string stored = stored_batch(encode(events, Codec::kNone));
  constexpr std::size_t kSector = 512;
  REQUIRE(stored.size() > 3 * kSector);
  for (std::size_t begin = 0; begin < stored.size(); begin += kSector) {
    std::string zeroed = stored;
    for (std::size_t i = begin; i < std::min(begin + kSector, stored.size()); ++i) zeroed[i] = '\0';
    if (zeroed != stored) CHECK_FALSE(DecodedBatch::decode(zeroed));
  }
  std::string swapped = stored;
  std::swap_ranges(swapped.begin(), swapped.begin() + kSector, swapped.begin() + kSector);
  CHECK_FALSE(DecodedBatch::decode(swapped));
}

TEST_CASE("decoded batch: a body of another batch does not pass under this header", "[schemas][decode]") {
  NewEvent other = simple_event();
  other.data = "[]";
  const EncodedBody first = encode({simple_event()}, Codec::kNone);
  const EncodedBody second = encode({other}, Codec::kNone);
  REQUIRE(first.bytes.size() == second.bytes.size());
  std::string mixed = stored_batch(first);
  mixed.resize(mixed.size() - first.bytes.size());
  CHECK_FALSE(DecodedBatch::decode(mixed + second.bytes));
}

TEST_CASE("decoded batch: header and body that disagree are refused though both hashes are right", "[schemas][decode]") {
  EncodedBody body = encode({simple_event(), simple_event()}, Codec::kNone);
  REQUIRE(DecodedBatch::decode(stored_batch(body, {0})));
  SECTION("more streams than the body names") { CHECK_FALSE(DecodedBatch::decode(stored_batch(body, {0, 0}))); }
  SECTION("fewer streams") { CHECK_FALSE(DecodedBatch::decode(stored_batch(body, {}))); }
  SECTION("another number of events") {
    body.event_count = 3;
    CHECK_FALSE(DecodedBatch::decode(stored_batch(body, {0})));
  }
  SECTION("another raw size") {
    body.raw_size += 8;
    CHECK_FALSE(DecodedBatch::decode(stored_batch(body, {0})));
  }
  SECTION("a body that is no body") {
    body.bytes.assign(body.bytes.size(), '\x55');
    const auto batch = DecodedBatch::decode(stored_batch(body, {0}));
    REQUIRE_FALSE(batch);
    CHECK(batch.error().code() == ErrorCode::kCorruptLog);
    CHECK(batch.error().message().find("offset 1000 of tenant 7") != std::string::npos);
  }
}

TEST_CASE("decoded batch: versions count up per stream from the header's", "[schemas][decode]") {
  std::vector<NewEvent> events;
  for (const char* stream : {"a-1", "b-1", "a-1", "a-1", "b-1"}) {
    events.push_back(simple_event());
    events.back().stream = stream;
  }
  const auto batch = DecodedBatch::decode(stored_batch(encode(events, Codec::kNone), {7, 0})).value();
  std::vector<std::int64_t> versions;
  EventView view;
  for (BatchWalker walker(*batch); !walker.at_end(); walker.next()) {
    walker.read(view);
    versions.push_back(view.version.value);
  }
  CHECK(versions == std::vector<std::int64_t>{7, 0, 8, 9, 1});
}

TEST_CASE("decoded batch: skipping to an event is as walking to it", "[schemas][decode]") {
  SampleEvents sample;
  std::mt19937_64 random(12);
  sample.add_random(random, 100);
  const auto batch = DecodedBatch::decode(stored_batch(encode(sample.events(), Codec::kLz4))).value();
  EventView walked;
  EventView skipped;
  EventView placed;
  for (BatchWalker walker(*batch); !walker.at_end(); walker.next()) {
    BatchWalker skipper(*batch);
    skipper.skip_to(walker.index());
    walker.read(walked);
    skipper.read(skipped);
    batch->body().read(batch->body().place_of(walker.index()), placed);
    REQUIRE(skipped.offset == walked.offset);
    REQUIRE(skipped.version == walked.version);
    for (const EventView* view : {&skipped, &placed}) {
      REQUIRE(view->id == walked.id);
      REQUIRE(view->data == walked.data);
      REQUIRE(view->tags == walked.tags);
      REQUIRE(view->metadata == walked.metadata);
    }
  }
}

TEST_CASE("decoded batch: the memory it reports covers its bytes", "[schemas][decode]") {
  const auto batch = DecodedBatch::decode(sample_stored(Codec::kLz4)).value();
  CHECK(batch->memory_bytes() >= batch->header().raw_size + sizeof(DecodedBatch));
}

}  // namespace
}  // namespace bahi::test
