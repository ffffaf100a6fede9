// A latency histogram whose percentiles are off by at most 0.4 %.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace bahi::bench {

/// Counts nanoseconds in buckets of 1/128 of a power of two; values below 128 are exact.
/// `record` is thread-safe and lock-free; the other members want the recording to have ended.
class Histogram {
 public:
  Histogram() = default;
  Histogram(const Histogram&) = delete;
  Histogram& operator=(const Histogram&) = delete;

  void record(std::uint64_t nanos) noexcept;
  void merge(const Histogram& other) noexcept;
  void clear() noexcept;

  [[nodiscard]] std::uint64_t count() const noexcept;
  [[nodiscard]] std::uint64_t max() const noexcept { return max_.load(std::memory_order_relaxed); }
  /// The smallest recorded value, up to the bucket's width, that at least `percent` of all do not
  /// exceed; 0 when nothing was recorded.
  [[nodiscard]] std::uint64_t percentile(double percent) const noexcept;

  static constexpr unsigned kPrecisionBits = 7;
  static constexpr std::size_t kBuckets = (64U - kPrecisionBits + 1U) << kPrecisionBits;
  [[nodiscard]] static std::size_t bucket_of(std::uint64_t value) noexcept;
  /// The middle of a bucket's range.
  [[nodiscard]] static std::uint64_t value_of(std::size_t bucket) noexcept;

 private:
  std::array<std::atomic<std::uint64_t>, kBuckets> counts_{};
  std::atomic<std::uint64_t> max_{0};
};

}  // namespace bahi::bench
