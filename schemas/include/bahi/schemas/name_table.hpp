// A dictionary that numbers distinct byte strings in the order they first appear.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace bahi {

/// Open-addressing set of views; the bytes belong to the caller and must outlive the
/// table's use. Not thread-safe.
class NameTable {
 public:
  /// The number of `name`, which is added if it is new. `inserted` says which.
  std::uint32_t intern(std::string_view name, bool& inserted);
  /// Replaces the view of entry `number` by an equal one that lives longer.
  void rebind(std::uint32_t number, std::string_view name) { names_[number] = name; }
  [[nodiscard]] const std::vector<std::string_view>& names() const noexcept { return names_; }
  void clear();
  /// Prepares for `count` names without growth.
  void reserve(std::size_t count);

 private:
  void grow(std::size_t slot_count);

  std::vector<std::string_view> names_;
  std::vector<std::uint64_t> hashes_;  // one per name
  std::vector<std::uint32_t> slots_;   // number + 1, 0 = empty; size is a power of two
};

}  // namespace bahi
