// A short wait without sleeping.
#pragma once

#include <chrono>
#include <thread>

namespace bahi {

/// Yields until `ready` or until 40 µs have passed: about what waking a sleeping thread costs, so that a thread which
/// just had work does not sleep between two pieces of it.
template <class Ready>
void spin_briefly(Ready ready) {
  constexpr std::chrono::microseconds kSpin{40};
  const auto deadline = std::chrono::steady_clock::now() + kSpin;
  while (!ready() && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
}

}  // namespace bahi
