#include "bahi/engine/store_copy.hpp"

#include <map>
#include <set>
#include <string>

#include <fmt/format.h>

#include "bahi/base/failpoint.hpp"
#include "bahi/base/planted_bug.hpp"
#include "bahi/base/posix_file.hpp"
#include "bahi/schemas/batch_header.hpp"
#include "head_anchor.hpp"
#include "rocksdb_log_store.hpp"
#include "store_files.hpp"

namespace bahi {
namespace {

/// What the directory holds, by name. A missing directory holds nothing.
Result<std::set<std::string>> names_in(const std::filesystem::path& directory) {
  std::set<std::string> names;
  std::error_code error;
  const auto status = std::filesystem::status(directory, error);
  if (status.type() == std::filesystem::file_type::not_found) return names;
  if (!error && !std::filesystem::is_directory(status)) {
    return Error{ErrorCode::kDirectoryNotEmpty, fmt::format("{} is not a directory", directory.string())};
  }
  for (auto entry = std::filesystem::directory_iterator(directory, error);
       !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    names.insert(entry->path().filename().string());
  }
  if (error) return from_errno(error.value(), "listing", directory);
  return names;
}

/// Whether a copy may begin in a directory that holds these names.
Status check_target(const StorePaths& paths) {
  BAHI_ASSIGN(std::set<std::string> names, names_in(paths.root));
  const bool unfinished = names.contains(paths.restoring_marker().filename().string());
  names.erase("LOCK");
  names.erase("BAHI.restoring.new");
  if (unfinished) {
    for (const char* name : {"BAHI.restoring", "ANCHOR", "log"}) names.erase(name);
  }
  if (names.empty()) return {};
  return Error{ErrorCode::kDirectoryNotEmpty,
               fmt::format("{} is not empty ({}{}); name a new directory, or empty this one", paths.root.string(),
                           *names.begin(), names.size() > 1 ? ", …" : "")};
}

Status delete_all(const std::filesystem::path& path) {
  std::error_code error;
  std::filesystem::remove_all(path, error);
  if (error) return from_errno(error.value(), "removing", path);
  return {};
}

/// What a copy writes besides its marker.
Status remove_copied(const StorePaths& paths) {
  BAHI_TRY(delete_all(paths.log()));
  return delete_all(paths.anchor());
}

}  // namespace

class StoreCopy::Impl {
 public:
  Impl(const std::filesystem::path& directory, const Uuid& store_id, EngineOptions options)
      : paths_(directory), store_id_(store_id), options_(std::move(options)) {}

  Status begin() {
    BAHI_TRY(check_target(paths_));
    std::error_code error;
    std::filesystem::create_directories(paths_.root, error);
    if (error) return from_errno(error.value(), "creating", paths_.root);
    BAHI_ASSIGN(lock_, StoreLock::acquire(paths_.lock()));
    BAHI_TRY(check_target(paths_));  // another process may have written to it before we held the lock
    // Comes before everything else, so that nothing here is ever mistaken for a store, or for somebody's files.
    BAHI_TRY(write_store_marker(paths_.restoring_marker(), store_id_));
    if (planted(PlantedBug::kMarkerFirst)) BAHI_TRY(write_store_marker(paths_.marker(), store_id_));
    begun_ = true;
    BAHI_TRY(remove_copied(paths_));
    RocksDbLogStore::OpenArguments arguments;
    arguments.directory = paths_.log();
    arguments.direct_flush = takes_direct_io(paths_.restoring_marker());
    arguments.without_wal = true;
    arguments.cache = rocksdb::NewLRUCache(std::size_t{1} << 20U);  // nothing is read
    arguments.callbacks.failed = [](const rocksdb::Status&) {};     // the next append or flush tells
    arguments.callbacks.files_changed = [] {};
    options_.create_if_missing = true;
    BAHI_ASSIGN(store_, RocksDbLogStore::open(arguments, options_));
    return {};
  }

