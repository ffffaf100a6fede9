// Accepting a loss: docs/crash_safety.md, "When data is missing".

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "bahi/base/text.hpp"
#include "engine_impl.hpp"

namespace bahi {
namespace {

constexpr std::string_view kStream = "recovery-store";
constexpr std::string_view kLossAccepted = "bahi.loss-accepted";
constexpr std::size_t kNameBytesMax = 256;

/// What the anchor promised, or why it cannot be used.
Result<HeadAnchor::Contents> read_promises(const StorePaths& paths, const Uuid& store_id) {
  BAHI_ASSIGN(HeadAnchor::Contents contents, HeadAnchor::read(paths.anchor()));
  if (contents.record.store_id == store_id) return contents;
  return Error{ErrorCode::kAnchorDamaged, fmt::format("{} belongs to another store", paths.anchor().string())};
}

/// Where the log departs from what was promised; none: it does not.
Result<std::optional<Offset>> first_lost(const LogStore& store, const TenantMark& promise, Offset held) {
  if (promise.next_offset.value == 0) return std::optional<Offset>();
  if (held < promise.next_offset) return std::optional(held);
  const auto cursor = store.cursor(promise.tenant, CacheUse::kFill);
  cursor->seek(promise.next_offset - 1);
  BAHI_TRY(cursor->status());
  if (!cursor->valid()) return Error{ErrorCode::kCorruptLog, "the log cannot be read at its end"};
  BAHI_ASSIGN(const BatchHeader header, decode_batch_header(cursor->stored()));
  const bool same = header.next_offset() == promise.next_offset && header.chain_hash == promise.chain_hash;
  return same ? std::optional<Offset>() : std::optional(header.first_offset);
}

/// A second name for a file that nobody writes to any more.
Status link_or_copy(const std::filesystem::path& from, const std::filesystem::path& to) {
  std::error_code error;
  std::filesystem::create_hard_link(from, to, error);
  if (error) std::filesystem::copy_file(from, to, error);  // not every file system has links
  if (error) return from_errno(error.value(), "keeping", from);
  return {};
}

/// Keeps a second name of every file of the log that recovery by RocksDB may delete, and moves away those that its
/// MANIFEST does not name: RocksDB would delete them, or write new files under their names.
Status keep_files(const std::filesystem::path& log, const std::set<std::string>& live,
                  const std::filesystem::path& kept) {
  std::error_code error;
  std::filesystem::create_directories(kept / "log", error);
  if (error) return from_errno(error.value(), "creating", kept);
  BAHI_ASSIGN(const ManifestMark manifest, read_manifest_mark(log));
  const std::string manifest_name = fmt::format("MANIFEST-{:06}", manifest.number);
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(log)) files.push_back(entry.path());
  for (const std::filesystem::path& path : files) {
    const std::string name = path.filename().string();
    const bool sorted = path.extension() == ".sst";
    if (name == "LOCK" || name.starts_with("LOG") || (sorted && live.contains(name))) continue;
    if (sorted || (name.starts_with("MANIFEST-") && name != manifest_name)) {
      std::filesystem::rename(path, kept / "log" / name, error);
      if (error) return from_errno(error.value(), "keeping", path);
    } else {
      BAHI_TRY(link_or_copy(path, kept / "log" / name));
    }
  }
  BAHI_TRY(sync_directory(log));
  BAHI_TRY(sync_directory(kept / "log"));
  return sync_directory(kept);
}

/// Only numbers, hashes and names of tenants, none of which needs an escape.
std::string describe(const RecoverReport& report) {
  std::string tenants;
  for (const TenantRecovery& tenant : report.tenants) {
    tenants +=
        fmt::format(R"({}{{"tenant":{},"name":"{}","held":{},"held_chain_hash":"{}")", tenants.empty() ? "" : ",",
                    tenant.tenant.value, tenant.name, tenant.held.value, format_hash(tenant.held_hash));
    if (tenant.promised) {
      tenants += fmt::format(R"(,"promised":{},"expected_chain_hash":"{}")", tenant.promised->value,
                             format_hash(tenant.promised_hash));
    }
    if (tenant.first_lost) tenants += fmt::format(R"(,"first_lost_offset":{})", tenant.first_lost->value);
    tenants += '}';
  }
  return fmt::format(R"({{"refused_as":"{}","anchor_usable":{},"tenants":[{}]}})", report.refusal->info().name,
                     report.anchor_usable, tenants);
}

}  // namespace

