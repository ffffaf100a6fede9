#include "fold_batch.hpp"

#include <algorithm>
#include <cstring>

namespace bahi::projections {

FoldBatch::FoldBatch(std::shared_ptr<const DecodedBatch> batch, const FoldTypes& types, DomainData& scratch)
    : batch_(std::move(batch)) {
  const BatchBody& body = batch_->body();
  std::vector<const DomainType*> schemas(body.type_count());
  bool any_schema = false;
  for (std::uint32_t ref = 0; ref < body.type_count(); ++ref) {
    const std::string_view type = body.type_name(ref);
    handlers_.push_back(types.handler_of(type));
    if (handlers_.back() == FoldTypes::kNone) continue;
    wanted_ = true;
    schemas[ref] = find_domain_type(type);
    any_schema = any_schema || schemas[ref] != nullptr;
  }
  if (!any_schema) return;
  places_.assign(body.event_count(), kNoData);
  EventView event;
  for (EventPlace place; place.index < body.event_count(); body.advance(place)) {
    const DomainType* const schema = schemas[body.type_ref(place.index)];
    if (schema == nullptr) continue;
    body.read(place, event);
    if (const Status read = schema->read(event.content_type, event.data, scratch); !read) {
      problems_.emplace_back(place.index, read.error());
      continue;
    }
    const std::string_view data = scratch.bytes();
    places_[place.index] = bytes_.size();
    bytes_.resize(bytes_.size() + (data.size() + sizeof(std::uint64_t) - 1) / sizeof(std::uint64_t));
    std::memcpy(bytes_.data() + places_[place.index], data.data(), data.size());
  }
}

const void* FoldBatch::data(std::uint32_t index) const {
  return places_.empty() || places_[index] == kNoData ? nullptr : bytes_.data() + places_[index];
}

const Error* FoldBatch::problem(std::uint32_t index) const {
  const auto found =
      std::find_if(problems_.begin(), problems_.end(), [index](const auto& problem) { return problem.first == index; });
  return found == problems_.end() ? nullptr : &found->second;
}

}  // namespace bahi::projections
