// Keeps the disk from filling up under the log, and a reserve for the restart if it does.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <mutex>

#include "bahi/base/result.hpp"
#include "bahi/engine/options.hpp"

namespace bahi {

/// Thread-safe.
class DiskGuard {
 public:
  DiskGuard(std::filesystem::path directory, const EngineOptions& options);

  /// Before the databases are opened: gives the reserve back to the file system when it is short of space.
  void release_reserve_if_needed();
  /// Creates the reserve when there is room for it.
  void restore_reserve();
  /// kDiskFull when `bytes` more would leave less than the minimum free. Asks the file system only now and then.
  Status admit(std::uint64_t bytes);
  [[nodiscard]] std::uint64_t free_bytes() const;

 private:
  void look(std::int64_t now_ms);

  std::filesystem::path directory_;
  std::filesystem::path reserve_path_;
  std::uint64_t reserve_bytes_;
  std::uint64_t free_min_;
  std::atomic<std::int64_t> budget_{0};         ///< bytes that may still be admitted before the next look
  std::atomic<std::int64_t> looked_at_ms_{-1};
  std::mutex mutex_;
};

}  // namespace bahi
