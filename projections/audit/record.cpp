#include "audit/record.hpp"

#include <algorithm>
#include <unordered_map>

#include <rapidjson/document.h>
#include <rapidjson/reader.h>

#include "audit_generated.h"
#include "bahi/schemas/domain_event.hpp"

namespace bahi::projections::audit {

/// A Spec with its member found.
struct Describer::Value {
  enum class Kind : std::uint8_t { kNothing, kItself, kField, kMember };
  Kind kind = Kind::kNothing;
  std::string_view text;               // itself, or the member's name
  const DomainField* field = nullptr;  // of a type with a schema
};

struct Describer::Line {
  const ActionLine* source = nullptr;
  bool has_schema = false;
  Value action, target_type, about_type, about_id, actor, outcome, reason;
  std::array<Value, 2> target_id, content;
  std::array<Value, 3> changes;
};

/// All lines by event type. A member that the type's schema does not have is always absent.
struct Describer::Lines {
  std::unordered_map<std::string_view, Line> by_type;

  Lines() {
    for (const ActionLine& source : action_lines()) by_type.emplace(source.type, resolve(source));
  }
  static Line resolve(const ActionLine& source) {
    const DomainType* const type = find_domain_type(source.type);
    const auto find = [&](Spec spec) {
      Value value;
      if (spec.empty()) return value;
      value.kind = Value::Kind::kItself;
      value.text = spec;
      if (spec[0] != '$') return value;
      value.kind = type == nullptr ? Value::Kind::kMember : Value::Kind::kField;
      value.text.remove_prefix(1);
      if (type == nullptr) return value;
      value.field = type->field(value.text);
      if (value.field == nullptr) value.kind = Value::Kind::kNothing;
      return value;
    };
    Line line;
    line.source = &source;
    line.has_schema = type != nullptr;
    line.action = find(source.action);
    line.target_type = find(source.target_type);
    line.about_type = find(source.about_type);
    line.about_id = find(source.about_id);
    line.actor = find(source.actor);
    line.outcome = find(source.outcome);
    line.reason = find(source.reason);
    for (std::size_t i = 0; i < line.target_id.size(); ++i) line.target_id[i] = find(source.target_id[i]);
    for (std::size_t i = 0; i < line.content.size(); ++i) line.content[i] = find(source.content[i]);
    for (std::size_t i = 0; i < line.changes.size(); ++i) line.changes[i] = find(source.changes[i].value);
    return line;
  }
};

/// Reads data that has no schema.
struct Describer::Json {
  rapidjson::Document document;
  bool is_object = false;
  rapidjson::Reader reader;

  void parse(std::string_view data) {
    document.Parse<rapidjson::kParseIterativeFlag>(data.data(), data.size());
    is_object = !document.HasParseError() && document.IsObject();
  }
  [[nodiscard]] const rapidjson::Value* member(std::string_view name) const {
    if (!is_object) return nullptr;
    const auto found = document.FindMember(rapidjson::StringRef(name.data(), name.size()));
    return found == document.MemberEnd() ? nullptr : &found->value;
  }

