// The one list of projections.
#include <algorithm>

#include "activity/activity.hpp"
#include "audit/audit.hpp"
#include "payments/payments.hpp"
#include "projection.hpp"
#include "stock/stock.hpp"
#include "timelines/timelines.hpp"

namespace bahi::projections {

std::span<const Projection> all_projections() {
  // One line for each.
  static const std::vector<Projection> all = [] {
    std::vector<Projection> projections;
    projections.push_back(activity::projection());
    projections.push_back(audit::projection());
    projections.push_back(payments::projection());
    projections.push_back(stock::projection());
    projections.push_back(timelines::projection());
    return projections;
  }();
  return all;
}

const Projection* find_projection(std::string_view name) {
  const auto all = all_projections();
  const auto found =
      std::find_if(all.begin(), all.end(), [name](const Projection& projection) { return projection.name == name; });
  return found == all.end() ? nullptr : &*found;
}

}  // namespace bahi::projections
