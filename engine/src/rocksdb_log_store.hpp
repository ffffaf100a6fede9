// The log in RocksDB: one key per batch, write-ahead log on, batches never rewritten.
//
// Two column families, written together in one write batch:
//   default    position of the batch in the store (all tenants)  -> stored batch
//   directory  tenant, last offset of the batch                  -> its position, bytes of the tenant so far
// Positions only ascend, so files of batches never overlap and every compaction of them is a move, however many
// tenants there are. Only the directory (28 bytes a batch) is ever rewritten.
#pragma once

#include <atomic>
#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include <rocksdb/cache.h>
#include <rocksdb/convenience.h>
#include <rocksdb/db.h>

#include "bahi/engine/log_store.hpp"
#include "bahi/engine/options.hpp"
#include "bahi/engine/tenant_mark.hpp"
#include "rocksdb_support.hpp"
#include "sst_check.hpp"

namespace bahi {

class RocksDbLogStore final : public LogStore {
 public:
  enum class Mode : std::uint8_t {
    kReadWrite,
    kReadOnly,   ///< as it is now; writes nothing
    kSecondary,  ///< follows a writer through `catch_up`; writes only into `scratch`
  };
  struct OpenArguments {
    std::filesystem::path directory;
    Mode mode = Mode::kReadWrite;
    std::filesystem::path scratch;  ///< kSecondary
    bool direct_flush = false;      ///< sorted files are written around the page cache
    bool without_wal = false;       ///< nothing is durable before `flush`; for filling a new store
    std::shared_ptr<rocksdb::Cache> cache;
    DatabaseListener::Callbacks callbacks;
  };
  [[nodiscard]] static Result<std::unique_ptr<RocksDbLogStore>> open(const OpenArguments& arguments,
                                                                     const EngineOptions& options);
  Status append(std::span<const LogRecord> records) override;
  Status sync() override;
  [[nodiscard]] std::unique_ptr<LogCursor> cursor(TenantId tenant, CacheUse use) const override;
  [[nodiscard]] Result<std::vector<TenantId>> tenants() const override;
  Status flush() override;
  [[nodiscard]] LogStoreStats stats() const override;
  /// The batches of all tenants, by position, behind the batch of `after` that ends there. Valid while the store is
  /// open. kOffsetOutOfRange when none ends there.
  [[nodiscard]] Result<std::unique_ptr<rocksdb::Iterator>> commits(const std::optional<TenantMark>& after) const;
  Status catch_up();
  /// Flushes the directory if batches were flushed since the last time, so that the write-ahead log of both can go.
  /// Called by one thread, now and then.
  Status keep_directory();
  /// Names of the sorted files that the MANIFEST counts in.
  [[nodiscard]] std::set<std::string> live_files() const;
  /// Stops background work; the set of files no longer changes.
  void quiesce();

 private:
  /// The database and its column families; closed in the right order. Shared with cursors: RocksDB aborts when it is
  /// closed under an iterator.
  struct Database {
    std::optional<SstCheckingEnv> env;
    std::unique_ptr<rocksdb::DB> db;
    rocksdb::ColumnFamilyHandle* batches = nullptr;
    rocksdb::ColumnFamilyHandle* directory = nullptr;
    std::shared_ptr<std::atomic<bool>> batches_flushed = std::make_shared<std::atomic<bool>>(false);
    Database() = default;
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;
    ~Database();
  };
  class Cursor;

  explicit RocksDbLogStore(std::shared_ptr<Database> database) : database_(std::move(database)) {}
  Status load_next_position();

  std::shared_ptr<Database> database_;
  std::uint64_t next_position_ = 0;  // of the writer thread
  bool without_wal_ = false;
};

/// Bytes that the database has written to its files, write-ahead log included.
[[nodiscard]] std::uint64_t written_bytes(rocksdb::DB& db);

}  // namespace bahi
