// Flat JSON objects: the data of the events that the server itself records.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "bahi/base/result.hpp"

namespace bahi::server {

/// Writes one. `add` in the order wanted.
class JsonObject {
 public:
  JsonObject& add(std::string_view name, std::string_view value);
  JsonObject& add(std::string_view name, std::int64_t value);
  [[nodiscard]] std::string finish();

 private:
  void add_name(std::string_view name);
  std::string text_;
};

/// What one holds; strings and integers only.
class JsonFields {
 public:
  /// Empty when there is none.
  [[nodiscard]] std::string text(const std::string& name) const;
  [[nodiscard]] bool has_number(const std::string& name) const { return numbers_.contains(name); }
  /// 0 when there is none.
  [[nodiscard]] std::int64_t number(const std::string& name) const;

 private:
  friend Result<JsonFields> parse_json_object(std::string_view json);
  std::map<std::string, std::string> texts_;
  std::map<std::string, std::int64_t> numbers_;
};

/// Other kinds of values are passed over. kMalformedJson.
[[nodiscard]] Result<JsonFields> parse_json_object(std::string_view json);

}  // namespace bahi::server
