// Reading backups back: to check them, or into a new store.

#include <algorithm>

#include <fmt/format.h>

#include "backup_directory.hpp"
#include "backup_reader.hpp"
#include "bahi/engine/store_copy.hpp"

namespace bahi {
namespace {

/// The backups up to the one wanted; at least one.
Result<BackupDirectory> open_backups(const std::filesystem::path& directory, std::optional<std::uint64_t> number) {
  BAHI_ASSIGN(BackupDirectory backups, BackupDirectory::read(directory));
  if (backups.manifests().empty()) {
    return Error{ErrorCode::kNotABackup, fmt::format("{} holds no backup", directory.string())};
  }
  if (number) BAHI_TRY(backups.keep_up_to(*number));
  return backups;
}

/// Where the log of each tenant named is to end, by identifier.
Result<std::map<TenantId, Offset>> resolve_ends(const std::map<std::string, Offset>& ends,
                                                const std::vector<BackupTenant>& held, std::uint64_t backup) {
  std::map<TenantId, Offset> resolved;
  for (const auto& [name, end] : ends) {
    const std::string_view wanted = name;
    const auto tenant = std::find_if(held.begin(), held.end(), [&](const BackupTenant& t) { return t.name == wanted; });
    if (tenant == held.end()) {
      return Error{ErrorCode::kUnknownTenant, fmt::format("backup {} holds no events of a tenant '{}'", backup, name)};
    }
    if (tenant->mark.tenant == kSystemTenant) {
      return Error{ErrorCode::kInvalidArgument,
                   "to-offset: the system tenant says which tenants and credentials there are, so it is not cut alone; "
                   "restore the whole store to an earlier backup"};
    }
    if (end > tenant->mark.next_offset) {
      return Error{ErrorCode::kOffsetOutOfRange,
                   fmt::format("to-offset: backup {} holds tenant '{}' up to offset {}, not {}", backup, name,
                               tenant->mark.next_offset.value, end.value)};
    }
    resolved.emplace(tenant->mark.tenant, end);
  }
  return resolved;
}

Error cancelled(std::string_view what) {
  return {ErrorCode::kCancelled, fmt::format("the {} was stopped", what)};
}

class Restore {
 public:
  Restore(const BackupDirectory& backups, const RestoreOptions& options) : backups_(backups), options_(options) {}

  Result<RestoreReport> run(const std::filesystem::path& into) {
    report_.from = backups_.manifests().back().info;
    const std::vector<BackupTenant> held = tenants_held(backups_.infos());
    BAHI_ASSIGN(ends_, resolve_ends(options_.ends, held, report_.from.number));
    BAHI_ASSIGN(const auto copy, StoreCopy::begin(into, report_.from.store_id, options_.engine));
    BackupReader reader(backups_);
    const std::uint64_t total = reader.bytes_total();
    for (;;) {
      BAHI_ASSIGN(const bool more, reader.next());
      if (!more) break;
      if (options_.stop && options_.stop()) return cancelled("restore");
      if (options_.check != nullptr) BAHI_TRY(options_.check->batch(reader.batch()));
      BAHI_TRY(take(reader.batch().header(), reader.stored(), *copy));
      if (options_.progress) options_.progress(reader.bytes(), total);
    }
    if (options_.check != nullptr) BAHI_TRY(options_.check->end());
    BAHI_TRY(copy->finish());
    for (const TenantMark& mark : copy->marks()) {
      const auto name =
          std::find_if(held.begin(), held.end(), [&](const BackupTenant& t) { return t.mark.tenant == mark.tenant; });
      report_.tenants.push_back({mark, name == held.end() ? "" : name->name});
    }
    return std::move(report_);
  }

 private:
  Status take(const BatchHeader& header, std::string_view stored, StoreCopy& copy) {
    if (const auto found = ends_.find(header.tenant); found != ends_.end()) {
      const Offset end = found->second;
      if (header.first_offset >= end) return {};
      if (header.next_offset() > end) {
        return Error{
            ErrorCode::kInvalidArgument,
            fmt::format("to-offset: offset {} of tenant {} lies inside a batch, which was stored as one; "
                        "choose {} (without the batch) or {} (with it)",
                        end.value, name_of(header.tenant), header.first_offset.value, header.next_offset().value)};
      }
    }
    BAHI_TRY(copy.add(stored));
    ++report_.batches;
    report_.events += header.event_count;
    report_.bytes += stored.size();
    return {};
  }
  [[nodiscard]] std::string name_of(TenantId tenant) const {
    for (const BackupTenant& each : tenants_held(backups_.infos())) {
      if (each.mark.tenant == tenant) return fmt::format("'{}'", each.name);
    }
    return std::to_string(tenant.value);
  }

  const BackupDirectory& backups_;
  const RestoreOptions& options_;
  std::map<TenantId, Offset> ends_;
  RestoreReport report_;
};

}  // namespace

Result<BackupReport> verify_backup(const std::filesystem::path& directory, const VerifyBackupOptions& options) {
  BAHI_ASSIGN(const BackupDirectory backups, open_backups(directory, options.backup));
  BackupReport report;
  BackupReader reader(backups);
  const std::uint64_t total = reader.bytes_total();
  const auto walk = [&]() -> Status {
    for (;;) {
      BAHI_ASSIGN(const bool more, reader.next());
      if (!more) break;
      if (options.stop && options.stop()) return cancelled("verification");
      if (options.check != nullptr) BAHI_TRY(options.check->batch(reader.batch()));
      if (options.progress) options.progress(reader.bytes(), total);
    }
    return options.check == nullptr ? Status{} : options.check->end();
  };
  if (const Status sound = walk(); !sound) {
    const ErrorCode code = sound.error().code();
    if (code == ErrorCode::kCancelled || code == ErrorCode::kNewerFormat || code == ErrorCode::kIoError)
      return sound.error();
    report.damage = sound.error();
  }
  std::vector<BackupInfo> whole = backups.infos();
  whole.resize(reader.backups_whole());
  report.backups = whole.size();
  report.segments = reader.segments_whole();
  for (const BackupInfo& info : whole) {
    report.batches += info.batches;
    report.events += info.events;
    report.bytes += info.bytes;
  }
  report.tenants = tenants_held(whole);
  return report;
}

Result<RestoreReport> restore_backup(const std::filesystem::path& directory, const std::filesystem::path& into,
                                     const RestoreOptions& options) {
  BAHI_ASSIGN(const BackupDirectory backups, open_backups(directory, options.backup));
  return Restore(backups, options).run(into);
}

}  // namespace bahi
