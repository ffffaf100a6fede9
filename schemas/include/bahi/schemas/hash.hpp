// XXH3, the one checksum and hash of Bahi. Source: https://xxhash.com (XXH3 64 and 128 bits).
#pragma once

#include <cstdint>
#include <string_view>

#include "bahi/base/types.hpp"

namespace bahi {

[[nodiscard]] std::uint64_t xxh3_64(std::string_view bytes, std::uint64_t seed = 0) noexcept;
[[nodiscard]] Hash128 xxh3_128(std::string_view bytes) noexcept;
/// Hash of the concatenation of two byte strings.
[[nodiscard]] Hash128 xxh3_128(std::string_view first, std::string_view second) noexcept;

/// A UUID of version 8 (RFC 9562: made by the application's own rule) that follows from what it names. `kind` keeps
/// those of different uses apart.
[[nodiscard]] Uuid uuid_of(std::string_view kind, std::string_view text) noexcept;

}  // namespace bahi
