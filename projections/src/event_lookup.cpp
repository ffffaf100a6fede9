#include "event_lookup.hpp"

namespace bahi::projections {

Result<const EventView*> EventLookup::at(Offset offset) {
  const bool here = batch_ && offset >= batch_->header().first_offset && offset < batch_->header().next_offset();
  if (!here) {
    BAHI_ASSIGN(batch_, engine_->batch_at(tenant_, offset));
  }
  BatchWalker walker(*batch_);
  walker.skip_to(static_cast<std::uint32_t>(offset - batch_->header().first_offset));
  walker.read(event_);
  return &event_;
}

}  // namespace bahi::projections
