#include "index_delta.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

#include "keys.hpp"

namespace bahi {
namespace {

constexpr std::size_t kSlotsMin = 1024;

std::size_t slot_of(std::uint64_t hash, std::uint32_t tenant, std::size_t mask) {
  return (hash ^ (tenant * 0x9E3779B97F4A7C15ULL)) & mask;
}

/// An entry that is not a posting: where a batch of a producer is, or up to where this delta holds everything.
struct OtherEntry {
  std::uint32_t tenant;
  std::uint64_t hash;  // of the producer
  std::uint64_t sequence;
  const Uuid* producer;  // null: the offset covered
  std::uint64_t offset;
  [[nodiscard]] auto place() const { return std::tuple(tenant, hash, sequence); }
  bool operator<(const OtherEntry& other) const {
    if (place() != other.place() || producer == nullptr || other.producer == nullptr) return place() < other.place();
    return *producer < *other.producer;
  }
  [[nodiscard]] std::string key() const {
    return producer == nullptr ? posting_key({tenant}, 0, 0) : producer_key({tenant}, hash, sequence, *producer);
  }
};

}  // namespace

IndexDelta::IndexDelta(std::size_t postings_max) : slots_(kSlotsMin, 0) {
  postings_.reserve(std::min<std::size_t>(postings_max, 1U << 16U));
}

void IndexDelta::add(const IndexInput& input) {
  const std::uint64_t first = input.first_offset.value;
  for (std::size_t i = 0; i < input.streams.size(); ++i) {
    const StreamUse& use = input.streams[i];
    const auto version = static_cast<std::uint64_t>(input.first_versions[i]) + use.count - 1;
    push(input.tenant, use.hash, first + use.last_index, version);
  }
  for (const TermUse& use : input.other_terms) push(input.tenant, use.hash, first + use.last_index, kNoVersion);
  if (!input.producer_id.is_nil()) {
    add_sequence(producers_[{input.tenant.value, input.producer_id}], input.producer_sequence,
                 first + input.event_count - 1);
  }
  begins_.try_emplace(input.tenant.value, first);
  covered_[input.tenant.value] = first + input.event_count;
}

void IndexDelta::add_sequence(Sequences& sequences, std::uint64_t sequence, std::uint64_t offset) {
  // Producers count upwards, so nearly always at the end.
  auto place = sequences.end();
  if (!sequences.empty() && sequences.back().first >= sequence) {
    place = std::lower_bound(sequences.begin(), sequences.end(), std::pair(sequence, std::uint64_t{0}));
    if (place->first == sequence) return;
  }
  sequences.insert(place, {sequence, offset});
  ++sequence_count_;
}

std::optional<std::uint64_t> IndexDelta::begin(TenantId tenant) const {
  const auto found = begins_.find(tenant.value);
  return found == begins_.end() ? std::nullopt : std::optional(found->second);
}

void IndexDelta::push(TenantId tenant, std::uint64_t hash, std::uint64_t offset, std::uint64_t version) {
  if ((term_count_ + 1) * 2 > slots_.size()) grow();
  const std::size_t mask = slots_.size() - 1;
  std::size_t slot = slot_of(hash, tenant.value, mask);
  std::uint32_t previous = 0;
  for (; slots_[slot] != 0; slot = (slot + 1) & mask) {
    const Entry& entry = postings_[slots_[slot] - 1];
    if (entry.hash == hash && entry.tenant == tenant.value) {
      previous = slots_[slot];
      break;
    }
  }
  if (previous == 0) ++term_count_;
  postings_.push_back({hash, offset, version, tenant.value, previous});
  slots_[slot] = static_cast<std::uint32_t>(postings_.size());
}

void IndexDelta::grow() {
  std::vector<std::uint32_t> newest;
  newest.reserve(term_count_);
  for (const std::uint32_t index : slots_) {
    if (index != 0) newest.push_back(index);
  }
  slots_.assign(slots_.size() * 4, 0);
  const std::size_t mask = slots_.size() - 1;
  for (const std::uint32_t index : newest) {
    const Entry& entry = postings_[index - 1];
    std::size_t slot = slot_of(entry.hash, entry.tenant, mask);
    while (slots_[slot] != 0) slot = (slot + 1) & mask;
    slots_[slot] = index;
  }
}

std::uint32_t IndexDelta::newest_entry(TenantId tenant, std::uint64_t hash) const {
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t slot = slot_of(hash, tenant.value, mask); slots_[slot] != 0; slot = (slot + 1) & mask) {
    const Entry& entry = postings_[slots_[slot] - 1];
    if (entry.hash == hash && entry.tenant == tenant.value) return slots_[slot];
  }
  return 0;
}

void IndexDelta::collect(TenantId tenant, std::uint64_t hash, std::uint64_t begin, std::uint64_t end,
                         std::vector<Posting>& out) const {
  for (std::uint32_t index = newest_entry(tenant, hash); index != 0;) {
    const Entry& entry = postings_[index - 1];
    if (entry.offset < begin) break;
    if (entry.offset < end) out.push_back({entry.offset, entry.version == kNoVersion ? 0 : entry.version});
    index = entry.previous;
  }
}

