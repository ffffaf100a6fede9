// What the engine keeps in RAM about one tenant's log.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "bahi/base/types.hpp"
#include "condition_window.hpp"

namespace bahi {

struct TenantState {
  explicit TenantState(TenantId tenant) : id(tenant) {}

  const TenantId id;
  std::atomic<std::uint64_t> durable{0};  ///< next offset that is not durable
  std::atomic<std::uint64_t> indexed{0};  ///< next offset that the index does not hold
  std::atomic<std::uint64_t> stored_bytes{0};  ///< of all batches that have a place, durable or not
  /// Conditions on events from here on are checked in RAM; max: no window yet.
  std::atomic<std::uint64_t> condition_start{~std::uint64_t{0}};

  // Of the sequencer alone:
  Offset next_offset;
  Hash128 chain_hash;
  std::unique_ptr<ConditionWindow> window;
};

}  // namespace bahi
