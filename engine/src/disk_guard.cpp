#include "disk_guard.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "bahi/base/posix_file.hpp"

namespace bahi {
namespace {

constexpr std::int64_t kLookIntervalMs = 100;
/// A batch is written to the write-ahead log and then to a sorted file before the former goes.
constexpr std::uint64_t kWritesPerByte = 2;

std::int64_t steady_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

}  // namespace

DiskGuard::DiskGuard(std::filesystem::path directory, const EngineOptions& options)
    : directory_(std::move(directory)),
      reserve_path_(directory_ / "RESERVE"),
      reserve_bytes_(options.reserve_bytes),
      free_min_(options.free_bytes_min) {}

std::uint64_t DiskGuard::free_bytes() const {
  struct statvfs info {};
  if (::statvfs(directory_.c_str(), &info) != 0) return 0;
  return static_cast<std::uint64_t>(info.f_bavail) * info.f_frsize;
}

void DiskGuard::release_reserve_if_needed() {
  if (free_bytes() >= free_min_) return;
  std::error_code ignored;
  std::filesystem::remove(reserve_path_, ignored);
}

void DiskGuard::restore_reserve() {
  std::error_code ignored;
  if (reserve_bytes_ == 0 || std::filesystem::file_size(reserve_path_, ignored) == reserve_bytes_) return;
  if (free_bytes() < free_min_ + reserve_bytes_) return;
  auto file = PosixFile::open(reserve_path_, O_RDWR | O_CREAT);
  if (!file) return;
  if (::posix_fallocate(file->descriptor(), 0, static_cast<off_t>(reserve_bytes_)) != 0) {
    std::filesystem::remove(reserve_path_, ignored);
  }
}

void DiskGuard::look(std::int64_t now_ms) {
  const std::scoped_lock lock(mutex_);
  if (now_ms - looked_at_ms_.load() < kLookIntervalMs && looked_at_ms_.load() >= 0) return;
  const std::uint64_t free = free_bytes();
  const std::int64_t spare = free > free_min_ ? static_cast<std::int64_t>((free - free_min_) / kWritesPerByte) : 0;
  budget_.store(spare);
  looked_at_ms_.store(now_ms);
  if (spare > 0) restore_reserve();
}

Status DiskGuard::admit(std::uint64_t bytes) {
  const std::int64_t now_ms = steady_ms();
  if (looked_at_ms_.load() < 0 || now_ms - looked_at_ms_.load() >= kLookIntervalMs) look(now_ms);
  if (budget_.fetch_sub(static_cast<std::int64_t>(bytes)) >= static_cast<std::int64_t>(bytes)) return {};
  budget_.fetch_add(static_cast<std::int64_t>(bytes));
  return Error{ErrorCode::kDiskFull,
               fmt::format("{}: {} bytes are free, {} must stay free; free space, then retry", directory_.string(),
                           free_bytes(), free_min_)};
}

}  // namespace bahi
