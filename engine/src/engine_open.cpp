// Opening and recovery. docs/crash_safety.md numbers the steps.

#include <fmt/format.h>

#include "bahi/base/text.hpp"
#include "engine_impl.hpp"
#include "keys.hpp"

namespace bahi {
namespace {

Error missing(std::string what) {
  return {ErrorCode::kAcknowledgedDataMissing,
          std::move(what) + "; nothing was touched; restore the store from a backup"};
}

Status check_batch(std::string_view stored) {
  const auto batch = DecodedBatch::decode(stored);
  return batch ? Status{} : Status{batch.error()};
}

/// Checks the batches of the system tenant's log that hold tenants: those that the index leads to. Returns where the
/// index ends.
Result<Offset> check_indexed_tenants(LogCursor& cursor, const TermIndex& index, Offset log_end) {
  BAHI_ASSIGN(const Offset covered, index.covered_on_disk(kSystemTenant));
  if (covered > log_end) return Error{ErrorCode::kIndexDamaged, "the index covers more than the log holds"};
  const auto postings =
      index.postings(kSystemTenant, term_hash(TermKind::kCategory, kTenantCategory), {0}, covered);
  for (postings->seek(0); postings->valid(); postings->next()) {
    cursor.seek({postings->posting().offset});
    BAHI_TRY(cursor.status());
    if (!cursor.valid()) return Error{ErrorCode::kIndexDamaged, "the index names a batch that the log does not hold"};
    BAHI_TRY(check_batch(cursor.stored()));
  }
  BAHI_TRY(postings->status());
  return covered;
}

/// Reads what opening will read, so that damage there is found before anything is written. Without an index (null, or
/// damaged) that is all of the system tenant's log.
Status check_ends(const LogStore& store, const TermIndex* index) {
  BAHI_ASSIGN(const auto tenants, store.tenants());
  for (const TenantId tenant : tenants) {
    const auto cursor = store.cursor(tenant, CacheUse::kFill);
    cursor->seek_backward(kOffsetMax);
    BAHI_TRY(cursor->status());
    if (!cursor->valid()) return missing(fmt::format("tenant {}: the end of the log cannot be read", tenant.value));
    BAHI_TRY(check_batch(cursor->stored()));
  }
  const auto cursor = store.cursor(kSystemTenant, CacheUse::kFill);
  Offset unchecked;
  if (index != nullptr) {
    cursor->seek_backward(kOffsetMax);
    BAHI_TRY(cursor->status());
    const auto covered = check_indexed_tenants(*cursor, *index, cursor->valid() ? cursor->last_offset() + 1 : Offset{0});
    if (!covered && covered.error().code() != ErrorCode::kIndexDamaged) return covered.error();
    if (covered) unchecked = *covered;
  }
  for (cursor->seek(unchecked); cursor->valid(); cursor->next()) BAHI_TRY(check_batch(cursor->stored()));
  return cursor->status();
}

}  // namespace

Status check_marks(const LogStore& store, const std::vector<TenantMark>& marks) {
  for (const TenantMark& mark : marks) {
    if (mark.next_offset.value == 0) continue;
    const auto cursor = store.cursor(mark.tenant, CacheUse::kFill);
    cursor->seek(mark.next_offset - 1);
    BAHI_TRY(cursor->status());
    if (!cursor->valid()) {
      cursor->seek_backward(kOffsetMax);
      BAHI_TRY(cursor->status());
      const std::uint64_t end = cursor->valid() ? cursor->last_offset().value + 1 : 0;
      return missing(fmt::format("tenant {}: {} events were acknowledged, the log holds only {}", mark.tenant.value,
                                 mark.next_offset.value, end));
    }
    BAHI_ASSIGN(const BatchHeader header, decode_batch_header(cursor->stored()));
    if (header.tenant != mark.tenant || header.next_offset() != mark.next_offset || header.chain_hash != mark.chain_hash) {
      return missing(fmt::format("tenant {}: the batch that ends at offset {} is not the one that was acknowledged",
                                 mark.tenant.value, mark.next_offset.value - 1));
    }
  }
  return {};
}

Status Engine::Impl::open_directory(const std::filesystem::path& directory) {
  on_disk_ = true;
  paths_ = StorePaths(directory);
  block_cache_ = rocksdb::NewLRUCache(options_.block_cache_bytes);
  BAHI_ASSIGN(bool exists, check_store_directory(paths_));
  if (!exists && (options_.read_only || !options_.create_if_missing)) {
    return Error{ErrorCode::kStoreMissing,
                 fmt::format("{} holds no store; create one with `bahi tenant create`", directory.string())};
  }
  if (options_.read_only) return open_read_only();
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) return from_errno(error.value(), "creating", directory);
  BAHI_ASSIGN(lock_, StoreLock::acquire(paths_.lock()));
  BAHI_ASSIGN(exists, check_store_directory(paths_));  // another process may have created it before we held the lock
  if (!exists) BAHI_TRY(create_store());
  return open_read_write();
}

