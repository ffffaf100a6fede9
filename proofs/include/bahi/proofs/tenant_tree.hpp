// The Merkle tree of one tenant's log: leaf n is the event at offset n, so the tree of size n is the log up to offset
// n.
//
// Kept are the roots of tiles of 256 leaves, in a file (0.125 bytes per event), and in memory those of 65,536 leaves
// and more. The leaves of a tile are hashed anew from the log when a proof needs them. Everything is derived: what is
// missing or does not fit is built again.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <vector>

#include "bahi/engine/engine.hpp"
#include "bahi/proofs/tile_roots.hpp"

namespace bahi::proofs {

class TreeFile;

/// Where a tree is kept.
struct TreeFiles {
  std::filesystem::path directory;
  Uuid store_id;
  bool read_only = false;  ///< use what is there and change nothing; what is missing is kept in memory
};

/// `open`, `extend`, `recheck`, `start_anew` and `save` by one thread at a time; the rest is thread-safe.
class TenantTree {
 public:
  /// `files` absent: in memory only. The engine must outlive the tree.
  TenantTree(const Engine& engine, TenantId tenant, std::optional<TreeFiles> files, LogSink log = {});
  ~TenantTree();
  TenantTree(const TenantTree&) = delete;
  TenantTree& operator=(const TenantTree&) = delete;

  /// Takes in what the files hold, as far as they vouch for it and the log has it. Errors: kIoError, kPermissionDenied.
  Status open();
  /// Hashes up to about `events_max` durable events behind the tree. True: there are more. Errors: kCorruptLog,
  /// kIoError, kDiskFull.
  [[nodiscard]] Result<bool> extend(std::uint64_t events_max);
  /// Grows the tree to `size` at least. kOffsetOutOfRange when the log is shorter.
  Status extend_to(std::uint64_t size);
  /// Makes what was built durable, so that it need not be built again.
  Status save();
  /// Forgets everything, in the file too.
  Status start_anew();
  /// Compares about `events_max` events of the log, from a multiple of 256 on, with the tree; returns where it ended,
  /// which is the end of the last tile when all are done. kHistoryChanged names the events that differ; from then on
  /// everything that is asked of the tree gives that error.
  [[nodiscard]] Result<std::uint64_t> recheck(std::uint64_t begin, std::uint64_t events_max);
  /// How many of its leaves came from the file, not from the log.
  [[nodiscard]] std::uint64_t taken_from_file() const noexcept { return taken_from_file_; }

  [[nodiscard]] TenantId tenant() const noexcept { return tenant_; }
  [[nodiscard]] std::uint64_t size() const noexcept { return size_.load(std::memory_order_acquire); }
  /// Not OK: a recheck found that the log was changed.
  [[nodiscard]] Status sound() const;
  /// Of the first `size` events. Errors of this and what follows: kOffsetOutOfRange beyond the tree; kHistoryChanged
  /// when the log and the tree contradict each other; kCorruptLog, kIoError.
  [[nodiscard]] Result<TreeHead> head(std::uint64_t size) const;
  [[nodiscard]] Result<TreeHash> node(const Subtree& part) const;
  [[nodiscard]] Result<HashList> inclusion(std::uint64_t leaf, std::uint64_t size) const;
  [[nodiscard]] Result<HashList> consistency(std::uint64_t old_size, std::uint64_t size) const;
  /// Hashes of the subtrees of all the ranges, in order (subtrees_of).
  [[nodiscard]] Result<HashList> ranges(const std::vector<LeafRange>& ranges, std::uint64_t size) const;

 private:
  using Leaves = std::shared_ptr<const HashList>;

  [[nodiscard]] Status load(std::uint64_t tiles, const TreeHash& root);
  /// Takes over what was built: everybody sees it from now on.
  Status publish(const HashList& tile_roots, HashList rest);
  [[nodiscard]] Result<HashList> tile_roots(std::uint64_t first, std::size_t count) const;
  [[nodiscard]] Result<Leaves> leaves_of(std::uint64_t tile) const;
  [[nodiscard]] Result<Leaves> hash_tile(std::uint64_t tile) const;
  [[nodiscard]] Status check_size(std::uint64_t size) const;
  [[nodiscard]] NodeReader reader() const;
  [[nodiscard]] Error changed_at(std::uint64_t tile) const;
  void clear();

  const Engine& engine_;
  const TenantId tenant_;
  const LogSink log_;
  std::unique_ptr<TreeFile> file_;  // null: in memory
  const bool writes_;               // to the file
  std::uint64_t saved_tiles_ = 0;
  std::atomic<std::uint64_t> taken_from_file_{0};

  mutable std::shared_mutex mutex_;
  HashList leaves_;               // of the last tile, which is not complete; protected by mutex_
  TileRoots tiles_;               // complete ones; protected by mutex_
  std::optional<Error> unsound_;  // protected by mutex_
  std::atomic<std::uint64_t> size_{0};

  mutable std::mutex cache_mutex_;
  mutable std::map<std::uint64_t, Leaves> cache_;  // protected by cache_mutex_
  mutable std::deque<std::uint64_t> cache_order_;  // protected by cache_mutex_
};

}  // namespace bahi::proofs
