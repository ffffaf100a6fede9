// Taking a backup: what the store committed since the last one, into files of its own, and then their manifest.

#include <algorithm>
#include <thread>

#include <fmt/format.h>

#include "backup_directory.hpp"
#include "backup_segment.hpp"
#include "bahi/base/failpoint.hpp"
#include "bahi/base/planted_bug.hpp"
#include "bahi/base/posix_file.hpp"
#include "bahi/base/text.hpp"
#include "bahi/schemas/hash.hpp"

namespace bahi {
namespace {

/// Keeps an average rate.
class Throttle {
 public:
  explicit Throttle(std::uint64_t bytes_per_second_max) : bytes_per_second_(bytes_per_second_max) {}
  /// How long to pause now; 0 or less: not at all.
  [[nodiscard]] std::chrono::nanoseconds pause(std::uint64_t bytes_in_all) const {
    if (bytes_per_second_ == 0) return {};
    const std::chrono::duration<double> due(static_cast<double>(bytes_in_all) / static_cast<double>(bytes_per_second_));
    return std::chrono::duration_cast<std::chrono::nanoseconds>(due) - (Clock::now() - start_);
  }

 private:
  using Clock = std::chrono::steady_clock;
  const std::uint64_t bytes_per_second_;
  const Clock::time_point start_ = Clock::now();
};

/// The store's batch that ends at the mark must be the one that the backup holds.
Status check_held(const Engine& engine, const BackupTenant& held) {
  const auto& [tenant, end, chain] = held.mark;
  const std::string name = held.name.empty() ? fmt::format("{}", tenant.value) : held.name;
  const Offset durable = engine.durable_offset(tenant);
  if (durable < end) {
    return Error{
        ErrorCode::kBackupMismatch,
        fmt::format("tenant {}: the backup holds {} events, the store only {}: it is of another history, or was "
                    "restored to an earlier point; back up into another directory",
                    name, end.value, durable.value)};
  }
  BAHI_ASSIGN(const auto cursor, engine.read_batches(tenant, end - 1, end, Direction::kForward, 1));
  BAHI_ASSIGN(const bool found, cursor->next());
  if (found && cursor->header().next_offset() == end && cursor->header().chain_hash == chain) return {};
  return Error{
      ErrorCode::kBackupMismatch,
      fmt::format("tenant {}: the backup's events up to offset {} are not those of the store (chain hash {}, "
                  "in the store {}): one of them went on from an earlier point; back up into another directory",
                  name, end.value - 1, format_hash(chain), found ? format_hash(cursor->header().chain_hash) : "none")};
}

class BackupRun {
 public:
  BackupRun(const Engine& engine, const BackupDirectory& directory, const BackupOptions& options)
      : engine_(engine), directory_(directory), options_(options), throttle_(options.bytes_per_second_max) {
    const auto infos = directory.infos();
    for (BackupTenant& tenant : tenants_held(infos)) reached_.emplace(tenant.mark.tenant, tenant.mark);
    for (const BackupInfo& info : infos) bytes_before_ += info.bytes;
    manifest_.info.store_id = engine.store_id();
    manifest_.info.number = infos.size() + 1;
    manifest_.info.taken_at = options.clock->now();
    manifest_.previous = directory.newest_hash();
  }
  BackupRun(const BackupRun&) = delete;
  BackupRun& operator=(const BackupRun&) = delete;
  ~BackupRun() {
    if (done_) return;
    std::error_code ignored;
    for (std::size_t i = 1; i <= segments_begun_; ++i) {
      std::filesystem::remove(directory_.segment_path(manifest_.info.number, i), ignored);
    }
  }

