// Hundreds of tenants' read models, folded live by few threads.
#pragma once

#include <cstdint>
#include <filesystem>

#include "report.hpp"

namespace bahi::bench {

struct ManyTenantsSettings {
  unsigned tenants = 300;  ///< each with the four read models; the first writes half of all events
  double seconds = 30;
  std::uint64_t events_per_second = 10'000;  ///< of all tenants together
  std::uint64_t seed = 1;
};

/// Appends to all tenants at a steady rate, and measures the memory of the whole process and how long after an append
/// each read model has folded it.
void run_many_tenants(const std::filesystem::path& directory, const ManyTenantsSettings& settings, Report& report);

}  // namespace bahi::bench
