// Stores with a few tenants, backups of them, and a comparison of what two stores hold.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "bahi/engine/engine.hpp"
#include "bahi/snapshots/backup.hpp"
#include "engine_fixture.hpp"

namespace bahi::test {

/// A store with two tenants in one directory, and room for backups and other stores beside it.
class BackedUpStore {
 public:
  BackedUpStore();

  [[nodiscard]] Engine& engine() { return *engine_; }
  [[nodiscard]] TenantId shop() const { return shop_; }
  [[nodiscard]] TenantId office() const { return office_; }
  [[nodiscard]] std::filesystem::path backups() const { return directory_.path() / "backups"; }
  /// Of this name, beside the store.
  [[nodiscard]] std::filesystem::path place(const std::string& name) const { return directory_.path() / name; }

  /// `batches` batches of `events` events each, for both tenants in turn.
  void write(std::size_t batches, std::size_t events = 3);
  /// Takes a backup that must succeed.
  BackupOutcome back_up(const BackupOptions& options = {});
  /// Restores into `name` and opens what came out of it; both must succeed.
  std::unique_ptr<Engine> restore(const std::string& name, const RestoreOptions& options = {});
  [[nodiscard]] Result<RestoreReport> try_restore(const std::string& name, const RestoreOptions& options = {});
  /// Writes `bytes` at `offset` of a file in the backup directory.
  void overwrite(const std::string& file, std::uint64_t offset, std::string_view bytes) const;

 private:
  TemporaryDirectory directory_;
  std::unique_ptr<Engine> engine_;
  TenantId shop_;
  TenantId office_;
  std::size_t written_ = 0;
};

/// The tenant's batches as stored, up to `end`.
std::vector<std::string> stored_batches(const Engine& engine, TenantId tenant, Offset end = kOffsetMax);
/// Names in the directory, sorted; none when it is missing.
std::vector<std::string> names_in(const std::filesystem::path& directory);

}  // namespace bahi::test