Result<RecoverReport> Engine::Impl::recover(const std::filesystem::path& directory, const RecoverOptions& recover) {
  if (recover.accept_loss && (recover.accepted_by.empty() || recover.accepted_by.size() > kNameBytesMax ||
                              !is_printable_utf8(recover.accepted_by))) {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("accepted_by: 1 to {} bytes of UTF-8 that say who accepts the loss", kNameBytesMax)};
  }
  options_.read_only = false;
  options_.create_if_missing = false;
  on_disk_ = true;
  paths_ = StorePaths(directory);
  block_cache_ = rocksdb::NewLRUCache(options_.block_cache_bytes);
  BAHI_ASSIGN(const bool exists, check_store_directory(paths_));
  if (!exists) return Error{ErrorCode::kStoreMissing, fmt::format("{} holds no store", directory.string())};
  BAHI_ASSIGN(lock_, StoreLock::acquire(paths_.lock()));
  BAHI_ASSIGN(const Uuid store_id, read_store_id(paths_));
  const auto promises = read_promises(paths_, store_id);
  if (!promises && promises.error().code() != ErrorCode::kAnchorDamaged) return promises.error();
  std::set<std::string> live;
  BAHI_ASSIGN(RecoverReport report, compare_with(promises, live));
  if (!report.refusal || !recover.accept_loss) return report;

  report.kept = paths_.root / "lost" / format_timestamp(options_.clock->now());
  BAHI_TRY(keep_files(paths_.log(), live, report.kept));
  if (std::filesystem::exists(paths_.anchor())) {
    BAHI_TRY(link_or_copy(paths_.anchor(), report.kept / "ANCHOR"));
  }
  BAHI_TRY(sync_directory(paths_.root / "lost"));
  BAHI_TRY(sync_directory(paths_.root));

  // Everything happens under another anchor: until it takes the place of the old one, at the very end, the store is
  // refused as before, so no crash leaves a store that opens and does not say what was lost.
  const std::filesystem::path anchor = paths_.anchor();
  paths_.anchor_name = "ANCHOR.new";
  BAHI_TRY(write_accepted_anchor(store_id, report.tenants));
  options_.rebuild_index = true;  // it may know events that are lost, or another history
  BAHI_TRY(open_read_write());
  BAHI_TRY(record_acceptance(recover.accepted_by, describe(report)));
  const std::filesystem::path accepted = paths_.anchor();
  const StoreLock lock = std::move(lock_);  // beyond the end of the engine
  BAHI_TRY(close());
  std::error_code error;
  std::filesystem::rename(accepted, anchor, error);
  if (error) return from_errno(error.value(), "renaming", accepted);
  BAHI_TRY(sync_directory(paths_.root));
  report.accepted = true;
  return report;
}

Result<RecoverReport> Engine::Impl::compare_with(const Result<HeadAnchor::Contents>& promises,
                                                 std::set<std::string>& live) {
  RecoverReport report;
  report.anchor_usable = promises.has_value();
  if (!promises) report.refusal = promises.error();
  const bool marks_bind = promises && (promises->record.state == StoreRecord::State::kOpen ||
                                       promises->record.state == StoreRecord::State::kClosed);
  if (marks_bind) {
    const Status manifest = check_manifest(paths_.log(), promises->record.log_manifest);
    if (!manifest) report.refusal = manifest.error();
  }
  BAHI_TRY(open_log(RocksDbLogStore::Mode::kReadOnly));
  live = rocksdb_store_->live_files();
  BAHI_TRY(load_tails());
  // A gap in the middle cannot be accepted: what lies behind it would have to be deleted.
  if (const Status whole = check_whole_log(*store_); !whole) {
    return Error{ErrorCode::kCorruptLog, whole.error().message()};
  }
  reader_ = std::make_unique<LogReader>(*store_, nullptr, options_.batch_cache_bytes);
  BAHI_TRY(load_tenant_names());
  if (promises) {
    ensure_states(static_cast<std::uint32_t>(promises->tenants.size()));
    const Status marks = check_marks(*store_, promises->tenants);
    if (!marks) report.refusal = marks.error();
  }
  for (const auto& state : states_) {
    TenantRecovery tenant;
    tenant.tenant = state->id;
    for (const auto& [name, id] : names_) {
      if (id == state->id) tenant.name = name;
    }
    tenant.held = state->next_offset;
    tenant.held_hash = state->chain_hash;
    if (promises && state->id.value < promises->tenants.size()) {
      const TenantMark& promise = promises->tenants[state->id.value];
      tenant.promised = promise.next_offset;
      tenant.promised_hash = promise.chain_hash;
      BAHI_ASSIGN(tenant.first_lost, first_lost(*store_, promise, tenant.held));
    }
    report.tenants.push_back(std::move(tenant));
  }
  reader_.reset();
  store_.reset();
  states_.clear();
  return report;
}

Status Engine::Impl::write_accepted_anchor(const Uuid& store_id, const std::vector<TenantRecovery>& tenants) {
  BAHI_ASSIGN(const auto anchor, HeadAnchor::create(paths_.anchor(), store_id));
  BAHI_TRY(anchor->ensure_tenants(static_cast<std::uint32_t>(tenants.size())));
  std::vector<TenantMark> marks;
  for (const TenantRecovery& tenant : tenants) marks.push_back({tenant.tenant, tenant.held, tenant.held_hash});
  BAHI_TRY(anchor->publish(marks));
  StoreRecord record = anchor->record();
  record.state = StoreRecord::State::kOpening;  // the marks of tenants bind, those of MANIFEST files do not
  return anchor->update_record(record);
}

Status Engine::Impl::record_acceptance(const std::string& accepted_by, const std::string& data) {
  BatchBuilder builder({Codec::kNone, 0});
  NewEvent event;
  event.stream = kStream;
  event.type = kLossAccepted;
  event.data = data;
  event.occurred_at = options_.clock->now();
  event.metadata.actor = accepted_by;
  BAHI_TRY(builder.add(event));
  AppendRequest request;
  request.tenant = kSystemTenant;
  BAHI_ASSIGN(request.body, builder.finish());
  const auto answer = pipeline_->append(state(kSystemTenant), std::move(request));
  return answer ? Status{} : Status{answer.error()};
}

}  // namespace bahi
