// Reading the log: by offset, stream, category, type and tag, in both directions.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bahi/base/result.hpp"
#include "bahi/schemas/decoded_batch.hpp"
#include "bahi/schemas/event.hpp"

namespace bahi {

enum class Direction : std::uint8_t { kForward, kBackward };

/// All conditions that are given must hold. Empty = every event.
struct EventFilter {
  std::optional<std::string> stream;
  std::optional<std::string> category;
  std::vector<std::string> types;  ///< one of them
  std::vector<std::string> tags;   ///< all of them

  [[nodiscard]] bool empty() const { return !stream && !category && types.empty() && tags.empty(); }
  [[nodiscard]] bool matches(const EventView& event) const;
};

/// Events with `from` ≤ offset < `to`, and below the durable offset as it was when the
/// read began. Backward reads begin at the end of that range.
struct ReadRequest {
  TenantId tenant;
  Offset from;
  std::optional<Offset> to;
  Direction direction = Direction::kForward;
  EventFilter filter;
  std::optional<std::uint64_t> limit;
};

/// Gives matching events one by one without copying their data. Not thread-safe; must not
/// outlive the engine.
class EventCursor {
 public:
  EventCursor() = default;
  EventCursor(const EventCursor&) = delete;
  EventCursor& operator=(const EventCursor&) = delete;
  virtual ~EventCursor() = default;
  /// True: `event` is the next one; its views hold until the next call or the cursor's end.
  /// False: there is no more. Errors: kCorruptLog, kIndexDamaged, kIoError.
  [[nodiscard]] virtual Result<bool> next(EventView& event) = 0;
};

/// Gives whole stored batches that overlap a range, verbatim as they lie in the log.
/// Not thread-safe; must not outlive the engine.
class BatchCursor {
 public:
  BatchCursor() = default;
  BatchCursor(const BatchCursor&) = delete;
  BatchCursor& operator=(const BatchCursor&) = delete;
  virtual ~BatchCursor() = default;
  /// Moves to the next batch; false: there is no more. Errors: kCorruptLog, kIoError.
  [[nodiscard]] virtual Result<bool> next() = 0;
  /// Header, version section and body of the batch; holds until the next call of `next`.
  [[nodiscard]] virtual std::string_view stored() const = 0;
  [[nodiscard]] virtual const BatchHeader& header() const = 0;
};

}  // namespace bahi
