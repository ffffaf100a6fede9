#include "view_store.hpp"

#include <algorithm>
#include <cstring>
#include <set>
#include <shared_mutex>

#include <fmt/format.h>
#include <rocksdb/cache.h>
#include <rocksdb/compaction_filter.h>
#include <rocksdb/convenience.h>
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/sst_file_writer.h>
#include <rocksdb/table.h>
#include <rocksdb/utilities/checkpoint.h>
#include <rocksdb/write_batch.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "bahi/base/failpoint.hpp"
#include "bahi/base/planted_bug.hpp"
#include "row_codec.hpp"
#include "unsynced_env.hpp"

namespace bahi::projections {
namespace {

constexpr std::size_t kPrefixBytes = 5;
constexpr std::uint8_t kFrameworkTable = 0;
constexpr std::string_view kCheckpointKey = "checkpoint";
constexpr std::string_view kBuiltFamily = "built";
constexpr InstanceId kFacts{0};
constexpr std::uint8_t kNotesTable = 1;  // of kFacts
constexpr std::string_view kFormatKey = "format";
constexpr std::string_view kFormat = "1";
constexpr std::string_view kErased("\0", 1);

rocksdb::Slice slice(std::string_view text) {
  return {text.data(), text.size()};
}

std::string first_key(InstanceId instance) {
  std::string bytes;
  bytes::put_be32(bytes, instance.value);
  return bytes;
}

std::string row_key(InstanceId instance, std::uint8_t table, std::string_view key) {
  std::string bytes = first_key(instance);
  bytes.push_back(static_cast<char>(table));
  bytes.append(key);
  return bytes;
}

/// First key after all that begin with `prefix`.
std::string end_of(std::string prefix) {
  while (!prefix.empty() && prefix.back() == '\xFF') prefix.pop_back();
  if (!prefix.empty()) ++prefix.back();
  return prefix;
}

Status check(const rocksdb::Status& status, std::string_view doing) {
  if (status.ok()) return {};
  const ErrorCode code = status.IsNoSpace()      ? ErrorCode::kDiskFull
                         : status.IsCorruption() ? ErrorCode::kViewsDamaged
                                                 : ErrorCode::kIoError;
  return Error{code, fmt::format("read models: {}: {}", doing, status.ToString())};
}

}  // namespace

class ViewDatabase::Living final : public rocksdb::CompactionFilter {
 public:
  [[nodiscard]] const char* Name() const override { return "bahi.living-instances"; }
  bool Filter(int, const rocksdb::Slice& key, const rocksdb::Slice&, std::string*, bool*) const override {
    if (key.size() < kPrefixBytes) return false;
    const std::uint32_t instance = bytes::get_be32(key.data());
    const std::shared_lock lock(mutex_);
    return known_ && instance != kFacts.value && !instances_.contains(instance);
  }
  void add(InstanceId instance) {
    const std::unique_lock lock(mutex_);
    instances_.insert(instance.value);
  }
  void remove(InstanceId instance) {
    const std::unique_lock lock(mutex_);
    instances_.erase(instance.value);
  }
  /// From now on what was not added is dead.
  void all_known() {
    const std::unique_lock lock(mutex_);
    known_ = true;
  }

 private:
  mutable std::shared_mutex mutex_;
  std::set<std::uint32_t> instances_;
  bool known_ = false;
};

ViewDatabase::~ViewDatabase() {
  if (!db) return;
  for (rocksdb::ColumnFamilyHandle* family : {built, live}) {
    if (family != nullptr) (void)db->DestroyColumnFamilyHandle(family);
  }
}

// --- scans

struct RowScan::Impl {
  std::string prefix;
  std::string upper;
  rocksdb::Slice lower_slice;
  rocksdb::Slice upper_slice;
  std::size_t key_begin = kPrefixBytes;
  std::unique_ptr<rocksdb::Iterator> built;
  std::unique_ptr<rocksdb::Iterator> live;
  bool forward = true;

