#include "rocksdb_log_store.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <rocksdb/statistics.h>
#include <rocksdb/write_batch.h>

#include "keys.hpp"
#include "wal_file_system.hpp"

namespace bahi {
namespace {

constexpr std::size_t kScanReadaheadBytes = std::size_t{2} << 20U;
constexpr std::size_t kPartReadaheadBytes = std::size_t{256} << 10U;

rocksdb::Slice slice(std::string_view text) { return {text.data(), text.size()}; }

constexpr std::string_view kDirectoryFamily = "directory";

constexpr std::size_t kPositionBytes = 8;

std::string position_key(std::uint64_t position) {
  std::string key;
  bytes::put_be64(key, position);
  return key;
}

/// What the directory says about a batch.
std::string directory_value(const std::string& position, std::uint64_t tenant_bytes) {
  std::string value = position;
  bytes::put_be64(value, tenant_bytes);
  return value;
}

/// `callbacks`, with `batches_flushed` set whenever batches were flushed.
DatabaseListener::Callbacks with_flush_note(DatabaseListener::Callbacks callbacks,
                                            std::shared_ptr<std::atomic<bool>> batches_flushed) {
  callbacks.flushed = [batches_flushed](std::string_view family) {
    if (family == rocksdb::kDefaultColumnFamilyName) batches_flushed->store(true);
  };
  return callbacks;
}

/// First key after those of the tenant.
std::string end_of_tenant(TenantId tenant) {
  return tenant.value == UINT32_MAX ? std::string(kLogKeyBytes + 1, '\xFF') : log_key({tenant.value + 1}, {0});
}

}  // namespace

RocksDbLogStore::Database::~Database() {
  for (rocksdb::ColumnFamilyHandle* family : {batches, directory}) {
    if (family != nullptr) (void)db->DestroyColumnFamilyHandle(family);
  }
}

/// Walks the directory of a tenant, with a second iterator on the batches that follows it.
class RocksDbLogStore::Cursor final : public LogCursor {
 public:
  Cursor(std::shared_ptr<Database> database, TenantId tenant, CacheUse use)
      : database_(std::move(database)), tenant_(tenant), lower_(log_key(tenant, {0})), upper_(end_of_tenant(tenant)),
        lower_slice_(lower_), upper_slice_(upper_) {
    rocksdb::ReadOptions options;
    options.verify_checksums = true;
    options.fill_cache = use == CacheUse::kFill;
    if (use == CacheUse::kScan) options.readahead_size = kScanReadaheadBytes;
    if (use == CacheUse::kPart) options.readahead_size = kPartReadaheadBytes;
    // The directory first: batch and entry are written together, so a batch iterator made later has every batch that
    // the directory names.
    rocksdb::ReadOptions directory_options;
    directory_options.verify_checksums = true;
    directory_options.iterate_lower_bound = &lower_slice_;
    directory_options.iterate_upper_bound = &upper_slice_;
    directory_.reset(database_->db->NewIterator(directory_options, database_->directory));
    batches_.reset(database_->db->NewIterator(options, database_->batches));
  }

  void seek(Offset offset) override {
    directory_->Seek(log_key(tenant_, offset));
    follow(Step::kSeek);
  }
  void seek_backward(Offset offset) override {
    // The batch that holds `offset`, if there is one, ends at or after it; else the last batch before it.
    directory_->Seek(log_key(tenant_, offset));
    if (!directory_->Valid() && directory_->status().ok()) directory_->SeekForPrev(log_key(tenant_, offset));
    follow(Step::kSeek);
  }
  void next() override {
    directory_->Next();
    follow(Step::kNext);
  }
  void previous() override {
    directory_->Prev();
    follow(Step::kPrevious);
  }
  [[nodiscard]] bool valid() const override { return directory_->Valid() && status_.ok(); }
  [[nodiscard]] Status status() const override {
    BAHI_TRY(check_rocksdb(directory_->status(), "reading the log's directory"));
    return check_rocksdb(status_, "reading the log");
  }
  [[nodiscard]] Offset last_offset() const override { return {bytes::get_be64(directory_->key().data() + 4)}; }
  [[nodiscard]] std::string_view stored() const override { return batches_->value().ToStringView(); }
  [[nodiscard]] std::optional<std::uint64_t> tenant_bytes() const override {
    const rocksdb::Slice value = directory_->value();
    if (value.size() < 2 * kPositionBytes) return std::nullopt;
    return bytes::get_be64(value.data() + kPositionBytes);
  }

 private:
  enum class Step : std::uint8_t { kSeek, kNext, kPrevious };

