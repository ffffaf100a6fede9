#include "bahi/webhooks/delivery.hpp"

#include <fmt/format.h>
#include <rapidjson/error/en.h>

#include "bahi/base/text.hpp"
#include "bahi/schemas/batch_builder.hpp"
#include "bahi/schemas/domain_event.hpp"
#include "bahi/schemas/hash.hpp"
#include "translation.hpp"

namespace bahi::webhooks {
namespace {

NewEvent view_of(const TranslatedEvent& event) {
  NewEvent view;
  view.stream = event.stream;
  view.type = event.type;
  view.data = event.data;
  view.occurred_at = event.occurred_at;
  view.tags.assign(event.tags.begin(), event.tags.end());
  return view;
}

/// Whether the log would take it. What it would refuse must not keep the webhook itself out.
Status check(const TranslatedEvent& event) {
  DomainData scratch;
  const DomainType* type = find_domain_type(event.type);
  if (type == nullptr) return Error{ErrorCode::kInternal, fmt::format("'{}' is no known event type", event.type)};
  BAHI_TRY(type->read(kJsonContentType, event.data, scratch));
  BatchBuilder builder({Codec::kNone, 0});
  return builder.add(view_of(event));
}

}  // namespace

Result<rapidjson::Document> parse_body(std::string_view body) {
  rapidjson::Document document;
  document.Parse<rapidjson::kParseIterativeFlag | rapidjson::kParseValidateEncodingFlag>(body.data(), body.size());
  if (document.HasParseError()) {
    return Error{ErrorCode::kMalformedJson, fmt::format("webhook: byte {} of the body: {}", document.GetErrorOffset(),
                                                        rapidjson::GetParseError_En(document.GetParseError()))};
  }
  if (!document.IsObject()) return Error{ErrorCode::kInvalidArgument, "webhook: the body must be a JSON object"};
  return document;
}

const Value* member(const Value& object, std::initializer_list<const char*> path) {
  const Value* at = &object;
  for (const char* name : path) {
    if (!at->IsObject()) return nullptr;
    const auto found = at->FindMember(name);
    if (found == at->MemberEnd()) return nullptr;
    at = &found->value;
  }
  return at;
}

std::string text(const Value& object, std::initializer_list<const char*> path) {
  const Value* value = member(object, path);
  if (value == nullptr || !value->IsString()) return {};
  return {value->GetString(), value->GetStringLength()};
}

std::int64_t number(const Value& object, std::initializer_list<const char*> path) {
  const Value* value = member(object, path);
  return value != nullptr && value->IsInt64() ? value->GetInt64() : 0;
}

std::string first_of(std::initializer_list<std::string> texts) {
  for (const std::string& each : texts) {
    if (!each.empty()) return each;
  }
  return {};
}

Members& Members::text(std::string_view name, std::string_view value) {
  if (value.empty()) return *this;
  writer_.Key(name.data(), static_cast<rapidjson::SizeType>(name.size()));
  writer_.String(value.data(), static_cast<rapidjson::SizeType>(value.size()));
  return *this;
}

Members& Members::number(std::string_view name, std::int64_t value) {
  if (value == 0) return *this;
  writer_.Key(name.data(), static_cast<rapidjson::SizeType>(name.size()));
  writer_.Int64(value);
  return *this;
}

std::string Members::finish() {
  writer_.EndObject();
  return {buffer_.GetString(), buffer_.GetSize()};
}

Timestamp from_seconds(std::int64_t seconds) {
  constexpr std::int64_t kNanosPerSecond = 1'000'000'000;
  std::int64_t nanos = 0;
  return __builtin_mul_overflow(seconds, kNanosPerSecond, &nanos) ? Timestamp{} : Timestamp{nanos};
}

void add_event(Delivery& delivery, std::string_view what, const Subject& subject, Members& data,
               Timestamp occurred_at) {
  TranslatedEvent event;
  event.type = fmt::format("payment.{}", what);
  event.stream = fmt::format("payment-{}", first_of({subject.payment, subject.payout}));
  event.data = data.finish();
  event.occurred_at = occurred_at;
  if (!subject.payment.empty()) event.tags.push_back("payment:" + subject.payment);
  if (!subject.order.empty()) event.tags.push_back("order:" + subject.order);
  if (!subject.payout.empty()) event.tags.push_back("payout:" + subject.payout);
  if (const Status checked = check(event); !checked) {
    if (delivery.events.empty()) delivery.not_translated = checked.error().message();
    return;
  }
  delivery.events.push_back(std::move(event));
  delivery.not_translated.clear();
}

Result<AppendRequest> append_of(const Delivery& delivery, std::string_view body, Timestamp received_at) {
  Members data;
  data.text("provider", delivery.provider).text("event", delivery.event).text("type", delivery.type);
  data.text("body", body).text("not_translated", delivery.not_translated);
  TranslatedEvent received;
  received.stream = "webhook-" + delivery.provider;
  received.type = "payment.WebhookReceived";
  received.data = data.finish();
  received.tags = {"webhook:" + delivery.event};
  received.occurred_at = received_at;
  BatchBuilder builder;
  BAHI_TRY(builder.add(view_of(received)));
  for (const TranslatedEvent& event : delivery.events) BAHI_TRY(builder.add(view_of(event)));
  AppendRequest request;
  BAHI_ASSIGN(request.body, builder.finish());
  request.producer = ProducerPosition{uuid_of("webhook of " + delivery.provider + ":", delivery.event), 0};
  return request;
}

}  // namespace bahi::webhooks
