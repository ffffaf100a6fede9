// The header that the log puts in front of every stored batch.
//
// Layout (all integers little-endian, no padding):
//
//   offset size
//        0    4  magic "BAHI"
//        4    2  format version, now 1
//        6    1  codec of the body (0 none, 1 LZ4 block, 2 Zstandard frame)
//        7    1  flags, 0
//        8    8  first offset
//       16    4  tenant
//       20    4  event count
//       24    4  stream count
//       28    4  size of the version section in bytes
//       32    4  size of the body as stored
//       36    4  size of the body before compression
//       40    8  recorded_at, UTC nanoseconds
//       48   16  producer id (RFC 4122 byte halves: high, low); nil = none
//       64    8  producer sequence
//       72   16  XXH3-128 of the body as stored (high, low)
//       88   16  chain hash of the tenant's previous batch; zero for the first
//      104   16  chain hash: XXH3-128 of bytes 0-103 followed by the version section
//      120    n  version section: for each stream, in the order of the body's dictionary,
//                the version of its first event in this batch, LEB128
//    120+n    m  body
//
// The chain hash covers the body through its hash and the whole history through the
// previous chain hash, so two logs that agree in one chain hash agree up to that batch.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bahi/base/result.hpp"
#include "bahi/base/types.hpp"
#include "bahi/schemas/codec.hpp"

namespace bahi {

inline constexpr std::uint16_t kBatchFormatVersion = 1;
inline constexpr std::size_t kBatchHeaderBytes = 120;

struct BatchHeader {
  Codec codec = Codec::kNone;
  TenantId tenant;
  Offset first_offset;
  std::uint32_t event_count = 0;
  std::uint32_t stream_count = 0;
  std::uint32_t version_bytes = 0;
  std::uint32_t stored_size = 0;
  std::uint32_t raw_size = 0;
  Timestamp recorded_at;
  Uuid producer_id;  ///< nil = none
  std::uint64_t producer_sequence = 0;
  Hash128 body_hash;
  Hash128 previous_hash;
  Hash128 chain_hash;

  [[nodiscard]] Offset last_offset() const { return first_offset + (event_count - 1); }
  [[nodiscard]] Offset next_offset() const { return first_offset + event_count; }
};

/// Writes header and version section into `out` (replaced), computing
/// `header.version_bytes`, `header.stream_count` and `header.chain_hash` from the rest.
void encode_batch_header(BatchHeader& header, std::span<const std::int64_t> first_versions, std::string& out);

/// Reads and checks the header at the start of a stored batch: magic, format, sizes against
/// `stored.size()`, chain hash. Does not touch the body. Errors: kCorruptLog, kNewerFormat.
[[nodiscard]] Result<BatchHeader> decode_batch_header(std::string_view stored);

/// The version section of a stored batch whose header was decoded.
[[nodiscard]] Result<std::vector<std::int64_t>> decode_first_versions(const BatchHeader& header,
                                                                      std::string_view stored);

/// The body, as stored, of a stored batch whose header was decoded.
[[nodiscard]] inline std::string_view stored_body(const BatchHeader& header, std::string_view stored) {
  return stored.substr(kBatchHeaderBytes + header.version_bytes, header.stored_size);
}

}  // namespace bahi
