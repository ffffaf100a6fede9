#include "head_cache.hpp"

#include <algorithm>
#include <bit>

namespace bahi {
namespace {
constexpr std::size_t kInitialSlots = 1024;
}

HeadCache::HeadCache(std::size_t entries_max) : generation_max_(std::max<std::size_t>(entries_max / 2, 16)) {}

HeadCache::Slot* HeadCache::locate(Table& table, const Hash128& identity) {
  if (table.slots.empty()) return nullptr;
  const std::size_t mask = table.slots.size() - 1;
  for (std::size_t place = identity.low & mask; table.slots[place].used; place = (place + 1) & mask) {
    if (table.slots[place].identity == identity) return &table.slots[place];
  }
  return nullptr;
}

void HeadCache::insert(Table& table, const Slot& slot) {
  if ((table.count + 1) * 2 > table.slots.size()) {
    std::vector<Slot> previous = std::move(table.slots);
    table.slots.assign(std::max(kInitialSlots, previous.size() * 2), {});
    table.count = 0;
    for (const Slot& moved : previous) {
      if (moved.used) insert(table, moved);
    }
  }
  const std::size_t mask = table.slots.size() - 1;
  std::size_t place = slot.identity.low & mask;
  while (table.slots[place].used) place = (place + 1) & mask;
  table.slots[place] = slot;
  table.slots[place].used = true;
  ++table.count;
}

std::optional<Head> HeadCache::find(const Hash128& identity) {
  if (const Slot* slot = locate(young_, identity)) return slot->head;
  if (const Slot* slot = locate(old_, identity)) {
    insert(young_, *slot);
    return slot->head;
  }
  return std::nullopt;
}

void HeadCache::put(const Hash128& identity, const Head& head, TenantId tenant) {
  if (Slot* slot = locate(young_, identity)) {
    slot->head = head;
    return;
  }
  // A stale copy in the old generation is shadowed by this one, also when that generation is dropped.
  insert(young_, {identity, head, tenant, true});
}

void HeadCache::rotate_begin() {
  ++epoch_;
  retired_ = std::move(old_.slots);
  // Entries that live on in the young generation need no carrying over.
  for (Slot& slot : retired_) {
    if (slot.used && locate(young_, slot.identity) != nullptr) slot.used = false;
  }
  old_ = std::move(young_);
  young_ = {};
}

}  // namespace bahi
