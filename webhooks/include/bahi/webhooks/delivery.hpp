// What a provider's webhook says, as events of this log.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "bahi/base/result.hpp"
#include "bahi/base/types.hpp"
#include "bahi/schemas/append_request.hpp"

namespace bahi::webhooks {

/// An event of schemas/domain/payment.fbs. Owns its texts.
struct TranslatedEvent {
  std::string stream;
  std::string type;
  std::string data;  ///< JSON that fits the type
  std::vector<std::string> tags;
  Timestamp occurred_at;
};

/// One delivery of a webhook, understood as far as possible.
struct Delivery {
  std::string provider;
  std::string event;  ///< the provider's identifier: the same for every delivery of the same event
  std::string type;   ///< the provider's
  std::vector<TranslatedEvent> events;
  std::string not_translated;  ///< why there are no events; empty when there are
};

/// Of a body whose signature was verified. Types that are not known, other currencies than INR and content that no
/// event can be made of are no errors: they are kept, and `not_translated` says why nothing follows from them. Errors:
/// kMalformedJson, kInvalidArgument when it is no event of the provider.
[[nodiscard]] Result<Delivery> read_stripe(std::string_view body);
/// `event`: the header `X-Razorpay-Event-Id`.
[[nodiscard]] Result<Delivery> read_razorpay(std::string_view body, std::string_view event);

/// One append of `payment.WebhookReceived`, with the body byte for byte, and the delivery's events. Its producer
/// position follows from provider and event, so a second delivery is answered as the first, and adds nothing.
[[nodiscard]] Result<AppendRequest> append_of(const Delivery& delivery, std::string_view body, Timestamp received_at);

}  // namespace bahi::webhooks
