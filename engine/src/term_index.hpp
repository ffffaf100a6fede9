// The derived index: from terms (stream, category, type, tag, producer) to places in the log.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <vector>

#include <rocksdb/db.h>

#include "bahi/base/result.hpp"
#include "bahi/engine/options.hpp"
#include "index_delta.hpp"
#include "rocksdb_support.hpp"

namespace bahi {

/// Postings of one term within [begin, end), ascending; reads the sorted files lazily.
class PostingCursor {
 public:
  virtual ~PostingCursor() = default;
  /// To the first posting at or after `offset`.
  virtual void seek(std::uint64_t offset) = 0;
  /// To the last posting at or before `offset`.
  virtual void seek_backward(std::uint64_t offset) = 0;
  virtual void next() = 0;
  virtual void previous() = 0;
  [[nodiscard]] virtual bool valid() const = 0;
  [[nodiscard]] virtual Posting posting() const = 0;
  [[nodiscard]] virtual Status status() const = 0;
};

/// Thread-safe; `add` is called by one thread at a time.
class TermIndex {
 public:
  struct OpenArguments {
    std::filesystem::path directory;  ///< empty: in memory only
    bool read_only = false;
    std::shared_ptr<rocksdb::Cache> cache;
    DatabaseListener::Callbacks callbacks;
  };
  [[nodiscard]] static Result<std::unique_ptr<TermIndex>> open(const OpenArguments& arguments,
                                                               const EngineOptions& options);

  /// Up to where the sorted files are complete for the tenant.
  [[nodiscard]] Result<Offset> covered_on_disk(TenantId tenant) const;

  void add(const IndexInput& input);
  /// The delta in memory is large enough to be written out.
  [[nodiscard]] bool wants_flush() const;
  /// Seals the delta; what follows goes into a new one. False: there was nothing, or a sealed one is waiting.
  bool seal();
  /// Writes the sealed delta into a sorted file and takes it in. Everything in it must be durable in the log.
  Status write_sealed();
  /// Offset up to which the sealed delta needs the log to be durable, by tenant.
  [[nodiscard]] std::map<std::uint32_t, std::uint64_t> sealed_covered() const;

  [[nodiscard]] std::unique_ptr<PostingCursor> postings(TenantId tenant, std::uint64_t hash, Offset begin,
                                                        Offset end) const;
  /// Last offset of the batch that the producer appended under this sequence.
  [[nodiscard]] Result<std::optional<Offset>> producer_offset(TenantId tenant, const Uuid& id,
                                                              std::uint64_t sequence) const;
  /// Some sequence not below any that the producer used; none when it never appended.
  [[nodiscard]] Result<std::optional<std::uint64_t>> highest_sequence(TenantId tenant, const Uuid& id) const;

  /// Calls `visit(key, value)` once for every entry of the tenant but the covered offsets, in no particular order.
  Status for_each(TenantId tenant, const std::function<void(std::string_view, std::string_view)>& visit) const;

  [[nodiscard]] std::size_t postings_in_memory() const;
  [[nodiscard]] std::uint64_t file_bytes() const;
  [[nodiscard]] std::uint64_t written_bytes() const;
  void quiesce();

 private:
  struct Deltas {
    std::shared_ptr<IndexDelta> active;
    std::shared_ptr<const IndexDelta> sealed;
  };
  explicit TermIndex(const EngineOptions& options);
  [[nodiscard]] std::vector<Posting> collect_from_memory(TenantId tenant, std::uint64_t hash, std::uint64_t begin,
                                                         std::uint64_t end) const;

  std::size_t postings_max_;
  std::filesystem::path directory_;
  std::shared_ptr<rocksdb::DB> db_;  // null: in memory only; shared with cursors, see RocksDbLogStore
  mutable std::shared_mutex mutex_;
  Deltas deltas_;                    // pointers and contents of `active`: protected by mutex_
  std::atomic<std::uint64_t> ingested_bytes_{0};
};

}  // namespace bahi
