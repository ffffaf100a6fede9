#include "term_index.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <rocksdb/convenience.h>
#include <rocksdb/sst_file_writer.h>

#include "bahi/base/failpoint.hpp"
#include "bahi/base/posix_file.hpp"
#include "keys.hpp"
#include "rocksdb_log_store.hpp"
#include "sst_check.hpp"

namespace bahi {
namespace {

std::string_view view(const rocksdb::Slice& slice) { return {slice.data(), slice.size()}; }

Error index_error(const rocksdb::Status& status, std::string_view doing) {
  return from_rocksdb(status, doing, ErrorCode::kIndexDamaged);
}

/// Merges postings held in memory with those in the sorted files.
class MergingPostingCursor final : public PostingCursor {
 public:
  MergingPostingCursor(std::vector<Posting> memory, std::shared_ptr<rocksdb::DB> db, TenantId tenant, std::uint64_t hash, Offset begin,
                       Offset end)
      : memory_(std::move(memory)), db_(std::move(db)), tenant_(tenant), hash_(hash), lower_(posting_key(tenant, hash, begin.value)),
        upper_(posting_key(tenant, hash, end.value)), lower_slice_(lower_), upper_slice_(upper_) {
    if (!db_) return;
    rocksdb::ReadOptions options;
    options.iterate_lower_bound = &lower_slice_;
    options.iterate_upper_bound = &upper_slice_;
    options.prefix_same_as_start = true;
    options.auto_prefix_mode = false;
    options.verify_checksums = true;
    iterator_.reset(db_->NewIterator(options));
  }

  void seek(std::uint64_t offset) override {
    place_ = std::lower_bound(memory_.begin(), memory_.end(), offset, before) - memory_.begin();
    if (iterator_) iterator_->Seek(posting_key(tenant_, hash_, offset));
    forward_ = true;
  }
  void seek_backward(std::uint64_t offset) override {
    place_ = std::upper_bound(memory_.begin(), memory_.end(), offset,
                              [](std::uint64_t wanted, const Posting& posting) { return wanted < posting.offset; }) -
             memory_.begin() - 1;
    if (iterator_) iterator_->SeekForPrev(posting_key(tenant_, hash_, offset));
    forward_ = false;
  }
  void next() override {
    const std::uint64_t here = posting().offset;
    if (memory_valid() && memory_[static_cast<std::size_t>(place_)].offset == here) ++place_;
    if (disk_valid() && disk_offset() == here) iterator_->Next();
  }
  void previous() override {
    const std::uint64_t here = posting().offset;
    if (memory_valid() && memory_[static_cast<std::size_t>(place_)].offset == here) --place_;
    if (disk_valid() && disk_offset() == here) iterator_->Prev();
  }
  [[nodiscard]] bool valid() const override { return memory_valid() || disk_valid(); }
  [[nodiscard]] Posting posting() const override {
    const bool from_memory =
        memory_valid() &&
        (!disk_valid() || (forward_ ? memory_[static_cast<std::size_t>(place_)].offset <= disk_offset()
                                    : memory_[static_cast<std::size_t>(place_)].offset >= disk_offset()));
    if (from_memory) return memory_[static_cast<std::size_t>(place_)];
    Posting posting{disk_offset(), 0};
    std::string_view value = view(iterator_->value());
    if (!value.empty()) (void)bytes::take_varint(value, posting.version);
    return posting;
  }
  [[nodiscard]] Status status() const override {
    if (!iterator_ || iterator_->status().ok()) return {};
    return index_error(iterator_->status(), "reading the index");
  }

 private:
  static bool before(const Posting& posting, std::uint64_t offset) { return posting.offset < offset; }
  [[nodiscard]] bool memory_valid() const {
    return place_ >= 0 && place_ < static_cast<std::ptrdiff_t>(memory_.size());
  }
  [[nodiscard]] bool disk_valid() const { return iterator_ && iterator_->Valid(); }
  [[nodiscard]] std::uint64_t disk_offset() const { return bytes::get_be64(iterator_->key().data() + kTermPrefixBytes); }

