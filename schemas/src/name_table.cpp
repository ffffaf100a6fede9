#include "bahi/schemas/name_table.hpp"

#include <algorithm>
#include <bit>

#include "bahi/base/text.hpp"
#include "bahi/schemas/hash.hpp"

namespace bahi {
namespace {

/// Names come from outside: with a seed nobody knows, nobody can choose names that all
/// fall into one slot. Numbers do not depend on it.
std::uint64_t slot_seed() {
  static const std::uint64_t seed = random_uuid().low;
  return seed;
}

}  // namespace

std::uint32_t NameTable::intern(std::string_view name, bool& inserted) {
  if ((names_.size() + 1) * 2 > slots_.size()) grow(std::max<std::size_t>(16, slots_.size() * 2));
  const std::uint64_t hash = xxh3_64(name, slot_seed());
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t slot = hash & mask;; slot = (slot + 1) & mask) {
    if (slots_[slot] == 0) {
      names_.push_back(name);
      hashes_.push_back(hash);
      slots_[slot] = static_cast<std::uint32_t>(names_.size());
      inserted = true;
      return slots_[slot] - 1;
    }
    const std::uint32_t number = slots_[slot] - 1;
    if (hashes_[number] == hash && names_[number] == name) {
      inserted = false;
      return number;
    }
  }
}

void NameTable::clear() {
  names_.clear();
  hashes_.clear();
  std::fill(slots_.begin(), slots_.end(), 0U);
}

void NameTable::reserve(std::size_t count) {
  const std::size_t wanted = std::bit_ceil(std::max<std::size_t>(16, (count + 1) * 2));
  if (wanted > slots_.size()) grow(wanted);
  names_.reserve(count);
  hashes_.reserve(count);
}

void NameTable::grow(std::size_t slot_count) {
  slots_.assign(slot_count, 0);
  const std::size_t mask = slot_count - 1;
  for (std::size_t number = 0; number < names_.size(); ++number) {
    std::size_t slot = hashes_[number] & mask;
    while (slots_[slot] != 0) slot = (slot + 1) & mask;
    slots_[slot] = static_cast<std::uint32_t>(number + 1);
  }
}

}  // namespace bahi
