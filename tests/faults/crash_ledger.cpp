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

/// Answers after which the request may be stored or not.
bool leaves_unknown(ErrorCode code, Calls calls) {
  const bool of_client = code == ErrorCode::kConnectionLost || code == ErrorCode::kCancelled;
  return code == ErrorCode::kWriteFailed || (of_client && calls == Calls::kOutliveStore);
}

std::string describe(const Placement& place) {
  return fmt::format("offset {}, count {}, time {}, versions {} {} {}", place.first_offset, place.event_count,
                     place.recorded_at, place.first_versions[0], place.first_versions[1], place.first_versions[2]);
}

}  // namespace

void Ledger::violation(std::string text) {
  if (violations_.size() < 20) violations_.push_back(std::move(text));
}

std::uint64_t Ledger::event_count() const {
  std::uint64_t count = 0;
  for (const TenantHistory& tenant : tenants_) count += tenant.events.size();
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
    case Message::Kind::kFault: violation(message.announcement.text.data()); break;
    case Message::Kind::kListening: break;
    case Message::Kind::kReadStart:
      reads_.begin(message.read_start, tenants_[message.read_start.tenant].acked_end);
      break;
    case Message::Kind::kSeen:
      totals_.sightings += message.seen.count;
      reads_.take(message.seen);
      break;
    case Message::Kind::kReadEnd: reads_.take(message.read_end); break;
  }
}

void Ledger::take_intent(const Intent& intent) {
  const auto [place, is_new] = requests_.try_emplace(intent.request_id);
  Request& request = place->second;
  if (is_new) {
    TenantHistory& tenant = tenants_[intent.tenant];
    request.intent = intent;
    request.offset_floor = tenant.acked_end;
    const auto version = tenant.acked_versions.find(hot_stream(intent.expected_stream));
    if (version != tenant.acked_versions.end()) request.version_floor = version->second;
  }
  ++request.attempts;
  ++request.open;
  request.settled = false;
  open_.push_back(intent.request_id);
}

void Ledger::take_answer(const Answer& answer) {
  const auto found = requests_.find(answer.request_id);
  if (found == requests_.end()) return violation("an answer to a request that was never made");
  Request& request = found->second;
  if (request.open == 0) return violation(describe(answer.request_id) + " was answered more often than it was made");
  --request.open;
  // Perhaps the server said it before it died and the log was checked: then what it says was new at that time.
  const bool late = request.carried > 0;
  if (late) {
    --request.carried;
    ++totals_.late_answers;
  }
  if (answer.code == 0) return take_acknowledgement(request, answer, late);
  const auto code = static_cast<ErrorCode>(answer.code);
  if (code == ErrorCode::kWrongExpectedVersion || code == ErrorCode::kConditionFailed) {
    ++totals_.conflicts;
    conflicts_.push_back(answer);
    if (request.placed && !(late && request.attempts > 1)) {
      violation(fmt::format("{} is stored, but its retry was answered with a conflict", describe(answer.request_id)));
    }
  }
  if (is_refusal(code)) {
    ++request.refusals;
    ++totals_.refusals;
  } else if (!leaves_unknown(code, calls_)) {
    violation(fmt::format("{} was answered with {}", describe(answer.request_id), error_info(code).name));
  }
}

void Ledger::take_acknowledgement(Request& request, const Answer& answer, bool late) {
  ++totals_.acks;
  if (answer.duplicate) ++totals_.duplicate_answers;
  const std::string name = describe(answer.request_id);
  if (!answer.duplicate && (request.answered_as_new || (request.placed && !late))) {
    violation(fmt::format("{} was stored a second time, at {}", name, describe(answer)));
  }
  request.answered_as_new = request.answered_as_new || !answer.duplicate;
  if (request.answer) {
    if (*request.answer != answer) {
      violation(
          fmt::format("{} was answered with {}, and later with {}", name, describe(*request.answer), describe(answer)));
    }
    return;
  }
  request.answer = answer;
  compare(answer.request_id, request);
  TenantHistory& tenant = tenants_[request.intent.tenant];
  tenant.acked_end = std::max(tenant.acked_end, answer.first_offset + answer.event_count);
  const auto versions = last_versions(request.intent, answer);
  if (versions.empty()) violation(fmt::format("{}: an answer lacks versions", name));
  for (const auto& [stream, last] : versions) {
    std::int64_t& version = tenant.acked_versions.try_emplace(stream, -1).first->second;
    version = std::max(version, last);
  }
}

