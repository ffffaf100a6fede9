// Where a page of an answer ended, as a text that a client keeps and gives back unread.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "bahi/base/result.hpp"
#include "bahi/base/types.hpp"

namespace bahi::projections {

/// Makes and reads the cursors of one query with its arguments. A cursor names the key of a row, so that the next page
/// is a seek however deep it lies and whatever was added since. Immutable, so thread-safe.
///
/// In hex: u8 version | be64 hash of tenant and scope | the key.
class PageCursor {
 public:
  /// `scope`: the query's name, and every argument that must be the same from page to page, an absent one as an empty
  /// text.
  PageCursor(TenantId tenant, std::initializer_list<std::string_view> scope);

  [[nodiscard]] std::string encode(std::string_view key) const;
  /// The key. Errors: kInvalidCursor when the text is no cursor, or one of another tenant, query or scope.
  [[nodiscard]] Result<std::string> decode(std::string_view text) const;

 private:
  std::string head_;
};

}  // namespace bahi::projections
