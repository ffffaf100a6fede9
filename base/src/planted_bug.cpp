#include "bahi/base/planted_bug.hpp"

#ifdef BAHI_PLANTED_BUGS

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include <fmt/format.h>

namespace bahi {
namespace {

PlantedBug chosen_bug() {
  const char* name = std::getenv("BAHI_PLANTED_BUG");
  if (name == nullptr || *name == '\0') return PlantedBug::kNone;
  const auto* const found = std::find(kPlantedBugNames.begin(), kPlantedBugNames.end(), name);
  if (found == kPlantedBugNames.end()) {
    fmt::print(stderr, "BAHI_PLANTED_BUG: there is no bug '{}'\n", name);
    std::abort();
  }
  return static_cast<PlantedBug>(found - kPlantedBugNames.begin() + 1);
}

}  // namespace

bool planted(PlantedBug bug) {
  static const PlantedBug chosen = chosen_bug();
  return chosen == bug;
}

}  // namespace bahi

#endif