  std::vector<Posting> memory_;  // ascending
  std::shared_ptr<rocksdb::DB> db_;
  std::ptrdiff_t place_ = -1;
  bool forward_ = true;
  TenantId tenant_;
  std::uint64_t hash_;
  std::string lower_;
  std::string upper_;
  rocksdb::Slice lower_slice_;
  rocksdb::Slice upper_slice_;
  std::unique_ptr<rocksdb::Iterator> iterator_;
};

}  // namespace

TermIndex::TermIndex(const EngineOptions& options) : postings_max_(options.index_delta_postings_max) {
  deltas_.active = std::make_shared<IndexDelta>(postings_max_);
}

Result<std::unique_ptr<TermIndex>> TermIndex::open(const OpenArguments& arguments, const EngineOptions& options) {
  std::unique_ptr<TermIndex> index(new TermIndex(options));
  if (arguments.directory.empty()) return index;
  index->directory_ = arguments.directory;
  const auto env = std::make_shared<SstCheckingEnv>(options.env);
  rocksdb::Options settings = index_options(options, arguments.cache, env->get());
  rocksdb::DB* db = nullptr;
  rocksdb::Status status;
  if (arguments.read_only) {
    status = rocksdb::DB::OpenForReadOnly(settings, arguments.directory.string(), &db);
  } else {
    settings.create_if_missing = true;
    settings.statistics = rocksdb::CreateDBStatistics();
    settings.statistics->set_stats_level(rocksdb::StatsLevel::kExceptHistogramOrTimers);
    settings.listeners.push_back(std::make_shared<DatabaseListener>(arguments.callbacks));
    status = rocksdb::DB::Open(settings, arguments.directory.string(), &db);
  }
  if (!status.ok()) return index_error(status, fmt::format("opening {}", arguments.directory.string()));
  index->db_ = std::shared_ptr<rocksdb::DB>(db, [env](rocksdb::DB* closed) { delete closed; });  // `env` outlives it
  return index;
}

Result<Offset> TermIndex::covered_on_disk(TenantId tenant) const {
  if (!db_) return Offset{0};
  rocksdb::ReadOptions options;
  options.verify_checksums = true;
  std::string value;
  const rocksdb::Status status = db_->Get(options, posting_key(tenant, 0, 0), &value);
  if (status.IsNotFound()) return Offset{0};
  if (!status.ok()) return index_error(status, "reading the index");
  std::string_view in(value);
  Offset covered;
  if (!bytes::take_varint(in, covered.value)) return Error{ErrorCode::kIndexDamaged, "the covered offset is malformed"};
  return covered;
}

void TermIndex::add(const IndexInput& input) {
  const std::unique_lock lock(mutex_);
  deltas_.active->add(input);
}

bool TermIndex::wants_flush() const {
  const std::shared_lock lock(mutex_);
  return db_ && deltas_.active->posting_count() >= postings_max_;
}

bool TermIndex::seal() {
  const std::unique_lock lock(mutex_);
  if (!db_ || deltas_.sealed || deltas_.active->empty()) return false;
  deltas_.sealed = std::move(deltas_.active);
  deltas_.active = std::make_shared<IndexDelta>(postings_max_);
  return true;
}

std::map<std::uint32_t, std::uint64_t> TermIndex::sealed_covered() const {
  const std::shared_lock lock(mutex_);
  return deltas_.sealed ? deltas_.sealed->covered() : std::map<std::uint32_t, std::uint64_t>{};
}

Status TermIndex::write_sealed() {
  std::shared_ptr<const IndexDelta> sealed;
  {
    const std::shared_lock lock(mutex_);
    sealed = deltas_.sealed;
  }
  if (!sealed) return {};
  if (failpoint::hit("index_ingest_before")) return Error{ErrorCode::kIoError, "index: failed on purpose"};
  const std::string path = (directory_ / "incoming.sst").string();
  const rocksdb::Options settings = db_->GetOptions();
  // A leftover of a crash may be a second name of a live file: drop the name, never truncate the file.
  (void)db_->GetEnv()->DeleteFile(path);
  rocksdb::SstFileWriter writer(rocksdb::EnvOptions(), settings);
  const auto check = [](const rocksdb::Status& status, std::string_view doing) -> Status {
    if (status.ok()) return {};
    return index_error(status, doing);
  };
  BAHI_TRY(check(writer.Open(path), "creating a sorted index file"));
  BAHI_TRY(sealed->for_each_sorted([&](std::string_view key, std::string_view value) {
    return check(writer.Put(rocksdb::Slice(key.data(), key.size()), rocksdb::Slice(value.data(), value.size())),
                 "writing a sorted index file");
  }));
  rocksdb::ExternalSstFileInfo info;
  BAHI_TRY(check(writer.Finish(&info), "finishing a sorted index file"));
  rocksdb::IngestExternalFileOptions ingest;
  ingest.move_files = true;
  ingest.write_global_seqno = false;
  ingest.failed_move_fall_back_to_copy = true;
  BAHI_TRY(check(db_->IngestExternalFile({path}, ingest), "taking in a sorted index file"));
  ingested_bytes_ += info.file_size;
  if (failpoint::hit("index_ingest_after")) return Error{ErrorCode::kIoError, "index: failed on purpose"};
  const std::unique_lock lock(mutex_);
  deltas_.sealed.reset();
  return {};
}

std::vector<Posting> TermIndex::collect_from_memory(TenantId tenant, std::uint64_t hash, std::uint64_t begin,
                                                    std::uint64_t end) const {
  std::vector<Posting> found;
  {
    const std::shared_lock lock(mutex_);
    deltas_.active->collect(tenant, hash, begin, end, found);
    if (deltas_.sealed) deltas_.sealed->collect(tenant, hash, begin, end, found);
  }
  std::reverse(found.begin(), found.end());
  return found;
}

std::unique_ptr<PostingCursor> TermIndex::postings(TenantId tenant, std::uint64_t hash, Offset begin,
                                                   Offset end) const {
  // Memory first: a delta that is taken into the files in between is then seen twice, never missed.
  std::vector<Posting> memory = collect_from_memory(tenant, hash, begin.value, end.value);
  return std::make_unique<MergingPostingCursor>(std::move(memory), db_, tenant, hash, begin, end);
}

Result<std::optional<Offset>> TermIndex::producer_offset(TenantId tenant, const Uuid& id,
                                                         std::uint64_t sequence) const {
  {
    const std::shared_lock lock(mutex_);
    for (const IndexDelta* delta : {static_cast<const IndexDelta*>(deltas_.active.get()), deltas_.sealed.get()}) {
      if (delta == nullptr) continue;
      if (const auto offset = delta->producer_offset(tenant, id, sequence)) return std::optional(Offset{*offset});
    }
  }
  if (!db_) return std::optional<Offset>();
  rocksdb::ReadOptions options;
  options.verify_checksums = true;
  std::string value;
  const auto status = db_->Get(options, producer_key(tenant, producer_hash(id), sequence, id), &value);
  if (status.IsNotFound()) return std::optional<Offset>();
  if (!status.ok()) return index_error(status, "reading the index");
  std::string_view in(value);
  Offset offset;
  if (!bytes::take_varint(in, offset.value)) return Error{ErrorCode::kIndexDamaged, "a producer entry is malformed"};
  return std::optional(offset);
}

Result<std::optional<std::uint64_t>> TermIndex::highest_sequence(TenantId tenant, const Uuid& id) const {
  std::optional<std::uint64_t> highest;
  {
    const std::shared_lock lock(mutex_);
    highest = deltas_.active->highest_sequence(tenant, id);
    if (deltas_.sealed) highest = std::max(highest, deltas_.sealed->highest_sequence(tenant, id));
  }
  if (!db_) return highest;
  rocksdb::ReadOptions options;
  options.prefix_same_as_start = true;
  options.verify_checksums = true;
  const std::unique_ptr<rocksdb::Iterator> iterator(db_->NewIterator(options));
  const std::uint64_t hash = producer_hash(id);
  iterator->SeekForPrev(producer_key(tenant, hash, ~std::uint64_t{0}, {~std::uint64_t{0}, ~std::uint64_t{0}}));
  if (iterator->Valid() && iterator->key().starts_with(posting_key(tenant, hash, 0).substr(0, kTermPrefixBytes))) {
    highest = std::max(highest, std::optional(bytes::get_be64(iterator->key().data() + kTermPrefixBytes)));
  }
  if (!iterator->status().ok()) return index_error(iterator->status(), "reading the index");
  return highest;
}

Status TermIndex::for_each(TenantId tenant, const std::function<void(std::string_view, std::string_view)>& visit) const {
  const std::string prefix = posting_key(tenant, 0, 0).substr(0, sizeof(std::uint32_t));
  const auto visit_delta = [&](std::string_view key, std::string_view value) -> Status {
    if (key.starts_with(prefix) && entry_offset(key, value)) visit(key, value);
    return {};
  };
  std::shared_ptr<const IndexDelta> sealed;
  std::uint64_t memory_begin = ~std::uint64_t{0};
  {
    const std::shared_lock lock(mutex_);
    sealed = deltas_.sealed;
    memory_begin = deltas_.active->begin(tenant).value_or(memory_begin);
    BAHI_TRY(deltas_.active->for_each_sorted(visit_delta));
  }
  // A delta may be taken into the files meanwhile: what memory held is not taken from there again.
  if (sealed) memory_begin = sealed->begin(tenant).value_or(memory_begin);
  if (sealed) BAHI_TRY(sealed->for_each_sorted(visit_delta));
  if (!db_) return {};
  rocksdb::ReadOptions options;
  options.total_order_seek = true;
  options.fill_cache = false;
  options.verify_checksums = true;
  options.readahead_size = std::size_t{2} << 20U;
  const std::unique_ptr<rocksdb::Iterator> iterator(db_->NewIterator(options));
  for (iterator->Seek(prefix); iterator->Valid() && iterator->key().starts_with(prefix); iterator->Next()) {
    const auto offset = entry_offset(view(iterator->key()), view(iterator->value()));
    if (offset && offset->value < memory_begin) visit(view(iterator->key()), view(iterator->value()));
  }
  if (!iterator->status().ok()) return index_error(iterator->status(), "reading the index");
  return {};
}

std::size_t TermIndex::postings_in_memory() const {
  const std::shared_lock lock(mutex_);
  return deltas_.active->posting_count() + (deltas_.sealed ? deltas_.sealed->posting_count() : 0);
}

std::uint64_t TermIndex::file_bytes() const {
  std::uint64_t value = 0;
  if (db_) db_->GetIntProperty(rocksdb::DB::Properties::kTotalSstFilesSize, &value);
  return value;
}

std::uint64_t TermIndex::written_bytes() const { return db_ ? bahi::written_bytes(*db_) + ingested_bytes_ : 0; }

void TermIndex::quiesce() {
  if (db_) rocksdb::CancelAllBackgroundWork(db_.get(), true);
}

}  // namespace bahi
