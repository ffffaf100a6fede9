// The inner levels of a tree: roots of its complete tiles of 256 leaves, and of the complete subtrees above them.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "bahi/proofs/merkle.hpp"

namespace bahi::proofs {

inline constexpr unsigned kTileLevel = 8;
inline constexpr std::uint64_t kTileLeaves = std::uint64_t{1} << kTileLevel;

/// Root of a complete tree over `count` hashes from `first` on; `count` is a power of two.
[[nodiscard]] TreeHash fold(const HashList& hashes, std::uint64_t first, std::uint64_t count);

/// Grown from left to right. Not thread-safe.
class TileRoots {
 public:
  void clear();
  /// Behind the last one.
  void add(const TreeHash& root);
  [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
  /// Forgets the roots of tiles that are part of complete subtrees of 256 tiles: somebody else keeps them.
  void trim();
  /// The first tile whose root is here; a multiple of 256.
  [[nodiscard]] std::uint64_t kept_from() const noexcept { return kept_from_; }
  /// Roots of the tiles [first, first + count), all of which are here.
  [[nodiscard]] HashList kept(std::uint64_t first, std::uint64_t count) const;
  /// A subtree of 65,536 leaves or more; nothing when it is not complete.
  [[nodiscard]] std::optional<TreeHash> node(const Subtree& part) const;

 private:
  std::uint64_t count_ = 0;
  std::uint64_t kept_from_ = 0;
  HashList kept_;                // from kept_from_ on
  std::vector<HashList> upper_;  // roots of 2^16, 2^24, ... leaves, all of them
};

}  // namespace bahi::proofs
