// Settings of an engine. Sizes are bytes.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>

#include "bahi/base/clock.hpp"

namespace rocksdb {
class Env;
}

namespace bahi {

enum class LogLevel : std::uint8_t { kInfo, kWarning, kError };
/// Receives one line per message; called on any thread.
using LogSink = std::function<void(LogLevel, std::string_view)>;
/// Called now and then with work done and work to do, on the thread that does the work.
using Progress = std::function<void(std::uint64_t done, std::uint64_t total)>;

struct EngineOptions {
  /// Create the store when the directory is missing or empty; otherwise kStoreMissing.
  bool create_if_missing = false;
  /// Open beside a running engine, or where writing is not wanted. Takes no lock, changes no
  /// file; `refresh` follows a writer.
  bool read_only = false;
  /// Read-only: do without the index. Filtered reads then scan.
  bool without_index = false;
  /// Throw the index away and build it anew from the log before `open` returns.
  bool rebuild_index = false;

  std::size_t queue_bytes_max = std::size_t{64} << 20U;    ///< submitted, not yet sequenced; beyond: kOverloaded
  std::size_t group_bytes_max = std::size_t{4} << 20U;     ///< of one commit group
  std::uint32_t groups_in_flight_max = 16;                 ///< written, not yet synced
  std::size_t write_buffer_bytes = std::size_t{64} << 20U; ///< memtable; bounds the log to replay at open
  std::size_t block_cache_bytes = std::size_t{128} << 20U;
  std::size_t batch_cache_bytes = std::size_t{256} << 20U; ///< decompressed batches
  std::size_t index_delta_postings_max = 1'000'000;        ///< in RAM before they go to a sorted file
  std::size_t stream_cache_entries_max = 4'000'000;        ///< heads of recently used streams and producers
  std::size_t condition_window_bytes = std::size_t{64} << 20U; ///< recent batches that conditions check in RAM
  /// Kept in a file of its own and released when the disk is full, so that a restart works.
  std::size_t reserve_bytes = std::size_t{64} << 20U;
  /// Appends answer kDiskFull while the file system has less than this free.
  std::size_t free_bytes_min = std::size_t{256} << 20U;
  /// The head anchor is fsynced at the latest this long after a commit.
  std::chrono::milliseconds anchor_sync_interval{100};

  /// Appends with data of a known event type that does not fit the type's schema are refused (domain_event.hpp).
  bool check_events = true;

  const Clock* clock = &SystemClock::instance();
  LogSink log;                      ///< may be empty
  Progress progress;                ///< of recovery and index rebuild; in events; may be empty
  rocksdb::Env* env = nullptr;      ///< tests: the file system under RocksDB; null = the real one
};

}  // namespace bahi
