// Compression of batch bodies: none, LZ4 (block format), Zstandard (frame format).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "bahi/base/result.hpp"

namespace bahi {

/// Stored in batch headers; numbers are never reused.
enum class Codec : std::uint8_t { kNone = 0, kLz4 = 1, kZstd = 2 };

[[nodiscard]] std::string_view to_string(Codec codec) noexcept;
/// "none", "lz4" or "zstd".
[[nodiscard]] Result<Codec> parse_codec(std::string_view text);

/// Bytes aligned to 8, as FlatBuffers need them. Movable, not copyable.
class AlignedBytes {
 public:
  AlignedBytes() = default;
  /// Contents are not initialised.
  explicit AlignedBytes(std::size_t size_bytes)
      : words_(new std::uint64_t[(size_bytes + 7) / 8]), size_(size_bytes) {}

  [[nodiscard]] char* data() noexcept { return reinterpret_cast<char*>(words_.get()); }
  [[nodiscard]] const char* data() const noexcept { return reinterpret_cast<const char*>(words_.get()); }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] std::string_view view() const noexcept { return {data(), size_}; }

 private:
  std::unique_ptr<std::uint64_t[]> words_;
  std::size_t size_ = 0;
};

/// Compresses `raw` into `out` (replaced). Returns the codec really used: kNone, with
/// `out` = `raw`, when compression does not make it smaller or `raw` is below 1 KiB. Thread-safe. `level` is used by zstd only.
Codec compress(Codec codec, int level, std::string_view raw, std::string& out);

/// Restores exactly `raw_size` bytes; any other length, or bytes that are not of the
/// codec's format, are kMalformedBatch. Thread-safe; never allocates more than
/// `raw_size` (+ the codec's fixed state).
[[nodiscard]] Result<AlignedBytes> decompress(Codec codec, std::string_view stored, std::size_t raw_size);

}  // namespace bahi
