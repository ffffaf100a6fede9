// What the same disk does without Bahi: bare write + fdatasync, and plain RocksDB.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "histogram.hpp"
#include "workload.hpp"

namespace rocksdb {
class DB;
}

namespace bahi::bench {

struct Slice {
  double seconds = 0;
  std::uint64_t batches = 0;
  std::uint64_t events = 0;
  [[nodiscard]] double batches_per_second() const { return seconds > 0 ? static_cast<double>(batches) / seconds : 0; }
  [[nodiscard]] double events_per_second() const { return seconds > 0 ? static_cast<double>(events) / seconds : 0; }
};

/// One thread appends to one growing file; nothing is preallocated.
class RawFile {
 public:
  explicit RawFile(std::filesystem::path path);
  RawFile(const RawFile&) = delete;
  RawFile& operator=(const RawFile&) = delete;
  ~RawFile();

  /// For `seconds`: writes `batch_bytes` `batches_per_sync` times, then fdatasync.
  Slice run(double seconds, std::size_t batch_bytes, std::size_t batches_per_sync, Histogram& sync_latency);

 private:
  void start_anew();

  std::filesystem::path path_;
  int file_ = -1;
  std::uint64_t size_ = 0;
  std::string buffer_;
};

/// RocksDB as a careful user would set it up for durable events: one key per event (eight bytes, counting
/// up, big-endian; the value is the event's data and nothing else), a WriteBatch per batch, sync=true, LZ4 at every
/// level, everything else as RocksDB's defaults have it. No index, no versions, no tags.
class PlainRocks {
 public:
  explicit PlainRocks(const std::filesystem::path& directory);
  PlainRocks(const PlainRocks&) = delete;
  PlainRocks& operator=(const PlainRocks&) = delete;
  ~PlainRocks();

  /// For `seconds`: `threads` threads each write one batch of `batch` events after the other.
  Slice run(double seconds, const Workload& workload, std::size_t batch, unsigned threads, Histogram& latency);
  /// Writes `events` events unsynced, in batches of 1000, and flushes.
  void fill(const Workload& workload, std::uint64_t events);
  /// Reads every key and value once, in order.
  Slice scan();
  /// Bytes of the sorted files after a flush.
  [[nodiscard]] std::uint64_t flushed_bytes();

 private:
  std::unique_ptr<rocksdb::DB> db_;
  std::uint64_t next_key_ = 0;
  std::uint64_t runs_ = 0;
};

}  // namespace bahi::bench
