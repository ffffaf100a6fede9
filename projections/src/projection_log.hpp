// What operators decided about read models, as events in the system tenant's log. It is the truth from which the set of
// projections comes back when the views are gone.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "bahi/engine/engine.hpp"

namespace bahi::projections {

/// Which tenant has which projections, and what each was told to pass over.
using WantedProjections = std::map<std::pair<TenantId, std::string>, std::set<std::uint64_t>>;

enum class ProjectionAct : std::uint8_t { kStarted, kDropped, kRebuilt, kReplayed, kSkipped, kRetried };

/// Appends what was done; durable when it returns.
Status record_act(Engine& engine, ProjectionAct act, TenantId tenant, std::string_view projection,
                  std::string_view actor, std::optional<Offset> offset = {});
[[nodiscard]] Result<WantedProjections> read_acts(const Engine& engine);

}  // namespace bahi::projections
