// Payments of a tenant: states, refunds, disputes, holds and payouts, and what does not fit together. See README.md.
#pragma once

#include "projection.hpp"

namespace bahi::projections::payments {

[[nodiscard]] Projection projection();

}  // namespace bahi::projections::payments
