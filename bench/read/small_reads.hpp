// Reading little: one stream of ten events among a million, and waiting at the end of the log.
#pragma once

#include <cstdint>
#include <filesystem>

#include "bahi/engine/engine.hpp"
#include "filled_store.hpp"
#include "report.hpp"

namespace bahi::bench {

struct SmallReadOptions {
  FillOptions fill;
  std::uint64_t reads = 20'000;
  std::size_t whole_cache_bytes = std::size_t{8} << 30U;  ///< holds the whole store decompressed
};

/// Opens the store anew for each state of the caches, reads whole streams, prints and reports the
/// latencies and block reads, and adds the targets.
void run_stream_reads(const std::filesystem::path& directory, TenantId tenant, const SmallReadOptions& options,
                      Report& report);

/// One thread sits in wait_for, another appends: the time until the first has learnt of it.
void run_tail(const std::filesystem::path& directory, TenantId tenant, const Workload& workload, int rounds,
              Report& report);

}  // namespace bahi::bench
