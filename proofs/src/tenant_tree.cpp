#include "bahi/proofs/tenant_tree.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "leaf_scan.hpp"
#include "tree_file.hpp"

namespace bahi::proofs {
namespace {

/// Tiles whose leaves are kept, 8 KiB each: a checkpoint's last one is asked for with every proof.
constexpr std::size_t kCachedTilesMax = 64;
constexpr std::size_t kTilesPerRead = 4096;

Error not_complete() {
  return {ErrorCode::kOffsetOutOfRange, "node: it is not complete yet"};
}

}  // namespace

TenantTree::TenantTree(const Engine& engine, TenantId tenant, std::optional<TreeFiles> files, LogSink log)
    : engine_(engine), tenant_(tenant), log_(std::move(log)), writes_(files && !files->read_only) {
  if (files) file_ = std::make_unique<TreeFile>(files->directory, files->store_id, tenant, files->read_only);
}

TenantTree::~TenantTree() = default;

// --- building

void TenantTree::clear() {
  {
    const std::unique_lock lock(mutex_);
    leaves_.clear();
    tiles_.clear();
    unsound_.reset();
    size_ = 0;
  }
  taken_from_file_ = saved_tiles_ = 0;
  const std::scoped_lock lock(cache_mutex_);
  cache_.clear();
  cache_order_.clear();
}

Status TenantTree::start_anew() {
  clear();
  return file_ ? file_->open(0) : Status{};
}

Status TenantTree::open() {
  clear();
  if (!file_) return {};
  BAHI_ASSIGN(const auto head, file_->read_head());
  std::string why = "there is none yet";
  if (head) {
    const std::uint64_t events = head->tiles * kTileLeaves;
    const Offset end = engine_.durable_offset(tenant_);
    if (head->tiles == 0 || events / kTileLeaves != head->tiles || events > end.value) {
      why = fmt::format("the log ends at offset {}, the tree at {}", end.value, events);
    } else {
      BAHI_ASSIGN(const auto batch, engine_.batch_at(tenant_, {events - 1}));
      const bool same_log = batch->header().chain_hash == head->chain_hash;
      BAHI_TRY(file_->open(head->tiles));
      const Status loaded = same_log ? load(head->tiles, head->root) : Status{};
      if (same_log && loaded) {
        taken_from_file_ = size();
        saved_tiles_ = head->tiles;
        return {};
      }
      why = same_log ? loaded.error().message() : "it is of another state of the log";
    }
    if (log_) {
      log_(LogLevel::kWarning, fmt::format("the Merkle tree of tenant {} is built anew: {}", tenant_.value, why));
    }
  }
  return start_anew();
}

Status TenantTree::load(std::uint64_t tiles, const TreeHash& root) {
  RangeStack stack;
  const std::unique_lock lock(mutex_);
  for (std::uint64_t first = 0; first < tiles; first += kTilesPerRead) {
    const std::size_t count = std::min<std::uint64_t>(kTilesPerRead, tiles - first);
    BAHI_ASSIGN(const HashList roots, file_->read(first, count));
    for (const TreeHash& tile : roots) {
      tiles_.add(tile);
      (void)stack.push(kTileLevel, tile);
      tiles_.trim();
    }
  }
  if (stack.root() != root) return Error{ErrorCode::kHistoryChanged, "its file was altered"};
  size_.store(tiles * kTileLeaves, std::memory_order_release);
  return {};
}

Result<bool> TenantTree::extend(std::uint64_t events_max) {
  const std::uint64_t begin = size();
  const std::uint64_t durable = engine_.durable_offset(tenant_).value;
  if (begin >= durable) return false;
  const std::uint64_t end = events_max < durable - begin ? begin + events_max : durable;
  LeafScan scan(engine_, tenant_, {begin, end});
  HashList fresh;
  HashList roots;
  for (;;) {
    BAHI_ASSIGN(const bool more, scan.next(fresh));
    if (!more) break;
    // Only this thread changes the leaves, so they may be looked at without the lock.
    HashList pending = leaves_;
    pending.insert(pending.end(), fresh.begin(), fresh.end());
    roots.clear();
    const std::size_t complete = pending.size() / kTileLeaves;
    for (std::size_t tile = 0; tile < complete; ++tile) roots.push_back(fold(pending, tile * kTileLeaves, kTileLeaves));
    pending.erase(pending.begin(), pending.begin() + static_cast<std::ptrdiff_t>(complete * kTileLeaves));
    BAHI_TRY(publish(roots, std::move(pending)));
  }
  return size() < durable;
}

Status TenantTree::publish(const HashList& tile_roots, HashList rest) {
  if (writes_) BAHI_TRY(file_->append(tile_roots));
  const std::unique_lock lock(mutex_);
  for (const TreeHash& root : tile_roots) {
    tiles_.add(root);
    if (writes_) tiles_.trim();
  }
  leaves_ = std::move(rest);
  size_.store(tiles_.count() * kTileLeaves + leaves_.size(), std::memory_order_release);
  return {};
}

Status TenantTree::extend_to(std::uint64_t wanted) {
  const std::uint64_t durable = engine_.durable_offset(tenant_).value;
  if (wanted > durable) {
    return Error{ErrorCode::kOffsetOutOfRange,
                 fmt::format("size: {} lies beyond the end of the log at {}", wanted, durable)};
  }
  while (size() < wanted) BAHI_TRY(extend(wanted - size()));
  return {};
}

Status TenantTree::save() {
  const std::uint64_t tiles = tiles_.count();
  if (!writes_ || tiles == saved_tiles_) return {};
  BAHI_ASSIGN(const TreeHead tree, head(tiles * kTileLeaves));
  BAHI_ASSIGN(const auto batch, engine_.batch_at(tenant_, {tree.size - 1}));
  BAHI_TRY(file_->save({tiles, batch->header().chain_hash, tree.root}));
  saved_tiles_ = tiles;
  return {};
}

// --- asking

Error TenantTree::changed_at(std::uint64_t tile) const {
  return {ErrorCode::kHistoryChanged,
          fmt::format("tenant {}: the events at offsets {} to {} are not those of which the Merkle tree was built",
                      tenant_.value, tile * kTileLeaves, (tile + 1) * kTileLeaves - 1)};
}

Status TenantTree::sound() const {
  const std::shared_lock lock(mutex_);
  return unsound_ ? Status{*unsound_} : Status{};
}

Status TenantTree::check_size(std::uint64_t wanted) const {
  BAHI_TRY(sound());
  if (wanted <= size()) return {};
  return Error{ErrorCode::kOffsetOutOfRange,
               fmt::format("size: {} lies beyond the tree, which has {} events now", wanted, size())};
}

NodeReader TenantTree::reader() const {
  return [this](const Subtree& part) { return node(part); };
}

Result<TreeHead> TenantTree::head(std::uint64_t size) const {
  BAHI_TRY(check_size(size));
  BAHI_ASSIGN(const TreeHash root, root_hash(reader(), size));
  return TreeHead{size, root};
}

Result<HashList> TenantTree::inclusion(std::uint64_t leaf, std::uint64_t size) const {
  BAHI_TRY(check_size(size));
  return inclusion_proof(reader(), leaf, size);
}

Result<HashList> TenantTree::consistency(std::uint64_t old_size, std::uint64_t size) const {
  BAHI_TRY(check_size(size));
  return consistency_proof(reader(), old_size, size);
}

Result<HashList> TenantTree::ranges(const std::vector<LeafRange>& ranges, std::uint64_t size) const {
  BAHI_TRY(check_size(size));
  HashList hashes;
  for (const LeafRange& range : ranges) {
    if (range.begin > range.end || range.end > size) {
      return Error{ErrorCode::kOffsetOutOfRange,
                   fmt::format("range: {} to {} is not within {} events", range.begin, range.end, size)};
    }
    for (const Subtree& part : subtrees_of(range.begin, range.end)) {
      BAHI_ASSIGN(const TreeHash hash, node(part));
      hashes.push_back(hash);
    }
  }
  return hashes;
}

Result<TreeHash> TenantTree::node(const Subtree& part) const {
  if (part.level < kTileLevel) {
    BAHI_ASSIGN(const Leaves leaves, leaves_of(part.begin() / kTileLeaves));
    const std::uint64_t first = part.begin() % kTileLeaves;
    if (first + part.size() > leaves->size()) return not_complete();
    return fold(*leaves, first, part.size());
  }
  if (part.level < 2 * kTileLevel) {
    const std::size_t count = std::size_t{1} << (part.level - kTileLevel);
    BAHI_ASSIGN(const HashList roots, tile_roots(part.index * count, count));
    return fold(roots, 0, count);
  }
  const std::shared_lock lock(mutex_);
  const std::optional<TreeHash> hash = tiles_.node(part);
  return hash ? Result<TreeHash>(*hash) : not_complete();
}

Result<HashList> TenantTree::tile_roots(std::uint64_t first, std::size_t count) const {
  HashList kept;
  std::size_t in_file = 0;
  {
    const std::shared_lock lock(mutex_);
    if (first + count > tiles_.count()) return not_complete();
    in_file = static_cast<std::size_t>(std::min<std::uint64_t>(count, std::max(first, tiles_.kept_from()) - first));
    if (in_file < count) kept = tiles_.kept(first + in_file, count - in_file);
  }
  if (in_file == 0) return kept;
  BAHI_ASSIGN(HashList roots, file_->read(first, in_file));
  roots.insert(roots.end(), kept.begin(), kept.end());
  return roots;
}

Result<TenantTree::Leaves> TenantTree::leaves_of(std::uint64_t tile) const {
  {
    const std::shared_lock lock(mutex_);
    if (tile > tiles_.count()) return not_complete();
    if (tile == tiles_.count()) return std::make_shared<const HashList>(leaves_);
  }
  {
    const std::scoped_lock lock(cache_mutex_);
    const auto found = cache_.find(tile);
    if (found != cache_.end()) return found->second;
  }
  BAHI_ASSIGN(Leaves leaves, hash_tile(tile));
  BAHI_ASSIGN(const HashList root, tile_roots(tile, 1));
  if (fold(*leaves, 0, kTileLeaves) != root.front()) return changed_at(tile);
  const std::scoped_lock lock(cache_mutex_);
  if (cache_.emplace(tile, leaves).second) cache_order_.push_back(tile);
  if (cache_order_.size() > kCachedTilesMax) {
    cache_.erase(cache_order_.front());
    cache_order_.pop_front();
  }
  return leaves;
}

Result<TenantTree::Leaves> TenantTree::hash_tile(std::uint64_t tile) const {
  const LeafRange range{tile * kTileLeaves, (tile + 1) * kTileLeaves};
  HashList leaves;
  std::string scratch;
  while (leaves.size() < kTileLeaves) {
    BAHI_ASSIGN(const auto batch, engine_.batch_at(tenant_, {range.begin + leaves.size()}));
    hash_events(*batch, range, scratch, leaves);
  }
  return std::make_shared<const HashList>(std::move(leaves));
}

Result<std::uint64_t> TenantTree::recheck(std::uint64_t begin, std::uint64_t events_max) {
  const std::uint64_t last = tiles_.count() * kTileLeaves;
  const std::uint64_t wanted = (events_max + kTileLeaves - 1) / kTileLeaves * kTileLeaves;
  const std::uint64_t end = std::min(last, begin + wanted);
  LeafScan scan(engine_, tenant_, {begin, end});
  HashList leaves;
  HashList fresh;
  std::uint64_t tile = begin / kTileLeaves;
  for (;;) {
    BAHI_ASSIGN(const bool more, scan.next(fresh));
    if (!more) break;
    leaves.insert(leaves.end(), fresh.begin(), fresh.end());
    const std::size_t complete = leaves.size() / kTileLeaves;
    BAHI_ASSIGN(const HashList roots, tile_roots(tile, complete));
    for (std::size_t i = 0; i < complete; ++i, ++tile) {
      if (fold(leaves, i * kTileLeaves, kTileLeaves) == roots[i]) continue;
      const std::unique_lock lock(mutex_);
      unsound_ = changed_at(tile);
      return *unsound_;
    }
    leaves.erase(leaves.begin(), leaves.begin() + static_cast<std::ptrdiff_t>(complete * kTileLeaves));
  }
  return tile * kTileLeaves;
}

}  // namespace bahi::proofs
