// Progress of long work, for people: on standard error, only when that is a terminal.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>

namespace bahi::cli {

/// The line shown: percent, bar, rate and time left when `total` is known (not 0),
/// otherwise count and rate.
[[nodiscard]] std::string progress_line(std::string_view label, std::string_view unit, std::uint64_t done,
                                        std::uint64_t total, std::chrono::duration<double> elapsed);

/// "1234567" as "1,234,567".
[[nodiscard]] std::string grouped(std::uint64_t number);
/// "1234567" as "1.2 MB".
[[nodiscard]] std::string human_bytes(std::uint64_t bytes);

/// Draws at most ten times a second. Thread-safe. Wipes its line when it goes away.
class ProgressBar {
 public:
  /// `unit` "B" shows bytes.
  ProgressBar(std::string label, std::string unit);
  ~ProgressBar();
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  void update(std::uint64_t done, std::uint64_t total);
  /// Wipes the line, so that other text can be written; the next update draws it again.
  void wipe();

 private:
  using Clock = std::chrono::steady_clock;

  const std::string label_;
  const std::string unit_;
  const bool shown_;
  const Clock::time_point start_ = Clock::now();
  std::mutex mutex_;
  Clock::time_point next_draw_ = start_;  // guarded by mutex_
  bool drawn_ = false;                    // guarded by mutex_
};

}  // namespace bahi::cli
