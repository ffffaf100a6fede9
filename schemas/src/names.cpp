#include "bahi/schemas/names.hpp"

#include <fmt/format.h>

#include "bahi/base/text.hpp"
#include "bahi/schemas/limits.hpp"

namespace bahi {

Status check_stream_name(std::string_view name) {
  if (name.size() > kNameBytesMax) {
    return Error{ErrorCode::kInvalidStreamName,
                 fmt::format("stream: the name '{}…' has {} bytes; at most {} are allowed", name.substr(0, 40),
                             name.size(), kNameBytesMax)};
  }
  const auto dash = name.find('-');
  if (dash == std::string_view::npos || dash == 0 || dash + 1 == name.size() || !is_printable_utf8(name)) {
    return Error{ErrorCode::kInvalidStreamName,
                 fmt::format("stream: '{}' is not of the form category-id in UTF-8 without control characters; "
                             "name it like order-42",
                             is_utf8(name) ? name : "(bytes that are not UTF-8)")};
  }
  return {};
}

Status check_name(std::string_view field, std::string_view name) {
  if (name.empty() || name.size() > kNameBytesMax || !is_printable_utf8(name)) {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("{}: must be 1 to {} bytes of UTF-8 without control characters", field, kNameBytesMax)};
  }
  return {};
}

Status check_metadata_text(std::string_view field, std::string_view text) {
  if (text.size() > kMetadataFieldBytesMax || text.find('\0') != std::string_view::npos || !is_utf8(text)) {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("{}: must be at most {} bytes of UTF-8 without zero bytes", field, kMetadataFieldBytesMax)};
  }
  return {};
}

}  // namespace bahi
