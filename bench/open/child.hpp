// The processes that engine_open starts: one that appends until it is killed, one that opens.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace bahi::bench {

inline constexpr std::uint64_t kStreams = 100'000;

/// What a fresh process needed after a kill, from the call of Engine::open on.
struct OpenTimes {
  double open_ms = 0;
  double append_ms = 0;  ///< until the first append was acknowledged
  double read_ms = 0;    ///< until the first stream had been read, too
  std::uint64_t events = 0;
};

/// Appends batches of `batch` events, 16 in flight, for ever; writes the number of
/// acknowledged events to standard output (eight bytes each time). Never returns.
[[noreturn]] void append_until_killed(const std::filesystem::path& directory, std::size_t batch, std::uint64_t seed);
/// Opens, appends one event, reads one stream, closes; prints the times in nanoseconds and the events before the
/// append.
int open_and_measure(const std::filesystem::path& directory);

/// Starts this program with `arguments`, waits until it reports `events` acknowledged events in
/// the store, then kills it with SIGKILL. Returns the last number it reported.
std::uint64_t run_and_kill(const std::vector<std::string>& arguments, std::uint64_t events);
/// Starts this program with `arguments` for `open_and_measure` and reads its answer.
OpenTimes run_and_measure(const std::vector<std::string>& arguments);

}  // namespace bahi::bench
