// How messages stand in a TCP stream: one frame after the other.
//
// Layout (integers little-endian):
//
//   offset size
//        0    4  length: the bytes that follow this field
//        4    4  h, size of the head
//        8    h  head: one FlatBuffers message, root table Frame (schemas/wire.fbs)
//      8+h    p  payload: raw bytes that belong to the message; p = length - 4 - h
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "bahi/base/result.hpp"
#include "bahi/schemas/limits.hpp"

namespace bahi {

inline constexpr std::size_t kFramePrefixBytes = 8;
/// Of a frame's head; conditions over very many streams are what needs most.
inline constexpr std::size_t kFrameHeadBytesMax = std::size_t{4} << 20U;
/// `length` of the largest frame that anybody needs: a largest batch body or stored batch, and its head.
inline constexpr std::size_t kFrameBytesMax = kBatchRawBytesMax + kFrameHeadBytesMax;
/// `length` of the largest frame before the handshake is done.
inline constexpr std::size_t kHandshakeBytesMax = 4096;

struct FrameView {
  std::string_view head;
  std::string_view payload;
};

/// Finds the frames in a stream of bytes that comes in pieces. A frame that came in one piece is not copied; memory
/// held is at most one frame. Not thread-safe.
class FrameSplitter {
 public:
  explicit FrameSplitter(std::size_t frame_bytes_max) : frame_bytes_max_(frame_bytes_max) {}

  void set_frame_bytes_max(std::size_t bytes) noexcept { frame_bytes_max_ = bytes; }
  /// Gives the next piece, which must stay until `next` returns false, an error, or is not to be called any more.
  /// `next` must have returned false before (or never been called).
  void push(std::string_view bytes) noexcept { input_ = bytes; }
  /// True: `frame` is the next one, good until the next call. False: what was pushed is used up.
  /// Errors (the stream is lost): kMalformedFrame, kFrameTooLarge.
  [[nodiscard]] Result<bool> next(FrameView& frame);
  /// A frame has begun and is not complete.
  [[nodiscard]] bool mid_frame() const noexcept { return !partial_.empty(); }
  [[nodiscard]] std::size_t memory_bytes() const noexcept { return partial_.capacity(); }

 private:
  [[nodiscard]] Result<std::size_t> frame_size(std::string_view prefix) const;

  std::size_t frame_bytes_max_;
  std::string_view input_;
  std::string partial_;         // the beginning of a frame
  bool partial_given_ = false;  // `partial_` was given whole, and is dropped by the next call
};

/// Appends the prefix of a frame to `out`.
void put_frame_prefix(std::size_t head_bytes, std::size_t payload_bytes, std::string& out);

}  // namespace bahi
