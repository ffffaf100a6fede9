// Pages that are rows of one table in the order of their keys.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "answer.hpp"
#include "arguments.hpp"
#include "page_cursor.hpp"
#include "view_store.hpp"

namespace bahi::projections {

/// The arguments `limit` and `cursor` of a query with pages.
struct PageRequest {
  std::int64_t limit = 0;
  std::optional<std::string> cursor;
  [[nodiscard]] static PageRequest take(Arguments& arguments, std::int64_t fallback = 100, std::int64_t max = 1000);
};

/// The rows of a page, one after the other. Not thread-safe; must not outlive the view and the cursor.
class PageScan {
 public:
  /// Rows whose key begins with `prefix`, behind the request's cursor; the first page of a forward one begins at
  /// `first`, when that is given. Errors: kInvalidCursor.
  [[nodiscard]] static Result<PageScan> begin(const StateView& view, std::uint8_t table, std::string_view prefix,
                                              bool backward, const PageRequest& request, const PageCursor& cursor,
                                              std::string_view first = {});

  /// False: the page is full, or there is nothing more.
  [[nodiscard]] bool more() const { return left_ > 0 && !ended_ && scan_.valid(); }
  [[nodiscard]] std::string_view key() const { return scan_.key(); }
  [[nodiscard]] std::string_view value() const { return scan_.value(); }
  /// To the next row; `counted`: this one is on the page.
  void next(bool counted = true);
  /// The rows from here on are not of the answer.
  void end() { ended_ = true; }
  /// There is more behind what was looked at.
  [[nodiscard]] Result<bool> has_next() const;
  /// Writes the member `next`, a cursor, when there is more.
  Status finish(Answer& answer) const;

 private:
  PageScan(RowScan scan, bool backward, std::int64_t left, const PageCursor& cursor)
      : scan_(std::move(scan)), backward_(backward), left_(left), cursor_(&cursor) {}

  RowScan scan_;
  bool backward_;
  bool ended_ = false;
  std::int64_t left_;
  std::string last_;  // key of the row that was left last
  const PageCursor* cursor_;
};

}  // namespace bahi::projections
