// Reads backups back, batch by batch, and checks everything on the way.
#pragma once

#include <map>
#include <memory>
#include <optional>

#include "backup_directory.hpp"
#include "backup_segment.hpp"
#include "bahi/schemas/decoded_batch.hpp"

namespace bahi {

/// Not thread-safe. `directory` must outlive it.
class BackupReader {
 public:
  explicit BackupReader(const BackupDirectory& directory) : directory_(directory) {}

  /// Moves to the next batch, in the order of commits, over all backups. False: there is no more, and every backup
  /// holds what its manifest says. Errors: kBackupDamaged, kNewerFormat, kIoError.
  [[nodiscard]] Result<bool> next();
  /// Header and body as they were stored; holds until `next`.
  [[nodiscard]] std::string_view stored() const { return segment_->stored(); }
  [[nodiscard]] const DecodedBatch& batch() const { return *batch_; }

  /// Backups that were read to their end.
  [[nodiscard]] std::size_t backups_whole() const { return backup_; }
  [[nodiscard]] std::uint64_t segments_whole() const { return segments_whole_; }
  /// Bytes of batches read, and of all there are.
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }
  [[nodiscard]] std::uint64_t bytes_total() const;

 private:
  Status open_segment();
  Status check_batch();
  /// The current backup has been read: it must be what its manifest says.
  Status check_backup() const;

  struct Counts {
    std::uint64_t batches = 0;
    std::uint64_t events = 0;
    std::uint64_t bytes = 0;
    bool operator==(const Counts&) const = default;
  };

  const BackupDirectory& directory_;
  std::size_t backup_ = 0;        // index of the current one
  std::size_t next_segment_ = 0;  // of the current backup
  std::optional<SegmentReader> segment_;
  std::shared_ptr<const DecodedBatch> batch_;
  std::map<TenantId, TenantMark> reached_;
  std::map<TenantId, TenantMark> reached_here_;  // tenants with batches in the current backup
  Counts counts_;                                // of the current backup
  std::uint64_t segments_whole_ = 0;
  std::uint64_t bytes_ = 0;
};

}  // namespace bahi
