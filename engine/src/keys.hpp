// Keys of the two databases. All integers big-endian, so that byte order is number order.
//
//   log   position(8)                                   -> stored batch
//         tenant(4) last_offset(8)                      -> position(8) tenant_bytes(8), in the column family "directory"
//   idx   tenant(4) term_hash(8) last_offset(8)         -> LEB128 version of that event (streams), or nothing
//         tenant(4) term_hash(8) sequence(8) producer(16) -> LEB128 last offset of the batch
//         tenant(4) 0(8) 0(8)                           -> LEB128 offset up to which the index is complete
//
// An idx posting stands for one batch in which the term occurs; `last_offset` is that of the last
// event of the batch that has the term. Two names may share a hash: readers check the name in the event.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "bahi/base/types.hpp"
#include "bahi/schemas/bytes.hpp"
#include "bahi/schemas/hash.hpp"

namespace bahi {

enum class TermKind : std::uint8_t { kStream = 1, kCategory = 2, kType = 3, kTag = 4, kProducer = 5 };

/// Never 0, which is reserved.
[[nodiscard]] inline std::uint64_t term_hash(TermKind kind, std::string_view name) noexcept {
  const std::uint64_t hash = xxh3_64(name, 0x9E3779B97F4A7C15ULL * static_cast<std::uint64_t>(kind));
  return hash == 0 ? 1 : hash;
}
[[nodiscard]] inline std::uint64_t producer_hash(const Uuid& id) noexcept {
  std::string bytes;
  bytes::put_be64(bytes, id.high);
  bytes::put_be64(bytes, id.low);
  return term_hash(TermKind::kProducer, bytes);
}

inline constexpr std::size_t kLogKeyBytes = 12;
inline constexpr std::size_t kTermPrefixBytes = 12;
inline constexpr std::size_t kPostingKeyBytes = 20;
inline constexpr std::size_t kProducerKeyBytes = 36;

[[nodiscard]] inline std::string log_key(TenantId tenant, Offset last_offset) {
  std::string key;
  bytes::put_be32(key, tenant.value);
  bytes::put_be64(key, last_offset.value);
  return key;
}

[[nodiscard]] inline std::string posting_key(TenantId tenant, std::uint64_t hash, std::uint64_t order) {
  std::string key;
  bytes::put_be32(key, tenant.value);
  bytes::put_be64(key, hash);
  bytes::put_be64(key, order);
  return key;
}

[[nodiscard]] inline std::string producer_key(TenantId tenant, std::uint64_t hash, std::uint64_t sequence,
                                              const Uuid& id) {
  std::string key = posting_key(tenant, hash, sequence);
  bytes::put_be64(key, id.high);
  bytes::put_be64(key, id.low);
  return key;
}

/// Offset of the event or batch that an idx entry stems from; none for the covered offset.
[[nodiscard]] inline std::optional<Offset> entry_offset(std::string_view key, std::string_view value) {
  if (key.size() < kPostingKeyBytes || bytes::get_be64(key.data() + sizeof(std::uint32_t)) == 0) return std::nullopt;
  if (key.size() != kProducerKeyBytes) return Offset{bytes::get_be64(key.data() + kTermPrefixBytes)};
  Offset offset;
  (void)bytes::take_varint(value, offset.value);
  return offset;
}

}  // namespace bahi
