// Names and checks of the files of a store directory.
//
//   BAHI      text: format version and store id; its presence makes the directory a store
//   BAHI.restoring  the same, while batches are copied into a new store; then it is renamed
//   LOCK      held while a process has the store open for writing
//   ANCHOR    the head anchor (head_anchor.hpp)
//   RESERVE   space for a restart on a full disk
//   log/      the truth (RocksDB)
//   lost/     files set aside when a loss was accepted; never read
//   idx/      the index (RocksDB), derived
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "bahi/base/result.hpp"
#include "bahi/base/types.hpp"
#include "head_anchor.hpp"

namespace bahi {

struct StorePaths {
  explicit StorePaths(std::filesystem::path directory) : root(std::move(directory)) {}
  std::filesystem::path root;
  std::string anchor_name = "ANCHOR";  ///< another one while a loss is being accepted
  [[nodiscard]] std::filesystem::path marker() const { return root / "BAHI"; }
  [[nodiscard]] std::filesystem::path restoring_marker() const { return root / "BAHI.restoring"; }
  [[nodiscard]] std::filesystem::path lock() const { return root / "LOCK"; }
  [[nodiscard]] std::filesystem::path anchor() const { return root / anchor_name; }
  [[nodiscard]] std::filesystem::path log() const { return root / "log"; }
  [[nodiscard]] std::filesystem::path index() const { return root / "idx"; }
};

/// Checks that the directory holds a store of a format this build knows; true if so, false if it is missing, empty or
/// holds only what an interrupted creation leaves. Errors: kNotAStore, kNewerFormat, kAcknowledgedDataMissing,
/// kRestoreUnfinished, kPermissionDenied.
[[nodiscard]] Result<bool> check_store_directory(const StorePaths& paths);
/// Writes the marker, as `marker`; durable when it returns.
Status write_store_marker(const std::filesystem::path& marker, const Uuid& store_id);
/// The marker's word on which store this is. kNotAStore.
[[nodiscard]] Result<Uuid> read_store_id(const StorePaths& paths);

/// Reads a database's CURRENT and MANIFEST as they are now.
[[nodiscard]] Result<ManifestMark> read_manifest_mark(const std::filesystem::path& database);
/// Checks that the database's MANIFEST still begins with what `mark` recorded.
/// Errors: kAcknowledgedDataMissing.
Status check_manifest(const std::filesystem::path& database, const ManifestMark& mark);

}  // namespace bahi