  Status add(std::string_view stored) {
    if (failpoint::hit("store_copy_batch")) return Error{ErrorCode::kIoError, "store_copy_batch: failed on purpose"};
    BAHI_ASSIGN(const BatchHeader header, decode_batch_header(stored));
    Tenant& tenant = tenants_[header.tenant];
    if (header.first_offset != tenant.next_offset || header.previous_hash != tenant.chain_hash) {
      return Error{ErrorCode::kCorruptLog,
                   fmt::format("tenant {}: the batch at offset {} does not follow the one that ends at offset {}",
                               header.tenant.value, header.first_offset.value, tenant.next_offset.value)};
    }
    tenant.stored_bytes += stored.size();
    const std::size_t header_bytes = kBatchHeaderBytes + header.version_bytes;
    const LogRecord record{header.tenant,
                           header.first_offset,
                           header.last_offset(),
                           stored.substr(0, header_bytes),
                           stored.substr(header_bytes),
                           tenant.stored_bytes};
    BAHI_TRY(store_->append({&record, 1}));
    tenant.next_offset = header.next_offset();
    tenant.chain_hash = header.chain_hash;
    return {};
  }

  Status finish() {
    BAHI_TRY(store_->flush());
    store_->quiesce();
    store_.reset();
    BAHI_TRY(sync_directory(paths_.log()));
    BAHI_TRY(write_anchor());
    if (failpoint::hit("store_copy_finish")) return Error{ErrorCode::kIoError, "store_copy_finish: failed on purpose"};
    std::error_code error;
    std::filesystem::rename(paths_.restoring_marker(), paths_.marker(), error);
    if (error) return from_errno(error.value(), "renaming", paths_.restoring_marker());
    begun_ = false;
    BAHI_TRY(sync_directory(paths_.root));
    lock_ = StoreLock();
    const std::filesystem::path parent = paths_.root.parent_path();
    return sync_directory(parent.empty() ? "." : parent);
  }

  void abandon() {
    store_.reset();
    // The marker goes last: whatever is left before that is known as the rest of a copy.
    if (begun_ && remove_copied(paths_)) {
      (void)delete_all(paths_.restoring_marker());
      (void)delete_all(paths_.lock());
    }
  }

  [[nodiscard]] std::vector<TenantMark> marks() const {
    std::vector<TenantMark> marks;
    for (const auto& [id, tenant] : tenants_) marks.push_back({id, tenant.next_offset, tenant.chain_hash});
    return marks;
  }

 private:
  struct Tenant {
    Offset next_offset;
    Hash128 chain_hash;
    std::uint64_t stored_bytes = 0;
  };

  /// The anchor of a store that was closed in this state.
  Status write_anchor() {
    BAHI_ASSIGN(const auto anchor, HeadAnchor::create(paths_.anchor(), store_id_));
    const std::vector<TenantMark> reached = marks();
    if (!reached.empty()) BAHI_TRY(anchor->ensure_tenants(reached.back().tenant.value + 1));
    BAHI_TRY(anchor->publish(reached));
    BAHI_TRY(anchor->sync());
    StoreRecord record = anchor->record();
    record.state = StoreRecord::State::kClosed;
    BAHI_ASSIGN(record.log_manifest, read_manifest_mark(paths_.log()));
    return anchor->update_record(record);
  }

  StorePaths paths_;
  Uuid store_id_;
  EngineOptions options_;
  StoreLock lock_;
  std::unique_ptr<RocksDbLogStore> store_;
  std::map<TenantId, Tenant> tenants_;
  bool begun_ = false;  // the directory holds the marker of a copy
};

StoreCopy::StoreCopy(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

StoreCopy::~StoreCopy() {
  impl_->abandon();
}

Result<std::unique_ptr<StoreCopy>> StoreCopy::begin(const std::filesystem::path& directory, const Uuid& store_id,
                                                    const EngineOptions& options) {
  std::unique_ptr<StoreCopy> copy(new StoreCopy(std::make_unique<Impl>(directory, store_id, options)));
  BAHI_TRY(copy->impl_->begin());
  return copy;
}

Status StoreCopy::add(std::string_view stored) {
  return impl_->add(stored);
}
Status StoreCopy::finish() {
  return impl_->finish();
}
std::vector<TenantMark> StoreCopy::marks() const {
  return impl_->marks();
}

}  // namespace bahi
