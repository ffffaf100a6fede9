#include "json.hpp"

#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

namespace bahi::server {
namespace {

void put_string(std::string_view value, std::string& out) {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  writer.String(value.data(), static_cast<rapidjson::SizeType>(value.size()));
  out.append(buffer.GetString(), buffer.GetSize());
}

}  // namespace

void JsonObject::add_name(std::string_view name) {
  text_ += text_.empty() ? '{' : ',';
  put_string(name, text_);
  text_ += ':';
}

JsonObject& JsonObject::add(std::string_view name, std::string_view value) {
  add_name(name);
  put_string(value, text_);
  return *this;
}

JsonObject& JsonObject::add(std::string_view name, std::int64_t value) {
  add_name(name);
  text_ += std::to_string(value);
  return *this;
}

std::string JsonObject::finish() {
  if (text_.empty()) text_ = "{";
  return text_ + '}';
}

std::string JsonFields::text(const std::string& name) const {
  const auto found = texts_.find(name);
  return found == texts_.end() ? std::string() : found->second;
}

std::int64_t JsonFields::number(const std::string& name) const {
  const auto found = numbers_.find(name);
  return found == numbers_.end() ? 0 : found->second;
}

Result<JsonFields> parse_json_object(std::string_view json) {
  rapidjson::Document document;
  document.Parse<rapidjson::kParseIterativeFlag>(json.data(), json.size());
  if (document.HasParseError() || !document.IsObject()) return Error{ErrorCode::kMalformedJson, "not a JSON object"};
  JsonFields fields;
  for (const auto& member : document.GetObject()) {
    const std::string name(member.name.GetString(), member.name.GetStringLength());
    if (member.value.IsString()) {
      fields.texts_.emplace(name, std::string(member.value.GetString(), member.value.GetStringLength()));
    } else if (member.value.IsInt64()) {
      fields.numbers_.emplace(name, member.value.GetInt64());
    }
  }
  return fields;
}

}  // namespace bahi::server
