// XXH3-128 of bytes that come piece by piece.
#pragma once

#include <memory>
#include <string_view>

#include "bahi/base/types.hpp"

namespace bahi {

/// Gives what `xxh3_128` gives for the pieces one after the other. Movable; not thread-safe.
class HashStream {
 public:
  HashStream();
  HashStream(HashStream&&) noexcept;
  HashStream& operator=(HashStream&&) noexcept;
  ~HashStream();

  void add(std::string_view bytes) noexcept;
  /// Of what was added so far.
  [[nodiscard]] Hash128 digest() const noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace bahi
