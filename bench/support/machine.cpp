#include "machine.hpp"

#include <algorithm>
#include <fstream>
#include <sstream>
#include <thread>

#include <fmt/format.h>
#include <rocksdb/version.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

namespace bahi::bench {
namespace {

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

/// Busy time of all cores: everything in /proc/stat but idle and waiting for I/O.
double machine_busy_seconds() {
  std::ifstream file("/proc/stat");
  std::string word;
  file >> word;
  double user = 0;
  double nice = 0;
  double system = 0;
  double idle = 0;
  double iowait = 0;
  double irq = 0;
  double softirq = 0;
  double steal = 0;
  file >> user >> nice >> system >> idle >> iowait >> irq >> softirq >> steal;
  return (user + nice + system + irq + softirq + steal) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

std::string field_of(const char* path, std::string_view key) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with(key)) continue;
    const std::size_t colon = line.find(':');
    const std::size_t begin = line.find_first_not_of(" \t", colon + 1);
    if (colon != std::string::npos && begin != std::string::npos) return line.substr(begin);
  }
  return "unknown";
}

std::string mount_of(const std::filesystem::path& directory) {
  std::error_code error;
  const std::string path = std::filesystem::weakly_canonical(directory, error).string();
  std::ifstream file("/proc/self/mounts");
  std::string best = "unknown";
  std::size_t best_size = 0;
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string device;
    std::string point;
    std::string type;
    words >> device >> point >> type;
    const bool inside = path == point || path.starts_with(point.ends_with('/') ? point : point + '/');
    if (!inside || point.size() < best_size) continue;
    best_size = point.size();
    best = fmt::format("{} on {}", type, device);
  }
  return best;
}

}  // namespace

Usage Usage::now() {
  Usage usage;
  usage.wall_seconds = static_cast<double>(now_nanos()) / 1e9;
  rusage self{};
  getrusage(RUSAGE_SELF, &self);
  rusage children{};
  getrusage(RUSAGE_CHILDREN, &children);
  usage.cpu_seconds =
      seconds(self.ru_utime) + seconds(self.ru_stime) + seconds(children.ru_utime) + seconds(children.ru_stime);
  usage.machine_cpu_seconds = machine_busy_seconds();
  std::ifstream file("/proc/self/io");
  std::string key;
  for (std::uint64_t value = 0; file >> key >> value;) {
    if (key == "write_bytes:") usage.write_bytes = value;
    if (key == "read_bytes:") usage.read_bytes = value;
  }
  return usage;
}

Usage Usage::operator-(const Usage& start) const {
  Usage difference;
  difference.wall_seconds = wall_seconds - start.wall_seconds;
  difference.cpu_seconds = cpu_seconds - start.cpu_seconds;
  difference.machine_cpu_seconds = machine_cpu_seconds - start.machine_cpu_seconds;
  difference.write_bytes = write_bytes - start.write_bytes;
  difference.read_bytes = read_bytes - start.read_bytes;
  return difference;
}

Usage& Usage::operator+=(const Usage& more) {
  wall_seconds += more.wall_seconds;
  cpu_seconds += more.cpu_seconds;
  machine_cpu_seconds += more.machine_cpu_seconds;
  write_bytes += more.write_bytes;
  read_bytes += more.read_bytes;
  return *this;
}

double Usage::foreign_cpu_share() const {
  const double capacity = wall_seconds * static_cast<double>(std::thread::hardware_concurrency());
  return capacity <= 0 ? 0 : std::clamp((machine_cpu_seconds - cpu_seconds) / capacity, 0.0, 1.0);
}

Machine Machine::describe(const std::filesystem::path& directory) {
  Machine machine;
  machine.cpu = field_of("/proc/cpuinfo", "model name");
  machine.cores = std::thread::hardware_concurrency();
  machine.memory_bytes =
      static_cast<std::uint64_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  utsname name{};
  if (uname(&name) == 0) machine.kernel = fmt::format("{} {}", name.sysname, name.release);
  machine.file_system = mount_of(directory);
#ifdef __clang__
  machine.compiler = "clang " __clang_version__;
#else
  machine.compiler = "g++ " __VERSION__;
#endif
  machine.rocksdb = fmt::format("{}.{}.{}", ROCKSDB_MAJOR, ROCKSDB_MINOR, ROCKSDB_PATCH);
  return machine;
}

std::string Machine::to_string() const {
  return fmt::format("{} x {}, {:.0f} GiB, {}, {}, RocksDB {}, {}", cores, cpu,
                     static_cast<double>(memory_bytes) / (1U << 30U), kernel, file_system, rocksdb, compiler);
}

}  // namespace bahi::bench