Status Engine::Impl::create_store() {
  const Uuid id = random_uuid();
  BAHI_ASSIGN(anchor_, HeadAnchor::create(paths_.anchor(), id));
  anchor_.reset();
  BAHI_TRY(write_store_marker(paths_.marker(), id));
  std::error_code error;
  std::filesystem::create_directory(paths_.log(), error);
  if (error) return from_errno(error.value(), "creating", paths_.log());
  return sync_directory(paths_.root.parent_path().empty() ? "." : paths_.root.parent_path());
}

Status Engine::Impl::check_before_open(const StoreRecord& record, bool& index_intact) {
  BAHI_ASSIGN(const std::string marker, read_file(paths_.marker()));
  if (marker.find(format_uuid(record.store_id)) == std::string::npos) {
    return missing(fmt::format("{} and {} belong to different stores", paths_.marker().string(), paths_.anchor().string()));
  }
  index_intact = true;
  if (record.state == StoreRecord::State::kCreating) return {};
  const bool marks_bind = record.state == StoreRecord::State::kOpen || record.state == StoreRecord::State::kClosed;
  if (marks_bind) {
    BAHI_TRY(check_manifest(paths_.log(), record.log_manifest));
    index_intact = static_cast<bool>(check_manifest(paths_.index(), record.index_manifest));
  }
  // A read-only opening recovers as a real one would, but writes and deletes nothing.
  BAHI_TRY(open_log(RocksDbLogStore::Mode::kReadOnly));
  BAHI_TRY(check_marks(*store_, anchor_->tenants_at_open()));
  BAHI_TRY(check_ends(*store_, index_intact ? look_at_index().get() : nullptr));
  if (!marks_bind) BAHI_TRY(check_whole_log(*store_));
  store_.reset();
  return {};
}

std::unique_ptr<TermIndex> Engine::Impl::look_at_index() const {
  if (!std::filesystem::exists(paths_.index() / "CURRENT")) return nullptr;
  TermIndex::OpenArguments arguments;
  arguments.directory = paths_.index();
  arguments.read_only = true;
  arguments.cache = block_cache_;
  auto opened = TermIndex::open(arguments, options_);
  return opened ? std::move(*opened) : nullptr;
}

Status Engine::Impl::check_whole_log(const LogStore& store) const {
  BAHI_ASSIGN(const auto tenants, store.tenants());
  for (const TenantId tenant : tenants) {
    const auto cursor = store.cursor(tenant, CacheUse::kScan);
    Offset expected;
    Hash128 chain;
    for (cursor->seek({0}); cursor->valid(); cursor->next()) {
      BAHI_ASSIGN(const BatchHeader header, decode_batch_header(cursor->stored()));
      if (header.first_offset != expected || header.previous_hash != chain) {
        return missing(fmt::format("tenant {}: the log has a gap at offset {}", tenant.value, expected.value));
      }
      expected = header.next_offset();
      chain = header.chain_hash;
    }
    BAHI_TRY(cursor->status());
  }
  return {};
}

