#include "bahi/base/posix_file.hpp"

#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace bahi {
namespace {

constexpr unsigned kFileMode = 0640;

ErrorCode code_of_errno(int error_number) {
  switch (error_number) {
    case ENOSPC:
    case EDQUOT: return ErrorCode::kDiskFull;
    case EACCES:
    case EPERM:
    case EROFS: return ErrorCode::kPermissionDenied;
    case EMFILE:
    case ENFILE: return ErrorCode::kTooManyOpenFiles;
    case ENOMEM: return ErrorCode::kOutOfMemory;
    default: return ErrorCode::kIoError;
  }
}

}  // namespace

Error from_errno(int error_number, std::string_view doing, const std::filesystem::path& path) {
  return {code_of_errno(error_number),
          fmt::format("{} {}: {}", doing, path.string(), std::generic_category().message(error_number))};
}

Error from_errno(std::string_view doing, const std::filesystem::path& path) { return from_errno(errno, doing, path); }

PosixFile::PosixFile(PosixFile&& other) noexcept
    : path_(std::move(other.path_)), descriptor_(std::exchange(other.descriptor_, -1)) {}

PosixFile& PosixFile::operator=(PosixFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

PosixFile::~PosixFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Result<PosixFile> PosixFile::open(const std::filesystem::path& path, int flags) {
  PosixFile file;
  file.path_ = path;
  file.descriptor_ = ::open(path.c_str(), flags | O_CLOEXEC, kFileMode);
  if (file.descriptor_ < 0) return from_errno("opening", path);
  return file;
}

bool takes_direct_io(const std::filesystem::path& existing_file) {
  return PosixFile::open(existing_file, O_RDONLY | O_DIRECT).has_value();
}

Status PosixFile::write_at(std::uint64_t offset, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (written < 0) {
      if (errno == EINTR) continue;
      return from_errno("writing", path_);
    }
    bytes.remove_prefix(static_cast<std::size_t>(written));
    offset += static_cast<std::uint64_t>(written);
  }
  return {};
}

Result<std::string> PosixFile::read_at(std::uint64_t offset, std::size_t size) const {
  std::string content(size, '\0');
  std::size_t filled = 0;
  while (filled < size) {
    const ssize_t got =
        ::pread(descriptor_, content.data() + filled, size - filled, static_cast<off_t>(offset + filled));
    if (got < 0) {
      if (errno == EINTR) continue;
      return from_errno("reading", path_);
    }
    if (got == 0) break;
    filled += static_cast<std::size_t>(got);
  }
  content.resize(filled);
  return content;
}

Result<std::uint64_t> PosixFile::size() const {
  struct stat info {};
  if (::fstat(descriptor_, &info) != 0) return from_errno("reading the size of", path_);
  return static_cast<std::uint64_t>(info.st_size);
}

Status PosixFile::sync() {
  if (::fdatasync(descriptor_) != 0) return from_errno("syncing", path_);
  return {};
}

Status sync_directory(const std::filesystem::path& directory) {
  BAHI_ASSIGN(const PosixFile file, PosixFile::open(directory, O_RDONLY | O_DIRECTORY));
  if (::fsync(file.descriptor()) != 0) return from_errno("syncing", directory);
  return {};
}

Status write_file_atomically(const std::filesystem::path& path, std::string_view content) {
  const std::filesystem::path temporary = path.string() + ".new";
  {
    BAHI_ASSIGN(PosixFile file, PosixFile::open(temporary, O_WRONLY | O_CREAT | O_TRUNC));
    BAHI_TRY(file.write_at(0, content));
    BAHI_TRY(file.sync());
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0) return from_errno("renaming", temporary);
  return sync_directory(path.parent_path());
}

Result<std::string> read_file(const std::filesystem::path& path) {
  BAHI_ASSIGN(const PosixFile file, PosixFile::open(path, O_RDONLY));
  BAHI_ASSIGN(const std::uint64_t size, file.size());
  return file.read_at(0, size);
}

Result<StoreLock> StoreLock::acquire(const std::filesystem::path& path) {
  StoreLock lock;
  BAHI_ASSIGN(lock.file_, PosixFile::open(path, O_RDWR | O_CREAT));
  if (::flock(lock.file_.descriptor(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return from_errno("locking", path);
    return Error{ErrorCode::kDirectoryInUse,
                 fmt::format("{} is open in another process; stop it first", path.parent_path().string())};
  }
  return lock;
}

}  // namespace bahi
