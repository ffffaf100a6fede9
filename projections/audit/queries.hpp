// The queries of the audit trail.
#pragma once

#include <vector>

#include "projection.hpp"

namespace bahi::projections::audit {

[[nodiscard]] std::vector<QueryEntry> queries();

}  // namespace bahi::projections::audit
