#include "page_cursor.hpp"

#include "bahi/schemas/bytes.hpp"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace bahi::projections {
namespace {

constexpr char kVersion = 1;
constexpr std::string_view kDigits = "0123456789abcdef";

}  // namespace

PageCursor::PageCursor(TenantId tenant, std::initializer_list<std::string_view> scope) {
  std::string bytes;
  bytes::put_be32(bytes, tenant.value);
  for (const std::string_view part : scope) {
    bytes::put_varint(bytes, part.size());
    bytes.append(part);
  }
  head_.push_back(kVersion);
  bytes::put_be64(head_, XXH3_64bits(bytes.data(), bytes.size()));
}

std::string PageCursor::encode(std::string_view key) const {
  std::string text;
  text.reserve(2 * (head_.size() + key.size()));
  for (const std::string_view part : {std::string_view(head_), key}) {
    for (const char c : part) {
      const auto byte = static_cast<unsigned char>(c);
      text.push_back(kDigits[byte >> 4U]);
      text.push_back(kDigits[byte & 15U]);
    }
  }
  return text;
}

Result<std::string> PageCursor::decode(std::string_view text) const {
  const Error invalid{ErrorCode::kInvalidCursor,
                      "the cursor is not one that this query gave for these arguments; begin without a cursor"};
  if (text.size() % 2 != 0 || text.size() < 2 * head_.size()) return invalid;
  std::string bytes;
  bytes.reserve(text.size() / 2);
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const std::size_t high = kDigits.find(text[i]);
    const std::size_t low = kDigits.find(text[i + 1]);
    if (high == std::string_view::npos || low == std::string_view::npos) return invalid;
    bytes.push_back(static_cast<char>(high << 4U | low));
  }
  if (!bytes.starts_with(head_)) return invalid;
  return bytes.substr(head_.size());
}

}  // namespace bahi::projections
