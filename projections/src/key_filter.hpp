// Remembers keys well enough to say of most others that they were never there.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <vector>

namespace bahi::projections {

/// A Bloom filter that grows: layers of blocks of one cache line, each layer four times the one before it. About one
/// key in a hundred that was never added is taken for one that was. Not thread-safe.
class KeyFilter {
 public:
  /// Beyond so many keys the filter gives up: it frees its memory and takes every key for one that was added.
  static constexpr std::size_t kKeysMax = std::size_t{1} << 25U;

  void add(std::uint64_t hash) {
    if (full_) return;
    if (layers_.empty() || layers_.back().left == 0) grow();
    if (full_) return;
    Layer& layer = layers_.back();
    --layer.left;
    Block& block = layer.blocks[place(hash, layer)];
    for_each_bit(hash, [&](std::size_t word, std::uint64_t bit) {
      block[word] |= bit;
      return true;
    });
  }
  /// False: the key was surely not added.
  [[nodiscard]] bool may_contain(std::uint64_t hash) const {
    if (full_) return true;
    for (const Layer& layer : layers_) {
      const Block& block = layer.blocks[place(hash, layer)];
      if (for_each_bit(hash, [&](std::size_t word, std::uint64_t bit) { return (block[word] & bit) != 0; }))
        return true;
    }
    return false;
  }

 private:
  static constexpr std::size_t kBlockBits = 512;
  static constexpr std::size_t kKeysPerBlock = 40;
  static constexpr std::size_t kFirstBlocks = 64;
  using Block = std::array<std::uint64_t, kBlockBits / 64>;
  struct Layer {
    std::vector<Block> blocks;  // a power of two
    std::size_t left = 0;
  };

  [[nodiscard]] static std::size_t place(std::uint64_t hash, const Layer& layer) {
    return (hash >> 32U) & (layer.blocks.size() - 1);
  }
  /// Seven bits of the block, from the half of the hash that did not choose it. Ends when `visit` says false.
  template <class Visit>
  static bool for_each_bit(std::uint64_t hash, Visit visit) {
    std::uint64_t bits = (hash & 0xFFFF'FFFFU) * 0x9E37'79B9'7F4A'7C15ULL;
    for (int i = 0; i < 7; ++i) {
      if (!visit((bits >> 6U) & 7U, std::uint64_t{1} << (bits & 63U))) return false;
      bits = std::rotr(bits, 9);
    }
    return true;
  }
  void grow() {
    std::size_t keys = 0;
    for (const Layer& layer : layers_) keys += layer.blocks.size() * kKeysPerBlock;
    if (keys > kKeysMax) {
      full_ = true;
      layers_.clear();
      return;
    }
    const std::size_t blocks = layers_.empty() ? kFirstBlocks : 4 * layers_.back().blocks.size();
    layers_.push_back({std::vector<Block>(blocks), blocks * kKeysPerBlock});
  }

  std::vector<Layer> layers_;
  bool full_ = false;
};

}  // namespace bahi::projections
