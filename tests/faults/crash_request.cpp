#include "crash_request.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace bahi::faults {

Intent make_intent(Random& random, std::uint64_t request_id, std::uint32_t tenant, std::uint64_t producer,
                   const KnownLog& known) {
  Intent intent;
  intent.request_id = request_id;
  intent.plan_seed = random.next();
  intent.tenant = tenant;
  if (!random.one_in(4)) intent.producer_high = producer;
  if (random.one_in(3)) {
    intent.expected_stream = static_cast<std::uint32_t>(random.below(kHotStreams));
    intent.expected_kind = static_cast<std::uint8_t>(random.between(1, 3));
    intent.expected_version = known.version(tenant, intent.expected_stream) - (random.one_in(10) ? 1 : 0);
    if (intent.expected_version < 0) intent.expected_kind = 1;  // no stream
  }
  if (random.one_in(5)) {
    intent.has_condition = true;
    intent.condition_tag = static_cast<std::uint32_t>(random.below(kTags));
    const std::uint64_t end = known.end(tenant);
    intent.condition_from = end - std::min(end, random.below(100));
  }
  return intent;
}

Result<AppendRequest> to_append(const Intent& intent) {
  AppendRequest request;
  BAHI_ASSIGN(request.body,
              encode_events(plan_events(intent.request_id, intent.plan_seed, kCrashEventsMax), intent.plan_seed));
  if (intent.expected_kind != 0) {
    request.expectations.push_back(
        {hot_stream(intent.expected_stream),
         {static_cast<ExpectedVersion::Kind>(intent.expected_kind), Version{intent.expected_version}}});
  }
  if (intent.producer_high != 0) {
    request.producer = ProducerPosition{{intent.producer_high, 1}, intent.request_id};
  }
  if (intent.has_condition) {
    request.condition = AppendCondition{{{{{}, {tag_name(intent.condition_tag)}}}}, Offset{intent.condition_from}};
  }
  return request;
}

Answer to_answer(std::uint64_t request_id, const Result<AppendResult>& result) {
  Answer answer;
  answer.request_id = request_id;
  if (result) {
    answer.first_offset = result->first_offset.value;
    answer.event_count = result->event_count;
    answer.recorded_at = result->recorded_at.nanos;
    answer.duplicate = result->duplicate;
    answer.version_count = static_cast<std::uint32_t>(result->first_versions.size());
    std::copy_n(result->first_versions.begin(), std::min<std::size_t>(4, result->first_versions.size()),
                answer.first_versions.begin());
    return answer;
  }
  answer.code = static_cast<std::uint16_t>(result.error().code());
  if (const Conflict* conflict = result.error().conflict()) {
    answer.actual_version = conflict->actual_version;
    answer.conflict_offset = conflict->offset;
    conflict->stream.copy(answer.conflict_stream.data(), answer.conflict_stream.size() - 1);
  }
  return answer;
}

std::vector<std::pair<std::string, std::int64_t>> last_versions(const Intent& intent, const Placement& placement) {
  std::vector<std::pair<std::string, std::int64_t>> last;
  for (const PlannedEvent& event : plan_events(intent.request_id, intent.plan_seed, kCrashEventsMax)) {
    const auto place = std::find_if(last.begin(), last.end(), [&](const auto& l) { return l.first == event.stream; });
    if (place != last.end()) {
      ++place->second;
      continue;
    }
    if (last.size() >= placement.version_count) return {};
    last.emplace_back(event.stream, placement.first_versions[last.size()]);
  }
  return last;
}

bool holds(const Intent& intent, std::int64_t version) {
  switch (static_cast<ExpectedVersion::Kind>(intent.expected_kind)) {
    case ExpectedVersion::Kind::kAny: return true;
    case ExpectedVersion::Kind::kNoStream: return version == -1;
    case ExpectedVersion::Kind::kStreamExists: return version >= 0;
    case ExpectedVersion::Kind::kExactly: return version == intent.expected_version;
  }
  return false;
}

std::string describe(std::uint64_t request_id) {
  return fmt::format("request {}.{}.{}", request_id >> 32U, (request_id >> 24U) & 0xFFU, request_id & 0xFFFFFFU);
}

std::string describe(const Selection& selection) {
  switch (selection.kind) {
    case Selection::Kind::kAll: return "all";
    case Selection::Kind::kStream: return "stream " + hot_stream(selection.number);
    case Selection::Kind::kTag: return tag_name(selection.number);
    case Selection::Kind::kType: return "type " + type_name(selection.number);
    case Selection::Kind::kCategory: return "category " + category_name(selection.number);
  }
  return {};
}

EventFilter to_filter(const Selection& selection) {
  EventFilter filter;
  switch (selection.kind) {
    case Selection::Kind::kAll: break;
    case Selection::Kind::kStream: filter.stream = hot_stream(selection.number); break;
    case Selection::Kind::kTag: filter.tags = {tag_name(selection.number)}; break;
    case Selection::Kind::kType: filter.types = {type_name(selection.number)}; break;
    case Selection::Kind::kCategory: filter.category = category_name(selection.number); break;
  }
  return filter;
}

Selection random_selection(Random& random) {
  const auto some = [&random](std::uint64_t count) { return static_cast<std::uint32_t>(random.below(count)); };
  switch (random.below(7)) {
    case 0: return {Selection::Kind::kStream, some(kHotStreams)};
    case 1: return {Selection::Kind::kTag, some(kTags)};
    case 2: return {Selection::Kind::kType, some(kTypes)};
    case 3: return {Selection::Kind::kCategory, some(2)};
    default: return {};
  }
}

}  // namespace bahi::faults
