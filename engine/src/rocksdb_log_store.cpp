#include "rocksdb_log_store.hpp"

#include <array>

#include <fmt/format.h>
#include <rocksdb/statistics.h>
#include <rocksdb/write_batch.h>

#include "keys.hpp"

namespace bahi {
namespace {

constexpr std::size_t kScanReadaheadBytes = std::size_t{2} << 20U;

rocksdb::Slice slice(std::string_view text) { return {text.data(), text.size()}; }

class RocksDbCursor final : public LogCursor {
 public:
  RocksDbCursor(std::shared_ptr<rocksdb::DB> db, TenantId tenant, CacheUse use)
      : db_(std::move(db)), tenant_(tenant), lower_(log_key(tenant, {0})), upper_(upper_bound(tenant)), upper_slice_(upper_), lower_slice_(lower_) {
    rocksdb::ReadOptions options;
    options.iterate_upper_bound = &upper_slice_;
    options.iterate_lower_bound = &lower_slice_;
    options.verify_checksums = true;
    if (use == CacheUse::kScan) {
      options.fill_cache = false;
      options.readahead_size = kScanReadaheadBytes;
    }
    iterator_.reset(db_->NewIterator(options));
  }

  void seek(Offset offset) override { iterator_->Seek(log_key(tenant_, offset)); }
  void seek_backward(Offset offset) override {
    // The batch that holds `offset`, if there is one, ends at or after it; else the last batch before it.
    iterator_->Seek(log_key(tenant_, offset));
    if (!iterator_->Valid() && iterator_->status().ok()) iterator_->SeekForPrev(log_key(tenant_, offset));
  }
  void next() override { iterator_->Next(); }
  void previous() override { iterator_->Prev(); }
  [[nodiscard]] bool valid() const override { return iterator_->Valid(); }
  [[nodiscard]] Status status() const override { return check_rocksdb(iterator_->status(), "reading the log"); }
  [[nodiscard]] Offset last_offset() const override { return {bytes::get_be64(iterator_->key().data() + 4)}; }
  [[nodiscard]] std::string_view stored() const override { return iterator_->value().ToStringView(); }

 private:
  static std::string upper_bound(TenantId tenant) {
    return tenant.value == UINT32_MAX ? std::string(kLogKeyBytes + 1, '\xFF') : log_key({tenant.value + 1}, {0});
  }

  std::shared_ptr<rocksdb::DB> db_;
  TenantId tenant_;
  std::string lower_;
  std::string upper_;
  rocksdb::Slice upper_slice_;
  rocksdb::Slice lower_slice_;
  std::unique_ptr<rocksdb::Iterator> iterator_;
};

std::uint64_t property(rocksdb::DB& db, const std::string& name) {
  std::uint64_t value = 0;
  db.GetIntProperty(name, &value);
  return value;
}

}  // namespace

Result<std::unique_ptr<RocksDbLogStore>> RocksDbLogStore::open(const OpenArguments& arguments,
                                                               const EngineOptions& options) {
  rocksdb::Options settings = log_options(options, arguments.cache);
  rocksdb::DB* db = nullptr;
  rocksdb::Status status;
  const std::string directory = arguments.directory.string();
  switch (arguments.mode) {
    case Mode::kReadWrite:
      settings.create_if_missing = options.create_if_missing;
      settings.statistics = rocksdb::CreateDBStatistics();
      settings.statistics->set_stats_level(rocksdb::StatsLevel::kExceptHistogramOrTimers);
      settings.listeners.push_back(std::make_shared<DatabaseListener>(arguments.callbacks));
      status = rocksdb::DB::Open(settings, directory, &db);
      break;
    case Mode::kReadOnly: status = rocksdb::DB::OpenForReadOnly(settings, directory, &db); break;
    case Mode::kSecondary:
      status = rocksdb::DB::OpenAsSecondary(settings, directory, arguments.scratch.string(), &db);
      break;
  }
  BAHI_TRY(check_rocksdb(status, fmt::format("opening {}", directory)));
  return std::unique_ptr<RocksDbLogStore>(new RocksDbLogStore(std::shared_ptr<rocksdb::DB>(db)));
}

Status RocksDbLogStore::append(std::span<const LogRecord> records) {
  std::size_t total_bytes = 0;
  for (const LogRecord& record : records) total_bytes += record.header.size() + record.body.size() + 32;
  rocksdb::WriteBatch batch(total_bytes, 0, 8, 0);
  for (const LogRecord& record : records) {
    const std::string key = log_key(record.tenant, record.last_offset);
    const rocksdb::Slice key_part(key);
    const std::array value_parts{slice(record.header), slice(record.body)};
    BAHI_TRY(check_rocksdb(batch.Put(rocksdb::SliceParts(&key_part, 1),
                                     rocksdb::SliceParts(value_parts.data(), static_cast<int>(value_parts.size()))),
                           "building a write batch"));
  }
  rocksdb::WriteOptions options;
  options.sync = false;
  options.protection_bytes_per_key = 8;
  return check_rocksdb(db_->Write(options, &batch), "writing to the log");
}

Status RocksDbLogStore::sync() { return check_rocksdb(db_->SyncWAL(), "syncing the log"); }

std::unique_ptr<LogCursor> RocksDbLogStore::cursor(TenantId tenant, CacheUse use) const {
  return std::make_unique<RocksDbCursor>(db_, tenant, use);
}

Result<std::vector<TenantId>> RocksDbLogStore::tenants() const {
  std::vector<TenantId> found;
  rocksdb::ReadOptions options;
  options.verify_checksums = true;
  const std::unique_ptr<rocksdb::Iterator> iterator(db_->NewIterator(options));
  iterator->SeekToFirst();
  while (iterator->Valid()) {
    if (iterator->key().size() != kLogKeyBytes) return Error{ErrorCode::kCorruptLog, "the log holds a foreign key"};
    const TenantId tenant{bytes::get_be32(iterator->key().data())};
    found.push_back(tenant);
    if (tenant.value == UINT32_MAX) break;
    iterator->Seek(log_key({tenant.value + 1}, {0}));
  }
  BAHI_TRY(check_rocksdb(iterator->status(), "reading the log"));
  return found;
}

Status RocksDbLogStore::flush() {
  rocksdb::FlushOptions options;
  options.wait = true;
  return check_rocksdb(db_->Flush(options), "flushing the log");
}

LogStoreStats RocksDbLogStore::stats() const {
  LogStoreStats stats;
  stats.file_bytes = property(*db_, rocksdb::DB::Properties::kTotalSstFilesSize);
  rocksdb::VectorLogPtr files;
  if (db_->GetSortedWalFiles(files).ok()) {
    for (const auto& file : files) stats.wal_bytes += file->SizeFileBytes();
  }
  stats.written_bytes = bahi::written_bytes(*db_);
  return stats;
}

Status RocksDbLogStore::catch_up() { return check_rocksdb(db_->TryCatchUpWithPrimary(), "following the log"); }

void RocksDbLogStore::quiesce() { rocksdb::CancelAllBackgroundWork(db_.get(), true); }

std::uint64_t written_bytes(rocksdb::DB& db) {
  const auto statistics = db.GetOptions().statistics;
  if (!statistics) return 0;
  return statistics->getTickerCount(rocksdb::WAL_FILE_BYTES) + statistics->getTickerCount(rocksdb::FLUSH_WRITE_BYTES) +
         statistics->getTickerCount(rocksdb::COMPACT_WRITE_BYTES);
}

}  // namespace bahi
