#include "event_lookup.hpp"

#include <fmt/format.h>

namespace bahi::projections {

Result<const EventView*> EventLookup::at(Offset offset) {
  ReadRequest request;
  request.tenant = tenant_;
  request.from = offset;
  request.to = offset + 1;
  BAHI_ASSIGN(cursor_, engine_->read(std::move(request)));
  BAHI_ASSIGN(const bool there, cursor_->next(event_));
  if (there) return &event_;
  return Error{ErrorCode::kOffsetOutOfRange, fmt::format("there is no durable event at offset {}", offset.value)};
}

}  // namespace bahi::projections
