#include <algorithm>

#include <fmt/format.h>

#include "crash_ledger.hpp"
#include "crash_request.hpp"

namespace bahi::faults {

void Ledger::check_conflicts() {
  for (const Answer& answer : conflicts_) {
    const Request& request = requests_.at(answer.request_id);
    const Intent& intent = request.intent;
    const TenantHistory& tenant = tenants_[intent.tenant];
    const std::string name = describe(answer.request_id);
    if (static_cast<ErrorCode>(answer.code) == ErrorCode::kWrongExpectedVersion) {
      const std::string stream = hot_stream(intent.expected_stream);
      const std::int64_t last = tenant.version_of(stream);
      if (stream != answer.conflict_stream.data() || holds(intent, answer.actual_version) ||
          answer.actual_version < request.version_floor || answer.actual_version > last) {
        violation(
            fmt::format("{}: untrue conflict: {} at version {} (expected kind {}, version {}; it went from {} to "
                        "{})",
                        name, answer.conflict_stream.data(), answer.actual_version, intent.expected_kind,
                        intent.expected_version, request.version_floor, last));
      }
      continue;
    }
    const auto tagged = tenant.tags.find(tag_name(intent.condition_tag));
    if (!intent.has_condition || answer.conflict_offset < intent.condition_from || tagged == tenant.tags.end() ||
        !std::binary_search(tagged->second.begin(), tagged->second.end(), answer.conflict_offset)) {
      violation(fmt::format("{}: untrue conflict: offset {} does not match {} from {}", name, answer.conflict_offset,
                            tag_name(intent.condition_tag), intent.condition_from));
    }
  }
  conflicts_.clear();
}

void Ledger::check_stream(const Engine& engine, const TenantHistory& tenant, const std::string& name) {
  static const std::vector<std::uint64_t> kNone;
  const auto stream = tenant.streams.find(name);
  ReadRequest read;
  read.tenant = *tenant.id;
  read.filter.stream = name;
  check_offsets(engine, read, stream == tenant.streams.end() ? kNone : stream->second, name);
  const auto version = engine.stream_version(*tenant.id, name);
  if (!version || version->value != tenant.version_of(name)) {
    violation(fmt::format("{} is said to be at version {}, not {}", name, version ? version->value : -9,
                          tenant.version_of(name)));
  }
}

void Ledger::check_tag(const Engine& engine, const TenantHistory& tenant, const std::string& name) {
  const auto tagged = tenant.tags.find(name);
  if (tagged == tenant.tags.end()) return;
  ReadRequest read;
  read.tenant = *tenant.id;
  read.filter.tags = {name};
  check_offsets(engine, read, tagged->second, name);
}

void Ledger::check_offsets(const Engine& engine, ReadRequest request, const std::vector<std::uint64_t>& expected,
                           const std::string& what) {
  auto cursor = engine.read(std::move(request));
  if (!cursor) return violation(fmt::format("{} cannot be read: {}", what, cursor.error().to_string()));
  EventView event;
  std::size_t count = 0;
  while (true) {
    const Result<bool> more = (*cursor)->next(event);
    if (!more) return violation(fmt::format("{}: {}", what, more.error().to_string()));
    if (!*more) break;
    if (count >= expected.size() || event.offset.value != expected[count]) {
      return violation(fmt::format("{}: the index gives offset {} as number {} of {}", what, event.offset.value, count,
                                   expected.size()));
    }
    ++count;
  }
  if (count != expected.size()) {
    violation(fmt::format("{}: the index gives {} of {} events", what, count, expected.size()));
  }
}

void Ledger::rescan(const Engine& engine, std::uint32_t number) {
  const TenantHistory& tenant = tenants_[number];
  ReadRequest read;
  read.tenant = *tenant.id;
  auto cursor = engine.read(read);
  if (!cursor) return violation(fmt::format("shop{} cannot be read: {}", number, cursor.error().to_string()));
  std::vector<PlannedEvent> planned;
  EventView event;
  std::size_t count = 0;
  while (true) {
    const Result<bool> more = (*cursor)->next(event);
    if (!more) return violation(fmt::format("shop{}: {}", number, more.error().to_string()));
    if (!*more) break;
    if (count >= tenant.events.size() || event.offset.value != count) {
      return violation(fmt::format("shop{}: offset {} where {} was due", number, event.offset.value, count));
    }
    const EventPlace& place = tenant.events[count++];
    if (place.index == 0) {
      planned = plan_events(place.request_id, requests_.at(place.request_id).intent.plan_seed, kCrashEventsMax);
    }
    if (place.digest != digest_of(event) || !difference(planned.at(place.index), event).empty()) {
      return violation(fmt::format("shop{} offset {} has changed since it was last read", number, event.offset.value));
    }
  }
  if (count != tenant.events.size()) {
    violation(fmt::format("shop{} gives {} of its {} events", number, count, tenant.events.size()));
  }
}

void Ledger::check_all(const Engine& engine, Random& random) {
  for (std::uint32_t number = 0; number < kCrashTenants; ++number) {
    if (!tenants_[number].id) continue;
    rescan(engine, number);
    for (std::uint64_t stream = 0; stream < kHotStreams; ++stream) {
      check_stream(engine, tenants_[number], hot_stream(stream));
    }
    for (std::uint64_t tag = 0; tag < kTags; ++tag) check_tag(engine, tenants_[number], tag_name(tag));
    std::uint64_t skip = random.below(20);
    for (const auto& [name, offsets] : tenants_[number].streams) {
      if (skip-- > 0) continue;
      check_stream(engine, tenants_[number], name);
      skip = 20;
    }
  }
  const auto report = engine.verify();
  if (!report) return violation(fmt::format("verify could not run: {}", report.error().to_string()));
  for (const Finding& finding : report->findings) {
    violation(fmt::format("verify: tenant {} offset {}: {}", finding.tenant.value, finding.offset.value,
                          finding.error.to_string()));
  }
}

}  // namespace bahi::faults
