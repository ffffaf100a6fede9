// The log in RocksDB: one key per batch, write-ahead log on, nothing ever rewritten.
#pragma once

#include <filesystem>
#include <memory>

#include <rocksdb/cache.h>
#include <rocksdb/convenience.h>
#include <rocksdb/db.h>

#include "bahi/engine/log_store.hpp"
#include "bahi/engine/options.hpp"
#include "rocksdb_support.hpp"

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
  Status catch_up();
  /// Stops background work; the set of files no longer changes.
  void quiesce();

 private:
  explicit RocksDbLogStore(std::shared_ptr<rocksdb::DB> db) : db_(std::move(db)) {}
  std::shared_ptr<rocksdb::DB> db_;  // shared with cursors: RocksDB aborts when it is closed under an iterator
};

/// Bytes that the database has written to its files, write-ahead log included.
[[nodiscard]] std::uint64_t written_bytes(rocksdb::DB& db);

}  // namespace bahi
