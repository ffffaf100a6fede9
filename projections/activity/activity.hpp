// The events of each type, counted.
#pragma once

#include "projection.hpp"

namespace bahi::projections::activity {

[[nodiscard]] Projection projection();

}  // namespace bahi::projections::activity
