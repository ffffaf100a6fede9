// What the fuzz targets share: bytes dressed up as a stored batch, and a reading of everything in it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "bahi/schemas/batch_body.hpp"
#include "bahi/schemas/batch_header.hpp"
#include "bahi/schemas/codec.hpp"
#include "bahi/schemas/decoded_batch.hpp"

namespace bahi::fuzz {

inline std::string_view view_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

/// Stops the program: what the target promises does not hold.
void require(bool holds, const char* promise);

[[nodiscard]] AlignedBytes aligned_copy(std::string_view bytes);

/// `body` behind a header whose sizes and hashes are right, so that decoding gets past the checksums.
[[nodiscard]] std::string with_right_header(std::string_view body, Codec codec, std::uint32_t raw_size,
                                            std::uint32_t event_count, std::uint32_t stream_count);

/// Sets magic, sizes and chain hash of a stored batch to what they would have to be.
void mend_header(std::string& stored);

/// Reads every field of every event; the bytes must all lie where a sanitizer allows reading.
void read_everything(const BatchBody& body);
void read_everything(const DecodedBatch& batch);

}  // namespace bahi::fuzz
