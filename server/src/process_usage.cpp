#include "process_usage.hpp"

#include <fstream>

#include <sys/resource.h>
#include <unistd.h>

namespace bahi::server {
namespace {

std::uint64_t nanos(const timeval& time) {
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000U + static_cast<std::uint64_t>(time.tv_usec) * 1'000U;
}

}  // namespace

ProcessUsage ProcessUsage::now() {
  ProcessUsage usage;
  std::ifstream pages("/proc/self/statm");
  std::uint64_t total = 0;
  std::uint64_t resident = 0;
  if (pages >> total >> resident) usage.resident_bytes = resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  rusage used{};
  if (::getrusage(RUSAGE_SELF, &used) == 0) usage.cpu_nanos = nanos(used.ru_utime) + nanos(used.ru_stime);
  return usage;
}

}  // namespace bahi::server
