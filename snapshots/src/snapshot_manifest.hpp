// The manifest of a snapshot: lines of text, of which the last one is a checksum over the others.
//
//   bahi-snapshot 1
//   id ID
//   taken_at NANOSECONDS
//   file NAME BYTES HASH                                            16 hex digits; for each file
//   state INSTANCE TENANT NAME VERSION FROM NEXT CHAIN SKIPPED     32 hex digits; offsets with commas, or -; for each
//   checksum HASH                                                   XXH3-128 of all lines before, 32 hex digits
#pragma once

#include <string>
#include <string_view>

#include "bahi/snapshots/snapshot_set.hpp"

namespace bahi::snapshots {

[[nodiscard]] std::string write_manifest(const Snapshot& snapshot);
/// Error: kSnapshotDamaged, saying what is wrong.
[[nodiscard]] Result<Snapshot> read_manifest(std::string_view text);

}  // namespace bahi::snapshots
