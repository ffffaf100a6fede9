// Which events a reader wants: in process and over the wire alike.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bahi/base/types.hpp"
#include "bahi/schemas/event.hpp"

namespace bahi {

enum class Direction : std::uint8_t { kForward, kBackward };

/// All conditions that are given must hold. Empty = every event.
struct EventFilter {
  std::optional<std::string> stream;
  std::optional<std::string> category;
  std::vector<std::string> types;  ///< one of them
  std::vector<std::string> tags;   ///< all of them

  [[nodiscard]] bool empty() const { return !stream && !category && types.empty() && tags.empty(); }
  [[nodiscard]] bool matches(const EventView& event) const;
};

/// Events with `from` ≤ offset < `to`, and below the durable offset as it was when the
/// read began. Backward reads begin at the end of that range.
struct ReadRequest {
  TenantId tenant;
  Offset from;
  std::optional<Offset> to;
  Direction direction = Direction::kForward;
  EventFilter filter;
  std::optional<std::uint64_t> limit;
};

}  // namespace bahi
