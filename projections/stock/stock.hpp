// Stock by location, item and batch, with its value: a ledger whose sum is the balance, and decisions that never sell
// what is not there.
#pragma once

#include "projection.hpp"

namespace bahi::projections::stock {

[[nodiscard]] Projection projection();

}  // namespace bahi::projections::stock
