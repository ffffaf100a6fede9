// Recently read batches, decompressed, within a budget of bytes.
#pragma once

#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <utility>

#include "bahi/schemas/decoded_batch.hpp"

namespace bahi {

/// Thread-safe. Evicts the least recently used batch first.
class BatchCache {
 public:
  explicit BatchCache(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  /// The batch that holds `offset`, if it is here.
  [[nodiscard]] std::shared_ptr<const DecodedBatch> find(TenantId tenant, Offset offset);
  void put(std::shared_ptr<const DecodedBatch> batch);

 private:
  using Key = std::pair<std::uint32_t, std::uint64_t>;  // tenant, last offset
  struct Entry {
    std::shared_ptr<const DecodedBatch> batch;
    std::list<Key>::iterator use;
  };

  std::mutex mutex_;
  std::size_t bytes_max_;
  std::size_t bytes_ = 0;          // protected by mutex_
  std::map<Key, Entry> entries_;   // protected by mutex_
  std::list<Key> uses_;            // most recent first; protected by mutex_
};

}  // namespace bahi
