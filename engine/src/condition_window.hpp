// The recent part of one tenant's log, kept so that append conditions are checked without reading the disk.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "bahi/engine/append.hpp"
#include "prepared_batch.hpp"

namespace bahi {

/// Holds every batch from `start` on, in two generations: when the young one is full, the old one is
/// dropped. Used by the sequencer only.
class ConditionWindow {
 public:
  ConditionWindow(std::size_t bytes_max, Offset start) : generation_bytes_max_(bytes_max / 2), start_(start) {
    young_.first = start;
  }

  void add(std::shared_ptr<const SequencedBatch> batch);
  [[nodiscard]] Offset start() const { return start_; }
  /// Newest event at or after `from` that the query matches. `from` must not be below `start`.
  [[nodiscard]] std::optional<Offset> find(const EventQuery& query, Offset from) const;

 private:
  struct Generation {
    Offset first;
    std::size_t bytes = 0;
    std::vector<std::shared_ptr<const SequencedBatch>> batches;
    std::unordered_map<std::uint64_t, std::uint64_t> last_offsets;  // of types, tags and (tag, type) pairs
  };

  [[nodiscard]] std::optional<std::uint64_t> last_offset(std::uint64_t key) const;
  [[nodiscard]] bool may_match(const QueryItem& item, Offset from) const;
  [[nodiscard]] std::optional<Offset> find_exactly(const QueryItem& item, Offset from) const;

  std::size_t generation_bytes_max_;
  Offset start_;
  Generation young_;
  Generation old_;
};

}  // namespace bahi
