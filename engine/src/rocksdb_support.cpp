#include "rocksdb_support.hpp"

#include <cstdarg>
#include <cstdio>

#include <fmt/format.h>
#include <rocksdb/env.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/slice_transform.h>
#include <rocksdb/statistics.h>
#include <rocksdb/table.h>

#include "keys.hpp"

namespace bahi {
namespace {

/// Forwards RocksDB's warnings and errors to the engine's log sink; drops the rest.
class SinkLogger final : public rocksdb::Logger {
 public:
  explicit SinkLogger(LogSink sink) : rocksdb::Logger(rocksdb::InfoLogLevel::WARN_LEVEL), sink_(std::move(sink)) {}
  using rocksdb::Logger::Logv;
  void Logv(const char* format, va_list arguments) override {
    Logv(rocksdb::InfoLogLevel::INFO_LEVEL, format, arguments);
  }
  void Logv(rocksdb::InfoLogLevel level, const char* format, va_list arguments) override {
    if (!sink_ || level < rocksdb::InfoLogLevel::WARN_LEVEL || level == rocksdb::InfoLogLevel::HEADER_LEVEL) return;
    char line[1024];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    std::vsnprintf(line, sizeof line, format, arguments);
#pragma GCC diagnostic pop
    sink_(level >= rocksdb::InfoLogLevel::ERROR_LEVEL ? LogLevel::kError : LogLevel::kWarning, line);
  }

 private:
  LogSink sink_;
};

ErrorCode code_of(const rocksdb::Status& status, ErrorCode damaged) {
  const std::string text = status.ToString();
  const auto mentions = [&text](std::string_view words) { return text.find(words) != std::string::npos; };
  if (status.IsNoSpace() || mentions("No space left")) return ErrorCode::kDiskFull;
  if (mentions("Too many open files")) return ErrorCode::kTooManyOpenFiles;
  if (mentions("Permission denied") || mentions("Operation not permitted")) return ErrorCode::kPermissionDenied;
  if (status.IsMemoryLimit()) return ErrorCode::kOutOfMemory;
  if (status.IsIOError() && mentions("lock")) return ErrorCode::kDirectoryInUse;
  if (status.IsCorruption() || mentions("No such file") || status.IsNotFound() || status.IsInvalidArgument() ||
      status.IsNotSupported() || status.IsPathNotFound()) {
    return damaged;
  }
  if (status.IsIOError()) return ErrorCode::kIoError;
  return ErrorCode::kInternal;
}

}  // namespace

Error from_rocksdb(const rocksdb::Status& status, std::string_view doing, ErrorCode damaged) {
  return {code_of(status, damaged), fmt::format("{}: {}", doing, status.ToString())};
}

void DatabaseListener::OnBackgroundError(rocksdb::BackgroundErrorReason, rocksdb::Status* status) {
  callbacks_.failed(*status);
}
void DatabaseListener::OnErrorRecoveryBegin(rocksdb::BackgroundErrorReason, rocksdb::Status, bool* auto_recovery) {
  *auto_recovery = false;
}
void DatabaseListener::OnFlushCompleted(rocksdb::DB*, const rocksdb::FlushJobInfo& info) {
  callbacks_.flushed(info.cf_name);
  callbacks_.files_changed();
}
void DatabaseListener::OnCompactionCompleted(rocksdb::DB*, const rocksdb::CompactionJobInfo& info) {
  if (!info.status.ok() && !info.status.IsShutdownInProgress()) callbacks_.failed(info.status);
  callbacks_.files_changed();
}
void DatabaseListener::OnExternalFileIngested(rocksdb::DB*, const rocksdb::ExternalFileIngestionInfo&) {
  callbacks_.files_changed();
}

rocksdb::Options base_options(const EngineOptions& options, rocksdb::Env* env) {
  rocksdb::Options result;
  result.env = env;
  result.info_log = std::make_shared<SinkLogger>(options.log);
  result.info_log_level = rocksdb::InfoLogLevel::WARN_LEVEL;
  result.wal_recovery_mode = rocksdb::WALRecoveryMode::kPointInTimeRecovery;
  result.verify_sst_unique_id_in_manifest = true;
  result.paranoid_checks = true;
  result.max_open_files = -1;
  result.max_bgerror_resume_count = 0;
  result.ttl = 0;
  result.periodic_compaction_seconds = 0;
  result.stats_dump_period_sec = 0;
  result.stats_persist_period_sec = 0;
  result.memtable_protection_bytes_per_key = 8;
  result.max_background_jobs = 2;
  result.manifest_preallocation_size = 64 << 10U;
  result.allow_mmap_reads = false;
  return result;
}

rocksdb::Options log_options(const EngineOptions& options, const std::shared_ptr<rocksdb::Cache>& cache,
                             rocksdb::Env* env) {
  rocksdb::Options result = base_options(options, env);
  result.compression = rocksdb::kNoCompression;
  result.bottommost_compression = rocksdb::kDisableCompressionOption;
  result.write_buffer_size = options.write_buffer_bytes;
  result.max_write_buffer_number = 3;
  result.max_total_wal_size = 2 * options.write_buffer_bytes;
  result.wal_bytes_per_sync = 1U << 20U;
  result.bytes_per_sync = 1U << 20U;
  rocksdb::BlockBasedTableOptions table;
  table.checksum = rocksdb::kXXH3;
  table.block_size = 16U << 10U;
  table.block_cache = cache;
  table.index_type = rocksdb::BlockBasedTableOptions::kTwoLevelIndexSearch;
  table.format_version = 5;
  result.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return result;
}

rocksdb::Options index_options(const EngineOptions& options, const std::shared_ptr<rocksdb::Cache>& cache,
                               rocksdb::Env* env) {
  rocksdb::Options result = base_options(options, env);
  result.compression = rocksdb::kLZ4Compression;
  result.compaction_style = rocksdb::kCompactionStyleUniversal;
  result.level0_file_num_compaction_trigger = 16;
  result.level0_slowdown_writes_trigger = 1 << 20;
  result.level0_stop_writes_trigger = 1 << 20;
  result.write_buffer_size = 1U << 20U;  // never written to
  result.verify_sst_unique_id_in_manifest = false;  // a file made by SstFileWriter has none
  result.prefix_extractor.reset(rocksdb::NewFixedPrefixTransform(kTermPrefixBytes));
  rocksdb::BlockBasedTableOptions table;
  table.checksum = rocksdb::kXXH3;
  table.block_size = 8U << 10U;
  table.block_cache = cache;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  table.whole_key_filtering = false;
  table.format_version = 5;
  result.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return result;
}

}  // namespace bahi
