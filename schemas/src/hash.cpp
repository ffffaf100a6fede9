#include "bahi/schemas/hash.hpp"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "bahi/schemas/hash_stream.hpp"

namespace bahi {

std::uint64_t xxh3_64(std::string_view bytes, std::uint64_t seed) noexcept {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

Hash128 xxh3_128(std::string_view bytes) noexcept {
  const XXH128_hash_t hash = XXH3_128bits(bytes.data(), bytes.size());
  return {hash.high64, hash.low64};
}

Hash128 xxh3_128(std::string_view first, std::string_view second) noexcept {
  XXH3_state_t state;
  XXH3_128bits_reset(&state);
  XXH3_128bits_update(&state, first.data(), first.size());
  XXH3_128bits_update(&state, second.data(), second.size());
  const XXH128_hash_t hash = XXH3_128bits_digest(&state);
  return {hash.high64, hash.low64};
}

Uuid uuid_of(std::string_view kind, std::string_view text) noexcept {
  const Hash128 hash = xxh3_128(kind, text);
  return {(hash.high & ~0xF000ULL) | 0x8000ULL, (hash.low & ~(0b11ULL << 62U)) | (0b10ULL << 62U)};
}

struct HashStream::State {
  XXH3_state_t xxh3;
};

HashStream::HashStream() : state_(std::make_unique<State>()) { XXH3_128bits_reset(&state_->xxh3); }
HashStream::HashStream(HashStream&&) noexcept = default;
HashStream& HashStream::operator=(HashStream&&) noexcept = default;
HashStream::~HashStream() = default;

void HashStream::add(std::string_view bytes) noexcept { XXH3_128bits_update(&state_->xxh3, bytes.data(), bytes.size()); }

Hash128 HashStream::digest() const noexcept {
  const XXH128_hash_t hash = XXH3_128bits_digest(&state_->xxh3);
  return {hash.high64, hash.low64};
}

}  // namespace bahi
