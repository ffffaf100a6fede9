#include "bahi/proofs/merkle.hpp"

#include <array>
#include <charconv>

#include <catch2/catch.hpp>

#include "catch_result.hpp"

namespace bahi::proofs {
namespace {

std::string unhex(std::string_view text) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    unsigned value = 0;
    std::from_chars(text.data() + i, text.data() + i + 2, value, 16);
    bytes.push_back(static_cast<char>(value));
  }
  return bytes;
}

TreeHash hash_of(std::string_view hex) {
  const std::string bytes = unhex(hex);
  REQUIRE(bytes.size() == 32);
  TreeHash hash;
  std::copy(bytes.begin(), bytes.end(), hash.begin());
  return hash;
}

HashList hashes_of(const std::vector<std::string_view>& texts) {
  HashList hashes;
  for (const std::string_view text : texts) hashes.push_back(hash_of(text));
  return hashes;
}

/// MTH of RFC 9162, 2.1.1, word for word.
TreeHash naive_root(const HashList& leaves, std::size_t begin, std::size_t end) {
  if (begin == end) return sha256({});
  if (end - begin == 1) return leaves[begin];
  std::size_t split = 1;
  while (split * 2 < end - begin) split *= 2;
  return node_hash(naive_root(leaves, begin, begin + split), naive_root(leaves, begin + split, end));
}

/// PATH of RFC 9162, 2.1.3.1.
HashList naive_path(const HashList& leaves, std::size_t leaf, std::size_t begin, std::size_t end) {
  if (end - begin == 1) return {};
  std::size_t split = 1;
  while (split * 2 < end - begin) split *= 2;
  const bool left = leaf < begin + split;
  HashList path = left ? naive_path(leaves, leaf, begin, begin + split) : naive_path(leaves, leaf, begin + split, end);
  path.push_back(left ? naive_root(leaves, begin + split, end) : naive_root(leaves, begin, begin + split));
  return path;
}

/// SUBPROOF of RFC 9162, 2.1.4.1.
HashList naive_subproof(const HashList& leaves, std::size_t old_size, std::size_t begin, std::size_t end, bool whole) {
  if (old_size == end - begin) return whole ? HashList{} : HashList{naive_root(leaves, begin, end)};
  std::size_t split = 1;
  while (split * 2 < end - begin) split *= 2;
  if (old_size <= split) {
    HashList proof = naive_subproof(leaves, old_size, begin, begin + split, whole);
    proof.push_back(naive_root(leaves, begin + split, end));
    return proof;
  }
  HashList proof = naive_subproof(leaves, old_size - split, begin + split, end, false);
  proof.push_back(naive_root(leaves, begin, begin + split));
  return proof;
}

