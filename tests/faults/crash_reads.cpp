#include "crash_reads.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "bahi/base/error.hpp"
#include "crash_request.hpp"

namespace bahi::faults {

void ReadChecker::begin(const ReadStart& start, std::uint64_t acked_end) {
  Reader& reader = readers_[start.reader];
  reader = {};
  reader.start = start;
  reader.acked_end = acked_end;
  reader.next = start.from;
}

void ReadChecker::take(const Seen& seen) {
  const auto found = readers_.find(seen.reader);
  if (found == readers_.end()) return;  // already found wrong
  sightings_ += seen.count;
  found->second.waiting.insert(found->second.waiting.end(), seen.sightings.begin(),
                               seen.sightings.begin() + static_cast<std::ptrdiff_t>(seen.count));
}

void ReadChecker::take(const ReadEnd& end) {
  const auto found = readers_.find(end.reader);
  if (found != readers_.end()) found->second.end = end;
}

std::string ReadChecker::name_of(const Reader& reader) {
  const ReadStart& start = reader.start;
  return fmt::format(
      "{} {} (shop{}, {}, from {}{}{}{})", start.follow ? "subscription" : "read", start.reader, start.tenant,
      describe(start.selection), start.from, start.to == kNoBound ? "" : fmt::format(" to {}", start.to),
      start.limit == kNoBound ? "" : fmt::format(", at most {}", start.limit), start.backward ? ", backward" : "");
}

void ReadChecker::judge(const std::vector<TenantHistory>& histories, const Report& report) {
  for (auto place = readers_.begin(); place != readers_.end();) {
    Reader& reader = place->second;
    const TenantHistory& history = histories[reader.start.tenant];
    std::string wrong;
    for (const Sighting& sighting : reader.waiting) {
      wrong = judge_next(reader, history, sighting);
      if (!wrong.empty()) break;
    }
    reader.waiting.clear();
    if (wrong.empty() && reader.end) wrong = judge_end(reader, history);
    if (!wrong.empty()) report(fmt::format("{}: {}", name_of(reader), wrong));
    if (wrong.empty() && !reader.end) {
      ++place;
      continue;
    }
    ++reads_ended_;
    place = readers_.erase(place);
  }
}

std::string ReadChecker::judge_next(Reader& reader, const TenantHistory& history, const Sighting& sighting) {
  const ReadStart& start = reader.start;
  const std::uint64_t offset = sighting.offset;
  if (offset >= history.events.size()) {
    return fmt::format("saw offset {}, but the log ends at {}", offset, history.events.size());
  }
  if (offset < start.from || offset >= start.to) return fmt::format("saw offset {}, outside of its range", offset);
  std::string wrong = start.backward ? judge_backward(reader, history, offset) : judge_forward(reader, history, offset);
  if (!wrong.empty()) return wrong;
  if (history.events[offset].digest != sighting.digest) {
    return fmt::format("saw another event at offset {} than the log holds", offset);
  }
  if (++reader.count > start.limit) return fmt::format("saw more events than its limit, with offset {}", offset);
  if (start.backward) {
    reader.below = offset;
  } else {
    reader.next = offset + 1;
  }
  return {};
}

std::string ReadChecker::judge_forward(const Reader& reader, const TenantHistory& history, std::uint64_t offset) {
  const auto due = history.next_match(reader.start.selection, reader.next);
  if (due == offset) return {};
  if (offset < reader.next) return fmt::format("saw offset {} after {}", offset, reader.next - 1);
  return fmt::format("saw offset {} where {} was due", offset, due ? std::to_string(*due) : "none");
}

std::string ReadChecker::judge_backward(const Reader& reader, const TenantHistory& history, std::uint64_t offset) {
  const Selection& selection = reader.start.selection;
  if (reader.below) {
    const auto due = history.last_match(selection, *reader.below);
    if (due == offset) return {};
    return fmt::format("saw offset {} where {} was due", offset, due ? std::to_string(*due) : "none");
  }
  // The first one: where the log ended when the read began is not known, only what was acknowledged by then.
  if (history.next_match(selection, offset) != offset) {
    return fmt::format("saw offset {}, which it does not select", offset);
  }
  const auto skipped = history.last_match(selection, std::min(reader.start.to, reader.acked_end));
  if (!skipped || *skipped <= offset) return {};
  return fmt::format("began at offset {}, though {} had been acknowledged before", offset, *skipped);
}

std::string ReadChecker::judge_end(const Reader& reader, const TenantHistory& history) {
  const ReadStart& start = reader.start;
  if (reader.end->abandoned) return {};
  if (reader.end->code != 0) {
    return fmt::format("failed: {}: {}", error_info(static_cast<ErrorCode>(reader.end->code)).name,
                       reader.end->text.data());
  }
  if (reader.count == start.limit) return {};
  if (start.follow) return "ended, as a subscription never does";
  const std::uint64_t promised = std::min(start.to, reader.acked_end);
  const auto due = start.backward ? history.last_match(start.selection, reader.below.value_or(promised))
                                  : history.next_match(start.selection, reader.next);
  const bool missing = due && (start.backward ? *due >= start.from : *due < promised);
  if (!missing) return {};
  return fmt::format("ended before offset {}, though everything up to {} had been acknowledged", *due,
                     reader.acked_end);
}

std::optional<std::string> ReadChecker::behind(const std::vector<TenantHistory>& histories) const {
  for (const auto& [number, reader] : readers_) {
    if (!reader.start.follow) continue;
    const auto due = histories[reader.start.tenant].next_match(reader.start.selection, reader.next);
    if (due) return fmt::format("{}: waits for offset {}", name_of(reader), *due);
  }
  return std::nullopt;
}

}  // namespace bahi::faults
