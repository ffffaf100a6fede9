// Rules for the names that events carry.
#pragma once

#include <string_view>

#include "bahi/base/result.hpp"

namespace bahi {

/// `category-id`: both parts not empty, 3 to 512 bytes of UTF-8 without control
/// characters; the category ends at the first '-'.
Status check_stream_name(std::string_view name);
/// 1 to 512 bytes of UTF-8 without control characters. `field` is named in the error.
Status check_name(std::string_view field, std::string_view name);
/// At most 4096 bytes of UTF-8 without zero bytes; may be empty. `field` is named in the error.
Status check_metadata_text(std::string_view field, std::string_view text);
/// The part of a valid stream name before its first '-'.
[[nodiscard]] inline std::string_view category_of(std::string_view stream) {
  return stream.substr(0, stream.find('-'));
}

}  // namespace bahi
