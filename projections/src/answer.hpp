// The answer of a query or a command: JSON, written as it is found.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include "bahi/base/types.hpp"

namespace bahi::projections {

/// Writes one JSON object; the braces around it are the framework's. Not thread-safe.
class Answer {
 public:
  Answer() { writer_.StartObject(); }
  Answer(const Answer&) = delete;
  Answer& operator=(const Answer&) = delete;

  // --- members of the object under way
  Answer& text(std::string_view name, std::string_view value);
  /// Left out when it is empty.
  Answer& text_if(std::string_view name, std::string_view value);
  Answer& number(std::string_view name, std::int64_t value);
  Answer& flag(std::string_view name, bool value);
  Answer& time(std::string_view name, Timestamp value);
  Answer& date(std::string_view name, std::int32_t days);
  Answer& null(std::string_view name);
  /// `json` is a JSON value already.
  Answer& raw(std::string_view name, std::string_view json);
  Answer& begin_list(std::string_view name);
  Answer& begin_object(std::string_view name);

  // --- elements of the list under way
  Answer& element(std::string_view value);
  Answer& begin_element();

  Answer& end_object();
  Answer& end_list();

  /// Ends the outermost object.
  [[nodiscard]] std::string finish();

 private:
  rapidjson::StringBuffer buffer_;
  rapidjson::Writer<rapidjson::StringBuffer> writer_{buffer_};
};

}  // namespace bahi::projections