  Result<BackupOutcome> run() {
    BAHI_TRY(copy());
    if (manifest_.info.batches == 0 && !directory_.manifests().empty()) {
      return BackupOutcome{false, directory_.manifests().back().info};
    }
    name_tenants();
    manifest_.info.segments = manifest_.segments.size();
    if (failpoint::hit("backup_before_manifest"))
      return Error{ErrorCode::kIoError, "backup_before_manifest: failed on purpose"};
    BAHI_TRY(sync_directory(directory_.root()));  // the names of the segments
    BAHI_TRY(write_file_atomically(directory_.manifest_path(manifest_.info.number), encode_manifest(manifest_)));
    done_ = true;
    (void)failpoint::hit("backup_after_manifest");
    return BackupOutcome{true, manifest_.info};
  }

 private:
  Status copy() {
    BAHI_ASSIGN(const auto cursor, engine_.read_commits(last_held()));
    BAHI_ASSIGN(total_, bytes_to_come());
    for (;;) {
      BAHI_ASSIGN(const bool more, cursor->next());
      if (!more) break;
      if (options_.stop && options_.stop())
        return Error{ErrorCode::kCancelled, "the backup was stopped; those before it are as they were"};
      BAHI_TRY(take(cursor->header(), cursor->stored()));
      wait_for_turn();
      if (options_.progress) options_.progress(manifest_.info.bytes, std::max(total_, manifest_.info.bytes));
    }
    return finish_segment();
  }

  /// The last batch of all that the directory holds.
  [[nodiscard]] std::optional<TenantMark> last_held() const {
    const auto& manifests = directory_.manifests();
    const auto newest =
        std::find_if(manifests.rbegin(), manifests.rend(), [](const auto& m) { return m.last_tenant.has_value(); });
    if (newest == manifests.rend()) return std::nullopt;
    const auto found = reached_.find(*newest->last_tenant);
    return found == reached_.end() ? std::nullopt : std::optional(found->second);
  }

  [[nodiscard]] Result<std::uint64_t> bytes_to_come() const {
    BAHI_ASSIGN(std::uint64_t stored, engine_.stored_bytes(kSystemTenant));
    for (const TenantInfo& tenant : engine_.tenants()) {
      BAHI_ASSIGN(const std::uint64_t bytes, engine_.stored_bytes(tenant.id));
      stored += bytes;
    }
    return stored - std::min(stored, bytes_before_);
  }

  Status take(const BatchHeader& header, std::string_view stored) {
    TenantMark& reached = reached_[header.tenant];
    if (header.first_offset != reached.next_offset || header.previous_hash != reached.chain_hash) {
      return Error{ErrorCode::kCorruptLog,
                   fmt::format("tenant {}: the batch at offset {} does not follow the one before it, which ends at "
                               "offset {}; `bahi verify` tells more",
                               header.tenant.value, header.first_offset.value, reached.next_offset.value)};
    }
    if (xxh3_128(stored_body(header, stored)) != header.body_hash) {
      return Error{ErrorCode::kCorruptLog, fmt::format("tenant {}: the batch at offset {} fails its checksum",
                                                       header.tenant.value, header.first_offset.value)};
    }
    if (segment_ && segment_->bytes() + stored.size() > options_.segment_bytes_max) BAHI_TRY(finish_segment());
    if (!segment_) BAHI_TRY(begin_segment());
    BAHI_TRY(segment_->add(stored));
    reached = {header.tenant, header.next_offset(), header.chain_hash};
    news_[header.tenant] = reached;
    manifest_.last_tenant = header.tenant;
    ++manifest_.info.batches;
    manifest_.info.events += header.event_count;
    manifest_.info.bytes += stored.size();
    return {};
  }

  void wait_for_turn() const {
    constexpr std::chrono::nanoseconds kSliceMax = std::chrono::milliseconds(50);
    const auto stopped = [this] { return options_.stop && options_.stop(); };
    for (auto left = throttle_.pause(manifest_.info.bytes); left.count() > 0 && !stopped();
         left = throttle_.pause(manifest_.info.bytes)) {
      std::this_thread::sleep_for(std::min(left, kSliceMax));
    }
  }

