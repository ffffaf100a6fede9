// One shape of load, run against the engine and both baselines in turn.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "driver.hpp"
#include "machine.hpp"
#include "report.hpp"

namespace bahi::bench {

struct AppendCase {
  std::string name;
  DriverOptions driver;
  DataKind kind = DataKind::kJson;
  std::uint64_t streams = 10'000;
  double seconds = 2;
  int repetitions = 5;
  bool baselines = true;
};

struct AppendResults {
  std::vector<double> events_per_second;  ///< one per repetition, like the next three
  std::vector<double> raw_batches_per_second;
  std::vector<double> raw_grouped_batches_per_second;  ///< one fdatasync for as many batches as there are submitters
  std::vector<double> rocks_events_per_second;
  Histogram latency;
  Histogram raw_latency;
  Histogram rocks_latency;
  double stored_bytes_per_event = 0;  ///< sorted files of log and index, after a flush
  double log_bytes_per_event = 0;
  double write_amplification = 0;  ///< bytes the engine wrote / bytes stored
  double cpu_nanos_per_event = 0;  ///< of the whole process, building of the batches included
  double batches_per_group = 0;
  double batches_per_sync = 0;
  double foreign_cpu_share = 0;
  std::uint64_t overloads = 0;

  /// Batches per second over the raw baseline's, slice by slice.
  [[nodiscard]] Spread raw_ratio(const AppendCase& shape) const;
  [[nodiscard]] Spread rocks_ratio() const { return ratio_of(events_per_second, rocks_events_per_second); }
};

/// Runs the case in a new directory below `scratch` and removes it. The slices of engine and
/// baselines alternate, in another order each time, because a disk's speed drifts.
void run_case(const AppendCase& shape, const std::filesystem::path& scratch, AppendResults& results);
void print_case(const AppendCase& shape, const AppendResults& results);
[[nodiscard]] boost::json::object case_json(const AppendCase& shape, const AppendResults& results);

struct StorageResults {
  std::uint64_t events = 0;
  double seconds = 0;
  double log_bytes_per_event = 0;
  double index_bytes_per_event = 0;
  double file_bytes_per_event = 0;         ///< all *.sst files, as the file system sees them
  double write_amplification = 0;          ///< by EngineStats::disk_bytes_written
  double process_write_amplification = 0;  ///< by /proc/self/io write_bytes
  [[nodiscard]] double stored_ratio(std::size_t data_bytes) const {
    return (log_bytes_per_event + index_bytes_per_event) / static_cast<double>(data_bytes);
  }
};

/// Appends `events` events with nothing else running in the process, flushes, waits until the
/// background work has ended, and says what lies on the disk and what was written for it.
[[nodiscard]] StorageResults measure_storage(const AppendCase& shape, std::uint64_t events,
                                             const std::filesystem::path& scratch);
void print_storage(const AppendCase& shape, const StorageResults& results);
[[nodiscard]] boost::json::object storage_json(const AppendCase& shape, const StorageResults& results);

}  // namespace bahi::bench
