#include "audit/postings.hpp"

#include <algorithm>
#include <iterator>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace bahi::projections::audit {
namespace {

/// Terms of the block under way that stay in memory from one commit to the next, while few events come.
constexpr std::size_t kKeptTermsMax = 1'024;
/// So many postings in one commit: the read model is being built, and goes on at once.
constexpr std::uint64_t kManyPostings = 50'000;
constexpr std::size_t kFirstSlots = 64;

Error malformed() {
  return {ErrorCode::kViewsDamaged, "audit: a block of postings is malformed; rebuild the read model"};
}

}  // namespace

// --- one block

BlockTerms::Entry* BlockTerms::find(std::uint64_t hash, TermKind kind, std::string_view term) {
  if (slots_.empty()) return nullptr;
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t slot = hash & mask; slots_[slot] != 0; slot = (slot + 1) & mask) {
    Entry& entry = entries_[slots_[slot] - 1];
    if (entry.hash == hash && entry.kind == kind && this->term(entry) == term) return &entry;
  }
  return nullptr;
}

BlockTerms::Entry& BlockTerms::add(std::uint64_t hash, TermKind kind, std::string_view term) {
  if (2 * (entries_.size() + 1) > slots_.size()) grow();
  Entry& entry = entries_.emplace_back();
  entry.hash = hash;
  entry.kind = kind;
  entry.term_begin = arena_.size();
  entry.term_size = static_cast<std::uint32_t>(term.size());
  arena_.append(term);
  const std::size_t mask = slots_.size() - 1;
  std::size_t slot = hash & mask;
  while (slots_[slot] != 0) slot = (slot + 1) & mask;
  slots_[slot] = static_cast<std::uint32_t>(entries_.size());
  return entry;
}

void BlockTerms::grow() {
  slots_.assign(std::max(kFirstSlots, 4 * slots_.size()), 0);
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    std::size_t slot = entries_[i].hash & mask;
    while (slots_[slot] != 0) slot = (slot + 1) & mask;
    slots_[slot] = static_cast<std::uint32_t>(i + 1);
  }
}

// --- all of them

Postings::Postings(FoldState& state) : state_(state), stored_to_(0) {
  state.add_table(*this);
  if (state.began_empty()) return;
  const auto view = state.view();
  const auto checkpoint = view ? (*view)->checkpoint() : Result<Checkpoint>(view.error());
  stored_to_ = checkpoint ? block_of(checkpoint->next.value) + 1 : UINT64_MAX;
}

BlockTerms& Postings::open_block(std::uint64_t block) {
  if (block == current_) return *current_terms_;
  current_terms_ = &blocks_.try_emplace(block, block < stored_to_).first->second;
  current_ = block;
  return *current_terms_;
}

Postings::Term Postings::term_of(TermKind kind, std::string_view text) {
  return {kind, text, XXH3_64bits_withSeed(text.data(), text.size(), static_cast<std::uint64_t>(kind))};
}

Status Postings::load(std::uint64_t block, BlockTerms::Entry& entry, const Term& term) {
  BAHI_ASSIGN(const bool found, state_.load(kPostings, posting_prefix(term.kind, term.text, key_).number(block), row_));
  if (!found) return {};
  if (!decode_block(row_, places_)) return malformed();
  for (const Place place : places_) append_distance(entry.distances, entry.end, place);
  return {};
}

Result<BlockTerms::Entry*> Postings::entry_of(std::uint64_t block, BlockTerms& terms, const Term& term) {
  if (BlockTerms::Entry* const entry = terms.find(term.hash, term.kind, term.text)) return entry;
  BlockTerms::Entry& entry = terms.add(term.hash, term.kind, term.text);
  if (terms.stored()) BAHI_TRY(load(block, entry, term));
  return &entry;
}

void Postings::mark(BlockTerms::Entry& entry, std::size_t bytes) {
  if (!entry.changed) bytes += sizeof entry + 3 * entry.term_size + entry.distances.size();
  entry.changed = true;
  state_.note_memory(bytes);
}

Status Postings::add(const Term& term, std::uint64_t offset) {
  const std::uint64_t block = block_of(offset);
  BAHI_ASSIGN(BlockTerms::Entry * entry, entry_of(block, open_block(block), term));
  const Place place = place_of(offset);
  if (entry->end > place) return {};
  append_distance(entry->distances, entry->end, place);
  mark(*entry, 2);
  ++added_;
  return {};
}

