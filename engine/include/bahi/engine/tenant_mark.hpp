// A place in one tenant's log that can be recognised: where it ends, and what it holds up to there.
#pragma once

#include "bahi/base/types.hpp"

namespace bahi {

/// How far one tenant's log reached.
struct TenantMark {
  TenantId tenant;
  Offset next_offset;
  Hash128 chain_hash;  ///< of the batch that ends before `next_offset`; zero when there is none
  bool operator==(const TenantMark&) const = default;
};

}  // namespace bahi
