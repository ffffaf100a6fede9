#include "draft.hpp"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#include "bahi/base/text.hpp"

namespace bahi::workload {

void JsonText::comma() {
  if (!text_.empty() && text_.back() != '{' && text_.back() != '[') text_ += ',';
}

void JsonText::member(std::string_view name) {
  comma();
  if (name.empty()) return;
  text_ += '"';
  text_ += name;
  text_ += "\":";
}

void JsonText::quoted(std::string_view value) {
  text_ += '"';
  for (const char c : value) {
    if (c == '"' || c == '\\') text_ += '\\';
    if (static_cast<unsigned char>(c) < 0x20) {
      fmt::format_to(std::back_inserter(text_), "\\u{:04x}", static_cast<unsigned>(c));
    } else {
      text_ += c;
    }
  }
  text_ += '"';
}

JsonText& JsonText::text(std::string_view name, std::string_view value) {
  member(name);
  quoted(value);
  return *this;
}

JsonText& JsonText::number(std::string_view name, std::int64_t value) {
  member(name);
  text_ += fmt::format_int(value).c_str();
  return *this;
}

JsonText& JsonText::flag(std::string_view name, bool value) {
  member(name);
  text_ += value ? "true" : "false";
  return *this;
}

JsonText& JsonText::time(std::string_view name, Timestamp value) {
  return text(name, format_timestamp(value));
}

JsonText& JsonText::date(std::string_view name, std::int32_t days) {
  return text(name, format_date(days));
}

JsonText& JsonText::begin_list(std::string_view name) {
  member(name);
  text_ += '[';
  return *this;
}

JsonText& JsonText::element(std::string_view value) {
  comma();
  quoted(value);
  return *this;
}

JsonText& JsonText::begin_object(std::string_view name) {
  member(name);
  text_ += '{';
  return *this;
}

JsonText& JsonText::end_object() {
  text_ += '}';
  return *this;
}

JsonText& JsonText::end_list() {
  text_ += ']';
  return *this;
}

// --- one event

void Draft::begin(std::string_view type, Timestamp at, const Uuid& id) {
  type_ = type;
  at_ = at;
  id_ = id;
  data_.clear();
  data_.begin_object();
  tag_count_ = 0;
  for (std::string* const text :
       {&stream_, &actor_, &on_behalf_of_, &reason_, &correlation_, &causation_, &target_type_, &target_id_}) {
    text->clear();
  }
}

void Draft::write(NewEvent& event) {
  data_.end_object();
  event.stream = stream_;
  event.type = type_;
  event.data = data_.view();
  event.content_type = kJsonContentType;
  event.occurred_at = at_;
  event.id = id_;
  event.tags.assign(tags_.begin(), tags_.begin() + static_cast<std::ptrdiff_t>(tag_count_));
  event.metadata = {actor_, on_behalf_of_, correlation_, causation_, reason_, target_type_, target_id_};
}

Draft& Draft::stream(std::string_view category, std::string_view name) {
  stream_.assign(category).append("-").append(name);
  return *this;
}

Draft& Draft::tag(std::string_view key, std::string_view value) {
  if (tag_count_ == tags_.size()) tags_.emplace_back();
  std::string& tag = tags_[tag_count_];
  tag.assign(key).append(":").append(value);
  const auto end = tags_.begin() + static_cast<std::ptrdiff_t>(tag_count_);
  if (std::find(tags_.begin(), end, tag) == end) ++tag_count_;
  return *this;
}

Draft& Draft::actor(std::string_view value) {
  actor_ = value;
  return *this;
}

Draft& Draft::on_behalf_of(std::string_view value) {
  on_behalf_of_ = value;
  return *this;
}

Draft& Draft::reason(std::string_view value) {
  reason_ = value;
  return *this;
}

Draft& Draft::correlation(std::string_view value) {
  correlation_ = value;
  return *this;
}

Draft& Draft::causation(const Uuid& event) {
  causation_ = format_uuid(event);
  return *this;
}

Draft& Draft::target(std::string_view type, std::string_view id) {
  target_type_ = type;
  target_id_ = id;
  return *this;
}

// --- act by act

namespace {
/// Of version 7 (RFC 9562): the time in milliseconds, and random bits.
Uuid time_ordered_uuid(Timestamp at, Random& random) {
  const auto millis = static_cast<std::uint64_t>(at.nanos / 1'000'000);
  return {millis << 16U | 0x7000U | (random.next() & 0xFFFU), (random.next() >> 2U) | (std::uint64_t{0b10} << 62U)};
}
}  // namespace

ActedHistory::ActedHistory(std::uint64_t seed) : random_(seed), ids_(seed ^ 0xD1B54A32D192ED03ULL) {}

void ActedHistory::next(NewEvent& event) {
  while (taken_ == added_) {
    taken_ = added_ = 0;
    act();
  }
  drafts_[taken_++].write(event);
}

Draft& ActedHistory::add(std::string_view type, Timestamp at) {
  if (added_ == drafts_.size()) drafts_.emplace_back();
  Draft& draft = drafts_[added_++];
  draft.begin(type, at, time_ordered_uuid(at, ids_));
  return draft;
}

}  // namespace bahi::workload