/// What was answered against what is stored, as soon as both are known.
void Ledger::compare(std::uint64_t id, const Request& request) {
  if (!request.answer || !request.placed || *request.answer == *request.placed) return;
  violation(fmt::format("{} was answered with {}; stored is {}", describe(id), describe(*request.answer),
                        describe(*request.placed)));
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
  check_reads();
  for (const TenantHistory& tenant : tenants_) {
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
  TenantHistory& tenant = tenants_[number];
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
  const std::string name = describe(event.id.high);
  if (request.intent.tenant != number) return violation(place + ": an event of another tenant"), false;
  if (request.placed) {
    violation(fmt::format("{}: {} is stored again; it was at {}", place, name, request.placed->first_offset));
    return false;
  }
  if (request.settled) violation(fmt::format("{}: {} appeared after its writer had died", place, name));
  if (request.refusals == request.attempts) violation(fmt::format("{}: {} was refused, and is stored", place, name));
  if (event.offset.value < request.offset_floor) {
    violation(fmt::format("{}: {} was submitted after offset {} had been acknowledged", place, name,
                          request.offset_floor - 1));
  }
  batch = {};
  batch.request = &request;
  batch.place.first_offset = event.offset.value;
  batch.place.recorded_at = event.recorded_at.nanos;
  batch.events = plan_events(request.intent.request_id, request.intent.plan_seed, kCrashEventsMax);
  batch.place.event_count = static_cast<std::uint32_t>(batch.events.size());
  check_demands(number, request, event.offset.value);
  return true;
}

bool Ledger::take_event(std::uint32_t number, Batch& batch, const EventView& event) {
  TenantHistory& tenant = tenants_[number];
  const std::string place = fmt::format("shop{} offset {}", number, event.offset.value);
  if (event.offset.value != tenant.events.size() || event.tenant != *tenant.id) {
    return violation(fmt::format("{} comes where {} was due", place, tenant.events.size())), false;
  }
  if (batch.request == nullptr && !begin_batch(number, batch, event)) return false;
  const PlannedEvent& planned = batch.events[batch.next];
  if (const std::string_view field = difference(planned, event); !field.empty()) {
    return violation(fmt::format("{}: {} is not what was written", place, field)), false;
  }
  if (const std::int64_t due = tenant.version_of(planned.stream) + 1; event.version.value != due) {
    violation(fmt::format("{}: version {} of {} where {} was due", place, event.version.value, planned.stream, due));
  }
  if (event.recorded_at.nanos != batch.place.recorded_at) violation(place + ": recorded_at differs within the batch");
  if (std::find(batch.streams.begin(), batch.streams.end(), planned.stream) == batch.streams.end()) {
    batch.place.first_versions.at(batch.streams.size()) = event.version.value;
    batch.streams.push_back(planned.stream);
    batch.place.version_count = static_cast<std::uint32_t>(batch.streams.size());
  }
  tenant.add(event);
  ++totals_.events;
  if (++batch.next == batch.events.size()) {
    batch.request->placed = batch.place;
    compare(batch.request->intent.request_id, *batch.request);
    batch = {};
  }
  return true;
}

void Ledger::check_demands(std::uint32_t number, const Request& request, std::uint64_t offset) {
  const TenantHistory& tenant = tenants_[number];
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
  std::vector<std::uint64_t> still_open;
  for (const std::uint64_t id : open_) {
    Request& request = requests_.at(id);
    if (calls_ == Calls::kEndWithStore) request.open = 0;
    request.carried = request.open;
    if (request.answer && !request.placed) {
      violation(fmt::format("{} was acknowledged at offset {} of shop{}, and is lost", describe(id),
                            request.answer->first_offset, request.intent.tenant));
    }
    if (request.open > 0) {
      still_open.push_back(id);
      continue;
    }
    request.settled = !request.placed;
    if (request.answer || request.refusals == request.attempts) continue;
    ++(request.placed ? totals_.unknown_stored : totals_.unknown_absent);
    if (request.intent.producer_high != 0) unknown_.push_back(id);
  }
  open_.swap(still_open);
}

void Ledger::check_reads() {
  reads_.judge(tenants_, [this](std::string text) { violation(std::move(text)); });
}

std::vector<Intent> Ledger::choose_retries(Random& random) const {
  std::vector<Intent> chosen;
  for (const std::uint64_t id : unknown_) {
    if (chosen.size() < 40 && !random.one_in(4)) chosen.push_back(requests_.at(id).intent);
  }
  for (const TenantHistory& tenant : tenants_) {  // stored ones, from any time
    for (int left = tenant.events.empty() ? 0 : 6; left > 0; --left) {
      const Request& request = requests_.at(tenant.events[random.below(tenant.events.size())].request_id);
      if (request.intent.producer_high != 0) chosen.push_back(request.intent);
    }
  }
  return chosen;
}

}  // namespace bahi::faults
