// Whether a webhook comes from who it says: the signatures of payment providers.
//
// A secret is the bytes that the provider shows for the endpoint. While a secret is being changed there are several,
// and a signature by any of them counts. Comparisons take the same time whatever differs.
#pragma once

#include <chrono>
#include <span>
#include <string>
#include <string_view>

#include "bahi/base/clock.hpp"
#include "bahi/base/result.hpp"

namespace bahi::webhooks {

/// How far a stamp may lie from our time, in either direction.
inline constexpr std::chrono::seconds kToleranceDefault{300};

/// HMAC-SHA256 of `text`, in 64 lower-case hex digits.
[[nodiscard]] std::string hmac_sha256_hex(std::string_view secret, std::string_view text);

/// The header `Stripe-Signature`: `t=SECONDS,v1=HEX,…`. One `v1` that signs `SECONDS.body` must match; other schemes
/// (`v0`, `te`) say nothing. Errors: kSignatureRefused, saying whether the header is malformed, nothing in it matches,
/// or its stamp is too far away; kInvalidArgument when there is no secret, or an empty one.
Status verify_stripe(std::string_view header, std::string_view body, std::span<const std::string> secrets,
                     const Clock& clock, std::chrono::seconds tolerance = kToleranceDefault);

/// The header `X-Razorpay-Signature`: hex of the body's HMAC. Errors: as above.
Status verify_razorpay(std::string_view signature, std::string_view body, std::span<const std::string> secrets);

}  // namespace bahi::webhooks
