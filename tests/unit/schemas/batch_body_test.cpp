#include "bahi/schemas/batch_body.hpp"

#include <cstring>
#include <functional>

#include "bahi/schemas/limits.hpp"
#include "body_parts.hpp"
#include "support/catch_result.hpp"

namespace bahi::test {
namespace {

using Refs = std::vector<std::uint16_t>;

ErrorCode code_of(const BodyParts& parts) {
  const AlignedBytes raw = parts.encode();
  const auto body = BatchBody::parse(raw.view());
  REQUIRE_FALSE(body);
  return body.error().code();
}

TEST_CASE("body: a body spelled out by hand is valid, whole or with its optional columns left out", "[schemas][body]") {
  BodyParts parts;
  CHECK(BatchBody::parse(parts.encode().view()));
  parts.tags = std::nullopt;
  parts.tag_count = std::nullopt;
  parts.tag_ref = std::nullopt;
  CHECK(BatchBody::parse(parts.encode().view()));
  parts.content_types = std::nullopt;
  parts.content_type_ref = std::nullopt;
  CHECK(BatchBody::parse(parts.encode().view()));
  parts.actors = std::nullopt;
  parts.metadata_ref = std::nullopt;
  const AlignedBytes raw = parts.encode();
  const auto body = BatchBody::parse(raw.view());
  REQUIRE(body);
  EventView event;
  body->read(body->place_of(1), event);
  CHECK(event.stream == "order-2");
  CHECK(event.data == "abc");
  CHECK(event.content_type == kJsonContentType);
  CHECK(event.metadata == Metadata{});
  CHECK(event.tags.empty());
  CHECK(event.id == Uuid{1, 3});
}

TEST_CASE("body: a required column that is missing is refused", "[schemas][body]") {
  const std::vector<std::function<void(BodyParts&)>> removals{
      [](BodyParts& p) { p.streams.reset(); },  [](BodyParts& p) { p.types.reset(); },
      [](BodyParts& p) { p.stream_ref.reset(); }, [](BodyParts& p) { p.type_ref.reset(); },
      [](BodyParts& p) { p.occurred_at.reset(); }, [](BodyParts& p) { p.data_size.reset(); },
      [](BodyParts& p) { p.data.reset(); },     [](BodyParts& p) { p.first_id.reset(); },
      [](BodyParts& p) { p.tag_ref.reset(); },  [](BodyParts& p) { p.tag_count.reset(); },
      [](BodyParts& p) { p.tags.reset(); },     [](BodyParts& p) { p.content_types.reset(); },
      [](BodyParts& p) { p.actors.reset(); },
  };
  for (std::size_t i = 0; i < removals.size(); ++i) {
    INFO("removal " << i);
    BodyParts parts;
    removals[i](parts);
    CHECK(code_of(parts) == ErrorCode::kMalformedBatch);
  }
}

TEST_CASE("body: a column of another length than the events is refused", "[schemas][body]") {
  const std::vector<std::function<void(BodyParts&)>> changes{
      [](BodyParts& p) { p.stream_ref = Refs{0, 1, 0}; },
      [](BodyParts& p) { p.type_ref = Refs{0}; },
      [](BodyParts& p) { p.occurred_at = std::vector<std::int64_t>{1}; },
      [](BodyParts& p) { p.data_size = std::vector<std::uint32_t>{2, 3, 0}; },
      [](BodyParts& p) { p.ids = std::vector<schemas::fb::EventId>{{1, 1}}; },
      [](BodyParts& p) { p.content_type_ref = Refs{0, 0, 0}; },
      [](BodyParts& p) { p.metadata_ref = Refs{1}; },
      [](BodyParts& p) { p.tag_count = std::vector<std::uint8_t>{3}; },
  };
  for (std::size_t i = 0; i < changes.size(); ++i) {
    INFO("change " << i);
    BodyParts parts;
    changes[i](parts);
    CHECK(code_of(parts) == ErrorCode::kMalformedBatch);
  }
}

TEST_CASE("body: a reference past the end of its dictionary is refused", "[schemas][body]") {
  const std::vector<std::function<void(BodyParts&)>> changes{
      [](BodyParts& p) { p.stream_ref = Refs{0, 2}; },       [](BodyParts& p) { p.type_ref = Refs{0, 1}; },
      [](BodyParts& p) { p.tag_ref = Refs{0, 1, 2}; },       [](BodyParts& p) { p.content_type_ref = Refs{0, 1}; },
      [](BodyParts& p) { p.metadata_ref = Refs{1, 2}; },     [](BodyParts& p) { p.stream_ref = Refs{0, 65'535}; },
      [](BodyParts& p) { p.metadata_ref = Refs{1, 65'535}; },
  };
  for (std::size_t i = 0; i < changes.size(); ++i) {
    INFO("change " << i);
    BodyParts parts;
    changes[i](parts);
    CHECK(code_of(parts) == ErrorCode::kMalformedBatch);
    // Memory safety needs it too, so the check is not left out for trusted bytes.
    CHECK_FALSE(BatchBody::parse_trusted(parts.encode().view()));
  }
}

TEST_CASE("body: data and tags must add up", "[schemas][body]") {
  BodyParts parts;
  SECTION("too little data") { parts.data = "{}ab"; }
  SECTION("too much data") { parts.data = "{}abcd"; }
  SECTION("sizes that wrap around 32 bits") { parts.data_size = std::vector<std::uint32_t>{0xFFFFFFFF, 6}; }
  SECTION("fewer tags than counted") { parts.tag_ref = Refs{0, 1}; }
  SECTION("more tags than counted") { parts.tag_ref = Refs{0, 0, 1, 1}; }
  const AlignedBytes raw = parts.encode();
  const auto body = BatchBody::parse_trusted(raw.view());
  REQUIRE_FALSE(body);
  CHECK((body.error().code() == ErrorCode::kMalformedBatch || body.error().code() == ErrorCode::kEventTooLarge));
}

TEST_CASE("body: a name twice, or one that no event uses, is refused", "[schemas][body]") {
  BodyParts parts;
  SECTION("stream twice") { parts.streams = {{"order-1", "order-1"}}; }
  SECTION("type twice") {
    parts.types = {{"Placed", "Placed"}};
    parts.type_ref = Refs{0, 1};
  }
  SECTION("tag twice") { parts.tags = {{"a", "a"}}; }
  SECTION("content type twice") {
    parts.content_types = {{"text/plain", "text/plain"}};
    parts.content_type_ref = Refs{0, 1};
  }
  SECTION("unused stream") { parts.stream_ref = Refs{0, 0}; }
  SECTION("unused type") { parts.types = {{"Placed", "Paid"}}; }
  SECTION("unused tag") { parts.tag_ref = Refs{0, 0, 0}; }
  SECTION("unused content type") { parts.content_types = {{"text/plain", "text/html"}}; }
  SECTION("content types without a column") { parts.content_type_ref.reset(); }
  SECTION("unused metadata") { parts.metadata_ref = Refs{0, 0}; }
  SECTION("metadata without a column") { parts.metadata_ref.reset(); }
  SECTION("tags without a column") {
    parts.tag_count.reset();
    parts.tag_ref.reset();
  }
  CHECK(code_of(parts) == ErrorCode::kMalformedBatch);
}

TEST_CASE("body: each name is held to its rule", "[schemas][body]") {
  BodyParts parts;
  SECTION("stream") {
    parts.streams = {{"order-1", "order"}};
    CHECK(code_of(parts) == ErrorCode::kInvalidStreamName);
  }
  SECTION("type") {
    parts.types = {{"a\nb"}};
    CHECK(code_of(parts) == ErrorCode::kInvalidArgument);
  }
  SECTION("tag") {
    parts.tags = {{"a", ""}};
    CHECK(code_of(parts) == ErrorCode::kInvalidArgument);
  }
  SECTION("content type") {
    parts.content_types = {{std::string(kNameBytesMax + 1, 'x')}};
    CHECK(code_of(parts) == ErrorCode::kInvalidArgument);
  }
  SECTION("metadata") {
    parts.actors = {{"\xC3("}};
    CHECK(code_of(parts) == ErrorCode::kInvalidArgument);
  }
}

TEST_CASE("body: no event, or more tags than an event may have, is refused", "[schemas][body]") {
  BodyParts empty;
  empty.streams = std::vector<std::string>{};
  empty.types = std::vector<std::string>{};
  empty.stream_ref = Refs{};
  empty.type_ref = Refs{};
  empty.occurred_at = std::vector<std::int64_t>{};
  empty.data_size = std::vector<std::uint32_t>{};
  empty.data = "";
  CHECK(code_of(empty) == ErrorCode::kMalformedBatch);

  BodyParts tagged;
  tagged.tag_count = {{static_cast<std::uint8_t>(kEventTagsMax), 0}};
  tagged.tag_ref = Refs(kEventTagsMax, 0);
  (*tagged.tag_ref)[1] = 1;
  CHECK(BatchBody::parse(tagged.encode().view()));
  tagged.tag_count = {{static_cast<std::uint8_t>(kEventTagsMax + 1), 0}};
  tagged.tag_ref->push_back(0);
  CHECK(code_of(tagged) == ErrorCode::kInvalidArgument);
}

TEST_CASE("body: bytes that are not aligned are refused", "[schemas][body]") {
  const AlignedBytes raw = BodyParts{}.encode();
  for (const std::size_t shift : {1U, 2U, 4U, 7U}) {
    AlignedBytes shifted(raw.size() + shift);
    std::memcpy(shifted.data() + shift, raw.data(), raw.size());
    const auto body = BatchBody::parse({shifted.data() + shift, raw.size()});
    REQUIRE_FALSE(body);
    CHECK(body.error().code() == ErrorCode::kMalformedBatch);
  }
}

TEST_CASE("body: a column of 64-bit values at a place that is not aligned is refused", "[schemas][body]") {
  // The FlatBuffers verifier lets this pass: move the column occurred_at by four bytes.
  BodyParts parts;
  parts.occurred_at = {{0x7777777777777777, 0x7777777777777777}};
  const AlignedBytes good = parts.encode();
  REQUIRE(BatchBody::parse(good.view()));
  const auto* table = flatbuffers::GetRoot<schemas::fb::BatchBody>(good.data());
  const auto column_at = static_cast<std::size_t>(reinterpret_cast<const char*>(table->occurred_at()) - good.data());
  const auto field = static_cast<std::size_t>(reinterpret_cast<const char*>(table) - good.data()) +
                     reinterpret_cast<const flatbuffers::Table*>(table)->GetOptionalFieldOffset(
                         schemas::fb::BatchBody::VT_OCCURRED_AT);
  // A copy of the column behind the body, once aligned and once not, shows that only the place matters.
  for (const std::size_t shift : {4U, 0U}) {
    const std::size_t copy_at = (good.size() + 7) / 8 * 8 + shift;
    AlignedBytes changed(copy_at + 40);
    std::memset(changed.data(), 0, changed.size());
    std::memcpy(changed.data(), good.data(), good.size());
    std::memcpy(changed.data() + copy_at, good.data() + column_at, 20);
    flatbuffers::WriteScalar(changed.data() + field, static_cast<std::uint32_t>(copy_at - field));
    const bool aligned = (copy_at + 4) % 8 == 0;
    CHECK(BatchBody::parse(changed.view()).has_value() == aligned);
    CHECK(BatchBody::parse_trusted(changed.view()).has_value() == aligned);
  }
}

TEST_CASE("body: truncated at any byte it is refused or reads the same", "[schemas][body]") {
  const AlignedBytes raw = BodyParts{}.encode();
  std::size_t refused = 0;
  for (std::size_t size = 0; size < raw.size(); ++size) {
    const AlignedBytes cut = aligned_copy(raw.view().substr(0, size));
    const auto body = BatchBody::parse(cut.view());
    if (!body) {
      ++refused;
      continue;
    }
    // Only padding at the very end may go unnoticed; the log's checksums notice that too.
    REQUIRE(size + 4 > raw.size());
    CHECK(body->stream_name(0) == "order-1");
  }
  CHECK(refused >= raw.size() - 4);
}

TEST_CASE("body: any changed byte is refused or leaves a body that can be read safely", "[schemas][body]") {
  const AlignedBytes raw = BodyParts{}.encode();
  AlignedBytes changed = aligned_copy(raw.view());
  EventView event;
  std::size_t accepted = 0;
  for (std::size_t place = 0; place < raw.size(); ++place) {
    for (int value = 0; value < 256; ++value) {
      changed.data()[place] = static_cast<char>(value);
      const auto body = BatchBody::parse_trusted(changed.view());
      if (!body) continue;
      ++accepted;
      for (EventPlace at; at.index < body->event_count(); body->advance(at)) {
        body->read(at, event);
        std::size_t sum = 0;
        for (const char byte : event.data) sum += static_cast<unsigned char>(byte);
        REQUIRE(sum + event.stream.size() < raw.size() * 256);
      }
    }
    changed.data()[place] = raw.data()[place];
  }
  CHECK(accepted > 0);
}

TEST_CASE("body: a body of random bytes is refused", "[schemas][body]") {
  const auto seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  for (int trial = 0; trial < 20'000; ++trial) {
    AlignedBytes raw(random() % 300);
    for (std::size_t i = 0; i < raw.size(); ++i) raw.data()[i] = static_cast<char>(random() % 8 == 0 ? random() : 0);
    REQUIRE_FALSE(BatchBody::parse(raw.view()));
  }
}

}  // namespace
}  // namespace bahi::test
