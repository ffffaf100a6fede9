// The postings while events are folded: blocks in memory, written at the commit.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "audit/posting_block.hpp"
#include "audit/tables.hpp"
#include "audit/words.hpp"
#include "fold_state.hpp"

namespace bahi::projections::audit {

/// The terms of one block. Not thread-safe.
class BlockTerms {
 public:
  struct alignas(64) Entry {  // a line of the processor's cache
    std::uint64_t hash = 0;
    std::uint64_t term_begin = 0;  // in the arena
    std::uint32_t term_size = 0;
    TermKind kind = TermKind::kAll;
    bool changed = false;
    std::uint32_t end = 0;  // one more than the last place
    std::string distances;
  };
  /// `stored`: the store may have rows of this block that are not here.
  explicit BlockTerms(bool stored = false) : stored_(stored) {}
  /// Null: it is not here.
  [[nodiscard]] Entry* find(std::uint64_t hash, TermKind kind, std::string_view term);
  /// One that is not here, empty. Pointers to others end.
  [[nodiscard]] Entry& add(std::uint64_t hash, TermKind kind, std::string_view term);
  // Look-ups wait for memory most of the time; when several are known beforehand, they can wait together: first all
  // slots, then all entries, then `find`.
  void prefetch_slot(std::uint64_t hash) const {
    if (!slots_.empty()) __builtin_prefetch(&slots_[hash & (slots_.size() - 1)]);
  }
  void prefetch_entry(std::uint64_t hash) const {
    if (slots_.empty()) return;
    const std::uint32_t slot = slots_[hash & (slots_.size() - 1)];
    if (slot != 0) __builtin_prefetch(&entries_[slot - 1]);
  }
  [[nodiscard]] bool stored() const noexcept { return stored_; }
  [[nodiscard]] std::string_view term(const Entry& entry) const {
    return {arena_.data() + entry.term_begin, entry.term_size};
  }
  [[nodiscard]] std::vector<Entry>& entries() noexcept { return entries_; }
  /// Approximate.
  [[nodiscard]] std::size_t held_bytes() const noexcept {
    return arena_.capacity() + entries_.capacity() * sizeof(Entry) + slots_.capacity() * sizeof(std::uint32_t);
  }

 private:
  void grow();

  bool stored_;
  std::string arena_;
  std::vector<Entry> entries_;
  std::vector<std::uint32_t> slots_;  // open addressing: 1 + index of the entry; a power of two
};

/// Adds and removes postings. Offsets are added in ascending order. Not thread-safe. Errors: kIoError, kViewsDamaged.
class Postings final : public TableBase {
 public:
  explicit Postings(FoldState& state);

  /// A term that has this offset already stays as it is.
  Status add(TermKind kind, std::string_view term, std::uint64_t offset);
  /// Adds all of them, which is faster than one by one.
  Status add_words(const Words& words, std::uint64_t offset);
  Status remove(TermKind kind, std::string_view term, std::uint64_t offset);
  /// All offsets of a term, ascending.
  Status offsets_of(TermKind kind, std::string_view term, std::vector<std::uint64_t>& offsets);

  void collect() override;
  void taken() override;
  [[nodiscard]] std::size_t held_bytes() const noexcept override;

 private:
  using Blocks = std::map<std::uint64_t, BlockTerms>;
  [[nodiscard]] BlockTerms& open_block(std::uint64_t block);
  struct Term {
    TermKind kind;
    std::string_view text;
    std::uint64_t hash;
  };
  [[nodiscard]] static Term term_of(TermKind kind, std::string_view text);
  [[nodiscard]] Result<BlockTerms::Entry*> entry_of(std::uint64_t block, BlockTerms& terms, const Term& term);
  Status add(const Term& term, std::uint64_t offset);
  Status load(std::uint64_t block, BlockTerms::Entry& entry, const Term& term);
  [[nodiscard]] BlockTerms::Entry* look_in_memory(std::uint64_t block, const Term& term);
  void mark(BlockTerms::Entry& entry, std::size_t bytes);

  FoldState& state_;
  std::uint64_t stored_to_;  // blocks from here on have no rows in the store
  Blocks blocks_;            // with what is not committed, and the one that is written to
  std::uint64_t current_ = UINT64_MAX;
  BlockTerms* current_terms_ = nullptr;
  std::uint64_t added_ = 0;  // since the last commit
  Key key_;
  std::string row_;
  std::vector<Place> places_;
  std::vector<std::uint64_t> hashes_;
};

/// What the keys of all blocks of the term begin with; the block's number makes it a key.
inline Key& posting_prefix(TermKind kind, std::string_view term, Key& key) {
  return key.clear().byte(static_cast<std::uint8_t>(kind)).text(term);
}

}  // namespace bahi::projections::audit
