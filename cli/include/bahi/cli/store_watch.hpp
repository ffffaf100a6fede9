// Waits until a store has changed, without polling and without a lock.
#pragma once

#include <filesystem>
#include <memory>

#include "bahi/base/result.hpp"

namespace bahi::cli {

/// Watches the head anchor in a data directory, which the writer's engine writes after every sync.
class StoreWatch {
 public:
  /// What happens from now on is noticed. Errors: kTooManyOpenFiles, kIoError.
  [[nodiscard]] static Result<std::unique_ptr<StoreWatch>> open(const std::filesystem::path& directory);
  ~StoreWatch();
  StoreWatch(const StoreWatch&) = delete;
  StoreWatch& operator=(const StoreWatch&) = delete;

  /// Returns when the store was written to since the last call, after a stop signal, or when nobody reads
  /// `output` any more (a pipe). May return without cause.
  Status wait(int output);

 private:
  explicit StoreWatch(int descriptor) : descriptor_(descriptor) {}

  const int descriptor_;
};

}  // namespace bahi::cli
