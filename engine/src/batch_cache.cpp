#include "batch_cache.hpp"

namespace bahi {

std::shared_ptr<const DecodedBatch> BatchCache::find(TenantId tenant, Offset offset) {
  const std::scoped_lock lock(mutex_);
  const auto found = entries_.lower_bound({tenant.value, offset.value});
  if (found == entries_.end() || found->first.first != tenant.value) return nullptr;
  if (found->second.batch->header().first_offset > offset) return nullptr;
  uses_.splice(uses_.begin(), uses_, found->second.use);
  return found->second.batch;
}

void BatchCache::put(std::shared_ptr<const DecodedBatch> batch) {
  const std::size_t size = batch->memory_bytes();
  if (size > bytes_max_) return;
  const Key key{batch->header().tenant.value, batch->header().last_offset().value};
  const std::scoped_lock lock(mutex_);
  const auto [entry, inserted] = entries_.try_emplace(key);
  if (!inserted) return;
  uses_.push_front(key);
  entry->second = {std::move(batch), uses_.begin()};
  bytes_ += size;
  while (bytes_ > bytes_max_) {
    const auto oldest = entries_.find(uses_.back());
    bytes_ -= oldest->second.batch->memory_bytes();
    entries_.erase(oldest);
    uses_.pop_back();
  }
}

}  // namespace bahi
