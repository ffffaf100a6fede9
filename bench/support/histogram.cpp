#include "histogram.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace bahi::bench {

std::size_t Histogram::bucket_of(std::uint64_t value) noexcept {
  constexpr std::uint64_t kExact = std::uint64_t{1} << kPrecisionBits;
  if (value < kExact) return static_cast<std::size_t>(value);
  const unsigned shift = static_cast<unsigned>(std::bit_width(value)) - 1U - kPrecisionBits;
  return (static_cast<std::size_t>(shift + 1U) << kPrecisionBits) + static_cast<std::size_t>((value >> shift) - kExact);
}

std::uint64_t Histogram::value_of(std::size_t bucket) noexcept {
  constexpr std::size_t kExact = std::size_t{1} << kPrecisionBits;
  if (bucket < kExact) return bucket;
  const auto shift = static_cast<unsigned>(bucket >> kPrecisionBits) - 1U;
  const std::uint64_t low = static_cast<std::uint64_t>(kExact + bucket % kExact) << shift;
  return low + ((std::uint64_t{1} << shift) >> 1U);
}

void Histogram::record(std::uint64_t nanos) noexcept {
  counts_[bucket_of(nanos)].fetch_add(1, std::memory_order_relaxed);
  std::uint64_t seen = max_.load(std::memory_order_relaxed);
  while (nanos > seen && !max_.compare_exchange_weak(seen, nanos, std::memory_order_relaxed)) {
  }
}

void Histogram::merge(const Histogram& other) noexcept {
  for (std::size_t i = 0; i < kBuckets; ++i) {
    const std::uint64_t more = other.counts_[i].load(std::memory_order_relaxed);
    if (more != 0) counts_[i].fetch_add(more, std::memory_order_relaxed);
  }
  max_.store(std::max(max(), other.max()), std::memory_order_relaxed);
}

void Histogram::clear() noexcept {
  for (auto& bucket : counts_) bucket.store(0, std::memory_order_relaxed);
  max_.store(0, std::memory_order_relaxed);
}

std::uint64_t Histogram::count() const noexcept {
  std::uint64_t total = 0;
  for (const auto& bucket : counts_) total += bucket.load(std::memory_order_relaxed);
  return total;
}

std::uint64_t Histogram::percentile(double percent) const noexcept {
  const std::uint64_t total = count();
  if (total == 0) return 0;
  const double exact_rank = std::ceil(percent / 100.0 * static_cast<double>(total));
  const std::uint64_t rank = std::clamp<std::uint64_t>(static_cast<std::uint64_t>(exact_rank), 1, total);
  std::uint64_t below = 0;
  for (std::size_t i = 0; i < kBuckets; ++i) {
    below += counts_[i].load(std::memory_order_relaxed);
    if (below >= rank) return std::min(value_of(i), max());
  }
  return max();
}

}  // namespace bahi::bench
