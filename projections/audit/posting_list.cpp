#include "audit/posting_list.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "audit/postings.hpp"

namespace bahi::projections::audit {
namespace {

constexpr bool is_behind(std::uint64_t a, std::uint64_t b, Order order) {
  return order == Order::kOldest ? a > b : a < b;
}

class TermList final : public OffsetList {
 public:
  TermList(const StateView& state, const Key& prefix, Order order)
      : prefix_bytes_(prefix.bytes().size()), key_(prefix), order_(order), scan_(state.scan(kPostings, prefix)) {}

  Status seek(std::uint64_t offset) override {
    if (began_ && (!valid_ || !is_behind(offset, offset_, order_))) return {};
    if (!began_ || block_of(offset) != block_) {
      Key key = key_;
      key.number(block_of(offset));
      order_ == Order::kOldest ? scan_.seek(key) : scan_.seek_backward(key);
      began_ = true;
      BAHI_TRY(open_block());
    }
    while (valid_) {
      if (block_of(offset) != block_) {
        offset_ = offset_of(block_, order_ == Order::kOldest ? places_.front() : places_.back());
        return {};
      }
      if (find_in_block(place_of(offset))) return {};
      order_ == Order::kOldest ? scan_.next() : scan_.previous();
      BAHI_TRY(open_block());
    }
    return {};
  }

 private:
  Status open_block() {
    valid_ = scan_.valid();
    if (!valid_) return scan_.status();
    block_ = KeyReader(scan_.key().substr(prefix_bytes_)).number();
    if (!decode_block(scan_.value(), places_) || places_.empty()) {
      return Error{ErrorCode::kViewsDamaged, "audit: a block of postings is malformed; rebuild the read model"};
    }
    return {};
  }
  /// False: all of the block lies before `place`, in the list's order.
  bool find_in_block(Place place) {
    if (order_ == Order::kOldest) {
      const auto found = std::lower_bound(places_.begin(), places_.end(), place);
      if (found == places_.end()) return false;
      offset_ = offset_of(block_, *found);
      return true;
    }
    const auto behind = std::upper_bound(places_.begin(), places_.end(), place);
    if (behind == places_.begin()) return false;
    offset_ = offset_of(block_, *std::prev(behind));
    return true;
  }

  const std::size_t prefix_bytes_;
  const Key key_;
  const Order order_;
  RowScan scan_;
  bool began_ = false;
  std::uint64_t block_ = 0;
  std::vector<Place> places_;
};

class UnionList final : public OffsetList {
 public:
  UnionList(std::vector<std::unique_ptr<OffsetList>> lists, Order order) : lists_(std::move(lists)), order_(order) {}

  Status seek(std::uint64_t offset) override {
    valid_ = false;
    for (const auto& list : lists_) {
      BAHI_TRY(list->seek(offset));
      if (!list->valid() || (valid_ && !is_behind(offset_, list->offset(), order_))) continue;
      valid_ = true;
      offset_ = list->offset();
    }
    std::erase_if(lists_, [](const auto& list) { return !list->valid(); });
    return {};
  }

 private:
  std::vector<std::unique_ptr<OffsetList>> lists_;
  const Order order_;
};

class IntersectionList final : public OffsetList {
 public:
  explicit IntersectionList(std::vector<std::unique_ptr<OffsetList>> lists) : lists_(std::move(lists)) {}

  Status seek(std::uint64_t offset) override {
    std::size_t agreed = 0;
    for (std::size_t i = 0; agreed < lists_.size(); i = (i + 1) % lists_.size()) {
      OffsetList& list = *lists_[i];
      BAHI_TRY(list.seek(offset));
      valid_ = list.valid();
      if (!valid_) return {};
      agreed = list.offset() == offset ? agreed + 1 : 1;
      offset = list.offset();
    }
    offset_ = offset;
    return {};
  }

 private:
  std::vector<std::unique_ptr<OffsetList>> lists_;
};

}  // namespace

std::unique_ptr<OffsetList> term_list(const StateView& state, TermKind kind, std::string_view term, Order order) {
  Key prefix;
  return std::make_unique<TermList>(state, posting_prefix(kind, term, prefix), order);
}

std::unique_ptr<OffsetList> union_list(std::vector<std::unique_ptr<OffsetList>> lists, Order order) {
  if (lists.size() == 1) return std::move(lists.front());
  return std::make_unique<UnionList>(std::move(lists), order);
}

std::unique_ptr<OffsetList> intersection_list(std::vector<std::unique_ptr<OffsetList>> lists) {
  if (lists.size() == 1) return std::move(lists.front());
  return std::make_unique<IntersectionList>(std::move(lists));
}

Result<std::vector<std::string>> terms_with_prefix(const StateView& state, TermKind kind, std::string_view prefix,
                                                   std::size_t max, std::string_view what) {
  std::vector<std::string> terms;
  const Key kind_key = Key().byte(static_cast<std::uint8_t>(kind));
  RowScan scan = state.scan(kPostings, kind_key);
  // Without its end the prefix as a part of a key is where the parts that begin with it begin.
  Key first;
  std::string from = posting_prefix(kind, prefix, first).bytes();
  from.resize(from.size() - 2);
  for (scan.seek(from); scan.valid(); scan.seek(from)) {
    KeyReader key(scan.key());
    (void)key.byte();
    std::string term = key.text();
    if (!std::string_view(term).starts_with(prefix)) break;
    if (terms.size() == max) {
      return Error{ErrorCode::kInvalidArgument,
                   fmt::format("{} '{}' fits more than {}; give a longer one", what, prefix, max)};
    }
    // Behind all blocks of this term.
    Key next;
    from = posting_prefix(kind, term, next).bytes();
    from.append(9, '\xFF');
    terms.push_back(std::move(term));
  }
  BAHI_TRY(scan.status());
  return terms;
}

}  // namespace bahi::projections::audit
