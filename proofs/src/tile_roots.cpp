#include "bahi/proofs/tile_roots.hpp"

namespace bahi::proofs {
namespace {

auto place(const HashList& hashes, std::uint64_t index) {
  return hashes.begin() + static_cast<std::ptrdiff_t>(index);
}

}  // namespace

TreeHash fold(const HashList& hashes, std::uint64_t first, std::uint64_t count) {
  HashList level(place(hashes, first), place(hashes, first + count));
  for (std::size_t left = level.size(); left > 1; left /= 2) {
    for (std::size_t i = 0; i < left / 2; ++i) level[i] = node_hash(level[2 * i], level[2 * i + 1]);
  }
  return level.front();
}

void TileRoots::clear() {
  count_ = kept_from_ = 0;
  kept_.clear();
  upper_.clear();
}

void TileRoots::add(const TreeHash& root) {
  kept_.push_back(root);
  std::uint64_t count = ++count_;
  for (std::size_t level = 0; count % kTileLeaves == 0; ++level, count /= kTileLeaves) {
    const HashList& below = level == 0 ? kept_ : upper_[level - 1];
    const TreeHash above = fold(below, below.size() - kTileLeaves, kTileLeaves);
    if (upper_.size() == level) upper_.emplace_back();
    upper_[level].push_back(above);
  }
}

void TileRoots::trim() {
  const std::uint64_t complete = count_ / kTileLeaves * kTileLeaves;
  if (complete == kept_from_) return;
  kept_.erase(kept_.begin(), place(kept_, complete - kept_from_));
  kept_from_ = complete;
}

HashList TileRoots::kept(std::uint64_t first, std::uint64_t count) const {
  return HashList(place(kept_, first - kept_from_), place(kept_, first - kept_from_ + count));
}

std::optional<TreeHash> TileRoots::node(const Subtree& part) const {
  const unsigned level = part.level / kTileLevel - 2;
  const std::uint64_t count = std::uint64_t{1} << (part.level % kTileLevel);
  if (level >= upper_.size() || (part.index + 1) * count > upper_[level].size()) return std::nullopt;
  return fold(upper_[level], part.index * count, count);
}

}  // namespace bahi::proofs