Status Engine::Impl::open_log(RocksDbLogStore::Mode mode) {
  RocksDbLogStore::OpenArguments arguments;
  arguments.directory = paths_.log();
  arguments.mode = mode;
  arguments.scratch = scratch_;
  arguments.direct_flush = takes_direct_io(paths_.marker());
  arguments.cache = block_cache_;
  arguments.callbacks.failed = [this](const rocksdb::Status& status) {
    if (CommitPipeline* pipeline = listening_.load()) pipeline->fail(from_rocksdb(status, "in the background"));
  };
  arguments.callbacks.files_changed = [this] {
    if (CommitPipeline* pipeline = listening_.load()) pipeline->note_files_changed();
  };
  BAHI_ASSIGN(auto store, RocksDbLogStore::open(arguments, options_));
  rocksdb_store_ = store.get();
  store_ = std::move(store);
  return {};
}

Status Engine::Impl::open_read_write() {
  BAHI_ASSIGN(anchor_, HeadAnchor::open(paths_.anchor()));
  StoreRecord record = anchor_->record();
  bool index_intact = false;
  BAHI_TRY(check_before_open(record, index_intact));

  disk_ = std::make_unique<DiskGuard>(paths_.root, options_);
  disk_->release_reserve_if_needed();
  const bool creating = record.state == StoreRecord::State::kCreating;
  if (!creating) {
    record.state = StoreRecord::State::kOpening;
    BAHI_TRY(anchor_->update_record(record));
  }
  options_.create_if_missing = creating;
  BAHI_TRY(open_log(RocksDbLogStore::Mode::kReadWrite));
  BAHI_TRY(check_marks(*store_, anchor_->tenants_at_open()));
  if (options_.rebuild_index) {
    BAHI_TRY(set_index_aside("a rebuild was asked for"));
    index_intact = true;
  }
  BAHI_TRY(open_index(index_intact));
  BAHI_TRY(load_tails());
  reader_ = std::make_unique<LogReader>(*store_, index_.get(), options_.batch_cache_bytes);
  BAHI_TRY(recover_index(false));
  Status named = load_tenant_names();
  if (!named && named.error().code() == ErrorCode::kIndexDamaged) {
    BAHI_TRY(replace_index(named.error().message()));
    BAHI_TRY(recover_index(false));
    named = load_tenant_names();
  }
  BAHI_TRY(named);

  // What recovery found is durable now (RocksDB flushes what it recovers): anchor it.
  std::vector<TenantMark> marks;
  BAHI_TRY(anchor_->ensure_tenants(static_cast<std::uint32_t>(states_.size())));
  for (const auto& tenant : states_) marks.push_back({tenant->id, tenant->next_offset, tenant->chain_hash});
  BAHI_TRY(anchor_->publish(marks));
  BAHI_TRY(refresh_record(StoreRecord::State::kOpen));
  disk_->restore_reserve();
  start_pipeline();
  return {};
}

Status Engine::Impl::refresh_record(StoreRecord::State state) {
  StoreRecord record = anchor_->record();
  record.state = state;
  BAHI_ASSIGN(record.log_manifest, read_manifest_mark(paths_.log()));
  BAHI_ASSIGN(record.index_manifest, read_manifest_mark(paths_.index()));
  return anchor_->update_record(record);
}

Status Engine::Impl::open_index(bool intact) {
  if (!intact && std::filesystem::exists(paths_.index())) BAHI_TRY(set_index_aside("its MANIFEST is damaged or old"));
  std::error_code error;
  std::filesystem::create_directory(paths_.index(), error);
  if (error) return from_errno(error.value(), "creating", paths_.index());
  TermIndex::OpenArguments arguments;
  arguments.directory = paths_.index();
  arguments.cache = block_cache_;
  arguments.callbacks.failed = [this](const rocksdb::Status& status) {
    if (CommitPipeline* pipeline = listening_.load()) pipeline->fail(from_rocksdb(status, "index, in the background", ErrorCode::kIndexDamaged));
  };
  arguments.callbacks.files_changed = [this] {
    if (CommitPipeline* pipeline = listening_.load()) pipeline->note_files_changed();
  };
  auto opened = TermIndex::open(arguments, options_);
  if (!opened && opened.error().code() == ErrorCode::kIndexDamaged) {
    BAHI_TRY(set_index_aside(opened.error().message()));
    opened = TermIndex::open(arguments, options_);
  }
  if (!opened) return opened.error();
  index_ = std::move(*opened);
  return {};
}

