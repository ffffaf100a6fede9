// Sums of quantities and money.
#pragma once

#include <cstdint>

#include "bahi/base/result.hpp"

namespace bahi::projections {

/// Error: kMalformedEvent, the sum does not fit; in a fold it parks the read model.
[[nodiscard]] inline Status add_to(std::int64_t& sum, std::int64_t by) {
  if (__builtin_add_overflow(sum, by, &sum)) {
    return Error{ErrorCode::kMalformedEvent, "a sum of quantities or paise is beyond 64 bits"};
  }
  return {};
}

}  // namespace bahi::projections
