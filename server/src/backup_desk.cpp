#include "backup_desk.hpp"

#include <fmt/format.h>

#include "bahi/snapshots/backup.hpp"

namespace bahi::server {

Result<wire::BackupCreated> BackupDesk::create(std::uint64_t bytes_per_second_max) {
  if (directory_.empty()) {
    return Error{ErrorCode::kInvalidArgument,
                 "this server has no directory for backups; start it with --backup-dir DIR"};
  }
  if (busy_.exchange(true)) return Error{ErrorCode::kOverloaded, "a backup is being taken already"};
  BackupOptions options;
  options.bytes_per_second_max = bytes_per_second_max;
  options.stop = [this] { return stopping_.load(std::memory_order_relaxed); };
  auto taken = create_backup(engine_, directory_, options);
  busy_.store(false);
  if (!taken) {
    if (log_) log_(LogLevel::kError, "the backup failed: " + taken.error().to_string());
    return taken.error();
  }
  const BackupInfo& info = taken->info;
  if (!taken->news) return wire::BackupCreated{false, info.number, directory_.string(), 0, 0, 0};
  if (log_) {
    log_(LogLevel::kInfo, fmt::format("backup {} in {}: {} events, {} bytes", info.number, directory_.string(),
                                      info.events, info.bytes));
  }
  return wire::BackupCreated{true, info.number, directory_.string(), info.batches, info.events, info.bytes};
}

}  // namespace bahi::server
