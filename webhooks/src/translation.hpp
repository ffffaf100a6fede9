// What the translators of the providers share: members of their JSON, and events made of them.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include "bahi/webhooks/delivery.hpp"

namespace bahi::webhooks {

using Value = rapidjson::Value;

/// Errors: kMalformedJson; kInvalidArgument when it is not an object.
[[nodiscard]] Result<rapidjson::Document> parse_body(std::string_view body);

/// Null: there is no such member, or one on the way is no object.
[[nodiscard]] const Value* member(const Value& object, std::initializer_list<const char*> path);
/// Empty: there is none, or it is no text.
[[nodiscard]] std::string text(const Value& object, std::initializer_list<const char*> path);
/// 0: there is none, or it is no whole number.
[[nodiscard]] std::int64_t number(const Value& object, std::initializer_list<const char*> path);
/// The first that is not empty.
[[nodiscard]] std::string first_of(std::initializer_list<std::string> texts);

/// The members of an event's data. Texts that are empty and numbers that are 0 are left out.
class Members {
 public:
  Members() { writer_.StartObject(); }
  Members(const Members&) = delete;
  Members& operator=(const Members&) = delete;
  Members& text(std::string_view name, std::string_view value);
  Members& number(std::string_view name, std::int64_t value);
  [[nodiscard]] std::string finish();

 private:
  rapidjson::StringBuffer buffer_;
  rapidjson::Writer<rapidjson::StringBuffer> writer_{buffer_};
};

/// What the event is about; empty: nothing of that kind.
struct Subject {
  std::string payment;
  std::string order;
  std::string payout;
};
/// Adds `payment.WHAT` if it fits its schema; otherwise says in `not_translated` why not.
void add_event(Delivery& delivery, std::string_view what, const Subject& subject, Members& data, Timestamp occurred_at);

[[nodiscard]] Timestamp from_seconds(std::int64_t seconds);

}  // namespace bahi::webhooks
