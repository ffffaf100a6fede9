// Recently used heads of streams (their version) and producers (their highest sequence), in RAM.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <vector>

#include "bahi/base/types.hpp"

namespace bahi {

/// Version of a stream's last event, or a producer's highest sequence; -1 = none.
struct Head {
  std::int64_t value = -1;
  std::uint64_t last_offset = 0;  ///< of the batch that set it
};

/// Bounded by two generations: when the young one is full, the old one is dropped and the young one
/// takes its place. An entry that the index does not cover yet is carried over instead of dropped, so
/// a head that is not in the cache can always be found in the index. Thread-safe.
class HeadCache {
 public:
  explicit HeadCache(std::size_t entries_max);

  /// Holds the cache's lock, for several operations at once.
  class Session {
   public:
    explicit Session(HeadCache& cache) : cache_(&cache), lock_(cache.mutex_) {}
    [[nodiscard]] std::optional<Head> find(const Hash128& identity) { return cache_->find(identity); }
    void put(const Hash128& identity, const Head& head, TenantId tenant) { cache_->put(identity, head, tenant); }
    /// Changes each time entries are dropped. A head read from the index is still right when the epoch is
    /// the one from before the reading and the cache holds no entry for it.
    [[nodiscard]] std::uint64_t epoch() const { return cache_->epoch_; }
    /// The young generation is full; `rotate` is due.
    [[nodiscard]] bool full() const { return cache_->young_.count >= cache_->generation_max_; }
    /// Drops the old generation. `covered(tenant, offset)` tells whether the index covers an entry.
    template <class Covered>
    void rotate(Covered covered) {
      cache_->rotate_begin();
      for (const Slot& slot : cache_->retired_) {
        if (slot.used && !covered(slot.tenant, slot.head.last_offset)) cache_->insert(cache_->young_, slot);
      }
      cache_->retired_.clear();
    }

   private:
    HeadCache* cache_;
    std::unique_lock<std::mutex> lock_;
  };

 private:
  struct Slot {
    Hash128 identity;
    Head head;
    TenantId tenant;
    bool used = false;
  };
  struct Table {
    std::vector<Slot> slots;  // size is a power of two
    std::size_t count = 0;
  };

  std::optional<Head> find(const Hash128& identity);
  void put(const Hash128& identity, const Head& head, TenantId tenant);
  static Slot* locate(Table& table, const Hash128& identity);
  static void insert(Table& table, const Slot& slot);
  void rotate_begin();

  std::mutex mutex_;
  std::size_t generation_max_;
  std::uint64_t epoch_ = 0;      // protected by mutex_
  Table young_;                  // protected by mutex_
  Table old_;                    // protected by mutex_
  std::vector<Slot> retired_;    // protected by mutex_
};

}  // namespace bahi
