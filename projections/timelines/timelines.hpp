// Message timelines: conversations, their messages and threads, who has read what, who is there.
#pragma once

#include "projection.hpp"

namespace bahi::projections::timelines {

[[nodiscard]] Projection projection();

}  // namespace bahi::projections::timelines
