// The audit trail: who did what to what, when, as part of what and why. See README.md beside this.
#pragma once

#include "projection.hpp"

namespace bahi::projections::audit {

[[nodiscard]] Projection projection();

}  // namespace bahi::projections::audit
