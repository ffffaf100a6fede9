// What this process takes of the machine.
#pragma once

#include <cstdint>

namespace bahi::server {

struct ProcessUsage {
  std::uint64_t resident_bytes = 0;  ///< 0: not known
  std::uint64_t cpu_nanos = 0;       ///< of all threads, since the process began

  [[nodiscard]] static ProcessUsage now();
};

}  // namespace bahi::server
