#include "bahi/schemas/batch_header.hpp"

#include <cstring>
#include <limits>

#include <fmt/format.h>

#include "bahi/schemas/bytes.hpp"
#include "bahi/schemas/hash.hpp"
#include "bahi/schemas/limits.hpp"

namespace bahi {
namespace {

constexpr std::string_view kMagic = "BAHI";
constexpr std::size_t kHashedBytes = 104;
/// Versions stay countable beyond the batch.
constexpr std::uint64_t kFirstVersionMax = std::numeric_limits<std::int64_t>::max() - kBatchEventsMax;

class FieldWriter {
 public:
  explicit FieldWriter(char* place) : place_(place) {}
  template <class Integer>
  void put(Integer value) {
    boost::endian::native_to_little_inplace(value);
    std::memcpy(place_, &value, sizeof value);
    place_ += sizeof value;
  }
  void put(const Hash128& hash) {
    put(hash.high);
    put(hash.low);
  }

 private:
  char* place_;
};

class FieldReader {
 public:
  explicit FieldReader(const char* place) : place_(place) {}
  template <class Integer>
  void get(Integer& value) {
    std::memcpy(&value, place_, sizeof value);
    boost::endian::little_to_native_inplace(value);
    place_ += sizeof value;
  }
  void get(Hash128& hash) {
    get(hash.high);
    get(hash.low);
  }

 private:
  const char* place_;
};

Error corrupt(std::string what) { return {ErrorCode::kCorruptLog, "batch header: " + std::move(what)}; }

}  // namespace

void encode_batch_header(BatchHeader& header, std::span<const std::int64_t> first_versions, std::string& out) {
  out.assign(kBatchHeaderBytes, '\0');
  for (const std::int64_t version : first_versions) bytes::put_varint(out, static_cast<std::uint64_t>(version));
  header.stream_count = static_cast<std::uint32_t>(first_versions.size());
  header.version_bytes = static_cast<std::uint32_t>(out.size() - kBatchHeaderBytes);
  std::memcpy(out.data(), kMagic.data(), kMagic.size());
  FieldWriter writer(out.data() + kMagic.size());
  writer.put(kBatchFormatVersion);
  writer.put(static_cast<std::uint8_t>(header.codec));
  writer.put(std::uint8_t{0});
  writer.put(header.first_offset.value);
  writer.put(header.tenant.value);
  writer.put(header.event_count);
  writer.put(header.stream_count);
  writer.put(header.version_bytes);
  writer.put(header.stored_size);
  writer.put(header.raw_size);
  writer.put(header.recorded_at.nanos);
  writer.put(header.producer_id.high);
  writer.put(header.producer_id.low);
  writer.put(header.producer_sequence);
  writer.put(header.body_hash);
  writer.put(header.previous_hash);
  const std::string_view written(out);
  header.chain_hash = xxh3_128(written.substr(0, kHashedBytes), written.substr(kBatchHeaderBytes));
  writer.put(header.chain_hash);
}

Result<BatchHeader> decode_batch_header(std::string_view stored) {
  if (stored.size() < kBatchHeaderBytes) {
    return corrupt(fmt::format("{} bytes are fewer than the {} of a header", stored.size(), kBatchHeaderBytes));
  }
  if (stored.substr(0, kMagic.size()) != kMagic) return corrupt("magic bytes are missing");
  BatchHeader header;
  std::uint16_t format = 0;
  std::uint8_t codec = 0;
  std::uint8_t flags = 0;
  FieldReader reader(stored.data() + kMagic.size());
  reader.get(format);
  reader.get(codec);
  reader.get(flags);
  reader.get(header.first_offset.value);
  reader.get(header.tenant.value);
  reader.get(header.event_count);
  reader.get(header.stream_count);
  reader.get(header.version_bytes);
  reader.get(header.stored_size);
  reader.get(header.raw_size);
  reader.get(header.recorded_at.nanos);
  reader.get(header.producer_id.high);
  reader.get(header.producer_id.low);
  reader.get(header.producer_sequence);
  reader.get(header.body_hash);
  reader.get(header.previous_hash);
  reader.get(header.chain_hash);
  const std::uint64_t wanted =
      std::uint64_t{kBatchHeaderBytes} + header.version_bytes + std::uint64_t{header.stored_size};
  if (wanted != stored.size()) {
    return corrupt(fmt::format("it announces {} bytes, {} are stored", wanted, stored.size()));
  }
  if (xxh3_128(stored.substr(0, kHashedBytes), stored.substr(kBatchHeaderBytes, header.version_bytes)) !=
      header.chain_hash) {
    return corrupt("its hash does not match");
  }
  // The hash is right, so what follows is another version's work, not damage.
  if (format > kBatchFormatVersion || flags != 0 || codec > static_cast<std::uint8_t>(Codec::kZstd)) {
    return Error{ErrorCode::kNewerFormat,
                 fmt::format("batch header: format {}, flags {}, codec {} are newer than this build knows (format {})",
                             format, flags, codec, kBatchFormatVersion)};
  }
  header.codec = static_cast<Codec>(codec);
  if (format == 0 || header.first_offset > kOffsetMax - kBatchEventsMax || header.event_count == 0 ||
      header.event_count > kBatchEventsMax || header.stream_count > header.event_count ||
      header.raw_size > kBatchRawBytesMax) {
    return corrupt("its fields are outside the limits");
  }
  return header;
}

Result<std::vector<std::int64_t>> decode_first_versions(const BatchHeader& header, std::string_view stored) {
  std::string_view section = stored.substr(kBatchHeaderBytes, header.version_bytes);
  std::vector<std::int64_t> versions;
  versions.reserve(header.stream_count);
  for (std::uint32_t i = 0; i < header.stream_count; ++i) {
    std::uint64_t version = 0;
    if (!bytes::take_varint(section, version)) return corrupt("the version section ends early");
    if (version > kFirstVersionMax) return corrupt("a stream version is outside the limits");
    versions.push_back(static_cast<std::int64_t>(version));
  }
  if (!section.empty()) return corrupt("the version section is too long");
  return versions;
}

}  // namespace bahi
