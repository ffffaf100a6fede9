#include "bahi/schemas/batch_builder.hpp"

#include <set>

#include "bahi/schemas/limits.hpp"
#include "sample_events.hpp"
#include "support/catch_result.hpp"

namespace bahi::test {
namespace {

TEST_CASE("builder: every field comes back, with every codec", "[schemas][builder]") {
  const Codec codec = GENERATE(Codec::kNone, Codec::kLz4, Codec::kZstd);
  SampleEvents sample;
  sample.add_golden();
  const auto batch = DecodedBatch::decode(stored_batch(encode(sample.events(), codec)));
  REQUIRE(batch);
  require_same_events(**batch, sample.events());
}

TEST_CASE("builder: random batches come back, and a builder can be used again", "[schemas][builder]") {
  const auto seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  BatchBuilder builders[] = {BatchBuilder({Codec::kNone, 1}), BatchBuilder({Codec::kLz4, 1}), BatchBuilder({Codec::kZstd, 3})};
  for (int trial = 0; trial < 60; ++trial) {
    SampleEvents sample;
    sample.add_random(random, 1 + random() % 300);
    BatchBuilder& builder = builders[trial % 3];
    for (const NewEvent& event : sample.events()) REQUIRE(builder.add(event));
    CHECK(builder.event_count() == sample.events().size());
    const std::size_t estimate = builder.raw_size_estimate();
    const auto body = builder.finish();
    REQUIRE(body);
    CHECK(body->event_count == sample.events().size());
    CHECK(body->raw_size <= estimate);
    CHECK(builder.event_count() == 0);
    const auto batch = DecodedBatch::decode(stored_batch(*body));
    REQUIRE(batch);
    require_same_events(**batch, sample.events());
  }
}

TEST_CASE("builder: events without an id get distinct ones, given ids stay", "[schemas][builder]") {
  BatchBuilder builder({Codec::kNone, 1});
  const bool some_given = GENERATE(true, false);
  for (int i = 0; i < 100; ++i) {
    NewEvent event = simple_event();
    if (some_given && i % 3 == 1) event.id = Uuid{5, static_cast<std::uint64_t>(i)};
    REQUIRE(builder.add(event));
  }
  const auto batch = DecodedBatch::decode(stored_batch(builder.finish().value()));
  REQUIRE(batch);
  std::set<Uuid> ids;
  EventView view;
  for (BatchWalker walker(**batch); !walker.at_end(); walker.next()) {
    walker.read(view);
    CHECK_FALSE(view.id.is_nil());
    CHECK(ids.insert(view.id).second);
    if (some_given && walker.index() % 3 == 1) CHECK(view.id == Uuid{5, walker.index()});
  }
}

TEST_CASE("builder: two batches never share their ids", "[schemas][builder]") {
  const auto first = DecodedBatch::decode(stored_batch(encode({simple_event()}, Codec::kNone))).value();
  const auto second = DecodedBatch::decode(stored_batch(encode({simple_event()}, Codec::kNone))).value();
  EventView a;
  EventView b;
  BatchWalker(*first).read(a);
  BatchWalker(*second).read(b);
  CHECK(a.id != b.id);
}

TEST_CASE("builder: an event that breaks a rule is refused and leaves the builder unchanged", "[schemas][builder]") {
  BatchBuilder builder({Codec::kNone, 1});
  REQUIRE(builder.add(simple_event()));
  const std::size_t estimate = builder.raw_size_estimate();
  const std::string long_name(kNameBytesMax + 1, 'x');
  const std::string long_text(kMetadataFieldBytesMax + 1, 'x');
  const std::string large(kEventDataBytesMax + 1, 'x');
  NewEvent event = simple_event();
  event.tags = {"fresh-tag"};
  event.type = "FreshType";
  auto wanted = ErrorCode::kInvalidArgument;
  SECTION("stream") {
    event.stream = "order";
    wanted = ErrorCode::kInvalidStreamName;
  }
  SECTION("type") { event.type = ""; }
  SECTION("content type") { event.content_type = long_name; }
  SECTION("tag") { event.tags.emplace_back("a\nb"); }
  SECTION("too many tags") { event.tags.assign(kEventTagsMax + 1, "t"); }
  SECTION("metadata") { event.metadata.reason = long_text; }
  SECTION("metadata with a zero byte") { event.metadata.target_id = std::string_view("\0", 1); }
  SECTION("nil id") { event.id = Uuid{}; }
  SECTION("data") {
    event.data = large;
    wanted = ErrorCode::kEventTooLarge;
  }
  const Status status = builder.add(event);
  REQUIRE_FALSE(status);
  CHECK(status.error().code() == wanted);
  CHECK(builder.event_count() == 1);
  CHECK(builder.raw_size_estimate() == estimate);
  const auto batch = DecodedBatch::decode(stored_batch(builder.finish().value())).value();
  CHECK(batch->body().tag_count() == 0);
  CHECK(batch->body().type_count() == 1);
}

TEST_CASE("builder: 65,535 events fit, one more does not", "[schemas][builder]") {
  BatchBuilder builder({Codec::kLz4, 1});
  // Distinct names, so that the references use their whole range; all kinds at once would
  // exceed the batch's bytes.
  const bool names = GENERATE(true, false);
  std::string text;
  for (std::size_t i = 0; i < kBatchEventsMax; ++i) {
    text = "s-" + std::to_string(i);
    NewEvent event = simple_event();
    if (names) {
      event.stream = event.type = event.content_type = text;
      event.tags = {text};
    } else {
      event.metadata.actor = text;
    }
    REQUIRE(builder.add(event));
  }
  const Status status = builder.add(simple_event());
  REQUIRE_FALSE(status);
  CHECK(status.error().code() == ErrorCode::kBatchTooLarge);
  const auto body = builder.finish().value();
  const auto raw = decompress(body.codec, body.bytes, body.raw_size).value();
  const auto parsed = BatchBody::parse(raw.view());
  REQUIRE(parsed);
  CHECK(parsed->event_count() == kBatchEventsMax);
  EventView view;
  parsed->read(parsed->place_of(kBatchEventsMax - 1), view);
  if (names) {
    CHECK(view.stream == "s-65534");
    CHECK(view.type == "s-65534");
    CHECK(view.content_type == "s-65534");
    CHECK(view.tags == std::vector<std::string_view>{"s-65534"});
  } else {
    CHECK(view.metadata.actor == "s-65534");
  }
}

TEST_CASE("builder: no batch holds more than 65,535 distinct tags", "[schemas][builder]") {
  BatchBuilder builder({Codec::kNone, 1});
  std::vector<std::string> tags(kEventTagsMax);
  std::size_t events = 0;
  Status status;
  for (; status && events < 2'000; ++events) {
    NewEvent event = simple_event();
    for (std::size_t k = 0; k < tags.size(); ++k) {
      tags[k] = std::to_string(events) + "." + std::to_string(k);
      event.tags.emplace_back(tags[k]);
    }
    status = builder.add(event);
  }
  REQUIRE_FALSE(status);
  CHECK(status.error().code() == ErrorCode::kBatchTooLarge);
  CHECK(events == kBatchEventsMax / kEventTagsMax + 1);
  const AlignedBytes raw = aligned_copy(builder.finish().value().bytes);
  CHECK(BatchBody::parse(raw.view()));
}

TEST_CASE("builder: an event of 16 MiB with every other field at its limit fits", "[schemas][builder]") {
  std::string data(kEventDataBytesMax, '\0');
  std::mt19937_64 random(1);
  for (char& byte : data) byte = static_cast<char>(random());
  const std::string text(kMetadataFieldBytesMax, 'm');
  const std::string stream = "s-" + std::string(kNameBytesMax - 2, 's');
  const std::string name(kNameBytesMax, 'n');
  std::vector<std::string> tags;
  for (std::size_t i = 0; i < kEventTagsMax; ++i) tags.push_back(std::to_string(10 + i) + std::string(kNameBytesMax - 2, 't'));
  NewEvent event;
  event.stream = stream;
  event.type = name;
  event.content_type = name;
  event.data = data;
  event.tags.assign(tags.begin(), tags.end());
  event.metadata = {text, text, text, text, text, text, text};
  const auto batch = DecodedBatch::decode(stored_batch(encode({event}, Codec::kLz4)));
  REQUIRE(batch);
  require_same_events(**batch, {event});
}

TEST_CASE("builder: a batch takes 16 MiB and no more", "[schemas][builder]") {
  BatchBuilder builder({Codec::kLz4, 1});
  const std::string data(std::size_t{1} << 20U, 'x');
  NewEvent event = simple_event();
  event.data = data;
  for (int i = 0; i < 16; ++i) REQUIRE(builder.add(event));
  const Status status = builder.add(event);
  REQUIRE_FALSE(status);
  CHECK(status.error().code() == ErrorCode::kBatchTooLarge);
  const auto body = builder.finish().value();
  CHECK(body.raw_size <= kBatchRawBytesMax);
  CHECK(body.event_count == 16);
  CHECK(decompress(body.codec, body.bytes, body.raw_size));
}

TEST_CASE("builder: nothing added, nothing encoded", "[schemas][builder]") {
  BatchBuilder builder;
  CHECK_FALSE(builder.finish());
  REQUIRE(builder.add(simple_event()));
  builder.clear();
  const auto body = builder.finish();
  REQUIRE_FALSE(body);
  CHECK(body.error().code() == ErrorCode::kInvalidArgument);
}

TEST_CASE("builder: a hundred alike events cost little more than their data", "[schemas][builder]") {
  std::vector<NewEvent> events(100, simple_event());
  for (NewEvent& event : events) event.metadata.actor = "asha";
  const EncodedBody one = encode({events[0]}, Codec::kNone);
  const EncodedBody all = encode(events, Codec::kNone);
  // Names stand once: 2 data bytes and 19 bytes of columns per further event.
  CHECK(all.raw_size < one.raw_size + 99 * 24);
}

}  // namespace
}  // namespace bahi::test
