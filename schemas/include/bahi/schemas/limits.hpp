// Limits of what one request may carry. Changing one is a change of the format's promise.
#pragma once

#include <cstddef>
#include <cstdint>

namespace bahi {

inline constexpr std::size_t kEventDataBytesMax = std::size_t{16} << 20U;
/// A body may exceed one largest event by its names and columns.
inline constexpr std::size_t kBatchRawBytesMax = kEventDataBytesMax + (std::size_t{64} << 10U);
inline constexpr std::size_t kBatchEventsMax = 65'535;
inline constexpr std::size_t kNameBytesMax = 512;      ///< stream, type, tag, content type
inline constexpr std::size_t kEventTagsMax = 64;
inline constexpr std::size_t kMetadataFieldBytesMax = 4096;

}  // namespace bahi
