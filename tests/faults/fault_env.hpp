// A file system under RocksDB that fails, stalls, fills up and forgets on command.
//
// What it can do to every file that RocksDB writes:
//  - lossy: bytes stay in the memory of this process until the file is synced, so that `kill -9` loses
//    exactly what a power loss would. Optionally some unsynced bytes reach the file early and out of
//    order ("leaks"), as a page cache writes them back, which leaves torn tails and holes.
//  - errors: the N-th operation of a kind fails with EIO or ENOSPC, once or from then on. A failed write
//    stores half of its bytes; a failed sync loses the bytes it should have made durable.
//  - a delay in front of every sync: a hung or slow disk.
//  - a byte budget: a disk that is full until it is given room again.
//
//  - forgotten names: see name_journal.hpp.
//
// Not covered: files that the engine writes without RocksDB (LOCK, ANCHOR, RESERVE), and RocksDB's text log.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>

#include <rocksdb/env.h>
#include <rocksdb/file_system.h>

#include "name_journal.hpp"

namespace bahi::faults {

enum class Operation : std::uint8_t { kOpen, kWrite, kSync, kRename, kDirectorySync };
inline constexpr std::size_t kOperationCount = 5;

enum class Fault : std::uint8_t { kIoError, kNoSpace };

struct LossOptions {
  bool lossy = false;
  /// False: a sync only empties the process's memory into the page cache. Enough against `kill -9`, and fast.
  bool sync_reaches_disk = true;
  /// One in so many writes leaks unsynced bytes to the file; 0 = none do.
  unsigned leak_one_in = 0;
  std::uint64_t seed = 0;
  std::filesystem::path name_journal;  ///< a directory; empty = none is kept
};

/// Thread-safe. Faults may be changed while files are open.
class FaultFileSystem final : public rocksdb::FileSystemWrapper {
 public:
  FaultFileSystem(std::shared_ptr<rocksdb::FileSystem> base, LossOptions loss);

  static const char* kClassName() { return "BahiFaultFileSystem"; }
  const char* Name() const override { return kClassName(); }

  /// The `nth` operation (from 1, counted since `reset`) fails; with `sticky` all later ones do too.
  void fail(Operation operation, std::uint64_t nth, Fault fault, bool sticky);
  /// Only operations on paths that contain `part` are counted and fail; empty = all.
  void set_scope(std::string part);
  /// Takes all faults away and sets the counters to 0. The scope stays.
  void reset();
  /// Operations since the last `reset`, failed ones included.
  [[nodiscard]] std::uint64_t count(Operation operation) const;
  /// Operations that were made to fail since the last `reset`.
  [[nodiscard]] std::uint64_t failures() const { return failures_.load(); }
  void set_sync_delay(std::chrono::milliseconds delay) { sync_delay_ms_.store(delay.count()); }
  /// Bytes that may still be written; nothing = no limit. Deleting files gives none back.
  void set_byte_budget(std::optional<std::uint64_t> bytes);

  // rocksdb::FileSystem
  rocksdb::IOStatus NewSequentialFile(const std::string& path, const rocksdb::FileOptions& options,
                                      std::unique_ptr<rocksdb::FSSequentialFile>* result,
                                      rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus NewRandomAccessFile(const std::string& path, const rocksdb::FileOptions& options,
                                        std::unique_ptr<rocksdb::FSRandomAccessFile>* result,
                                        rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus NewWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* result,
                                    rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus ReopenWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                                       std::unique_ptr<rocksdb::FSWritableFile>* result,
                                       rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus ReuseWritableFile(const std::string& path, const std::string& old_path,
                                      const rocksdb::FileOptions& options,
                                      std::unique_ptr<rocksdb::FSWritableFile>* result,
                                      rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus NewDirectory(const std::string& path, const rocksdb::IOOptions& options,
                                 std::unique_ptr<rocksdb::FSDirectory>* result,
                                 rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus RenameFile(const std::string& from, const std::string& to, const rocksdb::IOOptions& options,
                               rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus LinkFile(const std::string& from, const std::string& to, const rocksdb::IOOptions& options,
                             rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus DeleteFile(const std::string& path, const rocksdb::IOOptions& options,
                               rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus GetFreeSpace(const std::string& path, const rocksdb::IOOptions& options, std::uint64_t* bytes,
                                 rocksdb::IODebugContext* debug) override;

  // for the files and directories that it hands out
  /// Counts one operation and answers whether it must fail.
  rocksdb::IOStatus pass(Operation operation, const std::string& path);
  /// Takes `bytes` off the budget, or answers that the disk is full.
  rocksdb::IOStatus charge(std::uint64_t bytes, const std::string& path);
  void wait_for_sync() const;
  void directory_synced(const std::string& path);
  [[nodiscard]] const LossOptions& loss() const { return loss_; }
  /// A random number below `bound`.
  [[nodiscard]] std::uint64_t random_below(std::uint64_t bound);

 private:
  struct Plan {
    std::uint64_t nth = 0;  // 0 = none
    Fault fault = Fault::kIoError;
    bool sticky = false;
  };

  std::unique_ptr<rocksdb::FSWritableFile> wrap(std::unique_ptr<rocksdb::FSWritableFile> file, const std::string& path,
                                                std::uint64_t size, bool reopened);

  const LossOptions loss_;
  const std::unique_ptr<NameJournal> names_;  // may be null
  mutable std::mutex mutex_;
  std::array<Plan, kOperationCount> plans_;              // protected by mutex_
  std::array<std::uint64_t, kOperationCount> counts_{};  // protected by mutex_
  std::optional<std::uint64_t> budget_;                  // protected by mutex_
  std::string scope_;                                    // protected by mutex_
  std::mt19937_64 random_;                               // protected by mutex_
  std::atomic<std::uint64_t> failures_{0};
  std::atomic<std::int64_t> sync_delay_ms_{0};
};

/// A FaultFileSystem over the one that the engine uses (wal_file_system.hpp), as the Env that RocksDB takes. Must outlive every engine that uses it.
class FaultEnv {
 public:
  explicit FaultEnv(LossOptions loss = {});
  [[nodiscard]] rocksdb::Env* env() { return env_.get(); }
  [[nodiscard]] FaultFileSystem& files() { return *files_; }

 private:
  std::shared_ptr<FaultFileSystem> files_;
  std::unique_ptr<rocksdb::Env> env_;
};

}  // namespace bahi::faults
