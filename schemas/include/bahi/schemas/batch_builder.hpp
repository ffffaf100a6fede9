// Encodes events into a batch body, and compresses it.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>

#include "bahi/base/result.hpp"
#include "bahi/schemas/codec.hpp"
#include "bahi/schemas/event.hpp"

namespace bahi {

/// A body ready for an append request.
struct EncodedBody {
  Codec codec = Codec::kNone;
  std::uint32_t raw_size = 0;     ///< bytes before compression
  std::uint32_t event_count = 0;
  std::string bytes;              ///< as compressed
};

struct BatchBuilderOptions {
  Codec codec = Codec::kZstd;
  int zstd_level = 1;
};

/// Collects events, then encodes them. Reusable after `finish`; not thread-safe.
class BatchBuilder {
 public:
  explicit BatchBuilder(BatchBuilderOptions options = {});
  ~BatchBuilder();
  BatchBuilder(BatchBuilder&&) noexcept;
  BatchBuilder& operator=(BatchBuilder&&) noexcept;

  /// Copies the event in. On an error (bad name, too many tags, event too large, batch
  /// full: kBatchTooLarge) the builder is unchanged.
  Status add(const NewEvent& event);

  [[nodiscard]] std::size_t event_count() const noexcept;
  /// Upper estimate of the encoded size before compression.
  [[nodiscard]] std::size_t raw_size_estimate() const noexcept;

  /// Encodes what was added and empties the builder. kInvalidArgument when it is empty.
  [[nodiscard]] Result<EncodedBody> finish();
  void clear();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace bahi
