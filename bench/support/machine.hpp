// What the process and the machine spent: time, processor, bytes written.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>

namespace bahi::bench {

[[nodiscard]] inline std::uint64_t now_nanos() noexcept {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
          .count());
}

/// Counters at one moment; subtract two.
struct Usage {
  double wall_seconds = 0;
  double cpu_seconds = 0;          ///< of this process, all threads, and its children that ended
  double machine_cpu_seconds = 0;  ///< of all processes, kernel included, all cores
  std::uint64_t write_bytes = 0;   ///< /proc/self/io: pages this process made dirty, in bytes
  std::uint64_t read_bytes = 0;    ///< /proc/self/io: fetched from the disk

  [[nodiscard]] static Usage now();
  [[nodiscard]] Usage operator-(const Usage& start) const;
  Usage& operator+=(const Usage& more);
  /// Share of the machine's processor time that other processes took, 0 to 1.
  [[nodiscard]] double foreign_cpu_share() const;
};

struct Machine {
  std::string cpu;
  unsigned cores = 0;
  std::uint64_t memory_bytes = 0;
  std::string kernel;
  std::string file_system;  ///< type and device under the directory
  std::string compiler;
  std::string rocksdb;

  [[nodiscard]] static Machine describe(const std::filesystem::path& directory);
  [[nodiscard]] std::string to_string() const;
};

}  // namespace bahi::bench