Status Postings::add(TermKind kind, std::string_view term, std::uint64_t offset) {
  return add(term_of(kind, term), offset);
}

Status Postings::add_words(const Words& words, std::uint64_t offset) {
  const BlockTerms& terms = open_block(block_of(offset));
  hashes_.clear();
  for (std::size_t i = 0; i < words.size(); ++i) {
    hashes_.push_back(term_of(TermKind::kWord, words[i]).hash);
    terms.prefetch_slot(hashes_.back());
  }
  for (const std::uint64_t hash : hashes_) terms.prefetch_entry(hash);
  for (std::size_t i = 0; i < words.size(); ++i) BAHI_TRY(add({TermKind::kWord, words[i], hashes_[i]}, offset));
  return {};
}

Status Postings::remove(TermKind kind, std::string_view term, std::uint64_t offset) {
  const std::uint64_t block = block_of(offset);
  BlockTerms& terms = blocks_.try_emplace(block, block < stored_to_).first->second;
  BAHI_ASSIGN(BlockTerms::Entry * entry, entry_of(block, terms, term_of(kind, term)));
  if (!decode_distances(entry->distances, places_)) return malformed();
  const auto found = std::lower_bound(places_.begin(), places_.end(), place_of(offset));
  if (found == places_.end() || *found != place_of(offset)) return {};
  places_.erase(found);
  entry->distances.clear();
  entry->end = 0;
  for (const Place place : places_) append_distance(entry->distances, entry->end, place);
  mark(*entry, entry->distances.size());
  return {};
}

BlockTerms::Entry* Postings::look_in_memory(std::uint64_t block, const Term& term) {
  const auto found = blocks_.find(block);
  return found == blocks_.end() ? nullptr : found->second.find(term.hash, term.kind, term.text);
}

Status Postings::offsets_of(TermKind kind, std::string_view term, std::vector<std::uint64_t>& offsets) {
  offsets.clear();
  const Term wanted = term_of(kind, term);
  Key prefix;
  posting_prefix(kind, term, prefix);
  BAHI_ASSIGN(const StateView* view, state_.view());
  RowScan scan = view->scan(kPostings, prefix);
  for (scan.seek_first(); scan.valid(); scan.next()) {
    const std::uint64_t block = KeyReader(scan.key().substr(prefix.bytes().size())).number();
    if (look_in_memory(block, wanted) != nullptr) continue;
    if (!decode_block(scan.value(), places_)) return malformed();
    for (const Place place : places_) offsets.push_back(offset_of(block, place));
  }
  BAHI_TRY(scan.status());
  for (const auto& [block, terms] : blocks_) {
    const BlockTerms::Entry* const entry = look_in_memory(block, wanted);
    if (entry == nullptr) continue;
    if (!decode_distances(entry->distances, places_)) return malformed();
    for (const Place place : places_) offsets.push_back(offset_of(block, place));
  }
  std::sort(offsets.begin(), offsets.end());
  return {};
}

void Postings::collect() {
  for (auto& [block, terms] : blocks_) {
    for (BlockTerms::Entry& entry : terms.entries()) {
      if (!entry.changed) continue;
      entry.changed = false;
      posting_prefix(entry.kind, terms.term(entry), key_).number(block);
      if (entry.distances.empty()) {
        state_.erase(kPostings, key_);
        continue;
      }
      encode_block(entry.distances, row_);
      state_.put(kPostings, key_, row_);
    }
  }
}

void Postings::taken() {
  if (blocks_.empty()) return;
  const auto last = std::prev(blocks_.end());
  stored_to_ = std::max(stored_to_, last->first + 1);
  const bool keep = added_ >= kManyPostings || last->second.entries().size() <= kKeptTermsMax;
  blocks_.erase(blocks_.begin(), keep ? last : blocks_.end());
  current_ = UINT64_MAX;
  current_terms_ = nullptr;
  added_ = 0;
}

std::size_t Postings::held_bytes() const noexcept {
  std::size_t bytes = 0;
  for (const auto& [block, terms] : blocks_) bytes += terms.held_bytes();
  return bytes;
}

}  // namespace bahi::projections::audit
