// Reads batches and events out of the log, with the index where it helps.
#pragma once

#include <memory>
#include <optional>

#include "batch_cache.hpp"
#include "bahi/base/result.hpp"
#include "bahi/engine/append.hpp"
#include "bahi/engine/log_store.hpp"
#include "bahi/engine/read.hpp"
#include "head_cache.hpp"
#include "term_index.hpp"

namespace bahi {

/// Thread-safe. Knows nothing of durability: callers bound what they ask for.
class LogReader {
 public:
  /// `index` may be null: filtered reads then scan.
  LogReader(const LogStore& store, const TermIndex* index, std::size_t cache_bytes_max)
      : store_(&store), index_(index), cache_(cache_bytes_max) {}

  [[nodiscard]] bool has_index() const { return index_ != nullptr; }
  /// Events of `request` with offset < `end`. The index must cover everything below `end`.
  [[nodiscard]] Result<std::unique_ptr<EventCursor>> events(ReadRequest request, Offset end) const;
  [[nodiscard]] Result<std::unique_ptr<BatchCursor>> batches(TenantId tenant, Offset from, Offset to,
                                                             Direction direction, CacheUse use) const;
  /// The batch that holds `offset`; kCorruptLog when there is none.
  [[nodiscard]] Result<std::shared_ptr<const DecodedBatch>> batch_at(TenantId tenant, Offset offset) const;
  /// As above, through a cursor that the caller keeps (made when null).
  [[nodiscard]] Result<std::shared_ptr<const DecodedBatch>> batch_at(TenantId tenant, Offset offset,
                                                                     std::unique_ptr<LogCursor>& cursor) const;

  /// State of the stream, from its newest event below `end`.
  [[nodiscard]] Result<Head> stream_head(TenantId tenant, std::string_view stream, Offset end) const;
  /// A sequence not below any that the producer used.
  [[nodiscard]] Result<Head> producer_head(TenantId tenant, const Uuid& producer) const;
  /// What the first append of this producer position was answered.
  [[nodiscard]] Result<std::optional<AppendResult>> earlier_result(TenantId tenant,
                                                                   const ProducerPosition& producer) const;
  /// Newest event in [begin, end) that the query matches.
  [[nodiscard]] Result<std::optional<Offset>> find_match(TenantId tenant, const EventQuery& query, Offset begin,
                                                         Offset end) const;

 private:
  const LogStore* store_;
  const TermIndex* index_;
  mutable BatchCache cache_;
};

}  // namespace bahi
