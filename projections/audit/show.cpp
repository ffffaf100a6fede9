#include "audit/show.hpp"

#include <algorithm>

#include <rapidjson/document.h>

namespace bahi::projections::audit {
namespace {

/// Events of a target that are looked at for what its fields were before.
constexpr int kEarlierMax = 100;

}  // namespace

Result<bool> RecordReader::read(std::uint64_t offset) {
  BAHI_ASSIGN(event_, lookup_.at({offset}));
  type_ = find_domain_type(event_->type);
  if (type_ != nullptr && !type_->read(event_->content_type, event_->data, data_)) type_ = nullptr;
  record_ = describer_.describe(*event_, type_ == nullptr ? nullptr : data_.bytes().data());
  return record_ != nullptr;
}

std::string RecordReader::data() const {
  if (type_ != nullptr) return type_->to_json(data_);
  if (event_->content_type != kJsonContentType) return {};
  // Not all that says it is JSON is.
  rapidjson::Document document;
  document.Parse<rapidjson::kParseIterativeFlag | rapidjson::kParseValidateEncodingFlag>(event_->data.data(),
                                                                                         event_->data.size());
  return document.HasParseError() ? std::string() : std::string(event_->data);
}

Result<bool> RecordShow::hidden(std::uint64_t offset, HiddenRow& row) const {
  return get_row(context_.state, kHidden, Key().number(offset), row);
}

Status RecordShow::show(RecordReader& reader, Answer& answer) {
  const EventView& event = reader.event();
  const Record& record = reader.record();
  HiddenRow hiding;
  BAHI_ASSIGN(const bool hides, hidden(event.offset.value, hiding));
  answer.number("tenant", context_.tenant.value)
      .number("offset", static_cast<std::int64_t>(event.offset.value))
      .time("recorded_at", event.recorded_at)
      .time("occurred_at", effective_time(event))
      .text_if("actor", record.actor)
      .text_if("on_behalf_of", event.metadata.on_behalf_of)
      .text("action", record.action)
      .text_if("target_type", record.target_type)
      .text_if("target_id", record.target_id)
      .text_if("about_type", record.about_type)
      .text_if("about_id", record.about_id)
      .text_if("outcome", record.outcome)
      .text_if("reason", record.reason)
      .text_if("correlation_id", event.metadata.correlation_id)
      .text_if("causation_id", event.metadata.causation_id)
      .text("stream", event.stream)
      .text("type", event.type);
  if (hides) answer.number("redacted_by", static_cast<std::int64_t>(hiding.by));
  return show_changes(reader, hides, answer);
}

Status RecordShow::show_changes(RecordReader& reader, bool hidden, Answer& answer) {
  std::vector<FieldChange> changes = reader.changes();
  BAHI_TRY(find_old(reader.record(), reader.event().offset.value, changes));
  // What is as it was before did not change; an explicit record says what it wants to say.
  std::erase_if(changes, [&](const FieldChange& change) {
    const bool derived = !reader.record().line->lists_changes;
    return derived && change.old_told && !change.redactable && change.told_old == change.value;
  });
  if (changes.empty()) return {};
  answer.begin_list("changes");
  for (const FieldChange& change : changes) {
    answer.begin_element().text("field", change.field);
    if (change.redactable && (hidden || reader.record().line->redacts)) {
      answer.flag("redacted", true).end_object();
      continue;
    }
    if (!change.old_told) answer.flag("old_unknown", true);
    if (change.told_old) answer.text("old", *change.told_old);
    if (change.value) answer.text("new", *change.value);
    answer.end_object();
  }
  answer.end_list();
  return {};
}

Status RecordShow::find_old(const Record& record, std::uint64_t offset, std::vector<FieldChange>& changes) {
  const auto open = [](const FieldChange& change) { return !change.old_told; };
  if (std::none_of(changes.begin(), changes.end(), open)) return {};
  std::string term;
  target_term(record.target_type, record.target_id, term);
  const auto list = term_list(context_.state, TermKind::kTargetChange, term, Order::kNewest);
  int left = kEarlierMax;
  if (offset > 0) BAHI_TRY(list->seek(offset - 1));
  while (list->valid() && left-- > 0 && std::any_of(changes.begin(), changes.end(), open)) {
    BAHI_ASSIGN(const bool there, earlier_.read(list->offset()));
    if (there) {
      for (const FieldChange& known : earlier_.changes()) {
        for (FieldChange& change : changes) {
          if (change.old_told || change.field != known.field) continue;
          change.old_told = true;
          change.told_old = known.value;
        }
      }
    }
    if (list->offset() == 0) break;
    BAHI_TRY(list->seek(list->offset() - 1));
  }
  // Nobody said anything of it before: it was null.
  const bool all_seen = left >= 0;
  for (FieldChange& change : changes) change.old_told = change.old_told || all_seen;
  return {};
}

}  // namespace bahi::projections::audit