  /// Brings the batch iterator to where the directory points. Neighbours of one tenant are mostly neighbours in the
  /// store, so a step is tried before a seek.
  void follow(Step step) {
    status_ = rocksdb::Status::OK();
    if (!directory_->Valid()) return;
    const rocksdb::Slice position(directory_->value().data(), std::min(directory_->value().size(), kPositionBytes));
    const auto arrived = [&] { return batches_->Valid() && batches_->key() == position; };
    if (step != Step::kSeek && batches_->Valid()) step == Step::kNext ? batches_->Next() : batches_->Prev();
    if (!arrived()) batches_->Seek(position);
    if (arrived()) return;
    status_ = batches_->status();
    if (status_.ok()) status_ = rocksdb::Status::Corruption("the directory names a batch that is not there");
  }

  std::shared_ptr<Database> database_;
  TenantId tenant_;
  std::string lower_;
  std::string upper_;
  rocksdb::Slice lower_slice_;
  rocksdb::Slice upper_slice_;
  std::unique_ptr<rocksdb::Iterator> directory_;
  std::unique_ptr<rocksdb::Iterator> batches_;
  rocksdb::Status status_;
};

Result<std::unique_ptr<RocksDbLogStore>> RocksDbLogStore::open(const OpenArguments& arguments,
                                                               const EngineOptions& options) {
  auto database = std::make_shared<Database>();
  const WalReading reading = arguments.mode == Mode::kSecondary ? WalReading::kWholeOnly : WalReading::kAll;
  database->env.emplace(options.env != nullptr ? options.env : wal_env(reading));
  rocksdb::Options settings = log_options(options, arguments.cache, database->env->get());
  rocksdb::ColumnFamilyOptions directory_settings(settings);
  directory_settings.write_buffer_size = std::max<std::size_t>(options.write_buffer_bytes / 8, std::size_t{64} << 10U);
  directory_settings.compression = rocksdb::kLZ4Compression;
  directory_settings.level0_file_num_compaction_trigger = 16;  // tiny files, one for each flush of batches
  const std::vector<rocksdb::ColumnFamilyDescriptor> families{
      {rocksdb::kDefaultColumnFamilyName, settings}, {std::string(kDirectoryFamily), directory_settings}};
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* db = nullptr;
  rocksdb::Status status;
  const std::string directory = arguments.directory.string();
  switch (arguments.mode) {
    case Mode::kReadWrite:
      // A flush through the page cache costs a tenth of all processor time, and its bursts hold up the syncs.
      settings.use_direct_io_for_flush_and_compaction = arguments.direct_flush;
      settings.create_if_missing = options.create_if_missing;
      settings.create_missing_column_families = options.create_if_missing;
      settings.statistics = rocksdb::CreateDBStatistics();
      settings.statistics->set_stats_level(rocksdb::StatsLevel::kExceptHistogramOrTimers);
      settings.listeners.push_back(std::make_shared<DatabaseListener>(
          with_flush_note(arguments.callbacks, database->batches_flushed)));
      status = rocksdb::DB::Open(settings, directory, families, &handles, &db);
      break;
    case Mode::kReadOnly: status = rocksdb::DB::OpenForReadOnly(settings, directory, families, &handles, &db); break;
    case Mode::kSecondary:
      status = rocksdb::DB::OpenAsSecondary(settings, directory, arguments.scratch.string(), families, &handles, &db);
      break;
  }
  BAHI_TRY(check_rocksdb(status, fmt::format("opening {}", directory)));
  database->db.reset(db);
  database->batches = handles.at(0);
  database->directory = handles.at(1);
  BAHI_TRY(check_rocksdb(database->env->damage(), fmt::format("opening {}", directory)));
  std::unique_ptr<RocksDbLogStore> store(new RocksDbLogStore(std::move(database)));
  store->without_wal_ = arguments.without_wal;
  BAHI_TRY(store->load_next_position());
  return store;
}

Status RocksDbLogStore::load_next_position() {
  rocksdb::ReadOptions options;
  options.verify_checksums = true;
  const std::unique_ptr<rocksdb::Iterator> iterator(database_->db->NewIterator(options, database_->batches));
  iterator->SeekToLast();
  if (iterator->Valid()) {
    if (iterator->key().size() != sizeof(std::uint64_t)) return Error{ErrorCode::kCorruptLog, "the log holds a foreign key"};
    next_position_ = bytes::get_be64(iterator->key().data()) + 1;
  }
  return check_rocksdb(iterator->status(), "reading the end of the log");
}

Status RocksDbLogStore::append(std::span<const LogRecord> records) {
  std::size_t total_bytes = 0;
  for (const LogRecord& record : records) total_bytes += record.header.size() + record.body.size() + 64;
  rocksdb::WriteBatch batch(total_bytes, 0, 8, 0);
  for (const LogRecord& record : records) {
    const std::string position = position_key(next_position_++);
    const rocksdb::Slice position_part(position);
    const std::array value_parts{slice(record.header), slice(record.body)};
    BAHI_TRY(check_rocksdb(batch.Put(database_->batches, rocksdb::SliceParts(&position_part, 1),
                                     rocksdb::SliceParts(value_parts.data(), static_cast<int>(value_parts.size()))),
                           "building a write batch"));
    BAHI_TRY(check_rocksdb(batch.Put(database_->directory, log_key(record.tenant, record.last_offset),
                                     directory_value(position, record.tenant_bytes)),
                           "building a write batch"));
  }
  rocksdb::WriteOptions options;
  options.sync = false;
  options.disableWAL = without_wal_;
  options.protection_bytes_per_key = 8;
  return check_rocksdb(database_->db->Write(options, &batch), "writing to the log");
}

Status RocksDbLogStore::sync() { return check_rocksdb(database_->db->SyncWAL(), "syncing the log"); }

std::unique_ptr<LogCursor> RocksDbLogStore::cursor(TenantId tenant, CacheUse use) const {
  return std::make_unique<Cursor>(database_, tenant, use);
}

Result<std::vector<TenantId>> RocksDbLogStore::tenants() const {
  std::vector<TenantId> found;
  rocksdb::ReadOptions options;
  options.verify_checksums = true;
  const std::unique_ptr<rocksdb::Iterator> iterator(database_->db->NewIterator(options, database_->directory));
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
  return check_rocksdb(database_->db->Flush(options, {database_->batches, database_->directory}), "flushing the log");
}

LogStoreStats RocksDbLogStore::stats() const {
  LogStoreStats stats;
  for (rocksdb::ColumnFamilyHandle* family : {database_->batches, database_->directory}) {
    std::uint64_t bytes = 0;
    database_->db->GetIntProperty(family, rocksdb::DB::Properties::kTotalSstFilesSize, &bytes);
    stats.file_bytes += bytes;
  }
  rocksdb::VectorLogPtr files;
  if (database_->db->GetSortedWalFiles(files).ok()) {
    for (const auto& file : files) stats.wal_bytes += file->SizeFileBytes();
  }
  stats.written_bytes = bahi::written_bytes(*database_->db);
  return stats;
}

Result<std::unique_ptr<rocksdb::Iterator>> RocksDbLogStore::commits(const std::optional<TenantMark>& after) const {
  std::string position;
  if (after) {
    rocksdb::ReadOptions options;
    options.verify_checksums = true;
    const rocksdb::Status found = database_->db->Get(
        options, database_->directory, log_key(after->tenant, after->next_offset - 1), &position);
    if (found.IsNotFound() || after->next_offset.value == 0) {
      return Error{ErrorCode::kOffsetOutOfRange, fmt::format("tenant {}: no batch ends at offset {}",
                                                             after->tenant.value, after->next_offset.value)};
    }
    BAHI_TRY(check_rocksdb(found, "reading the log's directory"));
    position.resize(std::min(position.size(), kPositionBytes));
  }
  rocksdb::ReadOptions options;
  options.verify_checksums = true;
  options.fill_cache = false;
  options.readahead_size = kScanReadaheadBytes;
  std::unique_ptr<rocksdb::Iterator> iterator(database_->db->NewIterator(options, database_->batches));
  if (after) {
    iterator->Seek(position);
    if (iterator->Valid() && iterator->key() == position) iterator->Next();
  } else {
    iterator->SeekToFirst();
  }
  BAHI_TRY(check_rocksdb(iterator->status(), "reading the log"));
  return iterator;
}

Status RocksDbLogStore::catch_up() {
  BAHI_TRY(check_rocksdb(database_->db->TryCatchUpWithPrimary(), "following the log"));
  return check_rocksdb(database_->env->damage(), "following the log");
}

Status RocksDbLogStore::keep_directory() {
  if (!database_->batches_flushed->exchange(false)) return {};
  return check_rocksdb(database_->db->Flush(rocksdb::FlushOptions(), database_->directory), "flushing the log's directory");
}

std::set<std::string> RocksDbLogStore::live_files() const {
  std::vector<rocksdb::LiveFileMetaData> files;
  database_->db->GetLiveFilesMetaData(&files);
  std::set<std::string> names;
  for (const auto& file : files) names.insert(std::filesystem::path(file.name).filename().string());
  return names;
}

void RocksDbLogStore::quiesce() { rocksdb::CancelAllBackgroundWork(database_->db.get(), true); }

std::uint64_t written_bytes(rocksdb::DB& db) {
  const auto statistics = db.GetOptions().statistics;
  if (!statistics) return 0;
  return statistics->getTickerCount(rocksdb::WAL_FILE_BYTES) + statistics->getTickerCount(rocksdb::FLUSH_WRITE_BYTES) +
         statistics->getTickerCount(rocksdb::COMPACT_WRITE_BYTES);
}

}  // namespace bahi
