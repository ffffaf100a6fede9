#include "snapshot_files.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bahi/schemas/hash.hpp"

namespace bahi::snapshots {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kTailBytes = 4096;

Error failed(int number, std::string_view doing, const fs::path& path) {
  const ErrorCode code = number == ENOSPC || number == EDQUOT  ? ErrorCode::kDiskFull
                         : number == EACCES || number == EPERM ? ErrorCode::kPermissionDenied
                                                               : ErrorCode::kIoError;
  return {code, fmt::format("{} {}: {}", doing, path.string(), std::strerror(number))};
}

}  // namespace

Result<std::string> read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return failed(errno, "opening", path);
  std::string content{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  if (in.bad()) return failed(EIO, "reading", path);
  return content;
}

Status write_new_file(const fs::path& path, std::string_view content) {
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (descriptor < 0) return failed(errno, "creating", path);
  while (!content.empty()) {
    const ssize_t written = ::write(descriptor, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) break;
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  const int number = !content.empty() || ::fsync(descriptor) != 0 ? errno : 0;
  (void)::close(descriptor);
  if (number != 0) return failed(number, "writing", path);
  return {};
}

Status sync_path(const fs::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return failed(errno, "opening", path);
  const int number = ::fsync(descriptor) != 0 ? errno : 0;
  (void)::close(descriptor);
  if (number != 0) return failed(number, "syncing", path);
  return {};
}

Status copy_content(const fs::path& from, const fs::path& to) {
  std::error_code error;
  fs::copy_file(from, to, error);
  if (error) return failed(error.value(), "copying", from);
  return {};
}

Status link_or_copy(const fs::path& from, const fs::path& to) {
  if (::link(from.c_str(), to.c_str()) == 0) return {};
  if (errno != EXDEV && errno != EMLINK && errno != EPERM) return failed(errno, "linking", from);
  return copy_content(from, to);
}

Result<std::uint64_t> hash_of_file(const fs::path& path) {
  if (!is_sorted_file(path)) {
    BAHI_ASSIGN(const std::string content, read_file(path));
    return xxh3_64(content);
  }
  std::ifstream in(path, std::ios::binary | std::ios::ate);
  if (!in) return failed(errno, "opening", path);
  const auto size = static_cast<std::uint64_t>(in.tellg());
  const std::uint64_t begin = size > kTailBytes ? size - kTailBytes : 0;
  std::string tail(size - begin, '\0');
  in.seekg(static_cast<std::streamoff>(begin));
  in.read(tail.data(), static_cast<std::streamsize>(tail.size()));
  if (!in) return failed(EIO, "reading", path);
  return xxh3_64(tail);
}

void count_files(const fs::path& directory, CountedFiles& counted) {
  std::error_code error;
  for (fs::recursive_directory_iterator it(directory, error), end; !error && it != end; it.increment(error)) {
    struct stat status {};
    // Files come and go while the live database is compacted.
    if (::lstat(it->path().c_str(), &status) != 0 || !S_ISREG(status.st_mode)) continue;
    if (counted.seen.emplace(status.st_dev, status.st_ino).second) {
      counted.bytes += static_cast<std::uint64_t>(status.st_size);
    }
  }
}

}  // namespace bahi::snapshots
