// The manifest of one backup: what it holds, in words that a person can read.
//
//   bahi backup, format 1
//   store      identity of the store
//   backup     number, from 1
//   previous   XXH3-128 of the manifest of the backup before it; zeros for the first
//   taken      RFC 3339
//   batches    new in this backup, as are events and bytes (headers and bodies of batches)
//   events
//   bytes
//   last       tenant of the last batch, or "-" when there is none
//   segment    number, from 1; length; XXH3-128 of the whole file           one line each
//   tenant     identifier, end offset, chain hash there, name or "-"        one line for each with news, ascending
//   check      XXH3-128 of all lines above
//
// Hashes are 32 hex digits. There is one way to write each manifest: what is read must be that, byte for byte.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bahi/base/result.hpp"
#include "bahi/snapshots/backup.hpp"

namespace bahi {

struct SegmentEntry {
  std::uint64_t bytes = 0;  ///< of the file
  Hash128 hash;             ///< of the file
};

struct BackupManifest {
  BackupInfo info;
  Hash128 previous;
  std::optional<TenantId> last_tenant;
  std::vector<SegmentEntry> segments;
};

[[nodiscard]] std::string encode_manifest(const BackupManifest& manifest);
/// Errors: kBackupDamaged, kNewerFormat; they do not name the file.
[[nodiscard]] Result<BackupManifest> decode_manifest(std::string_view text);

}  // namespace bahi
