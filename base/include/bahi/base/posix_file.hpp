// The few file operations that the engine does beside RocksDB, with errors that name the file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "bahi/base/result.hpp"

namespace bahi {

/// The error of the failed system call that just set errno.
[[nodiscard]] Error from_errno(std::string_view doing, const std::filesystem::path& path);
[[nodiscard]] Error from_errno(int error_number, std::string_view doing, const std::filesystem::path& path);

/// Owns a file descriptor. Movable.
class PosixFile {
 public:
  PosixFile() = default;
  PosixFile(PosixFile&& other) noexcept;
  PosixFile& operator=(PosixFile&& other) noexcept;
  ~PosixFile();

  /// `flags` as for open(2).
  [[nodiscard]] static Result<PosixFile> open(const std::filesystem::path& path, int flags);
  [[nodiscard]] bool is_open() const noexcept { return descriptor_ >= 0; }
  [[nodiscard]] int descriptor() const noexcept { return descriptor_; }
  /// All of `bytes` at `offset`.
  Status write_at(std::uint64_t offset, std::string_view bytes);
  /// Up to `size` bytes from `offset`; fewer at the end of the file.
  [[nodiscard]] Result<std::string> read_at(std::uint64_t offset, std::size_t size) const;
  [[nodiscard]] Result<std::uint64_t> size() const;
  Status sync();

 private:
  std::filesystem::path path_;
  int descriptor_ = -1;
};

/// Whether the file system of an existing file takes O_DIRECT; tmpfs, for one, may not.
[[nodiscard]] bool takes_direct_io(const std::filesystem::path& existing_file);
/// Makes names created in, or removed from, the directory durable.
Status sync_directory(const std::filesystem::path& directory);
/// Replaces the file so that after a crash it has its old or its new content.
Status write_file_atomically(const std::filesystem::path& path, std::string_view content);
[[nodiscard]] Result<std::string> read_file(const std::filesystem::path& path);

/// An exclusive lock on a file, held until destruction or the end of the process.
class StoreLock {
 public:
  /// kDirectoryInUse when another process holds it.
  [[nodiscard]] static Result<StoreLock> acquire(const std::filesystem::path& path);

 private:
  PosixFile file_;
};

}  // namespace bahi
