#include "bahi/schemas/frame.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <boost/endian/conversion.hpp>

namespace bahi {
namespace {

constexpr std::size_t kLengthBytes = 4;
/// An idle connection holds no more than this.
constexpr std::size_t kPartialBytesKept = std::size_t{1} << 10U;

std::uint32_t get_le32(const char* from) {
  return boost::endian::load_little_u32(reinterpret_cast<const unsigned char*>(from));
}

void put_le32(std::uint32_t value, std::string& out) {
  boost::endian::native_to_little_inplace(value);
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

}  // namespace

/// The whole size of the frame that begins with `prefix`.
Result<std::size_t> FrameSplitter::frame_size(std::string_view prefix) const {
  const std::size_t length = get_le32(prefix.data());
  const std::size_t head = get_le32(prefix.data() + kLengthBytes);
  if (length > frame_bytes_max_) {
    return Error{ErrorCode::kFrameTooLarge,
                 fmt::format("a frame of {} bytes; at most {} are allowed here", length, frame_bytes_max_)};
  }
  if (length < kFramePrefixBytes - kLengthBytes || head > length - (kFramePrefixBytes - kLengthBytes) ||
      head > kFrameHeadBytesMax) {
    return Error{ErrorCode::kMalformedFrame, fmt::format("a frame of {} bytes cannot have a head of {}", length, head)};
  }
  return kLengthBytes + length;
}

Result<bool> FrameSplitter::next(FrameView& frame) {
  if (partial_given_) {
    partial_given_ = false;
    partial_.clear();
    if (partial_.capacity() > kPartialBytesKept) std::string().swap(partial_);
  }
  const auto fill_to = [this](std::size_t size) {
    const std::size_t taken = std::min(size - std::min(size, partial_.size()), input_.size());
    partial_.append(input_.substr(0, taken));
    input_.remove_prefix(taken);
    return partial_.size() >= size;
  };
  std::string_view whole;
  if (!partial_.empty()) {
    if (!fill_to(kFramePrefixBytes)) return false;
    BAHI_ASSIGN(const std::size_t size, frame_size(partial_));
    if (!fill_to(size)) return false;
    partial_given_ = true;
    whole = partial_;
  } else {
    if (input_.size() < kFramePrefixBytes) {
      partial_ = input_;
      input_ = {};
      return false;
    }
    BAHI_ASSIGN(const std::size_t size, frame_size(input_));
    if (input_.size() < size) {
      partial_ = input_;
      input_ = {};
      return false;
    }
    whole = input_.substr(0, size);
    input_.remove_prefix(size);
  }
  const std::size_t head_bytes = get_le32(whole.data() + kLengthBytes);
  frame.head = whole.substr(kFramePrefixBytes, head_bytes);
  frame.payload = whole.substr(kFramePrefixBytes + head_bytes);
  return true;
}

void put_frame_prefix(std::size_t head_bytes, std::size_t payload_bytes, std::string& out) {
  put_le32(static_cast<std::uint32_t>(kFramePrefixBytes - kLengthBytes + head_bytes + payload_bytes), out);
  put_le32(static_cast<std::uint32_t>(head_bytes), out);
}

}  // namespace bahi
