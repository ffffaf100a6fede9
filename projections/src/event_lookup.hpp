// Single events of a tenant's log, by their offsets.
#pragma once

#include <memory>

#include "bahi/engine/engine.hpp"

namespace bahi::projections {

/// Not thread-safe; the engine must outlive it.
class EventLookup {
 public:
  EventLookup(const Engine& engine, TenantId tenant) : engine_(&engine), tenant_(tenant) {}
  /// The event, until the next call. Errors: kOffsetOutOfRange when it is not durable; kCorruptLog, kIoError.
  [[nodiscard]] Result<const EventView*> at(Offset offset);

 private:
  const Engine* engine_;
  TenantId tenant_;
  std::shared_ptr<const DecodedBatch> batch_;  // owns what the event's views point to
  EventView event_;
};

}  // namespace bahi::projections
