// Lists of offsets that a query walks: of one term, of several terms, and of what is in all lists.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "audit/posting_block.hpp"
#include "audit/tables.hpp"
#include "view_store.hpp"

namespace bahi::projections::audit {

enum class Order : std::uint8_t { kNewest, kOldest };

/// Offsets in one order, each once. Not thread-safe; must not outlive the view. Errors: kIoError, kViewsDamaged.
class OffsetList {
 public:
  OffsetList() = default;
  OffsetList(const OffsetList&) = delete;
  OffsetList& operator=(const OffsetList&) = delete;
  virtual ~OffsetList() = default;
  /// To `offset`, or the first one behind it in the list's order. Never goes back.
  virtual Status seek(std::uint64_t offset) = 0;
  /// After a seek. False: there is no more.
  [[nodiscard]] bool valid() const noexcept { return valid_; }
  [[nodiscard]] std::uint64_t offset() const noexcept { return offset_; }

 protected:
  bool valid_ = false;
  std::uint64_t offset_ = 0;
};

/// The offsets of one term.
[[nodiscard]] std::unique_ptr<OffsetList> term_list(const StateView& state, TermKind kind, std::string_view term,
                                                    Order order);
/// What is in one of the lists at least.
[[nodiscard]] std::unique_ptr<OffsetList> union_list(std::vector<std::unique_ptr<OffsetList>> lists, Order order);
/// What is in all of the lists; there must be one at least. It goes from list to list with the offset that the one
/// before it came to, so it looks at no more than the shortest holds.
[[nodiscard]] std::unique_ptr<OffsetList> intersection_list(std::vector<std::unique_ptr<OffsetList>> lists);

/// The terms of a kind that begin with `prefix`, in the order of their bytes, found by seeks from one to the next.
/// Error: kInvalidArgument when there are more than `max`, with `what` in its message.
[[nodiscard]] Result<std::vector<std::string>> terms_with_prefix(const StateView& state, TermKind kind,
                                                                 std::string_view prefix, std::size_t max,
                                                                 std::string_view what);

}  // namespace bahi::projections::audit
