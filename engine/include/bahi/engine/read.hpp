// Reading the log: by offset, stream, category, type and tag, in both directions.
#pragma once

#include <memory>
#include <string_view>

#include "bahi/base/result.hpp"
#include "bahi/schemas/decoded_batch.hpp"
#include "bahi/schemas/event.hpp"
#include "bahi/schemas/event_filter.hpp"

namespace bahi {

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
