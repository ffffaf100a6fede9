// The file operations of snapshots, with errors that name the file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "bahi/base/result.hpp"

namespace bahi::snapshots {

[[nodiscard]] Result<std::string> read_file(const std::filesystem::path& path);
/// Durable as soon as its directory is.
Status write_new_file(const std::filesystem::path& path, std::string_view content);
Status sync_path(const std::filesystem::path& path);
Status link_or_copy(const std::filesystem::path& from, const std::filesystem::path& to);
Status copy_content(const std::filesystem::path& from, const std::filesystem::path& to);
/// Hash of the last 4 KiB of a sorted file (footer, index of the meta blocks, properties), of all of another file. What
/// is before the end of a sorted file has checksums of its own.
[[nodiscard]] Result<std::uint64_t> hash_of_file(const std::filesystem::path& path);

[[nodiscard]] inline bool is_sorted_file(const std::filesystem::path& path) {
  return path.extension() == ".sst";
}

/// Identity of a file, whatever its names.
using FileKey = std::pair<std::uint64_t, std::uint64_t>;
struct CountedFiles {
  std::set<FileKey> seen;
  std::uint64_t bytes = 0;
};
/// Adds the files below `directory` that were not seen yet.
void count_files(const std::filesystem::path& directory, CountedFiles& counted);

}  // namespace bahi::snapshots
