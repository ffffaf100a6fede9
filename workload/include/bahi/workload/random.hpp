// Numbers that look random and are the same on every machine.
#pragma once

#include <cstdint>
#include <string_view>

namespace bahi::workload {

/// SplitMix64: small, fast, good enough to choose test data. Source: https://prng.di.unimi.it/splitmix64.c
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() noexcept {
    state_ += 0x9E3779B97F4A7C15ULL;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27U)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31U);
  }
  /// Uniform in [0, bound) but for a bias of bound / 2^64; 0 when `bound` is.
  std::uint64_t below(std::uint64_t bound) noexcept {
    __extension__ using Wide = unsigned __int128;
    return static_cast<std::uint64_t>((static_cast<Wide>(next()) * bound) >> 64U);
  }
  /// Uniform in [low, high].
  std::int64_t between(std::int64_t low, std::int64_t high) noexcept {
    return low + static_cast<std::int64_t>(below(static_cast<std::uint64_t>(high - low) + 1));
  }
  /// In [0, bound), the smaller the more often, as some are busier than others: half of all are below a fifth of it.
  std::uint64_t skewed_below(std::uint64_t bound) noexcept { return below(below(bound) + 1); }
  /// True so many times in `of`.
  bool chance(std::uint64_t times, std::uint64_t of) noexcept { return below(of) < times; }

 private:
  std::uint64_t state_;
};

template <class Array>
const auto& pick(const Array& array, Random& random) {
  return array[random.below(array.size())];
}

/// A word of `words::kText`. Ranks are as in natural text: the k-th word comes about 1/k as often as the first.
[[nodiscard]] std::string_view text_word(Random& random);

}  // namespace bahi::workload
