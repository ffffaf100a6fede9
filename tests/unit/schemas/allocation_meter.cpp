#include "allocation_meter.hpp"

#include <atomic>
#include <cstdlib>
#include <new>

namespace {

std::atomic<std::size_t> in_use{0};
std::atomic<std::size_t> peak{0};

}  // namespace

namespace bahi::test {

std::size_t allocated_bytes() noexcept { return in_use.load(); }
std::size_t peak_bytes() noexcept { return peak.load(); }
void reset_peak() noexcept { peak.store(in_use.load()); }

}  // namespace bahi::test

// A sanitizer brings its own operator new, so there nothing is counted; the optimised build is the one that measures.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

namespace {

constexpr std::size_t kPrefixBytes = alignof(std::max_align_t);

void* allocate(std::size_t size) {
  void* block = std::malloc(size + kPrefixBytes);
  if (block == nullptr) throw std::bad_alloc();
  *static_cast<std::size_t*>(block) = size;
  const std::size_t now = in_use += size;
  std::size_t seen = peak.load();
  while (now > seen && !peak.compare_exchange_weak(seen, now)) {
  }
  return static_cast<char*>(block) + kPrefixBytes;
}

void release(void* place) noexcept {
  if (place == nullptr) return;
  char* block = static_cast<char*>(place) - kPrefixBytes;
  in_use -= *reinterpret_cast<std::size_t*>(block);
  std::free(block);
}

}  // namespace

void* operator new(std::size_t size) { return allocate(size); }
void* operator new[](std::size_t size) { return allocate(size); }
void operator delete(void* place) noexcept { release(place); }
void operator delete[](void* place) noexcept { release(place); }
void operator delete(void* place, std::size_t) noexcept { release(place); }
void operator delete[](void* place, std::size_t) noexcept { release(place); }

#endif
