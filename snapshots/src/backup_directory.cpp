#include "backup_directory.hpp"

#include <charconv>

#include <fmt/format.h>

#include "bahi/base/posix_file.hpp"
#include "bahi/schemas/hash.hpp"

namespace bahi {
namespace {

constexpr std::string_view kPrefix = "backup-";

/// A name in a backup directory, taken apart.
struct FileName {
  std::uint64_t backup = 0;
  bool manifest = false;
  bool half_written = false;
};

std::optional<FileName> parse_name(std::string_view name) {
  if (!name.starts_with(kPrefix)) return std::nullopt;
  name.remove_prefix(kPrefix.size());
  FileName found;
  const auto parsed = std::from_chars(name.data(), name.data() + name.size(), found.backup);
  if (parsed.ec != std::errc{} || found.backup == 0) return std::nullopt;
  name.remove_prefix(static_cast<std::size_t>(parsed.ptr - name.data()));
  found.manifest = name.empty();
  found.half_written = name == ".new";
  const bool segment = name.starts_with('-') && name.ends_with(".seg");
  if (!found.manifest && !found.half_written && !segment) return std::nullopt;
  return found;
}

Error damaged(const std::filesystem::path& path, std::string_view what) {
  return {ErrorCode::kBackupDamaged, fmt::format("{}: {}", path.string(), what)};
}

}  // namespace

std::filesystem::path BackupDirectory::manifest_path(std::uint64_t number) const {
  return root_ / fmt::format("{}{:06}", kPrefix, number);
}
std::filesystem::path BackupDirectory::segment_path(std::uint64_t number, std::size_t segment) const {
  return root_ / fmt::format("{}{:06}-{:04}.seg", kPrefix, number, segment);
}

std::vector<BackupInfo> BackupDirectory::infos() const {
  std::vector<BackupInfo> infos;
  for (const BackupManifest& manifest : manifests_) infos.push_back(manifest.info);
  return infos;
}

Result<BackupDirectory> BackupDirectory::read(const std::filesystem::path& directory) {
  BackupDirectory backup;
  backup.root_ = directory;
  BAHI_TRY(backup.read_names());
  BAHI_TRY(backup.read_manifests());
  return backup;
}

Status BackupDirectory::read_names() {
  std::error_code error;
  const auto status = std::filesystem::status(root_, error);
  if (status.type() == std::filesystem::file_type::not_found) return {};
  if (!error && !std::filesystem::is_directory(status)) {
    return Error{ErrorCode::kNotABackup, fmt::format("{} is not a directory", root_.string())};
  }
  std::vector<std::pair<FileName, std::filesystem::path>> found;
  for (auto entry = std::filesystem::directory_iterator(root_, error);
       !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    const auto file = parse_name(name);
    if (file) {
      found.emplace_back(*file, entry->path());
      if (file->manifest) newest_number_ = std::max(newest_number_, file->backup);
    } else if (name != "LOCK") {
      foreign_ = true;
    }
  }
  if (error) return from_errno(error.value(), "listing", root_);
  for (const auto& [file, path] : found) {
    if (file.half_written || file.backup > newest_number_) unfinished_.push_back(path);
  }
  return {};
}

Status BackupDirectory::read_manifests() {
  for (std::uint64_t number = 1; number <= newest_number_; ++number) {
    const std::filesystem::path path = manifest_path(number);
    if (!std::filesystem::exists(path)) return damaged(path, "the manifest is missing, though there is a later one");
    BAHI_ASSIGN(const std::string text, read_file(path));
    const auto manifest = decode_manifest(text);
    if (!manifest) {
      return Error{manifest.error().code(), fmt::format("{}: {}", path.string(), manifest.error().message())};
    }
    if (manifest->info.number != number)
      return damaged(path, fmt::format("it is that of backup {}", manifest->info.number));
    if (manifest->previous != newest_hash_) return damaged(path, "it does not follow the manifest before it");
    if (!manifests_.empty() && manifest->info.store_id != manifests_.front().info.store_id) {
      return damaged(path, "it is of another store than the backups before it");
    }
    newest_hash_ = xxh3_128(text);
    manifests_.push_back(std::move(*manifest));
  }
  return {};
}

Status BackupDirectory::check_segment_files() const {
  for (const BackupManifest& manifest : manifests_) {
    for (std::size_t i = 0; i < manifest.segments.size(); ++i) {
      const std::filesystem::path path = segment_path(manifest.info.number, i + 1);
      std::error_code error;
      const std::uint64_t size = std::filesystem::file_size(path, error);
      if (error) return damaged(path, error.message());
      if (size != manifest.segments[i].bytes) {
        return damaged(path, fmt::format("it has {} bytes, its manifest says {}", size, manifest.segments[i].bytes));
      }
    }
  }
  return {};
}

Status BackupDirectory::remove_unfinished() const {
  for (const std::filesystem::path& path : unfinished_) {
    std::error_code error;
    std::filesystem::remove(path, error);
    if (error) return from_errno(error.value(), "removing", path);
  }
  return {};
}

Status BackupDirectory::keep_up_to(std::uint64_t number) {
  if (number == 0 || number > manifests_.size()) {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("backup: {} holds backups 1 to {}, not {}", root_.string(), manifests_.size(), number)};
  }
  manifests_.resize(number);
  return {};
}

std::vector<BackupTenant> tenants_held(const std::vector<BackupInfo>& backups) {
  std::map<TenantId, BackupTenant> held;
  for (const BackupInfo& backup : backups) {
    for (const BackupTenant& tenant : backup.tenants) held.insert_or_assign(tenant.mark.tenant, tenant);
  }
  std::vector<BackupTenant> tenants;
  for (auto& [id, tenant] : held) tenants.push_back(std::move(tenant));
  return tenants;
}

Result<std::vector<BackupInfo>> list_backups(const std::filesystem::path& directory) {
  BAHI_ASSIGN(const BackupDirectory backups, BackupDirectory::read(directory));
  if (backups.manifests().empty()) {
    return Error{ErrorCode::kNotABackup, fmt::format("{} holds no backup", directory.string())};
  }
  return backups.infos();
}

}  // namespace bahi
