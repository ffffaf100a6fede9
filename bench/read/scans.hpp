// Reading much of the log: whole, verbatim, backward, filtered.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bahi/engine/engine.hpp"
#include "baseline.hpp"
#include "report.hpp"

namespace bahi::bench {

struct ScanOptions {
  int repetitions = 5;
  std::size_t batch = 1000;  ///< only named in the report
};

/// Runs every kind of scan on one thread, the full scan alternating with one of plain RocksDB
/// that holds as many events; prints and reports them, and adds the target of the full scan.
void run_scans(const Engine& engine, TenantId tenant, PlainRocks& rocks, const ScanOptions& options, Report& report);

}  // namespace bahi::bench
