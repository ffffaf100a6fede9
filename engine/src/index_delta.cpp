#include "index_delta.hpp"

#include <algorithm>
#include <bit>
#include <numeric>
#include <tuple>

#include "keys.hpp"

namespace bahi {
namespace {

constexpr std::size_t kSlotsMin = 1024;

std::size_t slot_of(std::uint64_t hash, std::uint32_t tenant, std::size_t mask) {
  return (hash ^ (tenant * 0x9E3779B97F4A7C15ULL)) & mask;
}

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
    producers_.emplace(ProducerKey{input.tenant.value, input.producer_id, input.producer_sequence},
                       first + input.event_count - 1);
  }
  begins_.try_emplace(input.tenant.value, first);
  covered_[input.tenant.value] = first + input.event_count;
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

std::optional<std::uint64_t> IndexDelta::producer_offset(TenantId tenant, const Uuid& id,
                                                         std::uint64_t sequence) const {
  const auto found = producers_.find({tenant.value, id, sequence});
  if (found == producers_.end()) return std::nullopt;
  return found->second;
}

std::optional<std::uint64_t> IndexDelta::highest_sequence(TenantId tenant, const Uuid& id) const {
  auto after = producers_.upper_bound({tenant.value, id, ~std::uint64_t{0}});
  if (after == producers_.begin()) return std::nullopt;
  --after;
  if (after->first.tenant != tenant.value || after->first.id != id) return std::nullopt;
  return after->first.sequence;
}

std::vector<IndexDelta::Entry> IndexDelta::sorted_entries() const {
  // Counting sort into buckets that fit a cache, then each bucket by itself: hashes spread evenly.
  std::map<std::uint32_t, std::size_t> ranks;
  for (const auto& [tenant, offset] : covered_) ranks.emplace(tenant, ranks.size());
  const std::size_t wanted = std::max<std::size_t>(1, postings_.size() / (256 * std::max<std::size_t>(1, ranks.size())));
  const auto bits = static_cast<unsigned>(std::bit_width(std::min<std::size_t>(wanted, 1U << 14U)));
  auto bucket_of = [&, last_tenant = ~std::uint32_t{0}, base = std::size_t{0}](const Entry& entry) mutable {
    if (entry.tenant != last_tenant) {
      last_tenant = entry.tenant;
      base = ranks.at(last_tenant) << bits;
    }
    return base + (entry.hash >> (64U - bits));
  };
  std::vector<std::size_t> begins((ranks.size() << bits) + 1, 0);
  for (const Entry& entry : postings_) ++begins[bucket_of(entry) + 1];
  std::partial_sum(begins.begin(), begins.end(), begins.begin());
  std::vector<std::size_t> ends(begins.begin(), begins.end() - 1);
  std::vector<Entry> sorted(postings_.size());
  for (const Entry& entry : postings_) sorted[ends[bucket_of(entry)]++] = entry;
  for (std::size_t bucket = 0; bucket < ends.size(); ++bucket) {
    std::sort(sorted.begin() + static_cast<std::ptrdiff_t>(begins[bucket]),
              sorted.begin() + static_cast<std::ptrdiff_t>(ends[bucket]),
              [](const Entry& a, const Entry& b) { return a.place() < b.place(); });
  }
  return sorted;
}

Status IndexDelta::for_each_sorted(const std::function<Status(std::string_view, std::string_view)>& emit) const {
  const std::vector<Entry> sorted = sorted_entries();
  // Producer keys share the shape tenant | hash | number and are longer, so a merge by key keeps the order.
  std::vector<std::pair<std::string, std::uint64_t>> producers;
  producers.reserve(producers_.size());
  for (const auto& [key, offset] : producers_) {
    producers.emplace_back(producer_key({key.tenant}, producer_hash(key.id), key.sequence, key.id), offset);
  }
  for (const auto& [tenant, offset] : covered_) producers.emplace_back(posting_key({tenant}, 0, 0), offset);
  std::sort(producers.begin(), producers.end());

  std::string key;
  std::string value;
  auto other = producers.begin();
  const auto emit_others_below = [&](const std::string* bound) -> Status {
    for (; other != producers.end() && (bound == nullptr || other->first < *bound); ++other) {
      std::string number;
      bytes::put_varint(number, other->second);
      BAHI_TRY(emit(other->first, number));
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
    if (other != producers.end()) BAHI_TRY(emit_others_below(&key));
    value.clear();
    if (entry.version != kNoVersion) bytes::put_varint(value, entry.version);
    BAHI_TRY(emit(key, value));
  }
  return emit_others_below(nullptr);
}

}  // namespace bahi
