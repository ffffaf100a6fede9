// The process of bahi_crash that appends through an engine of its own and is killed.
#pragma once

#include <cstdint>
#include <filesystem>

#include "crash_child.hpp"

namespace bahi::faults {

struct WriterOptions : ChildOptions {
  std::filesystem::path retries;  ///< file of Intents to be submitted again
  std::uint32_t cycle = 0;
};

/// Opens the store on a lossy file system and appends until it is killed, the time is up, or the store turns
/// read-only. The exit code of the process.
int run_writer(const WriterOptions& options);

}  // namespace bahi::faults
