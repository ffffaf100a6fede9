// The process of bahi_crash that writes and is killed.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "crash_message.hpp"

namespace bahi::faults {

struct WriterOptions {
  std::filesystem::path store;
  std::filesystem::path retries;  ///< file of Intents to be submitted again
  std::filesystem::path names;    ///< for the NameJournal
  std::uint64_t seed = 0;
  std::uint32_t cycle = 0;
  std::uint32_t run_ms = 0;  ///< then it closes the store and ends; 0 = never
  int pipe = -1;
};

/// Opens the store on a lossy file system and appends until it is killed, the time is up, or the store turns
/// read-only. The exit code of the process.
int run_writer(const WriterOptions& options);

}  // namespace bahi::faults
