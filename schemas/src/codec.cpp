#include "bahi/schemas/codec.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <vector>

#include <fmt/format.h>
#include <lz4.h>
#include <zstd.h>

#include "bahi/schemas/limits.hpp"

namespace bahi {
namespace {

/// A single small event saves less than a tenth (measured on 500 B) and costs microseconds.
constexpr std::size_t kCompressedBytesMin = 1024;

struct CompressionContext {
  ZSTD_CCtx* context = ZSTD_createCCtx();
  CompressionContext() = default;
  CompressionContext(const CompressionContext&) = delete;
  CompressionContext& operator=(const CompressionContext&) = delete;
  ~CompressionContext() { ZSTD_freeCCtx(context); }
};

struct DecompressionContext {
  ZSTD_DCtx* context = ZSTD_createDCtx();
  DecompressionContext() = default;
  DecompressionContext(const DecompressionContext&) = delete;
  DecompressionContext& operator=(const DecompressionContext&) = delete;
  ~DecompressionContext() { ZSTD_freeDCtx(context); }
};

/// zstd chooses a hash table by the size of the input, at level 1 a very small one below 128 KiB. One slot per byte
/// finds more and looks in vain less often (bodies of 30 KB: 0.342 of the data instead of 0.348, in 0.76 of the time).
int hash_log_for(std::size_t raw_bytes) {
  constexpr std::size_t kSmallBytes = std::size_t{128} << 10U;
  if (raw_bytes > kSmallBytes) return 0;  // zstd's own choice
  return std::clamp(static_cast<int>(std::bit_width(raw_bytes)) + 1, 12, 16);
}

/// Zero when the codec could not make it smaller than `raw`.
std::size_t compress_into(Codec codec, int level, std::string_view raw, char* out, std::size_t room) {
  if (codec == Codec::kLz4) {
    const int size = LZ4_compress_default(raw.data(), out, static_cast<int>(raw.size()), static_cast<int>(room));
    return size > 0 ? static_cast<std::size_t>(size) : 0;
  }
  thread_local CompressionContext state;
  if (state.context == nullptr) return 0;
  ZSTD_CCtx_setParameter(state.context, ZSTD_c_compressionLevel, level);
  ZSTD_CCtx_setParameter(state.context, ZSTD_c_hashLog, level == 1 ? hash_log_for(raw.size()) : 0);
  const std::size_t size = ZSTD_compress2(state.context, out, room, raw.data(), raw.size());
  return ZSTD_isError(size) != 0 ? 0 : size;
}

/// False when `stored` can be told, without decompressing it, not to hold `raw_size` bytes.
bool could_restore_to(Codec codec, std::string_view stored, std::size_t raw_size) {
  switch (codec) {
    case Codec::kNone: return stored.size() == raw_size;
    case Codec::kLz4: return raw_size <= stored.size() * 255;  // the format's best ratio
    case Codec::kZstd: {
      const unsigned long long size = ZSTD_getFrameContentSize(stored.data(), stored.size());
      return size == ZSTD_CONTENTSIZE_UNKNOWN || size <= raw_size;  // an error is a huge size
    }
  }
  return true;
}

}  // namespace

std::string_view to_string(Codec codec) noexcept {
  switch (codec) {
    case Codec::kNone: return "none";
    case Codec::kLz4: return "lz4";
    case Codec::kZstd: return "zstd";
  }
  return "unknown";
}

Result<Codec> parse_codec(std::string_view text) {
  for (const Codec codec : {Codec::kNone, Codec::kLz4, Codec::kZstd}) {
    if (text == to_string(codec)) return codec;
  }
  return Error{ErrorCode::kUnsupportedCodec, fmt::format("codec: '{}' is not none, lz4 or zstd", text)};
}

Codec compress(Codec codec, int level, std::string_view raw, std::string& out) {
  if (codec != Codec::kNone && raw.size() >= kCompressedBytesMin) {
    // Room for one byte less than the input: a result that does not fit is not wanted.
    thread_local std::vector<char> room;
    if (room.size() < raw.size()) room.resize(raw.size());
    if (const std::size_t size = compress_into(codec, level, raw, room.data(), raw.size() - 1); size != 0) {
      out.assign(room.data(), size);
      return codec;
    }
  }
  out.assign(raw);
  return Codec::kNone;
}

Result<AlignedBytes> decompress(Codec codec, std::string_view stored, std::size_t raw_size) {
  const Error malformed{ErrorCode::kMalformedBatch,
                        fmt::format("body: {} bytes of {} do not restore to the {} bytes announced",
                                    stored.size(), to_string(codec), raw_size)};
  if (raw_size > kBatchRawBytesMax) {
    return Error{ErrorCode::kBatchTooLarge,
                 fmt::format("body: {} bytes uncompressed; at most {} are allowed", raw_size, kBatchRawBytesMax)};
  }
  // Before memory is taken for an announcement that the bytes cannot keep.
  if (stored.size() > kBatchRawBytesMax || !could_restore_to(codec, stored, raw_size)) return malformed;
  AlignedBytes raw(raw_size);
  switch (codec) {
    case Codec::kNone:
      if (raw_size != 0) std::memcpy(raw.data(), stored.data(), raw_size);
      return raw;
    case Codec::kLz4: {
      const int size = LZ4_decompress_safe(stored.data(), raw.data(), static_cast<int>(stored.size()),
                                           static_cast<int>(raw_size));
      if (size < 0 || static_cast<std::size_t>(size) != raw_size) return malformed;
      return raw;
    }
    case Codec::kZstd: {
      thread_local DecompressionContext state;
      if (state.context == nullptr) return Error{ErrorCode::kOutOfMemory, "zstd: no memory for its state"};
      const std::size_t size =
          ZSTD_decompressDCtx(state.context, raw.data(), raw_size, stored.data(), stored.size());
      if (ZSTD_isError(size) != 0 || size != raw_size) return malformed;
      return raw;
    }
  }
  return Error{ErrorCode::kUnsupportedCodec,
               fmt::format("body: codec {} is unknown to this build", static_cast<unsigned>(codec))};
}

}  // namespace bahi
