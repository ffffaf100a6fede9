#include "audit/fold.hpp"

#include <algorithm>

namespace bahi::projections::audit {

AuditFold::AuditFold(FoldState& state)
    : state_(state), postings_(state), clock_(state, kClock), redacted_(state, kRedacted, 1'000, Misses::kCommon) {}

Status AuditFold::apply(const FoldEvent& event) {
  BAHI_TRY(note_time(event.view));
  const Record* const record = describer_.describe(event.view, event.data);
  if (record == nullptr) return {};
  BAHI_TRY(post_terms(event.view, *record));
  BAHI_TRY(post_words(event.view, *record));
  if (record->line != nullptr && record->line->redacts) return redact(*record, event.view.offset.value);
  return {};
}

Status AuditFold::note_time(const EventView& event) {
  BAHI_ASSIGN(ClockRow * clock, clock_.edit_or_add({}));
  clock->latest = std::max(clock->latest, event.recorded_at.nanos);
  if (event.offset.value < clock->rows_to) return {};
  clock->rows_to = event.offset.value + kTimesEvery;
  state_.put(kTimes, key_.clear().signed_number(clock->latest).number(event.offset.value), {});
  return {};
}

Status AuditFold::post_terms(const EventView& event, const Record& record) {
  const std::uint64_t offset = event.offset.value;
  const auto post = [&](TermKind kind, std::string_view term) -> Status {
    return term.empty() ? Status{} : postings_.add(kind, term, offset);
  };
  BAHI_TRY(postings_.add(TermKind::kAll, {}, offset));
  BAHI_TRY(post(TermKind::kActor, record.actor));
  BAHI_TRY(post(TermKind::kOnBehalfOf, event.metadata.on_behalf_of));
  BAHI_TRY(post(TermKind::kAction, record.action));
  BAHI_TRY(post(TermKind::kCorrelation, event.metadata.correlation_id));
  BAHI_TRY(post(TermKind::kOutcome, record.outcome));
  BAHI_TRY(post_target(record.target_type, record.target_id,
                       record.changes_target ? TermKind::kTargetChange : TermKind::kTarget, offset));
  if (!record.about_type.empty() || !record.about_id.empty()) {
    BAHI_TRY(post_target(record.about_type, record.about_id, TermKind::kTarget, offset));
  }
  return post_effective_time(event);
}

Status AuditFold::post_target(std::string_view type, std::string_view id, TermKind kind, std::uint64_t offset) {
  BAHI_TRY(postings_.add(TermKind::kTargetType, type, offset));
  target_term(type, id, term_);
  return postings_.add(kind, term_, offset);
}

Status AuditFold::post_effective_time(const EventView& event) {
  const std::int64_t hour = floor_div(effective_time(event).nanos, kNanosPerHour);
  number_term(hour, term_);
  BAHI_TRY(postings_.add(TermKind::kHours, term_, event.offset.value));
  number_term(floor_div(hour, kHoursPerDay), term_);
  BAHI_TRY(postings_.add(TermKind::kDays, term_, event.offset.value));
  number_term(floor_div(hour, kHoursPerMonth), term_);
  return postings_.add(TermKind::kMonths, term_, event.offset.value);
}

Status AuditFold::post_words(const EventView& event, const Record& record) {
  words_.clear();
  if (!record.reason.empty()) words_.add(record.reason);
  const HiddenRow* redaction = nullptr;
  if (record.line != nullptr && record.line->redactable) {
    key_.clear().text(record.target_type).text(record.target_id);
    BAHI_ASSIGN(redaction, redacted_.find(key_));
  }
  if (redaction != nullptr) {
    mark_hidden(event.offset.value, redaction->by);
  } else {
    describer_.add_content(words_);
  }
  return postings_.add_words(words_, event.offset.value);
}

// --- redaction

Status AuditFold::redact(const Record& record, std::uint64_t offset) {
  key_.clear().text(record.target_type).text(record.target_id);
  BAHI_ASSIGN(const HiddenRow* earlier, redacted_.find(key_));
  if (earlier != nullptr) return {};
  BAHI_ASSIGN(HiddenRow * row, redacted_.edit_or_add(key_));
  row->by = offset;
  target_term(record.target_type, record.target_id, term_);
  BAHI_TRY(postings_.offsets_of(TermKind::kTargetChange, term_, offsets_));
  for (const std::uint64_t each : offsets_) {
    if (each != offset) BAHI_TRY(hide(each, offset));
  }
  return {};
}

Status AuditFold::hide(std::uint64_t offset, std::uint64_t by) {
  BAHI_ASSIGN(const EventView* event, state_.history().at({offset}));
  const DomainType* const type = find_domain_type(event->type);
  const bool readable = type != nullptr && type->read(event->content_type, event->data, earlier_data_);
  const Record* const record = earlier_.describe(*event, readable ? earlier_data_.bytes().data() : nullptr);
  if (record == nullptr || record->line == nullptr || !record->line->redactable) return {};
  earlier_words_.clear();
  earlier_.add_content(earlier_words_);
  earlier_reason_.clear();
  if (!record->reason.empty()) earlier_reason_.add(record->reason);
  for (std::size_t i = 0; i < earlier_words_.size(); ++i) {
    bool stays = false;
    for (std::size_t j = 0; j < earlier_reason_.size(); ++j) {
      stays = stays || earlier_reason_[j] == earlier_words_[i];
    }
    if (!stays) BAHI_TRY(postings_.remove(TermKind::kWord, earlier_words_[i], offset));
  }
  mark_hidden(offset, by);
  return {};
}

void AuditFold::mark_hidden(std::uint64_t offset, std::uint64_t by) {
  const HiddenRow hidden{by};
  row_.clear();
  encode_row(hidden, row_);
  state_.put(kHidden, key_.clear().number(offset), row_);
}

}  // namespace bahi::projections::audit
