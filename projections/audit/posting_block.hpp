// The offsets of one term within one block of the log.
//
// A block is 16,384 offsets. Where it is few of them, they are written as the distances between them, each in one or
// two bytes; where these would take more room than a bit for each offset, as bits.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace bahi::projections::audit {

inline constexpr unsigned kBlockBits = 14;
inline constexpr std::uint64_t kBlockOffsets = std::uint64_t{1} << kBlockBits;
inline constexpr std::size_t kBitmapBytes = kBlockOffsets / 8;

/// Place of an offset in its block.
using Place = std::uint16_t;
[[nodiscard]] constexpr std::uint64_t block_of(std::uint64_t offset) noexcept {
  return offset >> kBlockBits;
}
[[nodiscard]] constexpr Place place_of(std::uint64_t offset) noexcept {
  return static_cast<Place>(offset & (kBlockOffsets - 1));
}
[[nodiscard]] constexpr std::uint64_t offset_of(std::uint64_t block, Place place) noexcept {
  return block << kBlockBits | place;
}

/// Adds a place behind all others. `end`: one more than the last place, 0 when there is none; moves on.
inline void append_distance(std::string& distances, std::uint32_t& end, Place place) {
  const std::uint32_t distance = place - end;
  if (distance < 0x80) {
    distances.push_back(static_cast<char>(distance));
  } else {
    distances.push_back(static_cast<char>(0x80U | (distance & 0x7FU)));
    distances.push_back(static_cast<char>(distance >> 7U));
  }
  end = place + 1U;
}

/// The row of a block. The same offsets always give the same bytes.
void encode_block(std::string_view distances, std::string& row);
/// False: malformed. `places` ascend.
[[nodiscard]] bool decode_block(std::string_view row, std::vector<Place>& places);
/// False: malformed.
[[nodiscard]] bool decode_distances(std::string_view distances, std::vector<Place>& places);

}  // namespace bahi::projections::audit