/// The leaves of the reference tests of Certificate Transparency.
HashList reference_leaves() {
  HashList leaves;
  for (const char* data :
       {"", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"}) {
    leaves.push_back(leaf_hash(unhex(data)));
  }
  return leaves;
}

HashList numbered_leaves(std::size_t count) {
  HashList leaves;
  for (std::size_t i = 0; i < count; ++i) leaves.push_back(leaf_hash(std::to_string(i)));
  return leaves;
}

NodeReader reader_of(const HashList& leaves) {
  return [&leaves](const Subtree& part) -> Result<TreeHash> {
    REQUIRE(part.begin() + part.size() <= leaves.size());
    return naive_root(leaves, part.begin(), part.begin() + part.size());
  };
}

constexpr std::string_view k96a2 = "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7";
constexpr std::string_view k5f08 = "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e";
constexpr std::string_view k6b47 = "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4";
constexpr std::string_view kBc1a = "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b";
constexpr std::string_view kCa85 = "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0";
constexpr std::string_view kD37e = "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7";
constexpr std::string_view kFac5 = "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125";
constexpr std::string_view k6e34 = "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d";
constexpr std::string_view k0ebc = "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a";

constexpr std::array<std::string_view, 9> kReferenceRoots{
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    k6e34,
    kFac5,
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    kD37e,
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};

TEST_CASE("merkle: the published roots of RFC 6962's reference tree", "[proofs][merkle]") {
  const HashList leaves = reference_leaves();
  RangeStack stack;
  for (std::size_t size = 0; size <= leaves.size(); ++size) {
    INFO("size " << size);
    CHECK(stack.root() == hash_of(kReferenceRoots[size]));
    const auto root = root_hash(reader_of(leaves), size);
    REQUIRE(root);
    CHECK(*root == hash_of(kReferenceRoots[size]));
    if (size < leaves.size()) REQUIRE(stack.push(0, leaves[size]));
  }
}

TEST_CASE("merkle: the published audit paths of RFC 6962's reference tree", "[proofs][merkle]") {
  struct Vector {
    std::uint64_t leaf;
    std::uint64_t size;
    std::vector<std::string_view> path;
  };
  const HashList leaves = reference_leaves();
  for (const Vector& vector :
       {Vector{0, 1, {}}, Vector{0, 8, {k96a2, k5f08, k6b47}}, Vector{5, 8, {kBc1a, kCa85, kD37e}},
        Vector{2, 3, {kFac5}}, Vector{1, 5, {k6e34, k5f08, kBc1a}}}) {
    INFO("leaf " << vector.leaf << " of " << vector.size);
    const auto proof = inclusion_proof(reader_of(leaves), vector.leaf, vector.size);
    REQUIRE(proof);
    CHECK(*proof == hashes_of(vector.path));
    const TreeHead tree{vector.size, hash_of(kReferenceRoots[vector.size])};
    CHECK(verify_inclusion(tree, vector.leaf, leaves[vector.leaf], hashes_of(vector.path)));
  }
}

TEST_CASE("merkle: the published consistency proofs of RFC 6962's reference tree", "[proofs][merkle]") {
  struct Vector {
    std::uint64_t old_size;
    std::uint64_t size;
    std::vector<std::string_view> proof;
  };
  const HashList leaves = reference_leaves();
  for (const Vector& vector : {Vector{1, 1, {}}, Vector{1, 8, {k96a2, k5f08, k6b47}},
                               Vector{6, 8, {k0ebc, kCa85, kD37e}}, Vector{2, 5, {k5f08, kBc1a}}}) {
    INFO(vector.old_size << " to " << vector.size);
    const auto proof = consistency_proof(reader_of(leaves), vector.old_size, vector.size);
    REQUIRE(proof);
    CHECK(*proof == hashes_of(vector.proof));
    CHECK(verify_consistency({vector.old_size, hash_of(kReferenceRoots[vector.old_size])},
                             {vector.size, hash_of(kReferenceRoots[vector.size])}, hashes_of(vector.proof)));
  }
}

TEST_CASE("merkle: roots and proofs equal the definition for all sizes up to 70", "[proofs][merkle]") {
  const HashList leaves = numbered_leaves(70);
  const NodeReader nodes = reader_of(leaves);
  std::vector<TreeHash> roots;
  std::size_t wrong = 0;
  for (std::size_t size = 0; size <= leaves.size(); ++size) {
    roots.push_back(naive_root(leaves, 0, size));
    wrong += root_hash(nodes, size).value() == roots.back() ? 0 : 1;
    const TreeHead tree{size, roots.back()};
    for (std::size_t leaf = 0; leaf < size; ++leaf) {
      const HashList proof = inclusion_proof(nodes, leaf, size).value();
      wrong += proof == naive_path(leaves, leaf, 0, size) && verify_inclusion(tree, leaf, leaves[leaf], proof) ? 0 : 1;
      // Neither of another place nor of another leaf.
      wrong += verify_inclusion(tree, (leaf + 1) % size, leaves[leaf], proof) && size > 1 ? 1 : 0;
      wrong += verify_inclusion(tree, leaf, leaf_hash("other"), proof) ? 1 : 0;
    }
    for (std::size_t old_size = 0; old_size <= size; ++old_size) {
      const HashList proof = consistency_proof(nodes, old_size, size).value();
      const TreeHead old{old_size, roots[old_size]};
      if (old_size > 0) wrong += proof == naive_subproof(leaves, old_size, 0, size, true) ? 0 : 1;
      wrong += verify_consistency(old, tree, proof) ? 0 : 1;
      wrong += verify_consistency({old_size, leaf_hash("other")}, tree, proof) ? 1 : 0;
      if (old_size > 0) wrong += verify_consistency(old, {size, leaf_hash("other")}, proof) ? 1 : 0;
    }
  }
  CHECK(wrong == 0);
  CHECK_FALSE(inclusion_proof(nodes, 70, 70));
  CHECK_FALSE(consistency_proof(nodes, 71, 70));
}

TEST_CASE("merkle: a proof with a hash changed, missing or added proves nothing", "[proofs][merkle]") {
  const HashList leaves = numbered_leaves(23);
  const NodeReader nodes = reader_of(leaves);
  const TreeHead tree{23, naive_root(leaves, 0, 23)};
  const TreeHead old{13, naive_root(leaves, 0, 13)};
  const auto for_each_damage = [](const HashList& proof, const auto& holds) {
    for (std::size_t i = 0; i < proof.size(); ++i) {
      HashList changed = proof;
      changed[i][7] ^= 1;
      CHECK_FALSE(holds(changed));
      changed = proof;
      changed.erase(changed.begin() + static_cast<std::ptrdiff_t>(i));
      CHECK_FALSE(holds(changed));
      changed = proof;
      changed.insert(changed.begin() + static_cast<std::ptrdiff_t>(i), proof[i]);
      CHECK_FALSE(holds(changed));
    }
    HashList longer = proof;
    longer.push_back({});
    CHECK_FALSE(holds(longer));
  };
  for_each_damage(inclusion_proof(nodes, 17, 23).value(),
                  [&](const HashList& proof) { return verify_inclusion(tree, 17, leaves[17], proof); });
  for_each_damage(consistency_proof(nodes, 13, 23).value(),
                  [&](const HashList& proof) { return verify_consistency(old, tree, proof); });
}

TEST_CASE("merkle: any set of leaves is proven by the hashes of its gaps", "[proofs][merkle]") {
  constexpr std::size_t kSize = 13;
  const HashList leaves = numbered_leaves(kSize);
  const TreeHead tree{kSize, naive_root(leaves, 0, kSize)};
  std::size_t wrong = 0;
  for (unsigned set = 1; set < 1U << kSize; ++set) {
    std::vector<std::uint64_t> chosen;
    HashList hashes;
    for (std::size_t i = 0; i < kSize; ++i) {
      if ((set >> i & 1U) == 0) continue;
      chosen.push_back(i);
      hashes.push_back(leaves[i]);
    }
    HashList gap_hashes;
    for (const LeafRange& gap : gaps_between(chosen, kSize)) {
      for (const Subtree& part : subtrees_of(gap.begin, gap.end)) {
        gap_hashes.push_back(naive_root(leaves, part.begin(), part.begin() + part.size()));
      }
    }
    wrong += verify_leaves(tree, chosen, hashes, gap_hashes) ? 0 : 1;
    // One leaf further, one left out, one hash too many.
    std::vector<std::uint64_t> moved = chosen;
    ++moved.back();
    wrong += verify_leaves(tree, moved, hashes, gap_hashes) ? 1 : 0;
    gap_hashes.push_back({});
    wrong += verify_leaves(tree, chosen, hashes, gap_hashes) ? 1 : 0;
  }
  CHECK(wrong == 0);
}

TEST_CASE("merkle: subtrees cover a range without overlap", "[proofs][merkle]") {
  for (std::uint64_t begin = 0; begin < 40; ++begin) {
    for (std::uint64_t end = begin; end < 80; ++end) {
      std::uint64_t next = begin;
      for (const Subtree& part : subtrees_of(begin, end)) {
        REQUIRE(part.begin() == next);
        next += part.size();
      }
      REQUIRE(next == end);
    }
  }
  RangeStack stack;
  REQUIRE(stack.push(0, {}));
  CHECK_FALSE(stack.push(1, {}));
}

}  // namespace
}  // namespace bahi::proofs
