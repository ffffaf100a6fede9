// Standard output in large pieces.
#pragma once

#include <cstddef>
#include <string>

#include "bahi/base/result.hpp"

namespace bahi::cli {

/// Append to `text()`, then call `drain` now and then. Not thread-safe.
class Output {
 public:
  explicit Output(int descriptor) : descriptor_(descriptor) {}

  [[nodiscard]] std::string& text() noexcept { return text_; }
  /// Writes what has gathered once it is large. Errors: as `flush`.
  Status drain() { return text_.size() < kPieceBytes ? Status{} : flush(); }
  /// Writes everything. Nobody reading any more is no error, see `closed`. Errors: kDiskFull, kIoError.
  Status flush();
  /// The reader has gone away: nothing written from now on is of use to anyone.
  [[nodiscard]] bool closed() const noexcept { return closed_; }
  [[nodiscard]] int descriptor() const noexcept { return descriptor_; }

 private:
  static constexpr std::size_t kPieceBytes = std::size_t{256} << 10U;

  int descriptor_;
  std::string text_;
  bool closed_ = false;
};

}  // namespace bahi::cli
