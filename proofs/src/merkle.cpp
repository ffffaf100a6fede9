#include "bahi/proofs/merkle.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

#include <fmt/format.h>
#include <openssl/evp.h>

#include "bahi/base/base64.hpp"

namespace bahi::proofs {
namespace {

constexpr std::string_view kLeafPrefix("\0", 1);
constexpr std::string_view kNodePrefix("\1", 1);

/// OpenSSL looks an algorithm up by name and allocates; both are done once per thread.
class Sha256 {
 public:
  Sha256() : algorithm_(EVP_MD_fetch(nullptr, "SHA256", nullptr)), context_(EVP_MD_CTX_new()) {
    if (algorithm_ == nullptr || context_ == nullptr || EVP_DigestInit_ex2(context_, algorithm_, nullptr) != 1) {
      throw std::bad_alloc();  // there is no OpenSSL 3 without SHA-256
    }
  }
  ~Sha256() {
    EVP_MD_CTX_free(context_);
    EVP_MD_free(algorithm_);
  }
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  TreeHash digest(std::initializer_list<std::string_view> parts) {
    TreeHash hash;
    bool good = EVP_DigestInit_ex2(context_, nullptr, nullptr) == 1;
    for (const std::string_view part : parts) good = good && EVP_DigestUpdate(context_, part.data(), part.size()) == 1;
    if (!good || EVP_DigestFinal_ex(context_, hash.data(), nullptr) != 1) throw std::bad_alloc();
    return hash;
  }

