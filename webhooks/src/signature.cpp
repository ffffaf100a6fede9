#include "bahi/webhooks/signature.hpp"

#include <array>
#include <charconv>
#include <cstdint>
#include <optional>
#include <vector>

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

namespace bahi::webhooks {
namespace {

using Digest = std::array<unsigned char, 32>;

Error refused(std::string message) {
  return {ErrorCode::kSignatureRefused, std::move(message)};
}

Digest hmac_sha256(std::string_view secret, std::string_view first, std::string_view second) {
  std::string text(first);
  text += second;
  Digest digest{};
  unsigned int size = 0;
  HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data(), &size);
  return digest;
}

int digit_of(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

/// Nothing: not 64 lower-case hex digits.
std::optional<Digest> digest_of(std::string_view hex) {
  Digest digest{};
  if (hex.size() != 2 * digest.size()) return std::nullopt;
  for (std::size_t i = 0; i < digest.size(); ++i) {
    const int high = digit_of(hex[2 * i]);
    const int low = digit_of(hex[2 * i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    digest[i] = static_cast<unsigned char>(high * 16 + low);
  }
  return digest;
}

bool equal(const Digest& a, const Digest& b) {
  return CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

Status check_secrets(std::span<const std::string> secrets) {
  if (secrets.empty()) return Error{ErrorCode::kInvalidArgument, "webhook: no secret was given"};
  for (const std::string& secret : secrets) {
    if (secret.empty()) return Error{ErrorCode::kInvalidArgument, "webhook: an empty secret would let anybody in"};
  }
  return {};
}

/// Looks at all of them, whichever matches.
bool any_matches(const std::vector<Digest>& given, std::span<const std::string> secrets, std::string_view first,
                 std::string_view second) {
  bool matches = false;
  for (const std::string& secret : secrets) {
    const Digest expected = hmac_sha256(secret, first, second);
    for (const Digest& each : given) matches = equal(each, expected) || matches;
  }
  return matches;
}

struct StripeHeader {
  std::string_view stamp;  // as it was sent, since it is signed so
  std::int64_t seconds = 0;
  std::vector<Digest> v1;
};

Result<StripeHeader> parse_stripe(std::string_view header) {
  StripeHeader parsed;
  while (!header.empty()) {
    const std::size_t comma = std::min(header.find(','), header.size());
    std::string_view element = header.substr(0, comma);
    header.remove_prefix(std::min(comma + 1, header.size()));
    while (element.starts_with(' ')) element.remove_prefix(1);
    const std::size_t equals = element.find('=');
    if (equals == 0 || equals == std::string_view::npos) {
      return refused(fmt::format("Stripe-Signature: '{}' is not NAME=VALUE", element));
    }
    const std::string_view name = element.substr(0, equals);
    const std::string_view value = element.substr(equals + 1);
    if (name == "t") {
      if (!parsed.stamp.empty()) return refused("Stripe-Signature: there are two stamps 't'");
      const auto [end, problem] = std::from_chars(value.data(), value.data() + value.size(), parsed.seconds);
      if (problem != std::errc{} || end != value.data() + value.size() || parsed.seconds < 0) {
        return refused(fmt::format("Stripe-Signature: the stamp 't={}' is not a number of seconds", value));
      }
      parsed.stamp = value;
    } else if (name == "v1") {
      if (const auto digest = digest_of(value)) parsed.v1.push_back(*digest);
    }
  }
  if (parsed.stamp.empty()) return refused("Stripe-Signature: there is no stamp 't='");
  if (parsed.v1.empty()) return refused("Stripe-Signature: there is no signature 'v1=' of 64 lower-case hex digits");
  return parsed;
}

}  // namespace

std::string hmac_sha256_hex(std::string_view secret, std::string_view text) {
  std::string hex;
  for (const unsigned char byte : hmac_sha256(secret, text, {})) hex += fmt::format("{:02x}", byte);
  return hex;
}

Status verify_stripe(std::string_view header, std::string_view body, std::span<const std::string> secrets,
                     const Clock& clock, std::chrono::seconds tolerance) {
  BAHI_TRY(check_secrets(secrets));
  BAHI_ASSIGN(const StripeHeader parsed, parse_stripe(header));
  const std::string signed_head = std::string(parsed.stamp) + '.';
  if (!any_matches(parsed.v1, secrets, signed_head, body)) {
    return refused("Stripe-Signature: no 'v1' signature matches the body and the secrets");
  }
  constexpr std::int64_t kNanosPerSecond = 1'000'000'000;
  const std::int64_t now = clock.now().nanos / kNanosPerSecond;
  if (parsed.seconds < now - tolerance.count()) {
    return refused(fmt::format("Stripe-Signature: the stamp is {} s old, at most {} s are allowed",
                               now - parsed.seconds, tolerance.count()));
  }
  if (parsed.seconds - tolerance.count() > now) {
    return refused(fmt::format("Stripe-Signature: the stamp lies {} s in the future, at most {} s are allowed",
                               parsed.seconds - now, tolerance.count()));
  }
  return {};
}

Status verify_razorpay(std::string_view signature, std::string_view body, std::span<const std::string> secrets) {
  BAHI_TRY(check_secrets(secrets));
  const auto given = digest_of(signature);
  if (!given) return refused("X-Razorpay-Signature: must be 64 lower-case hex digits");
  if (!any_matches({*given}, secrets, {}, body)) {
    return refused("X-Razorpay-Signature: does not match the body and the secrets");
  }
  return {};
}

}  // namespace bahi::webhooks
