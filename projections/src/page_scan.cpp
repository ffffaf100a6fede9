#include "page_scan.hpp"

namespace bahi::projections {

PageRequest PageRequest::take(Arguments& arguments, std::int64_t fallback, std::int64_t max) {
  PageRequest request;
  request.limit = arguments.number_or("limit", fallback, 1, max);
  request.cursor = arguments.optional_text("cursor");
  return request;
}

Result<PageScan> PageScan::begin(const StateView& view, std::uint8_t table, std::string_view prefix, bool backward,
                                 const PageRequest& request, const PageCursor& cursor, std::string_view first) {
  PageScan page(view.scan(table, prefix), backward, request.limit, cursor);
  RowScan& scan = page.scan_;
  if (!request.cursor) {
    if (!first.empty()) {
      scan.seek(first);
    } else {
      backward ? scan.seek_last() : scan.seek_first();
    }
    return page;
  }
  BAHI_ASSIGN(page.last_, cursor.decode(*request.cursor));
  if (!page.last_.starts_with(prefix)) {
    return Error{ErrorCode::kInvalidCursor, "the cursor is not one that this query gave; begin without a cursor"};
  }
  backward ? scan.seek_backward(page.last_) : scan.seek(page.last_);
  if (scan.valid() && scan.key() == page.last_) backward ? scan.previous() : scan.next();
  return page;
}

void PageScan::next(bool counted) {
  if (counted) --left_;
  last_ = scan_.key();
  backward_ ? scan_.previous() : scan_.next();
}

Result<bool> PageScan::has_next() const {
  BAHI_TRY(scan_.status());
  return !ended_ && scan_.valid();
}

Status PageScan::finish(Answer& answer) const {
  BAHI_ASSIGN(const bool next, has_next());
  if (next) answer.text("next", cursor_->encode(last_));
  return {};
}

}  // namespace bahi::projections
