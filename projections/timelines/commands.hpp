// The commands of the timelines; README.md says what they take, and which tags their rules rest on.
#pragma once

#include <vector>

#include "projection.hpp"

namespace bahi::projections::timelines {

[[nodiscard]] std::vector<CommandEntry> commands();

}  // namespace bahi::projections::timelines
