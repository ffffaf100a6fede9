// The files of a backup directory.
//
//   backup-000001            manifest of backup 1 (backup_manifest.hpp); its presence makes the backup
//   backup-000001-0001.seg   its segments (backup_segment.hpp)
//   LOCK                     held while a backup is taken
//
// A backup's files are written once and never touched again; the manifest comes last. So files of a backup without a
// manifest are what an interrupted one left; the next one deletes them.
#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "backup_manifest.hpp"
#include "bahi/base/result.hpp"

namespace bahi {

class BackupDirectory {
 public:
  /// Reads all manifests and checks that each follows the one before it. A directory that is missing or holds no backup
  /// has none. Errors: kBackupDamaged, kNewerFormat, kPermissionDenied, kIoError.
  [[nodiscard]] static Result<BackupDirectory> read(const std::filesystem::path& directory);

  /// Oldest first.
  [[nodiscard]] const std::vector<BackupManifest>& manifests() const { return manifests_; }
  [[nodiscard]] std::vector<BackupInfo> infos() const;
  /// XXH3-128 of the newest manifest; zeros when there is none.
  [[nodiscard]] const Hash128& newest_hash() const { return newest_hash_; }
  /// Nothing that is not of a backup is in it.
  [[nodiscard]] bool holds_foreign_files() const { return foreign_; }

  [[nodiscard]] std::filesystem::path manifest_path(std::uint64_t number) const;
  [[nodiscard]] std::filesystem::path segment_path(std::uint64_t number, std::size_t segment) const;
  [[nodiscard]] std::filesystem::path lock_path() const { return root_ / "LOCK"; }
  [[nodiscard]] const std::filesystem::path& root() const { return root_; }

  /// The segments are there and have their length.
  Status check_segment_files() const;
  /// Deletes the files of backups that have no manifest.
  Status remove_unfinished() const;
  /// Keeps those up to `number`. kInvalidArgument: there is no such backup.
  Status keep_up_to(std::uint64_t number);

 private:
  Status read_names();
  Status read_manifests();

  std::filesystem::path root_;
  std::vector<BackupManifest> manifests_;
  Hash128 newest_hash_;
  std::uint64_t newest_number_ = 0;                // of a manifest
  std::vector<std::filesystem::path> unfinished_;  // with numbers of theirs beyond newest_number_, or half-written
  bool foreign_ = false;
};

}  // namespace bahi
