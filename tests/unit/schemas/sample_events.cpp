#include "sample_events.hpp"

#include <algorithm>
#include <cstring>
#include <unordered_map>

#include "bahi/base/text.hpp"
#include "bahi/schemas/hash.hpp"
#include "bahi/schemas/limits.hpp"
#include "support/catch_result.hpp"

namespace bahi::test {

void SampleEvents::add_golden() {
  NewEvent placed;
  placed.stream = "order-1";
  placed.type = "OrderPlaced";
  placed.data = R"({"total_paise":125000})";
  placed.occurred_at = parse_timestamp("2026-01-02T03:04:05.5+05:30").value();
  placed.id = parse_uuid("00112233-4455-6677-8899-aabbccddeeff").value();
  placed.tags = {"customer:9", "store:मुंबई"};
  placed.metadata = {"asha", "ravi", "corr-1", "cause-1", "phone order", "order", "1"};
  events_.push_back(placed);

  NewEvent scanned;
  scanned.stream = "batch-PARA650";
  scanned.type = "LabelScanned";
  scanned.data = std::string_view("\x00\x01\xFE\xFF", 4);
  scanned.content_type = "application/octet-stream";
  scanned.occurred_at = {-1};
  scanned.id = parse_uuid("00112233-4455-6677-8899-aabbccddef00").value();
  events_.push_back(scanned);

  NewEvent captured;
  captured.stream = "order-1";
  captured.type = "PaymentCaptured";
  captured.data = "";
  captured.occurred_at = {0};
  captured.id = parse_uuid("00112233-4455-6677-8899-aabbccddef01").value();
  captured.tags = {"customer:9"};
  captured.metadata.actor = "asha";
  events_.push_back(captured);

  NewEvent paid = captured;
  paid.data = R"({"note":"यह भुगतान नकद था"})";
  paid.id = parse_uuid("00112233-4455-6677-8899-aabbccddef02").value();
  events_.push_back(paid);
}

void SampleEvents::add_random(std::mt19937_64& random, std::size_t count) {
  const auto below = [&random](std::uint64_t limit) { return random() % limit; };
  const auto maybe = [&](const char* prefix) {
    return below(3) == 0 ? std::string_view{} : keep(prefix + std::to_string(below(20)));
  };
  for (std::size_t i = 0; i < count; ++i) {
    NewEvent event;
    event.stream = keep("order-" + std::to_string(below(50)));
    event.type = keep("Type" + std::to_string(below(8)));
    std::string data(below(200), '\0');
    for (char& byte : data) byte = static_cast<char>(below(4) == 0 ? below(256) : 'x');
    event.data = keep(std::move(data));
    if (below(4) == 0) event.content_type = keep("text/" + std::to_string(below(3)));
    event.occurred_at = {static_cast<std::int64_t>(random())};
    if (below(2) == 0) event.id = Uuid{random(), random() | 1U};
    for (std::uint64_t k = below(5); k > 0; --k) event.tags.push_back(keep("tag:" + std::to_string(below(30))));
    if (below(2) == 0) {
      event.metadata = {maybe("actor"), maybe("behalf"), maybe("corr"), maybe("cause"),
                        maybe("reason"), maybe("type"), maybe("id")};
    }
    events_.push_back(std::move(event));
  }
}

NewEvent simple_event() {
  NewEvent event;
  event.stream = "order-1";
  event.type = "OrderPlaced";
  event.data = "{}";
  return event;
}

EncodedBody encode(const std::vector<NewEvent>& events, Codec codec) {
  BatchBuilder builder({codec, 1});
  for (const NewEvent& event : events) REQUIRE(builder.add(event));
  return builder.finish().value();
}

AlignedBytes aligned_copy(std::string_view bytes) {
  AlignedBytes copy(bytes.size());
  if (!bytes.empty()) std::memcpy(copy.data(), bytes.data(), bytes.size());
  return copy;
}

AlignedBytes raw_body(const std::vector<NewEvent>& events) { return aligned_copy(encode(events, Codec::kNone).bytes); }

BatchHeader sample_header(const EncodedBody& body) {
  BatchHeader header;
  header.codec = body.codec;
  header.tenant = TenantId{7};
  header.first_offset = Offset{1000};
  header.event_count = body.event_count;
  header.stored_size = static_cast<std::uint32_t>(body.bytes.size());
  header.raw_size = body.raw_size;
  header.recorded_at = parse_timestamp("2026-01-02T03:04:05Z").value();
  header.producer_id = {0x0102030405060708ULL, 0x090A0B0C0D0E0F10ULL};
  header.producer_sequence = 99;
  header.body_hash = xxh3_128(body.bytes);
  header.previous_hash = {0x1111111111111111ULL, 0x2222222222222222ULL};
  return header;
}

std::string stored_batch(const EncodedBody& body, const std::vector<std::int64_t>& first_versions) {
  BatchHeader header = sample_header(body);
  std::string stored;
  encode_batch_header(header, first_versions, stored);
  return stored + body.bytes;
}

std::string stored_batch(const EncodedBody& body) {
  const auto raw = decompress(body.codec, body.bytes, body.raw_size).value();
  std::vector<std::int64_t> first_versions(BatchBody::parse(raw.view()).value().stream_count());
  for (std::size_t i = 0; i < first_versions.size(); ++i) first_versions[i] = i % 2 == 0 ? 5 : 300;
  return stored_batch(body, first_versions);
}

void require_same_events(const DecodedBatch& batch, const std::vector<NewEvent>& events) {
  REQUIRE(batch.header().event_count == events.size());
  std::unordered_map<std::string_view, std::int64_t> next_version;
  for (std::uint32_t ref = 0; ref < batch.body().stream_count(); ++ref) {
    next_version[batch.body().stream_name(ref)] = batch.first_versions()[ref];
  }
  BatchWalker walker(batch);
  EventView view;
  for (const NewEvent& event : events) {
    REQUIRE_FALSE(walker.at_end());
    walker.read(view);
    INFO("event " << walker.index());
    REQUIRE(view.tenant == batch.header().tenant);
    REQUIRE(view.offset == batch.header().first_offset + walker.index());
    REQUIRE(view.offset == walker.offset());
    REQUIRE(view.version.value == next_version.at(event.stream)++);
    REQUIRE(view.recorded_at == batch.header().recorded_at);
    REQUIRE(view.occurred_at == event.occurred_at);
    REQUIRE(view.stream == event.stream);
    REQUIRE(view.type == event.type);
    REQUIRE(view.content_type == event.content_type);
    REQUIRE(view.data == event.data);
    REQUIRE(view.tags == event.tags);
    REQUIRE(view.metadata == event.metadata);
    if (event.id) {
      REQUIRE(view.id == *event.id);
    } else {
      REQUIRE_FALSE(view.id.is_nil());
    }
    walker.next();
  }
  REQUIRE(walker.at_end());
}

}  // namespace bahi::test
