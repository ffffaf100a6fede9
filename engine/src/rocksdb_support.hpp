// The one place that knows RocksDB's statuses and this store's settings for it.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string_view>

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/listener.h>
#include <rocksdb/options.h>

#include "bahi/base/result.hpp"
#include "bahi/engine/options.hpp"

namespace bahi {

/// `doing` says what was attempted, for the message. `damaged` is the code for
/// corruption: kCorruptLog or kIndexDamaged.
[[nodiscard]] Error from_rocksdb(const rocksdb::Status& status, std::string_view doing,
                                 ErrorCode damaged = ErrorCode::kCorruptLog);
[[nodiscard]] inline Status check_rocksdb(const rocksdb::Status& status, std::string_view doing,
                                          ErrorCode damaged = ErrorCode::kCorruptLog) {
  if (status.ok()) return {};
  return from_rocksdb(status, doing, damaged);
}

/// Tells of background failures and of changes to a database's set of files.
class DatabaseListener final : public rocksdb::EventListener {
 public:
  struct Callbacks {
    std::function<void(const rocksdb::Status&)> failed;  ///< called on RocksDB's threads
    std::function<void()> files_changed;
    std::function<void(std::string_view)> flushed = [](std::string_view) {};  ///< which column family
  };
  explicit DatabaseListener(Callbacks callbacks) : callbacks_(std::move(callbacks)) {}

  void OnBackgroundError(rocksdb::BackgroundErrorReason reason, rocksdb::Status* status) override;
  void OnErrorRecoveryBegin(rocksdb::BackgroundErrorReason reason, rocksdb::Status status, bool* auto_recovery) override;
  void OnFlushCompleted(rocksdb::DB* db, const rocksdb::FlushJobInfo& info) override;
  void OnCompactionCompleted(rocksdb::DB* db, const rocksdb::CompactionJobInfo& info) override;
  void OnExternalFileIngested(rocksdb::DB* db, const rocksdb::ExternalFileIngestionInfo& info) override;

 private:
  Callbacks callbacks_;
};

/// Settings common to both databases. `env` is that of sst_check.hpp over the one of `options`.
[[nodiscard]] rocksdb::Options base_options(const EngineOptions& options, rocksdb::Env* env);
/// The log: one writer, WAL, no compression, monotonic keys.
[[nodiscard]] rocksdb::Options log_options(const EngineOptions& options,
                                           const std::shared_ptr<rocksdb::Cache>& cache, rocksdb::Env* env);
/// The index: ingest only, universal compaction, prefix Bloom filters.
[[nodiscard]] rocksdb::Options index_options(const EngineOptions& options,
                                             const std::shared_ptr<rocksdb::Cache>& cache, rocksdb::Env* env);

}  // namespace bahi
