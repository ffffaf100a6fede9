#include "condition_window.hpp"

#include <algorithm>

#include "bahi/schemas/body_matcher.hpp"
#include "keys.hpp"

namespace bahi {
namespace {

std::uint64_t pair_key(std::uint64_t tag, std::uint64_t type) {
  return (tag ^ (type << 1U | type >> 63U)) * 0x9E3779B97F4A7C15ULL;
}

}  // namespace

void ConditionWindow::add(std::shared_ptr<const SequencedBatch> batch) {
  const BatchBody& body = batch->prepared.body;
  std::vector<std::uint64_t> types(body.type_count());
  for (std::uint32_t ref = 0; ref < types.size(); ++ref) types[ref] = term_hash(TermKind::kType, body.type_name(ref));
  std::vector<std::uint64_t> tags(body.tag_count());
  for (std::uint32_t ref = 0; ref < tags.size(); ++ref) tags[ref] = term_hash(TermKind::kTag, body.tag_name(ref));
  const std::uint64_t first = batch->header.first_offset.value;
  auto& last_offsets = young_.last_offsets;
  std::uint32_t tag_place = 0;
  for (std::uint32_t i = 0; i < body.event_count(); ++i) {
    const std::uint64_t type = types[body.type_ref(i)];
    last_offsets[type] = first + i;
    for (const std::uint32_t end = tag_place + body.event_tag_count(i); tag_place < end; ++tag_place) {
      const std::uint64_t tag = tags[body.tag_ref(tag_place)];
      last_offsets[tag] = first + i;
      last_offsets[pair_key(tag, type)] = first + i;
    }
  }
  young_.bytes += batch->prepared.memory_bytes();
  const Offset next = batch->header.next_offset();
  young_.batches.push_back(std::move(batch));
  if (young_.bytes > generation_bytes_max_) {
    old_ = std::move(young_);
    young_ = {};
    young_.first = next;
    start_ = old_.first;
  }
}

std::optional<std::uint64_t> ConditionWindow::last_offset(std::uint64_t key) const {
  for (const Generation* generation : {&young_, &old_}) {
    const auto found = generation->last_offsets.find(key);
    if (found != generation->last_offsets.end()) return found->second;
  }
  return std::nullopt;
}

bool ConditionWindow::may_match(const QueryItem& item, Offset from) const {
  const auto recent = [&](std::uint64_t key) {
    const auto offset = last_offset(key);
    return offset && *offset >= from.value;
  };
  if (item.tags.empty()) {
    return std::any_of(item.types.begin(), item.types.end(),
                       [&](const std::string& type) { return recent(term_hash(TermKind::kType, type)); });
  }
  const auto all_tags = [&](auto key_of) {
    return std::all_of(item.tags.begin(), item.tags.end(), [&](const std::string& tag) {
      return recent(key_of(term_hash(TermKind::kTag, tag)));
    });
  };
  if (item.types.empty()) return all_tags([](std::uint64_t tag) { return tag; });
  return std::any_of(item.types.begin(), item.types.end(), [&](const std::string& type) {
    const std::uint64_t type_key = term_hash(TermKind::kType, type);
    return all_tags([type_key](std::uint64_t tag) { return pair_key(tag, type_key); });
  });
}

std::optional<Offset> ConditionWindow::find_exactly(const QueryItem& item, Offset from) const {
  EventFilter filter;
  filter.types = item.types;
  filter.tags = item.tags;
  for (const Generation* generation : {&young_, &old_}) {
    for (auto batch = generation->batches.rbegin(); batch != generation->batches.rend(); ++batch) {
      const BatchHeader& header = (*batch)->header;
      if (header.next_offset() <= from) return std::nullopt;
      const BatchBody& body = (*batch)->prepared.body;
      const BodyMatcher matcher(body, filter);
      if (matcher.none()) continue;
      std::optional<Offset> found;
      for (EventPlace place; place.index < body.event_count(); body.advance(place)) {
        const Offset offset = header.first_offset + place.index;
        if (offset >= from && matcher.matches(place)) found = offset;
      }
      if (found) return found;
    }
  }
  return std::nullopt;
}

std::optional<Offset> ConditionWindow::find(const EventQuery& query, Offset from) const {
  std::optional<Offset> newest;
  for (const QueryItem& item : query.items) {
    if (!may_match(item, from)) continue;
    newest = std::max(newest, find_exactly(item, from));
  }
  return newest;
}

}  // namespace bahi
