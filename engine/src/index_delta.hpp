// Index entries that are not in a sorted file yet.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string_view>
#include <tuple>
#include <vector>

#include "bahi/base/result.hpp"
#include "bahi/base/types.hpp"
#include "prepared_batch.hpp"

namespace bahi {

/// One batch in which a term occurs.
struct Posting {
  std::uint64_t offset = 0;   ///< of the last event of the batch that has the term
  std::uint64_t version = 0;  ///< streams: that event's version
  bool operator==(const Posting&) const = default;
};

/// What the index needs to know of a batch in the log.
struct IndexInput {
  TenantId tenant;
  Offset first_offset;
  std::uint32_t event_count = 0;
  const std::vector<StreamUse>& streams;
  const std::vector<TermUse>& other_terms;
  const std::vector<std::int64_t>& first_versions;
  Uuid producer_id;
  std::uint64_t producer_sequence = 0;
};

/// Postings in the order they came, chained per term from the newest back. Not thread-safe by itself: one writer,
/// readers kept apart by the owner's lock.
class IndexDelta {
 public:
  explicit IndexDelta(std::size_t postings_max);

  void add(const IndexInput& input);
  [[nodiscard]] std::size_t posting_count() const { return postings_.size() + sequence_count_; }
  [[nodiscard]] bool empty() const { return covered_.empty(); }
  /// Offsets up to which this delta holds everything, by tenant.
  [[nodiscard]] const std::map<std::uint32_t, std::uint64_t>& covered() const { return covered_; }

  /// First offset of the tenant that this delta holds, or none.
  [[nodiscard]] std::optional<std::uint64_t> begin(TenantId tenant) const;

  /// Appends the postings of the term with begin ≤ offset < end to `out`, descending.
  void collect(TenantId tenant, std::uint64_t hash, std::uint64_t begin, std::uint64_t end,
               std::vector<Posting>& out) const;
  /// Newest posting of the term below `end`.
  [[nodiscard]] std::optional<Posting> newest(TenantId tenant, std::uint64_t hash, std::uint64_t end) const;
  [[nodiscard]] std::optional<std::uint64_t> producer_offset(TenantId tenant, const Uuid& id,
                                                             std::uint64_t sequence) const;
  [[nodiscard]] std::optional<std::uint64_t> highest_sequence(TenantId tenant, const Uuid& id) const;

  /// Calls `emit(key, value)` for every entry in key order, the covered offsets included; stops at the first error.
  Status for_each_sorted(const std::function<Status(std::string_view, std::string_view)>& emit) const;

 private:
  struct Entry {
    std::uint64_t hash;
    std::uint64_t offset;
    std::uint64_t version;  // kNoVersion: not a stream
    std::uint32_t tenant;
    std::uint32_t previous;  // index + 1 of the term's posting before, 0 = none
    [[nodiscard]] auto place() const { return std::tuple(tenant, hash, offset); }
  };
  /// The batches of one producer by their sequences, ascending.
  using Sequences = std::vector<std::pair<std::uint64_t, std::uint64_t>>;  // sequence, last offset
  using ProducerKey = std::pair<std::uint32_t, Uuid>;                      // tenant, id
  static constexpr std::uint64_t kNoVersion = ~std::uint64_t{0};

  void push(TenantId tenant, std::uint64_t hash, std::uint64_t offset, std::uint64_t version);
  void add_sequence(Sequences& sequences, std::uint64_t sequence, std::uint64_t offset);
  void grow();
  [[nodiscard]] std::vector<Entry> sorted_entries() const;
  [[nodiscard]] const Sequences* sequences_of(TenantId tenant, const Uuid& id) const;
  [[nodiscard]] std::uint32_t newest_entry(TenantId tenant, std::uint64_t hash) const;

  std::vector<Entry> postings_;
  std::vector<std::uint32_t> slots_;  // index + 1 of a term's newest posting; size is a power of two
  std::size_t term_count_ = 0;
  std::map<ProducerKey, Sequences> producers_;
  std::size_t sequence_count_ = 0;  // of all producers
  std::map<std::uint32_t, std::uint64_t> begins_;
  std::map<std::uint32_t, std::uint64_t> covered_;
};

}  // namespace bahi
