// How fast a read model is built from its log.
#pragma once

#include <string_view>

#include "histories.hpp"
#include "report.hpp"

namespace bahi::bench {

/// Starts the read model over its history, then rebuilds it `repetitions` - 1 times beside the instance that serves.
/// False: this program has no such read model.
[[nodiscard]] bool run_rebuild(Histories& histories, const ReadModelCase& read_model, int repetitions, Report& report);

}  // namespace bahi::bench
