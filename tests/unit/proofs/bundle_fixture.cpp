#include "bundle_fixture.hpp"

#include "bahi/proofs/canonical_event.hpp"

namespace bahi::test {

using namespace proofs;

std::string canonical_event_at(std::uint64_t offset, const std::string& data) {
  const std::string stream = "item-" + std::to_string(offset % 3);
  EventView event;
  event.offset = {offset};
  event.version = {static_cast<std::int64_t>(offset / 3)};
  event.id = {1, offset};
  event.occurred_at = {1'000'000'000 + static_cast<std::int64_t>(offset)};
  event.recorded_at = {2'000'000'000 + static_cast<std::int64_t>(offset)};
  event.stream = stream;
  event.type = "counted";
  event.content_type = kJsonContentType;
  event.data = data;
  event.tags = {"tag:1", "tag:2"};
  event.metadata.actor = "mira";
  event.metadata.correlation_id = offset % 2 == 0 ? "even" : "odd";
  std::string bytes;
  append_canonical_event(event, bytes);
  return bytes;
}

LogOfBytes::LogOfBytes(std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) events_.push_back(canonical_event_at(i, std::to_string(i * i)));
}

NodeReader LogOfBytes::nodes() const {
  return [this](const Subtree& part) -> Result<TreeHash> {
    RangeStack stack;
    for (std::uint64_t i = part.begin(); i < part.begin() + part.size(); ++i) {
      REQUIRE(stack.push(0, leaf_hash(events_.at(i))));
    }
    return stack.root();
  };
}

TreeHead LogOfBytes::head(std::uint64_t size) const {
  return {size, root_hash(nodes(), size).value()};
}

std::string LogOfBytes::checkpoint(std::uint64_t size, const SigningKey& key, const std::string& origin) const {
  return sign_checkpoint({origin, head(size)}, key).value();
}

Bundle LogOfBytes::bundle(const std::vector<std::uint64_t>& offsets, std::uint64_t size, std::uint64_t previous,
                          const SigningKey& key) const {
  Bundle bundle;
  bundle.checkpoint = checkpoint(size, key);
  if (previous != 0) {
    bundle.previous = checkpoint(previous, key);
    bundle.consistency = consistency_proof(nodes(), previous, size).value();
  }
  for (const LeafRange& gap : gaps_between(offsets, size)) {
    for (const Subtree& part : subtrees_of(gap.begin, gap.end)) bundle.gap_hashes.push_back(nodes()(part).value());
  }
  for (const std::uint64_t offset : offsets) bundle.events.push_back(events_.at(offset));
  return bundle;
}

Bundle LogOfBytes::range(LeafRange range, std::uint64_t size, std::uint64_t previous, const SigningKey& key) const {
  std::vector<std::uint64_t> offsets;
  for (std::uint64_t i = range.begin; i < range.end; ++i) offsets.push_back(i);
  Bundle made = bundle(offsets, size, previous, key);
  made.selection.range = range;
  return made;
}

}  // namespace bahi::test
