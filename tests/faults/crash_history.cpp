#include "crash_history.hpp"

#include <algorithm>

#include "bahi/schemas/hash.hpp"
#include "workload.hpp"

namespace bahi::faults {

std::uint64_t digest_of(const EventView& event) {
  std::string bytes;
  bytes.reserve(event.data.size() + 256);
  const auto put_number = [&bytes](std::uint64_t number) {
    bytes.append(reinterpret_cast<const char*>(&number), sizeof number);
  };
  const auto put_text = [&](std::string_view text) {
    put_number(text.size());
    bytes.append(text);
  };
  for (const std::uint64_t number :
       {event.offset.value, static_cast<std::uint64_t>(event.version.value), event.id.high, event.id.low,
        static_cast<std::uint64_t>(event.occurred_at.nanos), static_cast<std::uint64_t>(event.recorded_at.nanos)}) {
    put_number(number);
  }
  for (const std::string_view text : {event.stream, event.type, event.content_type, event.data, event.metadata.actor}) {
    put_text(text);
  }
  for (const std::string_view tag : event.tags) put_text(tag);
  return xxh3_64(bytes);
}

void TenantHistory::add(const EventView& event) {
  const std::uint64_t offset = events.size();
  events.push_back({event.id.high, static_cast<std::uint32_t>(event.id.low), digest_of(event)});
  streams[std::string(event.stream)].push_back(offset);
  types[std::string(event.type)].push_back(offset);
  categories[std::string(event.stream.substr(0, event.stream.find('-')))].push_back(offset);
  for (const std::string_view tag : event.tags) tags[std::string(tag)].push_back(offset);
}

std::int64_t TenantHistory::version_of(const std::string& stream) const {
  const auto found = streams.find(stream);
  return found == streams.end() ? -1 : static_cast<std::int64_t>(found->second.size()) - 1;
}

const TenantHistory::Offsets& TenantHistory::matches(const Selection& selection) const {
  static const Offsets kNone;
  const auto in = [](const auto& terms, const std::string& name) -> const Offsets& {
    const auto found = terms.find(name);
    return found == terms.end() ? kNone : found->second;
  };
  switch (selection.kind) {
    case Selection::Kind::kStream: return in(streams, hot_stream(selection.number));
    case Selection::Kind::kTag: return in(tags, tag_name(selection.number));
    case Selection::Kind::kType: return in(types, type_name(selection.number));
    case Selection::Kind::kCategory: return in(categories, category_name(selection.number));
    case Selection::Kind::kAll: break;
  }
  return kNone;
}

std::optional<std::uint64_t> TenantHistory::next_match(const Selection& selection, std::uint64_t offset) const {
  if (selection.kind == Selection::Kind::kAll) return offset < events.size() ? std::optional(offset) : std::nullopt;
  const Offsets& offsets = matches(selection);
  const auto found = std::lower_bound(offsets.begin(), offsets.end(), offset);
  return found == offsets.end() ? std::nullopt : std::optional(*found);
}

std::optional<std::uint64_t> TenantHistory::last_match(const Selection& selection, std::uint64_t bound) const {
  if (selection.kind == Selection::Kind::kAll) {
    const std::uint64_t end = std::min<std::uint64_t>(bound, events.size());
    return end > 0 ? std::optional(end - 1) : std::nullopt;
  }
  const Offsets& offsets = matches(selection);
  const auto found = std::lower_bound(offsets.begin(), offsets.end(), bound);
  return found == offsets.begin() ? std::nullopt : std::optional(*std::prev(found));
}

}  // namespace bahi::faults