Status Engine::Impl::set_index_aside(const std::string& reason) {
  index_.reset();
  std::error_code error;
  if (!std::filesystem::exists(paths_.index(), error)) return {};
  // Renamed first, so that a crash while deleting leaves no half index under the real name.
  const std::filesystem::path aside = paths_.root / "idx.old";
  std::filesystem::remove_all(aside, error);
  std::filesystem::rename(paths_.index(), aside, error);
  if (error) return from_errno(error.value(), "renaming", paths_.index());
  std::filesystem::remove_all(aside, error);
  if (options_.log) options_.log(LogLevel::kWarning, "the index is built anew from the log: " + reason);
  return sync_directory(paths_.root);
}

Status Engine::Impl::replace_index(const std::string& reason) {
  BAHI_TRY(set_index_aside(reason));
  BAHI_TRY(open_index(true));
  reader_ = std::make_unique<LogReader>(*store_, index_.get(), options_.batch_cache_bytes);
  return {};
}

void Engine::Impl::ensure_states(std::uint32_t count) {
  const std::unique_lock lock(tenants_mutex_);
  while (states_.size() < count) {
    states_.push_back(std::make_unique<TenantState>(TenantId{static_cast<std::uint32_t>(states_.size())}));
  }
}

Status Engine::Impl::load_tails() {
  BAHI_ASSIGN(const auto tenants, store_->tenants());
  const std::size_t anchored = anchor_ ? anchor_->tenants_at_open().size() : 0;
  const std::uint32_t in_log = tenants.empty() ? 0 : tenants.back().value + 1;
  ensure_states(std::max({std::uint32_t{1}, static_cast<std::uint32_t>(anchored), in_log}));
  for (const TenantId id : tenants) {
    TenantState& tenant = state(id);
    const auto cursor = store_->cursor(id, CacheUse::kFill);
    cursor->seek_backward(kOffsetMax);
    BAHI_TRY(cursor->status());
    if (!cursor->valid()) return missing(fmt::format("tenant {}: the end of the log cannot be read", id.value));
    BAHI_ASSIGN(const BatchHeader header, decode_batch_header(cursor->stored()));
    tenant.next_offset = header.next_offset();
    tenant.chain_hash = header.chain_hash;
    tenant.durable.store(header.next_offset().value);
    BAHI_ASSIGN(const std::uint64_t stored, stored_bytes_below(id, header.next_offset()));
    tenant.stored_bytes.store(stored);
  }
  return {};
}

Result<std::uint64_t> Engine::Impl::stored_bytes_below(TenantId tenant, Offset end) const {
  if (end.value == 0) return 0;
  const auto last = store_->cursor(tenant, CacheUse::kFill);
  last->seek_backward(end - 1);
  BAHI_TRY(last->status());
  if (last->valid() && last->tenant_bytes()) return *last->tenant_bytes();
  // Written before the store kept the sum.
  std::uint64_t sum = 0;
  const auto cursor = store_->cursor(tenant, CacheUse::kScan);
  for (cursor->seek({0}); cursor->valid() && cursor->last_offset() < end; cursor->next()) sum += cursor->stored().size();
  BAHI_TRY(cursor->status());
  return sum;
}