  [[nodiscard]] std::string full(std::string_view key) const { return prefix.substr(0, kPrefixBytes).append(key); }
  /// Whether the current row is that of `live`.
  [[nodiscard]] bool live_is_current() const {
    if (!live->Valid()) return false;
    if (!built->Valid()) return true;
    const int order = live->key().compare(built->key());
    return forward ? order <= 0 : order >= 0;
  }
  void step(rocksdb::Iterator& iterator) const { forward ? iterator.Next() : iterator.Prev(); }
  void advance() {
    if (!live_is_current()) return step(*built);
    if (built->Valid() && built->key() == live->key()) step(*built);
    step(*live);
  }
  void pass_erased() {
    while (live_is_current() && live->value().size() == kErased.size() && live->value()[0] == kErased[0]) advance();
  }
};

RowScan::RowScan(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RowScan::~RowScan() = default;
RowScan::RowScan(RowScan&&) noexcept = default;
RowScan& RowScan::operator=(RowScan&&) noexcept = default;

void RowScan::seek(std::string_view key) {
  const std::string target = impl_->full(key);
  impl_->forward = true;
  impl_->built->Seek(target);
  impl_->live->Seek(target);
  impl_->pass_erased();
}

void RowScan::seek_backward(std::string_view key) {
  const std::string target = impl_->full(key);
  impl_->forward = false;
  impl_->built->SeekForPrev(target);
  impl_->live->SeekForPrev(target);
  impl_->pass_erased();
}

void RowScan::seek_first() {
  impl_->forward = true;
  impl_->built->SeekToFirst();
  impl_->live->SeekToFirst();
  impl_->pass_erased();
}

void RowScan::seek_last() {
  impl_->forward = false;
  impl_->built->SeekToLast();
  impl_->live->SeekToLast();
  impl_->pass_erased();
}

void RowScan::next() {
  impl_->advance();
  impl_->pass_erased();
}

void RowScan::previous() {
  next();
}

bool RowScan::valid() const {
  return impl_->built->Valid() || impl_->live->Valid();
}

std::string_view RowScan::key() const {
  const rocksdb::Slice key = impl_->live_is_current() ? impl_->live->key() : impl_->built->key();
  return key.ToStringView().substr(kPrefixBytes);
}

std::string_view RowScan::value() const {
  return impl_->live_is_current() ? impl_->live->value().ToStringView().substr(1)
                                  : impl_->built->value().ToStringView();
}

Status RowScan::status() const {
  BAHI_TRY(check(impl_->built->status(), "reading"));
  return check(impl_->live->status(), "reading");
}

// --- views

StateView::StateView(std::shared_ptr<const ViewDatabase> database, InstanceId instance)
    : database_(std::move(database)), snapshot_(database_->db->GetSnapshot()), instance_(instance) {}

StateView::~StateView() {
  database_->db->ReleaseSnapshot(snapshot_);
}

Result<bool> StateView::get(std::uint8_t table, std::string_view key, std::string& value) const {
  rocksdb::ReadOptions options;
  options.snapshot = snapshot_;
  options.verify_checksums = true;
  const std::string full = row_key(instance_, table, key);
  rocksdb::Status status = database_->db->Get(options, database_->live, full, &value);
  if (status.ok()) {
    if (value.empty() || value[0] == kErased[0]) return false;
    value.erase(0, 1);
    return true;
  }
  if (status.IsNotFound()) status = database_->db->Get(options, database_->built, full, &value);
  if (status.IsNotFound()) return false;
  BAHI_TRY(check(status, "reading"));
  return true;
}

RowScan StateView::scan(std::uint8_t table, std::string_view prefix) const {
  auto impl = std::make_unique<RowScan::Impl>();
  impl->prefix = row_key(instance_, table, prefix);
  impl->upper = end_of(impl->prefix);
  impl->lower_slice = impl->prefix;
  impl->upper_slice = impl->upper;
  rocksdb::ReadOptions options;
  options.snapshot = snapshot_;
  options.verify_checksums = true;
  options.iterate_lower_bound = &impl->lower_slice;
  options.iterate_upper_bound = &impl->upper_slice;
  impl->built.reset(database_->db->NewIterator(options, database_->built));
  impl->live.reset(database_->db->NewIterator(options, database_->live));
  return RowScan(std::move(impl));
}

Result<Checkpoint> StateView::checkpoint() const {
  std::string row;
  BAHI_ASSIGN(const bool found, get(kFrameworkTable, kCheckpointKey, row));
  Checkpoint checkpoint;
  if (found && !decode_row(row, checkpoint)) {
    return Error{ErrorCode::kViewsDamaged, "read models: a checkpoint is malformed"};
  }
  return checkpoint;
}

// --- what a commit holds

void WriteSet::add(std::uint8_t table, std::string_view key, std::string_view value, bool erased) {
  Entry entry;
  entry.begin = arena_.size();
  entry.key_bytes = static_cast<std::uint32_t>(kPrefixBytes + key.size());
  entry.value_bytes = static_cast<std::uint32_t>(value.size());
  entry.erased = erased;
  bytes::put_be32(arena_, instance_.value);
  arena_.push_back(static_cast<char>(table));
  arena_.append(key).append(value);
  // Both sides of a comparison are padded with zeros, so a key that goes on is never taken for an equal one.
  std::array<char, sizeof entry.order> head{};
  const std::string_view full = this->key(entry).substr(sizeof instance_.value);
  std::memcpy(head.data(), full.data(), std::min(full.size(), head.size()));
  for (std::size_t i = 0; i < entry.order.size(); ++i) {
    entry.order[i] = bytes::get_be64(head.data() + i * sizeof(std::uint64_t));
  }
  entries_.push_back(entry);
}

void WriteSet::put(std::uint8_t table, std::string_view key, std::string_view value) {
  add(table, key, value, false);
}
void WriteSet::erase(std::uint8_t table, std::string_view key) {
  add(table, key, {}, true);
}

void WriteSet::clear() {
  arena_.clear();
  entries_.clear();
}

void WriteSet::sort() {
  std::sort(entries_.begin(), entries_.end(), [this](const Entry& a, const Entry& b) {
    if (a.order != b.order) return a.order < b.order;
    const int order = key(a).compare(key(b));
    return order != 0 ? order < 0 : a.begin > b.begin;  // the last change of a key first
  });
  const auto same = [this](const Entry& a, const Entry& b) { return a.order == b.order && key(a) == key(b); };
  entries_.erase(std::unique(entries_.begin(), entries_.end(), same), entries_.end());
}

// --- the store

ViewStore::ViewStore(std::filesystem::path directory, std::shared_ptr<ViewDatabase> database)
    : directory_(std::move(directory)), database_(std::move(database)) {}

Result<std::unique_ptr<ViewStore>> ViewStore::open(const std::filesystem::path& directory, const Options& options) {
  auto database = std::make_shared<ViewDatabase>();
  database->living = std::make_shared<ViewDatabase::Living>();
  rocksdb::Options settings;
  if (!options.durable) settings.env = unsynced_env();
  settings.create_if_missing = true;
  settings.create_missing_column_families = true;
  settings.info_log_level = rocksdb::InfoLogLevel::WARN_LEVEL;
  settings.keep_log_file_num = 2;
  settings.max_background_jobs = 2;
  settings.max_bgerror_resume_count = 0;
  settings.stats_dump_period_sec = 0;
  settings.stats_persist_period_sec = 0;
  settings.disable_auto_compactions = !options.compacts;
  settings.ttl = 0;
  settings.periodic_compaction_seconds = 0;
  settings.compression = rocksdb::kLZ4Compression;
  settings.write_buffer_size = options.write_buffer_bytes;
  settings.compaction_filter = database->living.get();
  rocksdb::BlockBasedTableOptions table;
  table.checksum = rocksdb::kXXH3;
  table.block_size = 8U << 10U;
  table.block_cache = rocksdb::NewLRUCache(options.block_cache_bytes);
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  table.format_version = 5;
  settings.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  rocksdb::ColumnFamilyOptions built(settings);
  built.compaction_style = rocksdb::kCompactionStyleUniversal;
  built.level0_file_num_compaction_trigger = 16;
  built.level0_slowdown_writes_trigger = 1 << 20;
  built.level0_stop_writes_trigger = 1 << 20;
  built.write_buffer_size = 64U << 10U;  // never written to
  const std::vector<rocksdb::ColumnFamilyDescriptor> families{{rocksdb::kDefaultColumnFamilyName, settings},
                                                              {std::string(kBuiltFamily), built}};
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* db = nullptr;
  const std::string path = directory.string();
  if (options.read_only) {
    BAHI_TRY(check(rocksdb::DB::OpenForReadOnly(settings, path, families, &handles, &db), "opening " + path));
  } else {
    std::error_code made;
    std::filesystem::create_directories(directory, made);
    BAHI_TRY(check(rocksdb::DB::Open(settings, path, families, &handles, &db), "opening " + path));
  }
  database->db.reset(db);
  database->live = handles[0];
  database->built = handles[1];
  std::unique_ptr<ViewStore> store(new ViewStore(directory, std::move(database)));
  BAHI_TRY(store->find_last_instance());
  if (!options.read_only) BAHI_TRY(store->leave_sequence_zero());
  return store;
}

/// Compaction in RocksDB 7.8.3 drops rows of sequence number 0 while a snapshot of sequence number 0 is held: it takes
/// them for older versions of themselves. Files taken in get that number as long as nothing was written.
Status ViewStore::leave_sequence_zero() {
  if (database_->db->GetLatestSequenceNumber() != 0) return {};
  WriteSet changes(kFacts);
  changes.put(kNotesTable, kFormatKey, kFormat);
  BAHI_TRY(commit_batch(changes));
  return flush();
}

Status ViewStore::find_last_instance() {
  for (rocksdb::ColumnFamilyHandle* family : {database_->live, database_->built}) {
    const std::unique_ptr<rocksdb::Iterator> iterator(database_->db->NewIterator(rocksdb::ReadOptions(), family));
    iterator->SeekToLast();
    BAHI_TRY(check(iterator->status(), "looking for instances"));
    if (!iterator->Valid() || iterator->key().size() < kPrefixBytes) continue;
    last_instance_ = std::max(last_instance_.load(), bytes::get_be32(iterator->key().data()));
  }
  return {};
}

InstanceId ViewStore::add_instance() {
  const InstanceId instance{++last_instance_};
  database_->living->add(instance);
  return instance;
}

void ViewStore::keep_instances(const std::vector<InstanceId>& instances) {
  for (const InstanceId instance : instances) {
    database_->living->add(instance);
    last_instance_ = std::max(last_instance_.load(), instance.value);
  }
  database_->living->all_known();
}

Status ViewStore::drop(const std::vector<InstanceId>& instances) {
  if (instances.empty()) return {};
  for (const InstanceId instance : instances) {
    database_->living->remove(instance);
    const std::string begin = first_key(instance);
    const std::string end = end_of(begin);
    const rocksdb::Slice begin_slice(begin);
    const rocksdb::Slice end_slice(end);
    for (rocksdb::ColumnFamilyHandle* family : {database_->live, database_->built}) {
      BAHI_TRY(
          check(rocksdb::DeleteFilesInRange(database_->db.get(), family, &begin_slice, &end_slice, false), "dropping"));
    }
  }
  // A compaction that is under way by itself may carry rows past the first attempt.
  constexpr int kAttemptsMax = 3;
  std::vector<InstanceId> left = instances;
  for (int attempt = 0; attempt < kAttemptsMax && !left.empty(); ++attempt) {
    const auto [lowest, highest] = std::minmax_element(left.begin(), left.end());
    BAHI_TRY(compact(first_key(*lowest), end_of(first_key(*highest))));
    std::erase_if(left, [this](InstanceId instance) { return !has_rows(instance); });
  }
  return {};
}

bool ViewStore::has_rows(InstanceId instance) const {
  const std::string begin = first_key(instance);
  const auto family_has = [&](rocksdb::ColumnFamilyHandle* family) {
    const std::unique_ptr<rocksdb::Iterator> rows(database_->db->NewIterator(rocksdb::ReadOptions(), family));
    rows->Seek(begin);
    return rows->Valid() && rows->key().starts_with(begin);
  };
  return family_has(database_->live) || family_has(database_->built);
}

Status ViewStore::compact(const std::string& begin, const std::string& end) {
  const rocksdb::Slice begin_slice(begin);
  const rocksdb::Slice end_slice(end);
  for (rocksdb::ColumnFamilyHandle* family : {database_->live, database_->built}) {
    BAHI_TRY(check(database_->db->CompactRange(rocksdb::CompactRangeOptions(), family, &begin_slice, &end_slice),
                   "compacting"));
  }
  return {};
}

Status ViewStore::tidy(InstanceId instance) {
  return compact(first_key(instance), end_of(first_key(instance)));
}

Status ViewStore::commit(WriteSet& changes, const Checkpoint& checkpoint, Mode mode) {
  if (planted(PlantedBug::kCheckpointApart) && !changes.empty()) {
    BAHI_TRY(write(changes, mode));
    (void)failpoint::hit("projection_checkpoint");
  }
  std::string row;
  encode_row(checkpoint, row);
  changes.put(kFrameworkTable, kCheckpointKey, row);
  return write(changes, mode);
}

Status ViewStore::write(WriteSet& changes, Mode mode) {
  changes.sort();
  const Status done = mode == Mode::kKeep ? commit_batch(changes) : commit_file(changes);
  changes.clear();
  return done;
}

Status ViewStore::commit_batch(const WriteSet& changes) {
  rocksdb::WriteBatch batch(changes.bytes());
  constexpr std::string_view kRow = "\1";
  for (const WriteSet::Entry& entry : changes.entries_) {
    const rocksdb::Slice key = slice(changes.key(entry));
    if (entry.erased) {
      BAHI_TRY(check(batch.Put(database_->live, key, slice(kErased)), "committing"));
      continue;
    }
    const std::array<rocksdb::Slice, 2> value{slice(kRow), slice(changes.value(entry))};
    BAHI_TRY(check(batch.Put(database_->live, rocksdb::SliceParts(&key, 1), rocksdb::SliceParts(value.data(), 2)),
                   "committing"));
  }
  rocksdb::WriteOptions options;
  options.disableWAL = true;
  return check(database_->db->Write(options, &batch), "committing");
}

Status ViewStore::commit_file(const WriteSet& changes) {
  const std::string path = (directory_ / fmt::format("incoming-{}.sst", ++last_file_)).string();
  // A leftover of a crash may be a second name of a live file: drop the name, never truncate the file.
  (void)database_->db->GetEnv()->DeleteFile(path);
  // What was just written is what the fold looks at next: it stays in the page cache.
  constexpr bool kInvalidatePageCache = false;
  rocksdb::SstFileWriter writer(rocksdb::EnvOptions(), database_->db->GetOptions(database_->built), database_->built,
                                kInvalidatePageCache);
  BAHI_TRY(check(writer.Open(path), "creating a sorted file"));
  for (const WriteSet::Entry& entry : changes.entries_) {
    const rocksdb::Slice key = slice(changes.key(entry));
    BAHI_TRY(check(entry.erased ? writer.Delete(key) : writer.Put(key, slice(changes.value(entry))),
                   "writing a sorted file"));
  }
  BAHI_TRY(check(writer.Finish(), "finishing a sorted file"));
  rocksdb::IngestExternalFileOptions ingest;
  ingest.move_files = true;
  ingest.write_global_seqno = false;
  ingest.failed_move_fall_back_to_copy = true;
  return check(database_->db->IngestExternalFile(database_->built, {path}, ingest), "taking in a sorted file");
}

std::shared_ptr<const StateView> ViewStore::view(InstanceId instance) const {
  return std::make_shared<const StateView>(database_, instance);
}

// --- facts

Status ViewStore::put_fact(std::string_view key, std::string_view value) {
  WriteSet changes(kFacts);
  changes.put(kFrameworkTable, key, value);
  BAHI_TRY(commit_batch(changes));
  return flush();
}

Status ViewStore::erase_fact(std::string_view key) {
  WriteSet changes(kFacts);
  changes.erase(kFrameworkTable, key);
  BAHI_TRY(commit_batch(changes));
  return flush();
}

Result<std::vector<std::pair<std::string, std::string>>> ViewStore::facts() const {
  std::vector<std::pair<std::string, std::string>> found;
  const StateView facts(database_, kFacts);
  RowScan scan = facts.scan(kFrameworkTable);
  for (scan.seek_first(); scan.valid(); scan.next()) found.emplace_back(scan.key(), scan.value());
  BAHI_TRY(scan.status());
  return found;
}

Result<Hash128> ViewStore::fingerprint(InstanceId instance) const {
  XXH3_state_t state;
  XXH3_128bits_reset(&state);
  const auto add = [&state](std::string_view part) {
    const std::uint64_t size = part.size();
    XXH3_128bits_update(&state, &size, sizeof size);
    XXH3_128bits_update(&state, part.data(), part.size());
  };
  const StateView rows(database_, instance);
  for (int table = kFrameworkTable + 1; table <= UINT8_MAX; ++table) {
    RowScan scan = rows.scan(static_cast<std::uint8_t>(table));
    for (scan.seek_first(); scan.valid(); scan.next()) {
      add({reinterpret_cast<const char*>(&table), 1});
      add(scan.key());
      add(scan.value());
    }
    BAHI_TRY(scan.status());
  }
  const XXH128_hash_t hash = XXH3_128bits_digest(&state);
  return Hash128{hash.high64, hash.low64};
}

std::uint64_t ViewStore::bytes_on_disk(InstanceId instance) const {
  const std::string begin = first_key(instance);
  const std::string end = end_of(begin);
  const rocksdb::Range range(begin, end);
  std::uint64_t total = 0;
  for (rocksdb::ColumnFamilyHandle* family : {database_->live, database_->built}) {
    std::uint64_t bytes = 0;
    database_->db->GetApproximateSizes(rocksdb::SizeApproximationOptions(), family, &range, 1, &bytes);
    total += bytes;
  }
  return total;
}

Status ViewStore::write_checkpoint(const std::filesystem::path& directory) const {
  rocksdb::Checkpoint* made = nullptr;
  BAHI_TRY(check(rocksdb::Checkpoint::Create(database_->db.get(), &made), "preparing a snapshot"));
  const std::unique_ptr<rocksdb::Checkpoint> checkpoint(made);
  // There is no write-ahead log that could take the memtable's place.
  constexpr std::uint64_t kFlushAlways = 0;
  return check(checkpoint->CreateCheckpoint(directory.string(), kFlushAlways), "taking a snapshot");
}

Status ViewStore::flush() {
  return check(database_->db->Flush(rocksdb::FlushOptions(), database_->live), "flushing");
}

}  // namespace bahi::projections
