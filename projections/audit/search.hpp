// What a query of the trail asks for, and the walk over what it finds.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "audit/posting_list.hpp"
#include "audit/show.hpp"
#include "page_scan.hpp"
#include "projection.hpp"

namespace bahi::projections::audit {

/// Conditions, all of which a record must fulfil.
struct Search {
  std::optional<std::string> actor, on_behalf_of, action, action_prefix, target_type, target_id, correlation, outcome,
      text;
  std::optional<Timestamp> from, to, occurred_from, occurred_to;
  std::optional<std::int64_t> at_offset;
  Order order = Order::kNewest;

  [[nodiscard]] static Search take(Arguments& arguments);
  /// Errors: kInvalidArgument.
  Status check() const;
  [[nodiscard]] PageCursor cursor(TenantId tenant) const;
};

/// Writes a page of records as the list `records`, and `next` when there are more. Errors: kInvalidArgument,
/// kInvalidCursor, those of the log and the views.
Status show_page(const QueryContext& context, const Search& search, const PageRequest& page, Answer& answer);

}  // namespace bahi::projections::audit
