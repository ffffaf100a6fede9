// Counts the bytes that `operator new` has given out in this program (0 under a sanitizer).
#pragma once

#include <cstddef>

namespace bahi::test {

/// Bytes in use now, and the most since the last `reset_peak`. Sizes are as requested.
[[nodiscard]] std::size_t allocated_bytes() noexcept;
[[nodiscard]] std::size_t peak_bytes() noexcept;
void reset_peak() noexcept;

/// The most memory that `work` held at once, beyond what was in use before.
template <class Work>
[[nodiscard]] std::size_t peak_of(Work work) {
  reset_peak();
  const std::size_t before = allocated_bytes();
  work();
  return peak_bytes() - before;
}

}  // namespace bahi::test
