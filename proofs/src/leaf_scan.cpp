#include "leaf_scan.hpp"

#include <algorithm>

#include "bahi/proofs/canonical_event.hpp"

namespace bahi::proofs {
namespace {

constexpr std::uint64_t kEventBytes = 512;

}  // namespace

void hash_events(const DecodedBatch& batch, LeafRange range, std::string& scratch, HashList& leaves) {
  const std::uint64_t first = batch.header().first_offset.value;
  BatchWalker walker(batch);
  if (range.begin > first) walker.skip_to(static_cast<std::uint32_t>(range.begin - first));
  EventView event;
  for (; !walker.at_end() && walker.offset().value < range.end; walker.next()) {
    walker.read(event);
    scratch.clear();
    append_canonical_event(event, scratch);
    leaves.push_back(leaf_hash(scratch));
  }
}

Result<bool> LeafScan::next(HashList& leaves) {
  leaves.clear();
  if (!cursor_) {
    // About: of a few events nothing need be read ahead.
    const std::uint64_t bytes = (range_.end - range_.begin) * kEventBytes;
    BAHI_ASSIGN(cursor_, engine_.read_batches(tenant_, {range_.begin}, {range_.end}, Direction::kForward, bytes));
  }
  BAHI_ASSIGN(const bool more, cursor_->next());
  if (!more) return false;
  BAHI_ASSIGN(const auto batch, DecodedBatch::decode(cursor_->stored()));
  hash_events(*batch, range_, scratch_, leaves);
  return true;
}

}  // namespace bahi::proofs