std::optional<Posting> IndexDelta::newest(TenantId tenant, std::uint64_t hash, std::uint64_t end) const {
  for (std::uint32_t index = newest_entry(tenant, hash); index != 0;) {
    const Entry& entry = postings_[index - 1];
    if (entry.offset < end) return Posting{entry.offset, entry.version == kNoVersion ? 0 : entry.version};
    index = entry.previous;
  }
  return std::nullopt;
}

const IndexDelta::Sequences* IndexDelta::sequences_of(TenantId tenant, const Uuid& id) const {
  const auto found = producers_.find({tenant.value, id});
  return found == producers_.end() ? nullptr : &found->second;
}

std::optional<std::uint64_t> IndexDelta::producer_offset(TenantId tenant, const Uuid& id,
                                                         std::uint64_t sequence) const {
  const Sequences* const sequences = sequences_of(tenant, id);
  if (sequences == nullptr) return std::nullopt;
  const auto found = std::lower_bound(sequences->begin(), sequences->end(), std::pair(sequence, std::uint64_t{0}));
  if (found == sequences->end() || found->first != sequence) return std::nullopt;
  return found->second;
}

std::optional<std::uint64_t> IndexDelta::highest_sequence(TenantId tenant, const Uuid& id) const {
  const Sequences* const sequences = sequences_of(tenant, id);
  if (sequences == nullptr) return std::nullopt;
  return sequences->back().first;
}

std::vector<IndexDelta::Entry> IndexDelta::sorted_entries() const {
  // The terms are sorted, not their postings: those of one term are nearly always in order already.
  struct Term {
    std::uint32_t tenant;
    std::uint64_t hash;
    std::uint32_t number;  // in the order of their first postings
    [[nodiscard]] auto place() const { return std::tuple(tenant, hash); }
  };
  std::vector<Term> terms;
  terms.reserve(term_count_);
  std::vector<std::uint32_t> term_of(postings_.size());
  std::vector<std::size_t> ends;  // by number of a term: first how many postings it has, then where its next one goes
  ends.reserve(term_count_);
  for (std::size_t i = 0; i < postings_.size(); ++i) {
    const Entry& entry = postings_[i];
    if (entry.previous != 0) {
      term_of[i] = term_of[entry.previous - 1];
    } else {
      term_of[i] = static_cast<std::uint32_t>(terms.size());
      terms.push_back({entry.tenant, entry.hash, term_of[i]});
      ends.push_back(0);
    }
    ++ends[term_of[i]];
  }
  std::sort(terms.begin(), terms.end(), [](const Term& a, const Term& b) { return a.place() < b.place(); });
  std::size_t begin = 0;
  for (const Term& term : terms) begin += std::exchange(ends[term.number], begin);
  std::vector<Entry> sorted(postings_.size());
  for (std::size_t i = 0; i < postings_.size(); ++i) sorted[ends[term_of[i]]++] = postings_[i];
  // Two names with the same hash in one batch may have come the other way round.
  const auto by_offset = [](const Entry& a, const Entry& b) { return a.offset < b.offset; };
  auto from = sorted.begin();
  for (const Term& term : terms) {
    const auto to = sorted.begin() + static_cast<std::ptrdiff_t>(ends[term.number]);
    if (!std::is_sorted(from, to, by_offset)) std::sort(from, to, by_offset);
    from = to;
  }
  return sorted;
}

Status IndexDelta::for_each_sorted(const std::function<Status(std::string_view, std::string_view)>& emit) const {
  const std::vector<Entry> sorted = sorted_entries();
  // Producer keys share the shape tenant | hash | number and are longer, so a merge by key keeps the order.
  std::vector<OtherEntry> others;
  others.reserve(sequence_count_ + covered_.size());
  for (const auto& [producer, sequences] : producers_) {
    const std::uint64_t hash = producer_hash(producer.second);
    for (const auto& [sequence, offset] : sequences) {
      others.push_back({producer.first, hash, sequence, &producer.second, offset});
    }
  }
  for (const auto& [tenant, offset] : covered_) others.push_back({tenant, 0, 0, nullptr, offset});
  std::sort(others.begin(), others.end());

  std::string key;
  std::string value;
  auto other = others.begin();
  const auto emit_others_below = [&](const Entry* bound) -> Status {
    for (; other != others.end() && (bound == nullptr || other->place() < bound->place()); ++other) {
      std::string number;
      bytes::put_varint(number, other->offset);
      BAHI_TRY(emit(other->key(), number));
    }
    return {};
  };
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    const Entry& entry = sorted[i];
    // Two names with the same hash, or a term met twice in one event, make one posting.
    if (i > 0 && entry.place() == sorted[i - 1].place()) continue;
    key.clear();
    bytes::put_be32(key, entry.tenant);
    bytes::put_be64(key, entry.hash);
    bytes::put_be64(key, entry.offset);
    BAHI_TRY(emit_others_below(&entry));
    value.clear();
    if (entry.version != kNoVersion) bytes::put_varint(value, entry.version);
    BAHI_TRY(emit(key, value));
  }
  return emit_others_below(nullptr);
}

}  // namespace bahi
