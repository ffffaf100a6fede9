#include "checked_batch.hpp"

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <boost/endian/conversion.hpp>

#include "bahi/schemas/hash.hpp"

namespace bahi::fuzz {
namespace {

std::uint64_t sum_of(std::string_view bytes) {
  std::uint64_t sum = bytes.size();
  for (const char byte : bytes) sum += static_cast<unsigned char>(byte);
  return sum;
}

std::uint64_t sum_of(const EventView& event) {
  std::uint64_t sum = event.id.low + sum_of(event.stream) + sum_of(event.type) + sum_of(event.content_type) +
                      sum_of(event.data) + static_cast<std::uint64_t>(event.occurred_at.nanos);
  for (const std::string_view tag : event.tags) sum += sum_of(tag);
  const Metadata& m = event.metadata;
  for (const std::string_view text :
       {m.actor, m.on_behalf_of, m.correlation_id, m.causation_id, m.reason, m.target_type, m.target_id}) {
    sum += sum_of(text);
  }
  return sum;
}

volatile std::uint64_t total = 0;  // keeps the reading from being optimised away

}  // namespace

void require(bool holds, const char* promise) {
  if (holds) return;
  std::fprintf(stderr, "broken promise: %s\n", promise);
  std::abort();
}

AlignedBytes aligned_copy(std::string_view bytes) {
  AlignedBytes copy(bytes.size());
  if (!bytes.empty()) std::memcpy(copy.data(), bytes.data(), bytes.size());
  return copy;
}

std::string with_right_header(std::string_view body, Codec codec, std::uint32_t raw_size, std::uint32_t event_count,
                              std::uint32_t stream_count) {
  BatchHeader header;
  header.codec = codec;
  header.tenant = TenantId{1};
  header.event_count = event_count;
  header.stored_size = static_cast<std::uint32_t>(body.size());
  header.raw_size = raw_size;
  header.body_hash = xxh3_128(body);
  std::string stored;
  encode_batch_header(header, std::vector<std::int64_t>(stream_count, 3), stored);
  return stored.append(body);
}

void mend_header(std::string& stored) {
  if (stored.size() < kBatchHeaderBytes) stored.resize(kBatchHeaderBytes, '\0');
  auto* bytes = reinterpret_cast<unsigned char*>(stored.data());
  std::memcpy(bytes, "BAHI", 4);
  const std::size_t behind = stored.size() - kBatchHeaderBytes;
  const std::size_t version_bytes = boost::endian::load_little_u32(bytes + 28) % (behind + 1);
  boost::endian::store_little_u32(bytes + 28, static_cast<std::uint32_t>(version_bytes));
  boost::endian::store_little_u32(bytes + 32, static_cast<std::uint32_t>(behind - version_bytes));
  const auto put_hash = [bytes](std::size_t place, const Hash128& hash) {
    boost::endian::store_little_u64(bytes + place, hash.high);
    boost::endian::store_little_u64(bytes + place + 8, hash.low);
  };
  const std::string_view all(stored);
  put_hash(72, xxh3_128(all.substr(kBatchHeaderBytes + version_bytes)));
  put_hash(104, xxh3_128(all.substr(0, 104), all.substr(kBatchHeaderBytes, version_bytes)));
}

void read_everything(const BatchBody& body) {
  std::uint64_t sum = 0;
  for (std::uint32_t ref = 0; ref < body.stream_count(); ++ref) sum += sum_of(body.stream_name(ref));
  for (std::uint32_t ref = 0; ref < body.type_count(); ++ref) sum += sum_of(body.type_name(ref));
  for (std::uint32_t ref = 0; ref < body.tag_count(); ++ref) sum += sum_of(body.tag_name(ref));
  EventView event;
  EventPlace place;
  while (place.index < body.event_count()) {
    body.read(place, event);
    sum += sum_of(event);
    body.advance(place);
  }
  total = total + sum;
}

void read_everything(const DecodedBatch& batch) {
  std::uint64_t sum = 0;
  EventView event;
  for (BatchWalker walker(batch); !walker.at_end(); walker.next()) {
    walker.read(event);
    sum += sum_of(event) + event.offset.value + static_cast<std::uint64_t>(event.version.value);
  }
  total = total + sum;
}

}  // namespace bahi::fuzz
