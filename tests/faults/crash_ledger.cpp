#include "crash_ledger.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "crash_request.hpp"

namespace bahi::faults {
namespace {

/// Answers that promise that nothing of this attempt was stored.
bool is_refusal(ErrorCode code) {
  switch (code) {
    case ErrorCode::kWrongExpectedVersion:
    case ErrorCode::kConditionFailed:
    case ErrorCode::kOverloaded:
    case ErrorCode::kDiskFull:
    case ErrorCode::kShuttingDown:
    case ErrorCode::kReadOnly: return true;
    default: return false;
  }
}

}  // namespace

void Ledger::violation(std::string text) {
  if (violations_.size() < 20) violations_.push_back(std::move(text));
}

std::uint64_t Ledger::event_count() const {
  std::uint64_t count = 0;
  for (const Tenant& tenant : tenants_) count += tenant.events.size();
  return count;
}

void Ledger::take(const Message& message) {
  switch (message.kind) {
    case Message::Kind::kIntent: take_intent(message.intent); break;
    case Message::Kind::kAnswer: take_answer(message.answer); break;
    case Message::Kind::kTenant: {
      std::optional<TenantId>& id = tenants_[message.announcement.tenant].id;
      const TenantId announced{message.announcement.tenant_id};
      if (id && *id != announced) violation("a tenant has changed its identifier");
      id = announced;
      break;
    }
    case Message::Kind::kOpenFailed:
      violation(fmt::format("the store did not open: {}", message.announcement.text.data()));
      break;
    case Message::Kind::kFault:
      violation(fmt::format("the writer failed: {}", message.announcement.text.data()));
      break;
  }
}

void Ledger::take_intent(const Intent& intent) {
  const auto [place, is_new] = requests_.try_emplace(intent.request_id);
  Request& request = place->second;
  if (is_new) {
    Tenant& tenant = tenants_[intent.tenant];
    request.intent = intent;
    request.offset_floor = tenant.acked_end;
    const auto version = tenant.acked_versions.find(hot_stream(intent.expected_stream));
    if (version != tenant.acked_versions.end()) request.version_floor = version->second;
  }
  ++request.attempts;
  request.settled = false;
  open_.push_back(intent.request_id);
}

void Ledger::take_answer(const Answer& answer) {
  const auto found = requests_.find(answer.request_id);
  if (found == requests_.end()) return violation("an answer to a request that was never made");
  Request& request = found->second;
  if (answer.code == 0) return take_acknowledgement(request, answer);
  const auto code = static_cast<ErrorCode>(answer.code);
  if (code == ErrorCode::kWrongExpectedVersion || code == ErrorCode::kConditionFailed) {
    ++totals_.conflicts;
    conflicts_.push_back(answer);
    if (request.stored && request.intent.producer_high != 0) {
      violation(fmt::format("{} is stored, but its retry was answered with a conflict", describe(answer.request_id)));
    }
  }
  if (is_refusal(code)) {
    ++request.refusals;
    ++totals_.refusals;
  } else if (code != ErrorCode::kWriteFailed) {
    violation(fmt::format("{} was answered with {}", describe(answer.request_id), error_info(code).name));
  }
}

void Ledger::take_acknowledgement(Request& request, const Answer& answer) {
  ++totals_.acks;
  if (answer.duplicate) ++totals_.duplicate_answers;
  const std::string name = describe(answer.request_id);
  if (!answer.duplicate && request.answered_as_new) violation(fmt::format("{} was stored a second time", name));
  request.answered_as_new = request.answered_as_new || !answer.duplicate;
  if (request.answer) {
    const Answer& first = *request.answer;
    if (first.first_offset != answer.first_offset || first.event_count != answer.event_count ||
        first.recorded_at != answer.recorded_at || first.first_versions != answer.first_versions) {
      violation(fmt::format("{} was answered with offset {} and later with {}", name, first.first_offset,
                            answer.first_offset));
    }
    return;
  }
  if (request.stored && (!answer.duplicate || answer.first_offset != request.first_offset)) {
    violation(fmt::format("{} is stored at {}, but its retry was answered with {} (duplicate: {})", name,
                          request.first_offset, answer.first_offset, answer.duplicate));
  }
  request.answer = answer;
  Tenant& tenant = tenants_[request.intent.tenant];
  tenant.acked_end = std::max(tenant.acked_end, answer.first_offset + answer.event_count);
  // The last version of each stream follows from its first one here and the number of its events.
  std::vector<std::string> streams;
  std::vector<std::int64_t> versions;
  for (const PlannedEvent& event : plan_events(request.intent.request_id, request.intent.plan_seed, kCrashEventsMax)) {
    const auto place = std::find(streams.begin(), streams.end(), event.stream);
    const auto index = static_cast<std::size_t>(place - streams.begin());
    if (place == streams.end()) {
      if (index >= answer.version_count) return violation(fmt::format("{}: an answer lacks versions", name));
      streams.push_back(event.stream);
      versions.push_back(answer.first_versions[index]);
    } else {
      ++versions[index];
    }
  }
  for (std::size_t index = 0; index < streams.size(); ++index) {
    std::int64_t& version = tenant.acked_versions.try_emplace(streams[index], -1).first->second;
    version = std::max(version, versions[index]);
  }
}

void Ledger::check_tenants(const Engine& engine) {
  for (std::uint32_t number = 0; number < kCrashTenants; ++number) {
    if (!tenants_[number].id) continue;
    const auto id = engine.find_tenant(fmt::format("shop{}", number));
    if (!id || *id != *tenants_[number].id) violation(fmt::format("tenant shop{} is lost", number));
  }
}

void Ledger::check_tail(const Engine& engine, Random& random) {
  check_tenants(engine);
  if (!violations_.empty()) return;
  for (std::uint32_t number = 0; number < kCrashTenants; ++number) {
    if (tenants_[number].id) scan_tail(engine, number);
  }
  settle();
  check_conflicts();
  for (const Tenant& tenant : tenants_) {
    if (!tenant.id) continue;
    check_stream(engine, tenant, hot_stream(random.below(kHotStreams)));
    check_tag(engine, tenant, tag_name(random.below(kTags)));
    if (tenant.events.empty()) continue;
    const EventPlace& place = tenant.events[random.below(tenant.events.size())];
    const Request& request = requests_.at(place.request_id);
    check_stream(engine, tenant, plan_events(place.request_id, request.intent.plan_seed, kCrashEventsMax)[0].stream);
  }
}

void Ledger::scan_tail(const Engine& engine, std::uint32_t number) {
  Tenant& tenant = tenants_[number];
  const std::uint64_t durable = engine.durable_offset(*tenant.id).value;
  if (durable < std::max<std::uint64_t>(tenant.acked_end, tenant.events.size())) {
    return violation(fmt::format("shop{} ends at {}, but {} was acknowledged and {} was read before", number, durable,
                                 tenant.acked_end, tenant.events.size()));
  }
  ReadRequest read;
  read.tenant = *tenant.id;
  read.from = Offset{tenant.events.size()};
  auto cursor = engine.read(read);
  if (!cursor) return violation(fmt::format("shop{} cannot be read: {}", number, cursor.error().to_string()));
  Batch batch;
  EventView event;
  while (true) {
    const Result<bool> more = (*cursor)->next(event);
    if (!more) return violation(fmt::format("shop{}: {}", number, more.error().to_string()));
    if (!*more) break;
    if (!take_event(number, batch, event)) return;
  }
  if (batch.request != nullptr) violation(fmt::format("shop{} ends in the middle of a batch", number));
  if (tenant.events.size() != durable) {
    violation(fmt::format("shop{} has {} events, but its durable offset is {}", number, tenant.events.size(), durable));
  }
}

bool Ledger::begin_batch(std::uint32_t number, Batch& batch, const EventView& event) {
  const auto found = requests_.find(event.id.high);
  const std::string place = fmt::format("shop{} offset {}", number, event.offset.value);
  if (found == requests_.end()) return violation(place + ": an event that nobody wrote"), false;
  Request& request = found->second;
  if (request.intent.tenant != number) return violation(place + ": an event of another tenant"), false;
  if (request.stored) {
    violation(
        fmt::format("{}: {} is stored again; it was at {}", place, describe(event.id.high), request.first_offset));
    return false;
  }
  if (request.settled)
    violation(fmt::format("{}: {} appeared after its writer had died", place, describe(event.id.high)));
  if (request.refusals == request.attempts) {
    violation(fmt::format("{}: {} was refused, and is stored", place, describe(event.id.high)));
  }
  if (event.offset.value < request.offset_floor) {
    violation(fmt::format("{}: {} was submitted after offset {} had been acknowledged", place, describe(event.id.high),
                          request.offset_floor - 1));
  }
  request.stored = true;
  request.first_offset = event.offset.value;
  batch = {};
  batch.request = &request;
  batch.events = plan_events(request.intent.request_id, request.intent.plan_seed, kCrashEventsMax);
  check_demands(number, request, event.offset.value);
  return true;
}

bool Ledger::take_event(std::uint32_t number, Batch& batch, const EventView& event) {
  Tenant& tenant = tenants_[number];
  const std::string place = fmt::format("shop{} offset {}", number, event.offset.value);
  if (event.offset.value != tenant.events.size() || event.tenant != *tenant.id) {
    return violation(fmt::format("{} comes where {} was due", place, tenant.events.size())), false;
  }
  if (batch.request == nullptr && !begin_batch(number, batch, event)) return false;
  const PlannedEvent& planned = batch.events[batch.next];
  if (const std::string_view field = difference(planned, event); !field.empty()) {
    return violation(fmt::format("{}: {} is not what was written", place, field)), false;
  }
  std::vector<std::uint64_t>& stream = tenant.streams[planned.stream];
  if (event.version.value != static_cast<std::int64_t>(stream.size())) {
    violation(fmt::format("{}: version {} of {} where {} was due", place, event.version.value, planned.stream,
                          stream.size()));
  }
  if (std::find(batch.streams.begin(), batch.streams.end(), planned.stream) == batch.streams.end()) {
    batch.streams.push_back(planned.stream);
    batch.first_versions.push_back(event.version.value);
  }
  stream.push_back(event.offset.value);
  for (const std::string& tag : planned.tags) tenant.tags[tag].push_back(event.offset.value);
  tenant.events.push_back({event.id.high, static_cast<std::uint32_t>(event.id.low)});
  ++totals_.events;
  const auto& answer = batch.request->answer;
  if (answer && answer->recorded_at != event.recorded_at.nanos) violation(place + ": recorded_at is not as answered");
  if (++batch.next == batch.events.size()) {
    end_batch(batch);
    batch = {};
  }
  return true;
}

void Ledger::end_batch(const Batch& batch) {
  const auto& answer = batch.request->answer;
  if (!answer) return;
  const std::string name = describe(answer->request_id);
  if (answer->first_offset != batch.request->first_offset || answer->event_count != batch.events.size()) {
    violation(fmt::format("{} was answered with offset {}, count {}; stored at {}, count {}", name,
                          answer->first_offset, answer->event_count, batch.request->first_offset, batch.events.size()));
  }
  if (answer->version_count != batch.streams.size() ||
      !std::equal(batch.first_versions.begin(), batch.first_versions.end(), answer->first_versions.begin())) {
    violation(fmt::format("{}: the versions answered are not the versions stored", name));
  }
}

void Ledger::check_demands(std::uint32_t number, const Request& request, std::uint64_t offset) {
  const Tenant& tenant = tenants_[number];
  const Intent& intent = request.intent;
  const std::int64_t version = tenant.version_of(hot_stream(intent.expected_stream));
  if (!holds(intent, version)) {
    violation(fmt::format("shop{} offset {}: stored although {} was at version {}", number, offset,
                          hot_stream(intent.expected_stream), version));
  }
  if (!intent.has_condition) return;
  const auto tagged = tenant.tags.find(tag_name(intent.condition_tag));
  if (tagged != tenant.tags.end() && tagged->second.back() >= intent.condition_from) {
    violation(fmt::format("shop{} offset {}: stored although offset {} meets its condition from {}", number, offset,
                          tagged->second.back(), intent.condition_from));
  }
}

void Ledger::settle() {
  unknown_.clear();
  std::sort(open_.begin(), open_.end());
  open_.erase(std::unique(open_.begin(), open_.end()), open_.end());
  for (const std::uint64_t id : open_) {
    Request& request = requests_.at(id);
    if (request.answer && !request.stored) {
      violation(fmt::format("{} was acknowledged at offset {} of shop{}, and is lost", describe(id),
                            request.answer->first_offset, request.intent.tenant));
    }
    request.settled = !request.stored;
    if (request.answer || request.refusals == request.attempts) continue;
    ++(request.stored ? totals_.unknown_stored : totals_.unknown_absent);
    if (request.intent.producer_high != 0) unknown_.push_back(id);
  }
  open_.clear();
}

std::vector<Intent> Ledger::choose_retries(Random& random) const {
  std::vector<Intent> chosen;
  for (const std::uint64_t id : unknown_) {
    if (chosen.size() < 40 && !random.one_in(4)) chosen.push_back(requests_.at(id).intent);
  }
  for (const Tenant& tenant : tenants_) {  // stored ones, from any time
    for (int left = tenant.events.empty() ? 0 : 6; left > 0; --left) {
      const Request& request = requests_.at(tenant.events[random.below(tenant.events.size())].request_id);
      if (request.intent.producer_high != 0) chosen.push_back(request.intent);
    }
  }
  return chosen;
}

}  // namespace bahi::faults
