#include "bahi/webhooks/signature.hpp"

#include <catch2/catch.hpp>

#include <fmt/format.h>

#include "bahi/base/clock.hpp"
#include "catch_result.hpp"

namespace bahi::webhooks {
namespace {

constexpr std::int64_t kStamp = 1'492'774'577;
const std::string kSecret = "whsec_test_secret";
const std::string kBody = R"({"id":"evt_1","type":"payment_intent.succeeded"})";

std::string v1_of(const std::string& secret, const std::string& stamp, const std::string& body) {
  return hmac_sha256_hex(secret, stamp + "." + body);
}

std::string header_of(const std::string& secret = kSecret, std::int64_t stamp = kStamp) {
  return fmt::format("t={},v1={}", stamp, v1_of(secret, std::to_string(stamp), kBody));
}

Status verify(const std::string& header, std::int64_t now = kStamp, const std::vector<std::string>& secrets = {kSecret},
              const std::string& body = kBody) {
  const ManualClock clock({now * 1'000'000'000});
  return verify_stripe(header, body, secrets, clock);
}

TEST_CASE("webhook signature: HMAC-SHA256 of RFC 4231", "[webhook]") {
  CHECK(hmac_sha256_hex(std::string(20, '\x0b'), "Hi There") ==
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  CHECK(hmac_sha256_hex("Jefe", "what do ya want for nothing?") ==
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  CHECK(hmac_sha256_hex(std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First") ==
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST_CASE("webhook signature: Stripe's header passes with one v1 that matches", "[webhook]") {
  CHECK(verify(header_of()));
  const std::string zeros(64, '0');
  const std::string good = v1_of(kSecret, std::to_string(kStamp), kBody);
  CHECK(verify(fmt::format("t={},v1={},v1={}", kStamp, zeros, good)));
  CHECK(verify(fmt::format("t={},v1={},v1={}", kStamp, good, zeros)));
  CHECK(verify(fmt::format("v1={},t={},v0={}", good, kStamp, zeros)));
  CHECK(verify(fmt::format("t={}, v1={}", kStamp, good)));
  CHECK(verify(fmt::format("t={},v1=abc,v1={}", kStamp, good)));
}

TEST_CASE("webhook signature: while secrets change, both count", "[webhook]") {
  CHECK(verify(header_of("new"), kStamp, {"old", "new"}));
  CHECK(verify(header_of("old"), kStamp, {"old", "new"}));
  CHECK_FALSE(verify(header_of("older"), kStamp, {"old", "new"}));
  CHECK(verify(header_of(), kStamp, {}).error().code() == ErrorCode::kInvalidArgument);
  CHECK(verify(header_of(""), kStamp, {""}).error().code() == ErrorCode::kInvalidArgument);
}

TEST_CASE("webhook signature: v0, another body, another stamp or another secret do not pass", "[webhook]") {
  const std::string good = v1_of(kSecret, std::to_string(kStamp), kBody);
  CHECK_FALSE(verify(fmt::format("t={},v0={}", kStamp, good)));
  CHECK_FALSE(verify(fmt::format("t={},v0={},v1={}", kStamp, good, std::string(64, '0'))));
  CHECK_FALSE(verify(header_of(), kStamp, {kSecret}, kBody + " "));
  CHECK_FALSE(verify(fmt::format("t={},v1={}", kStamp + 1, good)));
  CHECK_FALSE(verify(fmt::format("t=0{},v1={}", kStamp, good)));
  CHECK_FALSE(verify(header_of(), kStamp, {"other"}));
  for (std::size_t i = 0; i < good.size(); i += 7) {
    std::string wrong = good;
    wrong[i] = wrong[i] == '0' ? '1' : '0';
    CHECK(verify(fmt::format("t={},v1={}", kStamp, wrong)).error().code() == ErrorCode::kSignatureRefused);
  }
}

TEST_CASE("webhook signature: a stamp may lie 300 s away, in either direction", "[webhook]") {
  CHECK(verify(header_of(), kStamp + 300));
  CHECK_FALSE(verify(header_of(), kStamp + 301));
  CHECK(verify(header_of(), kStamp - 300));
  CHECK_FALSE(verify(header_of(), kStamp - 301));
  CHECK_FALSE(verify(header_of(kSecret, INT64_MAX), kStamp));
  CHECK_FALSE(verify(header_of(kSecret, 0), kStamp));
}

TEST_CASE("webhook signature: malformed headers are refused", "[webhook]") {
  const std::string good = v1_of(kSecret, std::to_string(kStamp), kBody);
  const std::string stamp = std::to_string(kStamp);
  for (const std::string& header : {std::string(),
                                    std::string("v1,t=1"),
                                    std::string("t="),
                                    std::string("t"),
                                    std::string("="),
                                    std::string(","),
                                    "t=,v1=" + good,
                                    "v1=" + good,
                                    "t=" + stamp,
                                    "t=" + stamp + ",v1=",
                                    "t=" + stamp + ",v1=" + good.substr(1),
                                    "t=" + stamp + ",v1=" + good + "0",
                                    "t=abc,v1=" + good,
                                    "t=-" + stamp + ",v1=" + good,
                                    "t=" + stamp + "x,v1=" + good,
                                    "t=+" + stamp + ",v1=" + good,
                                    "t=99999999999999999999,v1=" + good,
                                    "t=" + stamp + ",t=" + stamp + ",v1=" + good,
                                    "t=" + stamp + ",v1" + good,
                                    "t=" + stamp + ";v1=" + good,
                                    "t=" + stamp + ",V1=" + good,
                                    good}) {
    INFO(header);
    const Status refused = verify(header);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code() == ErrorCode::kSignatureRefused);
  }
}

TEST_CASE("webhook signature: Razorpay's is the body's", "[webhook]") {
  const std::vector<std::string> secrets{"old", "new"};
  CHECK(verify_razorpay(hmac_sha256_hex("new", kBody), kBody, secrets));
  CHECK(verify_razorpay(hmac_sha256_hex("old", kBody), kBody, secrets));
  for (const std::string& wrong : {hmac_sha256_hex("other", kBody), hmac_sha256_hex("new", kBody + "\n"), std::string(),
                                   std::string(64, 'z'), hmac_sha256_hex("new", kBody).substr(1)}) {
    const Status refused = verify_razorpay(wrong, kBody, secrets);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code() == ErrorCode::kSignatureRefused);
  }
  CHECK_FALSE(verify_razorpay(hmac_sha256_hex("", kBody), kBody, std::vector<std::string>{""}));
}

}  // namespace
}  // namespace bahi::webhooks
