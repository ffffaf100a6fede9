// Base64 (RFC 4648 section 4) for bytes in text.
#pragma once

#include <string>
#include <string_view>

namespace bahi {

/// Appends the padded encoding of `bytes` to `out`.
void append_base64(std::string_view bytes, std::string& out);
/// Replaces `out` by the decoded bytes. False when `text` is not canonical: wrong
/// alphabet or length, missing padding, or bits set behind the last byte.
[[nodiscard]] bool decode_base64(std::string_view text, std::string& out);

}  // namespace bahi
