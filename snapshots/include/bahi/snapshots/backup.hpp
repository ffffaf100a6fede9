// Backups of a store: its log, copied batch by batch while writers go on, into a directory that any machine can
// restore.
//
// A backup directory holds numbered backups. Each holds what was committed since the one before it, so the newest one
// and all before it together are the log of the moment at which the newest was taken: a prefix of the store's history
// over all tenants, and with the system tenant's log also tenants, credentials and the list of read models. What is
// derived (index, state of read models) is not in it. docs/on_disk_format.md has the files byte for byte, ADR 20 the
// reasons.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "bahi/base/clock.hpp"
#include "bahi/base/result.hpp"
#include "bahi/engine/engine.hpp"
#include "bahi/engine/tenant_mark.hpp"
#include "bahi/schemas/decoded_batch.hpp"

namespace bahi {

/// How far a backup holds a tenant's log.
struct BackupTenant {
  TenantMark mark;
  std::string name;  ///< empty: the log does not say
};

/// One backup of a directory.
struct BackupInfo {
  Uuid store_id;
  std::uint64_t number = 0;  ///< from 1
  Timestamp taken_at;
  std::uint64_t batches = 0;  ///< new in this backup, as are the next four
  std::uint64_t events = 0;
  std::uint64_t bytes = 0;
  std::uint64_t segments = 0;
  std::vector<BackupTenant> tenants;  ///< by identifier
};

/// What all backups up to and with the last of `backups` hold of each tenant, by identifier.
[[nodiscard]] std::vector<BackupTenant> tenants_held(const std::vector<BackupInfo>& backups);

struct BackupOptions {
  std::size_t segment_bytes_max = std::size_t{256} << 20U;  ///< of one file; a single batch may exceed it
  std::uint64_t bytes_per_second_max = 0;                   ///< 0: as fast as it goes
  /// Left free on the directory's file system, which may be the store's too.
  std::uint64_t free_bytes_min = std::uint64_t{256} << 20U;
  Progress progress;           ///< in bytes; may be empty
  std::function<bool()> stop;  ///< asked between batches; may be empty
  const Clock* clock = &SystemClock::instance();
};

struct BackupOutcome {
  bool news = true;  ///< false: everything was in the backup already, nothing was written
  BackupInfo info;   ///< the newest backup
};

/// Takes the next backup of `engine`'s store into `directory`, which is made if it is missing. What is durable when it
/// begins is in it; appends go on meanwhile. Durable when it returns; on an error, or when the process dies, the
/// backups that were there before are as they were. Checks every batch it copies, and that the store still holds what
/// the backup holds. Errors: kNotABackup, kBackupDamaged, kBackupMismatch, kDirectoryInUse (another backup is being
/// taken), kCorruptLog, kCancelled, kDiskFull, kPermissionDenied, kIoError; kInvalidArgument for an engine in memory.
[[nodiscard]] Result<BackupOutcome> create_backup(const Engine& engine, const std::filesystem::path& directory,
                                                  const BackupOptions& options);

/// The backups of the directory, oldest first; at least one. Reads the manifests only.
/// Errors: kNotABackup, kBackupDamaged, kNewerFormat, kPermissionDenied, kIoError.
[[nodiscard]] Result<std::vector<BackupInfo>> list_backups(const std::filesystem::path& directory);

/// A check against something outside of the backup, such as a signed checkpoint. Called on one thread.
class BackupCheck {
 public:
  BackupCheck() = default;
  BackupCheck(const BackupCheck&) = delete;
  BackupCheck& operator=(const BackupCheck&) = delete;
  virtual ~BackupCheck() = default;
  /// Each batch, in the order of commits. An error refuses the backup.
  virtual Status batch(const DecodedBatch& batch) = 0;
  /// After the last batch.
  virtual Status end() = 0;
};

struct VerifyBackupOptions {
  std::optional<std::uint64_t> backup;  ///< only up to this one; none: all
  Progress progress;                    ///< in bytes
  std::function<bool()> stop;
  BackupCheck* check = nullptr;  ///< may be null
};

struct BackupReport {
  std::uint64_t backups = 0;  ///< that are whole
  std::uint64_t segments = 0;
  std::uint64_t batches = 0;
  std::uint64_t events = 0;
  std::uint64_t bytes = 0;
  std::vector<BackupTenant> tenants;  ///< as far as the whole ones go
  std::optional<Error> damage;        ///< the first that was found; nothing behind it was looked at
};

/// Reads every byte: checksums, the batches' contents, each tenant's chain, and what the manifests promise. An error
/// means that the check could not run.
[[nodiscard]] Result<BackupReport> verify_backup(const std::filesystem::path& directory,
                                                 const VerifyBackupOptions& options);

struct RestoreOptions {
  std::optional<std::uint64_t> backup;  ///< to the moment of this one; none: the newest
  /// Tenants, by name, whose log is to end before this offset; the others are restored whole. An offset must be one at
  /// which a batch ends, since a batch was stored as one.
  std::map<std::string, Offset> ends;
  Progress progress;  ///< in bytes
  std::function<bool()> stop;
  BackupCheck* check = nullptr;  ///< may be null
  EngineOptions engine;          ///< buffers of the log while it is written
};

struct RestoreReport {
  BackupInfo from;
  std::uint64_t batches = 0;
  std::uint64_t events = 0;
  std::uint64_t bytes = 0;
  std::vector<BackupTenant> tenants;  ///< what the new store holds
};

/// Makes a store in `into`, which must be new or empty (or hold what an interrupted restore left), and keeps the
/// identity of the one that was backed up. Everything is verified on the way; the directory becomes a store at the very
/// end. On an error it is left empty. Its index and read models are built when it is opened. Errors: those of
/// list_backups, kBackupDamaged, kDirectoryNotEmpty, kDirectoryInUse, kUnknownTenant, kOffsetOutOfRange,
/// kInvalidArgument (an offset inside a batch, a backup that there is not), kCancelled, kDiskFull, kIoError.
[[nodiscard]] Result<RestoreReport> restore_backup(const std::filesystem::path& directory,
                                                   const std::filesystem::path& into, const RestoreOptions& options);

}  // namespace bahi
