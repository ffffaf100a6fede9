#include "store_files.hpp"

#include <charconv>

#include <fcntl.h>
#include <fmt/format.h>
#include <set>

#include "bahi/base/posix_file.hpp"
#include "bahi/base/text.hpp"
#include "bahi/engine/store_id.hpp"
#include "bahi/schemas/hash.hpp"

namespace bahi {
namespace {

constexpr std::string_view kMarkerStart = "bahi store, format ";
constexpr unsigned kStoreFormat = 1;

Result<std::uint64_t> current_manifest_number(const std::filesystem::path& database) {
  BAHI_ASSIGN(const std::string current, read_file(database / "CURRENT"));
  constexpr std::string_view kPrefix = "MANIFEST-";
  std::uint64_t number = 0;
  const char* end = current.data() + current.size();
  if (!current.starts_with(kPrefix) || !current.ends_with('\n') ||
      std::from_chars(current.data() + kPrefix.size(), end, number).ptr != end - 1) {
    return Error{ErrorCode::kCorruptLog, fmt::format("{}/CURRENT does not name a MANIFEST", database.string())};
  }
  return number;
}

std::filesystem::path manifest_path(const std::filesystem::path& database, std::uint64_t number) {
  return database / fmt::format("MANIFEST-{:06}", number);
}

Status check_marker(const StorePaths& paths) {
  BAHI_ASSIGN(const std::string text, read_file(paths.marker()));
  unsigned format = 0;
  const char* digits = text.data() + std::min(text.size(), kMarkerStart.size());
  const auto parsed = std::from_chars(digits, text.data() + text.size(), format);
  if (!text.starts_with(kMarkerStart) || parsed.ec != std::errc{} || parsed.ptr == text.data() + text.size() ||
      *parsed.ptr != '\n') {
    return Error{ErrorCode::kNotAStore, fmt::format("{} is not the marker of a store", paths.marker().string())};
  }
  if (format > kStoreFormat) {
    return Error{ErrorCode::kNewerFormat, fmt::format("{} has store format {}, this build knows up to {}",
                                                      paths.root.string(), format, kStoreFormat)};
  }
  return {};
}

}  // namespace

Result<bool> check_store_directory(const StorePaths& paths) {
  std::error_code error;
  const auto status = std::filesystem::status(paths.root, error);
  if (status.type() == std::filesystem::file_type::not_found) return false;
  if (error) return from_errno(error.value(), "looking at", paths.root);
  if (!std::filesystem::is_directory(status)) {
    return Error{ErrorCode::kNotAStore, fmt::format("{} is not a directory", paths.root.string())};
  }
  std::set<std::string> names;
  for (auto entry = std::filesystem::directory_iterator(paths.root, error);
       !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    names.insert(entry->path().filename().string());
  }
  if (error) return from_errno(error.value(), "listing", paths.root);
  if (names.contains("BAHI")) {
    BAHI_TRY(check_marker(paths));
    return true;
  }
  const std::string restoring = paths.restoring_marker().filename().string();
  if (names.contains(restoring) || names.contains(restoring + ".new")) {
    return Error{ErrorCode::kRestoreUnfinished,
                 fmt::format("the restore into {} did not come to its end; run `bahi backup restore` into it again, "
                             "or delete it",
                             paths.root.string())};
  }
  // An interrupted creation leaves the lock and an anchor on which nothing was acknowledged.
  const bool has_anchor = names.contains("ANCHOR");
  names.erase("LOCK");
  names.erase("ANCHOR");
  names.erase("BAHI.new");
  if (!names.empty()) {
    const bool was_store = names.contains("log") && has_anchor;
    if (was_store) {
      return Error{ErrorCode::kAcknowledgedDataMissing,
                   fmt::format("{} is missing; restore it from a backup", paths.marker().string())};
    }
    return Error{ErrorCode::kNotAStore,
                 fmt::format("{} is not empty and holds no store; name another directory", paths.root.string())};
  }
  if (has_anchor) {
    const auto contents = HeadAnchor::read(paths.anchor());
    if (contents && contents->record.state != StoreRecord::State::kCreating) {
      return Error{ErrorCode::kAcknowledgedDataMissing,
                   fmt::format("{} and log/ are missing although the store held events; restore it from a backup",
                               paths.marker().string())};
    }
  }
  return false;
}

Status write_store_marker(const std::filesystem::path& marker, const Uuid& store_id) {
  return write_file_atomically(marker,
                               fmt::format("{}{}\nid {}\n", kMarkerStart, kStoreFormat, format_uuid(store_id)));
}

Result<Uuid> read_store_id(const StorePaths& paths) {
  BAHI_ASSIGN(const std::string marker, read_file(paths.marker()));
  constexpr std::string_view kLabel = "\nid ";
  const auto place = marker.find(kLabel);
  if (place == std::string::npos || !marker.ends_with('\n')) {
    return Error{ErrorCode::kNotAStore, fmt::format("{} is not the marker of a store", paths.marker().string())};
  }
  return parse_uuid(std::string_view(marker).substr(place + kLabel.size(), marker.size() - place - kLabel.size() - 1));
}

Result<Uuid> read_store_id(const std::filesystem::path& directory) {
  const StorePaths paths(directory);
  BAHI_TRY(check_marker(paths));
  return read_store_id(paths);
}

Result<ManifestMark> read_manifest_mark(const std::filesystem::path& database) {
  ManifestMark mark;
  BAHI_ASSIGN(mark.number, current_manifest_number(database));
  BAHI_ASSIGN(const std::string content, read_file(manifest_path(database, mark.number)));
  mark.size = content.size();
  mark.hash = xxh3_128(content);
  return mark;
}

Status check_manifest(const std::filesystem::path& database, const ManifestMark& mark) {
  if (mark.number == 0) return {};
  const auto different = [&](const std::string& what) {
    return Error{ErrorCode::kAcknowledgedDataMissing,
                 fmt::format("{}: {}; the store was damaged or mixed with older files; nothing was touched; "
                             "restore it from a backup",
                             database.string(), what)};
  };
  const auto number = current_manifest_number(database);
  if (!number) return different(number.error().message());
  if (*number != mark.number) {
    return different(fmt::format("CURRENT names MANIFEST-{:06}, the anchor MANIFEST-{:06}", *number, mark.number));
  }
  const auto content = read_file(manifest_path(database, mark.number));
  if (!content) return different(content.error().message());
  if (content->size() < mark.size) {
    return different(fmt::format("MANIFEST-{:06} has {} bytes, {} were recorded", mark.number, content->size(), mark.size));
  }
  if (xxh3_128(std::string_view(*content).substr(0, mark.size)) != mark.hash) {
    return different(fmt::format("MANIFEST-{:06} differs from what was recorded", mark.number));
  }
  return {};
}

}  // namespace bahi
