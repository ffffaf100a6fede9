// Where a benchmark keeps its files, and how it ends when something goes wrong.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "bahi/base/result.hpp"

namespace bahi::bench {

/// Removes the scratch directory, prints the message to standard error, exits with 1.
[[noreturn]] void fail(std::string_view message);

inline void require(const Status& status, std::string_view what) {
  if (!status) fail(fmt::format("{}: {}", what, status.error().to_string()));
}
template <class T>
T require(Result<T> result, std::string_view what) {
  if (!result) fail(fmt::format("{}: {}", what, result.error().to_string()));
  return std::move(*result);
}

/// TMPDIR, or the build directory when it is not set.
[[nodiscard]] std::string default_parent();

/// A new directory on a real disk, removed at the end, on `fail`, and on SIGINT and SIGTERM
/// (unless it is to be kept). One at a time; make it before any thread.
class ScratchDirectory {
 public:
  /// Fails when `parent` is on a file system in memory, unless `memory_allowed`.
  ScratchDirectory(const std::filesystem::path& parent, bool memory_allowed, bool keep);
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;
  ~ScratchDirectory();

  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

 private:
  std::filesystem::path path_;
};

/// Fails unless the file system of `directory` has `bytes` free.
void require_free_space(const std::filesystem::path& directory, std::uint64_t bytes);
/// Sum of the sizes of the regular files below `directory` whose name ends in `suffix`.
[[nodiscard]] std::uint64_t file_bytes(const std::filesystem::path& directory, std::string_view suffix);
/// Asks the kernel to drop the directory's files from the page cache (clean pages only).
void drop_page_cache(const std::filesystem::path& directory);

}  // namespace bahi::bench