  Status check_free_space() const {
    std::error_code error;
    const auto space = std::filesystem::space(directory_.root(), error);
    if (error) return from_errno(error.value(), "looking at the free space of", directory_.root());
    const std::uint64_t left = total_ - std::min(total_, manifest_.info.bytes);
    const std::uint64_t wanted = options_.free_bytes_min + std::min<std::uint64_t>(left, options_.segment_bytes_max);
    if (space.available >= wanted) return {};
    return Error{ErrorCode::kDiskFull,
                 fmt::format("{} has {} bytes free, {} are wanted for the next segment and as a reserve; the backups "
                             "there before are as they were",
                             directory_.root().string(), space.available, wanted)};
  }

  Status begin_segment() {
    BAHI_TRY(check_free_space());
    const std::uint64_t backup = manifest_.info.number;
    ++segments_begun_;
    BAHI_ASSIGN(segment_,
                SegmentWriter::create(directory_.segment_path(backup, segments_begun_),
                                      {manifest_.info.store_id, backup, static_cast<std::uint32_t>(segments_begun_)}));
    return {};
  }

  Status finish_segment() {
    if (!segment_) return {};
    BAHI_ASSIGN(const SegmentEntry entry, segment_->finish());
    manifest_.segments.push_back(entry);
    segment_.reset();
    return {};
  }

  void name_tenants() {
    std::map<TenantId, std::string> names{{kSystemTenant, "system"}};
    for (TenantInfo& tenant : engine_.tenants()) names.emplace(tenant.id, std::move(tenant.name));
    for (const auto& [id, mark] : news_) manifest_.info.tenants.push_back({mark, names[id]});
  }

  const Engine& engine_;
  const BackupDirectory& directory_;
  const BackupOptions& options_;
  const Throttle throttle_;
  BackupManifest manifest_;
  std::map<TenantId, TenantMark> reached_;
  std::map<TenantId, TenantMark> news_;
  std::uint64_t bytes_before_ = 0;
  std::uint64_t total_ = 0;  // bytes that this backup will have, about
  std::optional<SegmentWriter> segment_;
  std::size_t segments_begun_ = 0;
  bool done_ = false;
};

Status check_directory(const Engine& engine, const BackupDirectory& directory) {
  if (directory.manifests().empty()) {
    if (!directory.holds_foreign_files()) return {};
    return Error{ErrorCode::kNotABackup,
                 fmt::format("{} is not empty and holds no backup; name another directory", directory.root().string())};
  }
  const Uuid& backed_up = directory.manifests().front().info.store_id;
  if (backed_up != engine.store_id()) {
    return Error{ErrorCode::kBackupMismatch,
                 fmt::format("{} holds backups of store {}, this is store {}; back up into another directory",
                             directory.root().string(), format_uuid(backed_up), format_uuid(engine.store_id()))};
  }
  BAHI_TRY(directory.check_segment_files());
  for (const BackupTenant& held : tenants_held(directory.infos())) BAHI_TRY(check_held(engine, held));
  return {};
}

}  // namespace

Result<BackupOutcome> create_backup(const Engine& engine, const std::filesystem::path& directory,
                                    const BackupOptions& options) {
  if (engine.store_id().is_nil()) {
    return Error{ErrorCode::kInvalidArgument, "only a store in a directory can be backed up"};
  }
  std::error_code error;
  const bool made = std::filesystem::create_directories(directory, error);
  if (error) return from_errno(error.value(), "creating", directory);
  BAHI_ASSIGN(const BackupDirectory before, BackupDirectory::read(directory));
  BAHI_TRY(check_directory(engine, before));
  BAHI_ASSIGN(const StoreLock lock, StoreLock::acquire(before.lock_path()));
  // Another run may have ended before we held the lock.
  BAHI_ASSIGN(const BackupDirectory backups, BackupDirectory::read(directory));
  BAHI_TRY(check_directory(engine, backups));
  if (!planted(PlantedBug::kKeepUnfinished)) BAHI_TRY(backups.remove_unfinished());
  if (made) {
    const std::filesystem::path parent = std::filesystem::absolute(directory).parent_path();
    BAHI_TRY(sync_directory(parent));
  }
  return BackupRun(engine, backups, options).run();
}

}  // namespace bahi
