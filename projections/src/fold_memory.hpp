// How much memory the rows take that folds keep between their turns, over all instances.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>

namespace bahi::projections {

/// Thread-safe. Instances say after each turn what they hold; who holds more than an equal share, while all together
/// hold too much, lets go of it. So the sum stays below twice the limit, whoever is at rest.
class FoldMemory {
 public:
  explicit FoldMemory(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  void enter() noexcept { instances_.fetch_add(1, std::memory_order_relaxed); }
  void leave(std::size_t held) noexcept {
    instances_.fetch_sub(1, std::memory_order_relaxed);
    bytes_.fetch_sub(held, std::memory_order_relaxed);
  }
  /// An instance holds `now` bytes instead of `before`. True: it should let go of them.
  [[nodiscard]] bool note(std::size_t before, std::size_t now) noexcept {
    const std::size_t all = bytes_.fetch_add(now - before, std::memory_order_relaxed) + (now - before);
    return all > bytes_max_ && now > bytes_max_ / std::max<std::size_t>(instances_.load(std::memory_order_relaxed), 1);
  }
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_.load(std::memory_order_relaxed); }

 private:
  const std::size_t bytes_max_;
  std::atomic<std::size_t> bytes_{0};
  std::atomic<std::size_t> instances_{0};
};

}  // namespace bahi::projections
