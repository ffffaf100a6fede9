// `bahi webhook`: over TCP, with real signatures.
#include <chrono>

#include <catch2/catch.hpp>

#include "bahi/webhooks/signature.hpp"
#include "serving.hpp"

namespace bahi::test {
namespace {

namespace fs = std::filesystem;

const std::string kRazorpay = R"({"event":"payment.captured","created_at":1767225600,)"
                              R"("payload":{"payment":{"entity":{"id":"pay_1","amount":500,"order_id":"o1"}}}})";
const std::string kStripe = R"({"id":"evt_1","type":"payment_intent.succeeded","created":1767225600,)"
                            R"("data":{"object":{"id":"pi_1","amount_received":700,"currency":"inr"}}})";

std::string secret_file(const TempDirectory& directory) {
  std::string path = directory.file("secret", "old\nnew\n");
  fs::permissions(path, fs::perms::owner_read | fs::perms::owner_write);
  return path;
}

std::string now_seconds() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(now).count());
}

TEST_CASE("webhook: a signed body becomes events, once", "[cli][webhook]") {
  const Store store;
  const Serving server(store);
  const TempDirectory directory;
  const std::string secret = secret_file(directory);
  const Arguments razorpay{"webhook",       "razorpay", "-t",          "shop",
                           "--secret-file", secret,     "--signature", webhooks::hmac_sha256_hex("new", kRazorpay),
                           "--event-id",    "e1"};
  const Outcome first = server.bahi(razorpay, "", kRazorpay);
  CAPTURE(first.err);
  REQUIRE(first.exit_code == 0);
  CHECK(first.out.find(R"("translated":["payment.Captured"])") != std::string::npos);
  CHECK(member(first.out, "event_count") == "2");
  CHECK(member(first.out, "duplicate") == "false");
  CHECK(member(server.bahi(razorpay, "", kRazorpay).out, "duplicate") == "true");

  const std::string stamp = now_seconds();
  const std::string header =
      "Stripe-SIGNATURE: t=" + stamp + ",v1=" + webhooks::hmac_sha256_hex("old", stamp + "." + kStripe);
  const Arguments stripe{"webhook", "stripe",   "-t",      "shop",     "--secret-file",
                         secret,    "--header", "Host: x", "--header", header};
  CHECK(server.bahi(stripe, "", kStripe).exit_code == 0);
  CHECK(split_lines(server.bahi({"read", "-t", "shop"}).out).size() == 4);
}

TEST_CASE("webhook: what is not signed stores nothing", "[cli][webhook]") {
  const Store store;
  const Serving server(store);
  const TempDirectory directory;
  const std::string secret = secret_file(directory);
  const auto refused = [&](const Arguments& more, const std::string& body) {
    Arguments all{"webhook"};
    all.insert(all.end(), more.begin(), more.end());
    all.insert(all.end(), {"-t", "shop", "--secret-file", secret});
    return server.bahi(all, "", body);
  };
  const std::string good = webhooks::hmac_sha256_hex("new", kRazorpay);
  CHECK(refused({"razorpay", "--signature", good, "--event-id", "e1"}, kRazorpay + " ").exit_code == 8);
  CHECK(refused({"razorpay", "--event-id", "e1"}, kRazorpay).exit_code == 8);
  CHECK(refused({"razorpay", "--signature", good}, kRazorpay).exit_code == 3);
  for (const char* header : {"v1,t=1", "t=", "t=1,v1=00"}) {
    const Outcome outcome = refused({"stripe", "--signature", header}, kStripe);
    CHECK(outcome.exit_code == 8);
    CHECK(outcome.err.find("signature_refused") != std::string::npos);
  }
  const std::string old = "t=1767225600,v1=" + webhooks::hmac_sha256_hex("new", "1767225600." + kStripe);
  CHECK(refused({"stripe", "--signature", old}, kStripe).err.find("old") != std::string::npos);
  fs::permissions(secret, fs::perms::others_read, fs::perm_options::add);
  CHECK(refused({"razorpay", "--signature", good, "--event-id", "e1"}, kRazorpay).exit_code == 8);
  CHECK(server.bahi({"read", "-t", "shop"}).out.empty());
}

}  // namespace
}  // namespace bahi::test
