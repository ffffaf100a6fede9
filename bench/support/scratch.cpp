#include "scratch.hpp"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <system_error>
#include <thread>

#include <fcntl.h>
#include <linux/magic.h>
#include <pthread.h>
#include <sys/vfs.h>
#include <unistd.h>

namespace bahi::bench {
namespace {

namespace fs = std::filesystem;

fs::path& scratch_path() {
  static fs::path path;
  return path;
}

void remove_scratch() {
  std::error_code ignored;
  if (!scratch_path().empty()) fs::remove_all(scratch_path(), ignored);
}

/// Every later thread inherits the blocked signals, so that only this one takes them.
void remove_scratch_on_signal() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::thread([signals] {
    int signal = 0;
    sigwait(&signals, &signal);
    // Other threads go on writing meanwhile and may create a file behind the first pass.
    remove_scratch();
    remove_scratch();
    std::_Exit(128 + signal);
  }).detach();
}

}  // namespace

void fail(std::string_view message) {
  fmt::print(stderr, "error: {}\n", message);
  std::fflush(nullptr);
  remove_scratch();
  std::_Exit(1);
}

std::string default_parent() {
  if (const char* tmpdir = std::getenv("TMPDIR"); tmpdir != nullptr && *tmpdir != '\0') return tmpdir;
  return BAHI_BENCH_DEFAULT_DIR;
}

ScratchDirectory::ScratchDirectory(const fs::path& parent, bool memory_allowed, bool keep) {
  std::error_code error;
  fs::create_directories(parent, error);
  struct statfs info {};
  if (statfs(parent.c_str(), &info) != 0) fail(fmt::format("--dir {}: not accessible", parent.string()));
  if (!memory_allowed && (info.f_type == TMPFS_MAGIC || info.f_type == RAMFS_MAGIC)) {
    fail(
        fmt::format("--dir {}: lies in memory, where a sync costs nothing; name a directory on a disk, or give "
                    "--allow-tmpfs",
                    parent.string()));
  }
  std::string name = (parent / "bahi-bench-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) fail(fmt::format("--dir {}: no directory can be made there", parent.string()));
  path_ = name;
  if (!keep) {
    scratch_path() = path_;
    remove_scratch_on_signal();
  }
}

ScratchDirectory::~ScratchDirectory() {
  remove_scratch();
}

void require_free_space(const fs::path& directory, std::uint64_t bytes) {
  std::error_code error;
  const fs::space_info space = fs::space(directory, error);
  if (error) fail(fmt::format("{}: {}", directory.string(), error.message()));
  if (space.available < bytes) {
    fail(fmt::format("{}: {} MiB free, {} MiB needed; free space or name another disk with --dir", directory.string(),
                     space.available >> 20U, bytes >> 20U));
  }
}

std::uint64_t file_bytes(const fs::path& directory, std::string_view suffix) {
  std::uint64_t total = 0;
  std::error_code error;
  for (fs::recursive_directory_iterator it(directory, error), end; !error && it != end; it.increment(error)) {
    std::error_code file_error;  // a file may vanish under a compaction
    if (!it->is_regular_file(file_error) || !it->path().native().ends_with(suffix)) continue;
    const std::uintmax_t size = it->file_size(file_error);
    if (!file_error) total += size;
  }
  return total;
}

void drop_page_cache(const fs::path& directory) {
  std::error_code error;
  for (fs::recursive_directory_iterator it(directory, error), end; !error && it != end; it.increment(error)) {
    std::error_code file_error;
    if (!it->is_regular_file(file_error)) continue;
    const int file = ::open(it->path().c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) continue;
    ::fdatasync(file);
    ::posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED);
    ::close(file);
  }
}

}  // namespace bahi::bench
