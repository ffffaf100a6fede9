#include "bahi/cli/json_difference.hpp"

#include <fmt/format.h>
#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

namespace bahi::cli {
namespace {

using rapidjson::Value;

std::string text_of(const Value& value) {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  value.Accept(writer);
  return {buffer.GetString(), buffer.GetSize()};
}

/// "~" and "/" in names as JSON pointers have them.
std::string escaped(const Value& name) {
  std::string text;
  for (rapidjson::SizeType i = 0; i < name.GetStringLength(); ++i) {
    const char c = name.GetString()[i];
    if (c == '~') {
      text += "~0";
    } else if (c == '/') {
      text += "~1";
    } else {
      text += c;
    }
  }
  return text;
}

class Comparison {
 public:
  void compare(const std::string& path, const Value& before, const Value& after) {
    if (before == after) return;
    if (before.IsObject() && after.IsObject()) return compare_objects(path, before, after);
    if (before.IsArray() && after.IsArray()) return compare_lists(path, before, after);
    changes_.push_back({path, text_of(before), text_of(after)});
  }
  [[nodiscard]] std::vector<JsonChange> take() { return std::move(changes_); }

 private:
  void compare_objects(const std::string& path, const Value& before, const Value& after) {
    for (const auto& member : before.GetObject()) {
      const std::string place = path + "/" + escaped(member.name);
      const auto other = after.FindMember(member.name);
      if (other == after.MemberEnd()) {
        changes_.push_back({place, text_of(member.value), ""});
      } else {
        compare(place, member.value, other->value);
      }
    }
    for (const auto& member : after.GetObject()) {
      if (before.HasMember(member.name)) continue;
      changes_.push_back({path + "/" + escaped(member.name), "", text_of(member.value)});
    }
  }

  void compare_lists(const std::string& path, const Value& before, const Value& after) {
    rapidjson::SizeType begin = 0;
    rapidjson::SizeType end = before.Size();
    rapidjson::SizeType other_end = after.Size();
    while (begin < end && begin < other_end && before[begin] == after[begin]) ++begin;
    while (end > begin && other_end > begin && before[end - 1] == after[other_end - 1]) --end, --other_end;
    const bool same_number = end == other_end;
    for (rapidjson::SizeType i = begin; i < end; ++i) {
      const std::string place = fmt::format("{}/{}", path, i);
      if (same_number) {
        compare(place, before[i], after[i]);
      } else {
        changes_.push_back({place, text_of(before[i]), ""});
      }
    }
    for (rapidjson::SizeType i = begin; !same_number && i < other_end; ++i) {
      changes_.push_back({fmt::format("{}/{}", path, i), "", text_of(after[i])});
    }
  }

  std::vector<JsonChange> changes_;
};

}  // namespace

Result<std::vector<JsonChange>> json_difference(std::string_view before, std::string_view after) {
  rapidjson::Document old;
  rapidjson::Document now;
  old.Parse(before.data(), before.size());
  now.Parse(after.data(), after.size());
  if (old.HasParseError() || now.HasParseError()) return Error{ErrorCode::kMalformedJson, "an answer is not JSON"};
  Comparison comparison;
  comparison.compare("", old, now);
  return comparison.take();
}

std::string as_json(const std::vector<JsonChange>& changes) {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  writer.StartArray();
  for (const JsonChange& change : changes) {
    writer.StartObject();
    writer.Key("path");
    writer.String(change.path.data(), static_cast<rapidjson::SizeType>(change.path.size()));
    for (const auto& [name, json] : {std::pair("before", &change.before), std::pair("after", &change.after)}) {
      if (json->empty()) continue;
      writer.Key(name);
      writer.RawValue(json->data(), json->size(), rapidjson::kObjectType);
    }
    writer.EndObject();
  }
  writer.EndArray();
  return {buffer.GetString(), buffer.GetSize()};
}

std::string as_lines(const std::vector<JsonChange>& changes, std::string_view indent) {
  std::string text;
  for (const JsonChange& change : changes) {
    text += fmt::format("{}{}: {} → {}\n", indent, change.path.empty() ? "all" : change.path,
                        change.before.empty() ? "–" : change.before, change.after.empty() ? "–" : change.after);
  }
  return text;
}

}  // namespace bahi::cli