  /// Takes the words of all strings that are values.
  struct Collector : rapidjson::BaseReaderHandler<rapidjson::UTF8<>, Collector> {
    Words& words;
    explicit Collector(Words& to) : words(to) {}
    bool String(const char* text, rapidjson::SizeType size, bool) {
      words.add({text, size});
      return true;
    }
    bool Key(const char*, rapidjson::SizeType, bool) { return true; }
  };
  void add_strings(std::string_view data, Words& words) {
    const std::size_t before = words.size();
    rapidjson::MemoryStream stream(data.data(), data.size());
    Collector collector(words);
    if (reader.Parse<rapidjson::kParseIterativeFlag>(stream, collector).IsError()) words.truncate(before);
  }
};

Describer::Describer() : json_(std::make_unique<Json>()) {}
Describer::~Describer() = default;

const Describer::Lines& Describer::lines() {
  static const Lines all;
  return all;
}

std::optional<std::string_view> Describer::text(const Value& value) {
  if (value.kind == Value::Kind::kNothing) return std::nullopt;
  if (value.kind == Value::Kind::kItself) return value.text;
  if (scratch_used_ == scratch_.size()) scratch_.emplace_back();
  std::string& scratch = scratch_[scratch_used_];
  if (value.kind == Value::Kind::kField) {
    const auto text = field_text(*value.field, data_, scratch);
    if (text && text->data() == scratch.data()) ++scratch_used_;
    return text;
  }
  const rapidjson::Value* const member = json_->member(value.text);
  if (member == nullptr) return std::nullopt;
  if (member->IsString()) return std::string_view(member->GetString(), member->GetStringLength());
  if (member->IsBool()) return member->IsTrue() ? "true" : "false";
  if (!member->IsInt64()) return std::nullopt;
  scratch = std::to_string(member->GetInt64());
  ++scratch_used_;
  return scratch;
}

// --- the record

const Record* Describer::describe(const EventView& event, const void* data) {
  event_ = &event;
  data_ = data;
  line_ = nullptr;
  malformed_ = false;
  scratch_used_ = 0;
  record_ = {};
  const Metadata& metadata = event.metadata;
  record_.action = event.type;
  record_.actor = metadata.actor;
  record_.reason = metadata.reason;
  const auto& by_type = lines().by_type;
  const auto found = by_type.find(event.type);
  if (found == by_type.end() && metadata == Metadata{}) return nullptr;
  if (found != by_type.end()) {
    malformed_ = found->second.has_schema && data == nullptr;
    line_ = malformed_ ? nullptr : &found->second;
  }
  if (line_ != nullptr) take_known(event);
  take_target(event);
  return &record_;
}

void Describer::take_known(const EventView& event) {
  const Line& line = *line_;
  if (!line.has_schema) json_->parse(event.content_type == kJsonContentType ? event.data : std::string_view());
  record_.line = line.source;
  if (const auto action = text(line.action)) record_.action = *action;
  if (record_.actor.empty()) record_.actor = text_or_empty(line.actor);
  if (record_.reason.empty()) record_.reason = text_or_empty(line.reason);
  record_.outcome = text_or_empty(line.outcome);
  record_.target_type = text_or_empty(line.target_type);
  std::size_t parts = 0;
  for (const Value& value : line.target_id) {
    const auto part = text(value);
    if (!part || part->empty()) continue;
    if (parts++ == 0) {
      record_.target_id = *part;
      continue;
    }
    target_id_.assign(record_.target_id).append("/").append(*part);
    record_.target_id = target_id_;
  }
  record_.changes_target = !line.source->changes[0].field.empty();
  if (line.source->lists_changes) {
    const auto* const list = flatbuffers::GetRoot<bahi::audit::fb::Recorded>(data_)->changes();
    record_.changes_target = list != nullptr && list->size() != 0;
  }
}

void Describer::take_target(const EventView& event) {
  const Metadata& metadata = event.metadata;
  const bool named = !metadata.target_type.empty() || !metadata.target_id.empty();
  const bool known = !record_.target_type.empty() && !record_.target_id.empty();
  if (known) {
    if (!named && line_ != nullptr) {
      record_.about_type = text_or_empty(line_->about_type);
      record_.about_id = text_or_empty(line_->about_id);
      if (record_.about_id.empty()) record_.about_type = {};
    }
    if (named && (metadata.target_type != record_.target_type || metadata.target_id != record_.target_id)) {
      record_.about_type = metadata.target_type;
      record_.about_id = metadata.target_id;
    }
    return;
  }
  if (named) {
    record_.target_type = metadata.target_type;
    record_.target_id = metadata.target_id;
    return;
  }
  const std::size_t dash = event.stream.find('-');
  record_.target_type = event.stream.substr(0, dash);
  record_.target_id = dash == std::string_view::npos ? std::string_view() : event.stream.substr(dash + 1);
}

void Describer::add_content(Words& words) {
  if (line_ != nullptr) {
    for (const Value& value : line_->content) words.add(text_or_empty(value));
    if (!line_->source->lists_changes) return;
    for (const FieldChange& change : listed_changes()) {
      words.add(change.told_old.value_or(std::string()));
      words.add(change.value.value_or(std::string()));
    }
    return;
  }
  if (malformed_) return;
  if (event_->content_type == kJsonContentType) return json_->add_strings(event_->data, words);
  if (event_->content_type.starts_with("text/")) words.add(event_->data);
}

// --- changes

std::vector<FieldChange> Describer::listed_changes() const {
  std::vector<FieldChange> changes;
  const auto* const list = flatbuffers::GetRoot<bahi::audit::fb::Recorded>(data_)->changes();
  if (list == nullptr) return changes;
  for (const auto* const each : *list) {
    FieldChange change;
    change.field = each->field()->string_view();
    if (each->new_() != nullptr) change.value = each->new_()->str();
    if (each->old() != nullptr) change.told_old = each->old()->str();
    change.old_told = true;
    changes.push_back(std::move(change));
  }
  return changes;
}

std::vector<FieldChange> Describer::changes() {
  std::vector<FieldChange> changes;
  if (line_ == nullptr) return changes;
  if (line_->source->lists_changes) return listed_changes();
  for (std::size_t i = 0; i < line_->changes.size() && !line_->source->changes[i].field.empty(); ++i) {
    const ChangeLine& source = line_->source->changes[i];
    FieldChange change;
    change.field = source.field;
    if (const auto value = text(line_->changes[i])) change.value = std::string(*value);
    const auto& content = line_->source->content;
    const bool is_content =
        !source.value.empty() && std::find(content.begin(), content.end(), source.value) != content.end();
    change.redactable = line_->source->redacts || (line_->source->redactable && is_content);
    changes.push_back(std::move(change));
  }
  return changes;
}

}  // namespace bahi::projections::audit
