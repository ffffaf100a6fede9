#include "bahi/proofs/tile_roots.hpp"

#include <catch2/catch.hpp>

namespace bahi::proofs {
namespace {

/// Roots that belong to no leaves, but to distinct places.
TreeHash root_at(std::uint64_t tile) {
  TreeHash hash{};
  for (std::size_t i = 0; i < 8; ++i) hash[i] = static_cast<std::uint8_t>(tile >> (8 * i));
  return hash;
}

/// Every subtree above the tiles, level by level.
std::vector<HashList> levels_over(std::uint64_t tiles) {
  std::vector<HashList> levels(1);
  for (std::uint64_t tile = 0; tile < tiles; ++tile) levels[0].push_back(root_at(tile));
  while (levels.back().size() > 1) {
    HashList above;
    for (std::size_t i = 0; i + 1 < levels.back().size(); i += 2) {
      above.push_back(node_hash(levels.back()[i], levels.back()[i + 1]));
    }
    levels.push_back(std::move(above));
  }
  return levels;
}

TEST_CASE("tile roots: subtrees of more than sixteen million leaves", "[proofs][tree]") {
  constexpr std::uint64_t kTiles = 2 * 65'536 + 3 * 256 + 5;
  const bool trims = GENERATE(false, true);
  TileRoots roots;
  for (std::uint64_t tile = 0; tile < kTiles; ++tile) {
    roots.add(root_at(tile));
    if (trims) roots.trim();
  }
  CHECK(roots.count() == kTiles);
  CHECK(roots.kept_from() == (trims ? kTiles / 256 * 256 : 0));
  CHECK(roots.kept(kTiles - 3, 2) == HashList{root_at(kTiles - 3), root_at(kTiles - 2)});
  const std::vector<HashList> levels = levels_over(kTiles);
  std::size_t wrong = 0;
  for (unsigned level = 16; level < 26; ++level) {
    const std::uint64_t count = kTiles >> (level - kTileLevel);
    for (std::uint64_t index = 0; index < count; ++index) {
      const auto node = roots.node({level, index});
      wrong += node && *node == levels[level - kTileLevel][index] ? 0 : 1;
    }
    wrong += roots.node({level, count}) ? 1 : 0;
  }
  CHECK(wrong == 0);
  CHECK_FALSE(roots.node({32, 0}));
  roots.clear();
  CHECK(roots.count() == 0);
  CHECK_FALSE(roots.node({16, 0}));
}

}  // namespace
}  // namespace bahi::proofs
