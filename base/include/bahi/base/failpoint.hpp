// Named points at which a test build can crash, fail or pause on purpose.
//
// Compiled in only with -DBAHI_FAILPOINTS=ON; otherwise every point is nothing. A test
// arms points through the environment before the process starts, or with `arm`:
//   BAHI_FAILPOINTS="after_sync=kill@3;before_ack=sleep:50"
// `@N` triggers on the N-th pass only (default: every pass). Actions: kill (SIGKILL to
// self), error (the point reports failure), sleep:MILLISECONDS.
#pragma once

#include <string_view>

#include "bahi/base/result.hpp"

namespace bahi::failpoint {

#ifdef BAHI_FAILPOINTS
/// Passes the point `name`; true when it is armed to fail. Thread-safe.
[[nodiscard]] bool hit(std::string_view name);
/// Replaces all armed points. Thread-safe.
Status arm(std::string_view specification);
#else
[[nodiscard]] inline bool hit(std::string_view) { return false; }
#endif

}  // namespace bahi::failpoint
