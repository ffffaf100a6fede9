#include "answer.hpp"

#include "bahi/base/text.hpp"

namespace bahi::projections {
namespace {

void put_key(rapidjson::Writer<rapidjson::StringBuffer>& writer, std::string_view name) {
  writer.Key(name.data(), static_cast<rapidjson::SizeType>(name.size()));
}
void put_text(rapidjson::Writer<rapidjson::StringBuffer>& writer, std::string_view text) {
  writer.String(text.data(), static_cast<rapidjson::SizeType>(text.size()));
}

}  // namespace

Answer& Answer::text(std::string_view name, std::string_view value) {
  put_key(writer_, name);
  put_text(writer_, value);
  return *this;
}

Answer& Answer::text_if(std::string_view name, std::string_view value) {
  return value.empty() ? *this : text(name, value);
}

Answer& Answer::number(std::string_view name, std::int64_t value) {
  put_key(writer_, name);
  writer_.Int64(value);
  return *this;
}

Answer& Answer::flag(std::string_view name, bool value) {
  put_key(writer_, name);
  writer_.Bool(value);
  return *this;
}

Answer& Answer::time(std::string_view name, Timestamp value) {
  return text(name, format_timestamp(value));
}
Answer& Answer::date(std::string_view name, std::int32_t days) {
  return text(name, format_date(days));
}

Answer& Answer::null(std::string_view name) {
  put_key(writer_, name);
  writer_.Null();
  return *this;
}

Answer& Answer::raw(std::string_view name, std::string_view json) {
  put_key(writer_, name);
  writer_.RawValue(json.data(), json.size(), rapidjson::kObjectType);
  return *this;
}

Answer& Answer::begin_list(std::string_view name) {
  put_key(writer_, name);
  writer_.StartArray();
  return *this;
}

Answer& Answer::begin_object(std::string_view name) {
  put_key(writer_, name);
  writer_.StartObject();
  return *this;
}

Answer& Answer::element(std::string_view value) {
  put_text(writer_, value);
  return *this;
}

Answer& Answer::begin_element() {
  writer_.StartObject();
  return *this;
}

Answer& Answer::end_object() {
  writer_.EndObject();
  return *this;
}

Answer& Answer::end_list() {
  writer_.EndArray();
  return *this;
}

std::string Answer::finish() {
  writer_.EndObject();
  return {buffer_.GetString(), buffer_.GetSize()};
}

}  // namespace bahi::projections
