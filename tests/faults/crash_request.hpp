// What follows from one request of bahi_crash alone.
#pragma once

#include <cstdint>
#include <string>

#include "bahi/engine/append.hpp"
#include "crash_message.hpp"

namespace bahi::faults {

/// Whether the request's expectation is met by a stream at `version` (-1: it does not exist).
[[nodiscard]] bool holds(const Intent& intent, std::int64_t version);
/// "request CYCLE.THREAD.NUMBER"
[[nodiscard]] std::string describe(std::uint64_t request_id);

}  // namespace bahi::faults
