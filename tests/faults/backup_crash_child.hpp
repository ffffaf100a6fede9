// The process of bahi_backup_crash that takes backups, or restores one, and is killed.
#pragma once

#include <cstdint>
#include <filesystem>

#include "bahi/engine/options.hpp"
#include "bahi/snapshots/backup.hpp"

namespace bahi::faults {

/// Small buffers; segments so short that a backup has several.
[[nodiscard]] EngineOptions backup_engine_options();
[[nodiscard]] BackupOptions small_segments();

struct BackupPlaces {
  explicit BackupPlaces(const std::filesystem::path& root)
      : store(root / "store"), backups(root / "backups"), restored(root / "restored") {}
  std::filesystem::path store;
  std::filesystem::path backups;
  std::filesystem::path restored;
};

/// Opens the store, appends to its tenants on two threads, and takes one backup after the other, until it is killed or
/// `run_ms` have passed. The exit code of the process.
int run_backups(const BackupPlaces& places, std::uint64_t seed, std::uint32_t run_ms);
/// Restores the backups and opens what came out. The exit code of the process.
int run_restore(const BackupPlaces& places);

}  // namespace bahi::faults
