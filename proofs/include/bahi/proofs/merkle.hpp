// Merkle trees as in RFC 9162, section 2.1 (the hashes are those of RFC 6962): leaf SHA-256(0x00 | entry), node
// SHA-256(0x01 | left | right). Everything here is computed from hashes of complete subtrees, wherever they are kept.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "bahi/base/result.hpp"

namespace bahi::proofs {

using TreeHash = std::array<std::uint8_t, 32>;
using HashList = std::vector<TreeHash>;

[[nodiscard]] inline std::string_view as_bytes(const TreeHash& hash) {
  return {reinterpret_cast<const char*>(hash.data()), hash.size()};
}
/// Padded base64.
[[nodiscard]] std::string to_base64(const TreeHash& hash);
/// False when `text` is not the canonical base64 of 32 bytes.
[[nodiscard]] bool from_base64(std::string_view text, TreeHash& hash);

/// SHA-256 of the parts, one after the other. Thread-safe, like the next two.
[[nodiscard]] TreeHash sha256(std::initializer_list<std::string_view> parts);
[[nodiscard]] TreeHash leaf_hash(std::string_view entry);
[[nodiscard]] TreeHash node_hash(const TreeHash& left, const TreeHash& right);

/// The leaves [index << level, (index + 1) << level), all of which exist.
struct Subtree {
  unsigned level = 0;
  std::uint64_t index = 0;
  [[nodiscard]] std::uint64_t begin() const { return index << level; }
  [[nodiscard]] std::uint64_t size() const { return std::uint64_t{1} << level; }
  auto operator<=>(const Subtree&) const = default;
};
/// The fewest complete subtrees that cover the leaves [begin, end), from left to right: at most 126.
[[nodiscard]] std::vector<Subtree> subtrees_of(std::uint64_t begin, std::uint64_t end);

/// Gives the hash of a complete subtree.
using NodeReader = std::function<Result<TreeHash>(const Subtree&)>;
/// Hash of the tree over the leaves [begin, end), which are those of a node of a tree. Errors: those of `nodes`.
[[nodiscard]] Result<TreeHash> range_hash(const NodeReader& nodes, std::uint64_t begin, std::uint64_t end);
[[nodiscard]] Result<TreeHash> root_hash(const NodeReader& nodes, std::uint64_t size);
/// The audit path of a leaf in the tree of `size` leaves. kOffsetOutOfRange unless leaf < size.
[[nodiscard]] Result<HashList> inclusion_proof(const NodeReader& nodes, std::uint64_t leaf, std::uint64_t size);
/// That the tree of `size` leaves begins with that of `old_size`; nothing to be said of equal trees or an empty old
/// one. kOffsetOutOfRange unless old_size <= size.
[[nodiscard]] Result<HashList> consistency_proof(const NodeReader& nodes, std::uint64_t old_size, std::uint64_t size);

/// A tree grown from left to right, of which only the roots of complete subtrees are kept.
class RangeStack {
 public:
  /// Appends a complete subtree of 2^level leaves. False: it does not begin at a multiple of its size.
  [[nodiscard]] bool push(unsigned level, const TreeHash& hash);
  [[nodiscard]] std::uint64_t size() const noexcept { return size_; }
  [[nodiscard]] TreeHash root() const;

 private:
  struct Entry {
    unsigned level;
    TreeHash hash;
  };
  std::vector<Entry> entries_;  // levels descend
  std::uint64_t size_ = 0;
};

struct TreeHead {
  std::uint64_t size = 0;
  TreeHash root{};
  bool operator==(const TreeHead&) const = default;
};
/// RFC 9162, 2.1.3.2. False: the leaf is not proven to stand there.
[[nodiscard]] bool verify_inclusion(const TreeHead& tree, std::uint64_t leaf, const TreeHash& hash,
                                    const HashList& proof);
/// RFC 9162, 2.1.4.2. False: `tree` is not proven to begin with `old`.
[[nodiscard]] bool verify_consistency(const TreeHead& old, const TreeHead& tree, const HashList& proof);

/// Leaves [begin, end).
struct LeafRange {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  bool operator==(const LeafRange&) const = default;
};
/// What lies between, before and behind the leaves given (ascending) in a tree of `size`. The hashes of the subtrees of
/// all gaps, in order, prove the leaves together; of neighbouring leaves they also prove that nothing stands between
/// them.
[[nodiscard]] std::vector<LeafRange> gaps_between(const std::vector<std::uint64_t>& leaves, std::uint64_t size);
/// True: these leaves and the hashes of their gaps give the tree's root, with no hash left over.
[[nodiscard]] bool verify_leaves(const TreeHead& tree, const std::vector<std::uint64_t>& leaves, const HashList& hashes,
                                 const HashList& gap_hashes);

}  // namespace bahi::proofs