 private:
  EVP_MD* algorithm_;
  EVP_MD_CTX* context_;
};

Error beyond(std::string_view field, std::uint64_t value, std::uint64_t size) {
  return {ErrorCode::kOffsetOutOfRange, fmt::format("{}: {} lies beyond the tree of {} events", field, value, size)};
}

/// The largest power of two below `size`, which is at least 2.
std::uint64_t split_of(std::uint64_t size) {
  return std::bit_floor(size - 1);
}

}  // namespace

std::string to_base64(const TreeHash& hash) {
  std::string text;
  append_base64(as_bytes(hash), text);
  return text;
}

bool from_base64(std::string_view text, TreeHash& hash) {
  std::string bytes;
  if (!decode_base64(text, bytes) || bytes.size() != hash.size()) return false;
  std::memcpy(hash.data(), bytes.data(), hash.size());
  return true;
}

TreeHash sha256(std::initializer_list<std::string_view> parts) {
  static thread_local Sha256 hasher;
  return hasher.digest(parts);
}
TreeHash leaf_hash(std::string_view entry) {
  return sha256({kLeafPrefix, entry});
}
TreeHash node_hash(const TreeHash& left, const TreeHash& right) {
  return sha256({kNodePrefix, as_bytes(left), as_bytes(right)});
}

std::vector<Subtree> subtrees_of(std::uint64_t begin, std::uint64_t end) {
  std::vector<Subtree> parts;
  while (begin < end) {
    const auto aligned = static_cast<unsigned>(std::countr_zero(begin));  // 64 of zero
    const auto fits = static_cast<unsigned>(std::bit_width(end - begin)) - 1;
    const unsigned level = std::min(aligned, fits);
    parts.push_back({level, begin >> level});
    begin += std::uint64_t{1} << level;
  }
  return parts;
}

Result<TreeHash> range_hash(const NodeReader& nodes, std::uint64_t begin, std::uint64_t end) {
  if (begin >= end) return sha256({});
  const std::vector<Subtree> parts = subtrees_of(begin, end);
  BAHI_ASSIGN(TreeHash hash, nodes(parts.back()));
  for (std::size_t i = parts.size() - 1; i-- > 0;) {
    BAHI_ASSIGN(const TreeHash left, nodes(parts[i]));
    hash = node_hash(left, hash);
  }
  return hash;
}

Result<TreeHash> root_hash(const NodeReader& nodes, std::uint64_t size) {
  return range_hash(nodes, 0, size);
}

Result<HashList> inclusion_proof(const NodeReader& nodes, std::uint64_t leaf, std::uint64_t size) {
  if (leaf >= size) return beyond("offset", leaf, size);
  HashList proof;
  std::uint64_t begin = 0;
  std::uint64_t end = size;
  while (end - begin > 1) {
    const std::uint64_t middle = begin + split_of(end - begin);
    const bool left = leaf < middle;
    BAHI_ASSIGN(const TreeHash sibling, left ? range_hash(nodes, middle, end) : range_hash(nodes, begin, middle));
    proof.push_back(sibling);
    (left ? end : begin) = middle;
  }
  std::reverse(proof.begin(), proof.end());
  return proof;
}

Result<HashList> consistency_proof(const NodeReader& nodes, std::uint64_t old_size, std::uint64_t size) {
  if (old_size > size) return beyond("from size", old_size, size);
  HashList proof;
  if (old_size == 0 || old_size == size) return proof;
  std::uint64_t begin = 0;
  std::uint64_t end = size;
  // Down to the subtree that ends where the old tree ended.
  while (end != old_size) {
    const std::uint64_t middle = begin + split_of(end - begin);
    const bool left = old_size <= middle;
    BAHI_ASSIGN(const TreeHash sibling, left ? range_hash(nodes, middle, end) : range_hash(nodes, begin, middle));
    proof.push_back(sibling);
    (left ? end : begin) = middle;
  }
  if (begin != 0) {  // otherwise it is the old tree itself, whose root the verifier has
    BAHI_ASSIGN(const TreeHash last, range_hash(nodes, begin, end));
    proof.push_back(last);
  }
  std::reverse(proof.begin(), proof.end());
  return proof;
}

bool RangeStack::push(unsigned level, const TreeHash& hash) {
  if (level > 63 || (size_ & ((std::uint64_t{1} << level) - 1)) != 0) return false;
  size_ += std::uint64_t{1} << level;
  Entry entry{level, hash};
  while (!entries_.empty() && entries_.back().level == entry.level) {
    entry = {entry.level + 1, node_hash(entries_.back().hash, entry.hash)};
    entries_.pop_back();
  }
  entries_.push_back(entry);
  return true;
}

TreeHash RangeStack::root() const {
  if (entries_.empty()) return sha256({});
  TreeHash hash = entries_.back().hash;
  for (std::size_t i = entries_.size() - 1; i-- > 0;) hash = node_hash(entries_[i].hash, hash);
  return hash;
}

bool verify_inclusion(const TreeHead& tree, std::uint64_t leaf, const TreeHash& hash, const HashList& proof) {
  if (leaf >= tree.size) return false;
  std::uint64_t place = leaf;
  std::uint64_t last = tree.size - 1;
  TreeHash root = hash;
  for (const TreeHash& sibling : proof) {
    if (last == 0) return false;
    if ((place & 1U) != 0 || place == last) {
      root = node_hash(sibling, root);
      while ((place & 1U) == 0 && place != 0) {
        place >>= 1U;
        last >>= 1U;
      }
    } else {
      root = node_hash(root, sibling);
    }
    place >>= 1U;
    last >>= 1U;
  }
  return last == 0 && root == tree.root;
}

bool verify_consistency(const TreeHead& old, const TreeHead& tree, const HashList& proof) {
  if (old.size > tree.size) return false;
  if (old.size == tree.size) return proof.empty() && old.root == tree.root;
  if (old.size == 0) return proof.empty() && old.root == sha256({});
  // The old tree is a complete subtree: its root is the first hash of the path.
  const bool complete = std::has_single_bit(old.size);
  if (proof.empty() && !complete) return false;
  std::size_t next = complete ? 0 : 1;
  std::uint64_t place = old.size - 1;
  std::uint64_t last = tree.size - 1;
  while ((place & 1U) != 0) {
    place >>= 1U;
    last >>= 1U;
  }
  TreeHash old_root = complete ? old.root : proof.front();
  TreeHash root = old_root;
  for (; next < proof.size(); ++next) {
    if (last == 0) return false;
    if ((place & 1U) != 0 || place == last) {
      old_root = node_hash(proof[next], old_root);
      root = node_hash(proof[next], root);
      while ((place & 1U) == 0 && place != 0) {
        place >>= 1U;
        last >>= 1U;
      }
    } else {
      root = node_hash(root, proof[next]);
    }
    place >>= 1U;
    last >>= 1U;
  }
  return last == 0 && old_root == old.root && root == tree.root;
}

std::vector<LeafRange> gaps_between(const std::vector<std::uint64_t>& leaves, std::uint64_t size) {
  std::vector<LeafRange> gaps;
  std::uint64_t next = 0;
  for (const std::uint64_t leaf : leaves) {
    if (leaf > next) gaps.push_back({next, leaf});
    next = leaf + 1;
  }
  if (next < size) gaps.push_back({next, size});
  return gaps;
}

bool verify_leaves(const TreeHead& tree, const std::vector<std::uint64_t>& leaves, const HashList& hashes,
                   const HashList& gap_hashes) {
  if (leaves.size() != hashes.size()) return false;
  RangeStack stack;
  std::size_t used = 0;
  const auto fill_to = [&](std::uint64_t end) {
    for (const Subtree& part : subtrees_of(stack.size(), end)) {
      if (used == gap_hashes.size() || !stack.push(part.level, gap_hashes[used++])) return false;
    }
    return stack.size() == end;
  };
  for (std::size_t i = 0; i < leaves.size(); ++i) {
    if (leaves[i] >= tree.size || !fill_to(leaves[i]) || !stack.push(0, hashes[i])) return false;
  }
  return fill_to(tree.size) && used == gap_hashes.size() && stack.root() == tree.root;
}

}  // namespace bahi::proofs