Status Engine::Impl::recover_index(bool read_only) {
  std::vector<Offset> covered(states_.size());
  std::uint64_t total = 0;
  const auto look = [&]() -> Result<bool> {
    total = 0;
    for (const auto& tenant : states_) {
      BAHI_ASSIGN(const Offset end, index_->covered_on_disk(tenant->id));
      if (end.value > tenant->durable.load() && !read_only) return false;
      covered[tenant->id.value] = end;
      total += tenant->durable.load() - std::min(end.value, tenant->durable.load());
    }
    return true;
  };
  auto usable = look();
  if (!read_only && (!usable || !*usable)) {
    BAHI_TRY(replace_index(usable ? "it covers more than the log holds" : usable.error().message()));
    usable = look();
  }
  if (!usable) return usable.error();
  std::uint64_t done = 0;
  for (const auto& tenant : states_) {
    const Offset end{tenant->durable.load()};
    if (covered[tenant->id.value] < end) {
      BAHI_TRY(replay_into_index(*tenant, covered[tenant->id.value], end, done, total));
    }
    tenant->indexed.store(end.value);
  }
  return {};
}

Status Engine::Impl::replay_into_index(TenantState& tenant, Offset from, Offset to, std::uint64_t& done,
                                       std::uint64_t total) {
  const auto cursor = store_->cursor(tenant.id, CacheUse::kScan);
  std::vector<StreamUse> streams;
  std::vector<TermUse> other_terms;
  for (cursor->seek(from); cursor->valid() && from < to; cursor->next()) {
    BAHI_ASSIGN(const auto batch, DecodedBatch::decode(cursor->stored()));
    const BatchHeader& header = batch->header();
    if (header.first_offset != from) {
      return Error{ErrorCode::kCorruptLog, fmt::format("tenant {}: the log has a gap at offset {}", tenant.id.value, from.value)};
    }
    collect_terms(tenant.id, batch->body(), false, streams, other_terms);
    index_->add({tenant.id, header.first_offset, header.event_count, streams, other_terms, batch->first_versions(),
                 header.producer_id, header.producer_sequence});
    from = header.next_offset();
    done += header.event_count;
    if (!options_.read_only && index_->wants_flush() && index_->seal()) BAHI_TRY(index_->write_sealed());
    if (options_.progress) options_.progress(done, total);
  }
  return cursor->status();
}

// --- closing

void Engine::Impl::start_pipeline() {
  PipelineParts parts;
  parts.store = store_.get();
  parts.index = index_.get();
  parts.reader = reader_.get();
  parts.heads = &heads_;
  parts.signal = &signal_;
  parts.anchor = anchor_.get();
  parts.disk = disk_.get();
  parts.refresh_record = [this]() -> Status {
    BAHI_TRY(rocksdb_store_->keep_directory());
    return refresh_record(StoreRecord::State::kOpen);
  };
  parts.tenant = [this](TenantId id) -> TenantState& { return state(id); };
  pipeline_ = std::make_unique<CommitPipeline>(std::move(parts), options_);
  listening_.store(pipeline_.get());
  pipeline_->start();
  if (on_disk_) pipeline_->note_files_changed();
}

Status Engine::Impl::open_store(std::unique_ptr<LogStore> store) {
  store_ = std::move(store);
  BAHI_ASSIGN(index_, TermIndex::open({}, options_));
  BAHI_TRY(load_tails());
  reader_ = std::make_unique<LogReader>(*store_, index_.get(), options_.batch_cache_bytes);
  BAHI_TRY(recover_index(false));
  start_pipeline();
  return load_tenant_names();
}

Status Engine::Impl::close() {
  if (closed_) return {};
  closed_ = true;
  Status result;
  if (pipeline_) {
    pipeline_->stop();
    signal_.close();
    const auto finish = [this]() -> Status {
      if (pipeline_->failed()) return Error{ErrorCode::kReadOnly, pipeline_->failure()};
      BAHI_TRY(index_->write_sealed());
      if (index_->seal()) BAHI_TRY(index_->write_sealed());
      BAHI_TRY(store_->flush());
      if (!on_disk_) return {};
      rocksdb_store_->quiesce();
      index_->quiesce();
      return refresh_record(StoreRecord::State::kClosed);
    };
    result = finish();
  }
  reader_.reset();
  index_.reset();
  store_.reset();
  anchor_.reset();
  lock_ = StoreLock();
  if (!scratch_.empty()) {
    std::error_code ignored;
    std::filesystem::remove_all(scratch_, ignored);
  }
  return result;
}

}  // namespace bahi
