#include "bahi/schemas/domain_event.hpp"

#include <catch2/catch.hpp>

#include <random>

#include "bahi/schemas/batch_body.hpp"
#include "bahi/schemas/batch_builder.hpp"
#include "bahi/schemas/codec.hpp"
#include "chat_generated.h"
#include "support/catch_result.hpp"

namespace bahi {
namespace {

constexpr std::string_view kMessage = R"({"conversation":"general","message":"m1","sender":"asha","text":"नमस्ते",)"
                                      R"("mentions":["ravi","zoya"],"colour":"red"})";

const DomainType& type(std::string_view name) {
  const DomainType* found = find_domain_type(name);
  REQUIRE(found != nullptr);
  return *found;
}

std::string problem(std::string_view name, std::string_view json) {
  DomainData data;
  const Status read = type(name).read(kJsonContentType, json, data);
  REQUIRE_FALSE(read);
  CHECK((read.error().code() == ErrorCode::kMalformedEvent || read.error().code() == ErrorCode::kMalformedJson));
  return read.error().message();
}

TEST_CASE("domain event: JSON becomes a FlatBuffer of the type's table", "[schemas][domain]") {
  DomainData data;
  REQUIRE(type("chat.MessageSent").read(kJsonContentType, kMessage, data));
  const auto& message = *flatbuffers::GetRoot<chat::fb::MessageSent>(data.bytes().data());
  CHECK(message.conversation()->string_view() == "general");
  CHECK(message.text()->string_view() == "नमस्ते");
  REQUIRE(message.mentions() != nullptr);
  REQUIRE(message.mentions()->size() == 2);
  CHECK(message.mentions()->Get(1)->string_view() == "zoya");
  CHECK(message.thread() == nullptr);
}

TEST_CASE("domain event: what is written back as JSON reads as the same event", "[schemas][domain]") {
  DomainData data;
  REQUIRE(type("chat.MessageSent").read(kJsonContentType, kMessage, data));
  const std::string json = type("chat.MessageSent").to_json(data);
  CHECK(json ==
        R"({"conversation":"general","message":"m1","sender":"asha","text":"नमस्ते","mentions":["ravi","zoya"]})");
  DomainData again;
  REQUIRE(type("chat.MessageSent").read(kJsonContentType, json, again));
  CHECK(again.bytes() == data.bytes());
}

TEST_CASE("domain event: a FlatBuffer is checked as JSON is", "[schemas][domain]") {
  DomainData data;
  REQUIRE(type("chat.MessageSent").read(kJsonContentType, kMessage, data));
  const std::string bytes(data.bytes());
  DomainData again;
  // At an odd address too.
  const std::string shifted = "x" + bytes;
  REQUIRE(type("chat.MessageSent").read(kFlatBufferContentType, std::string_view(shifted).substr(1), again));
  CHECK(type("chat.MessageSent").to_json(again) == type("chat.MessageSent").to_json(data));
  // A FlatBuffer does not say what it is; this one has a text where the other type has a number.
  const Status other = type("chat.ConversationCreated").read(kFlatBufferContentType, bytes, again);
  REQUIRE_FALSE(other);
  CHECK(other.error().code() == ErrorCode::kMalformedEvent);
}

TEST_CASE("domain event: no FlatBuffer is read before it is checked", "[schemas][domain]") {
  DomainData data;
  REQUIRE(type("chat.MessageSent").read(kJsonContentType, kMessage, data));
  const std::string good(data.bytes());
  std::mt19937_64 random(20261121);
  std::size_t refused = 0;
  for (int trial = 0; trial < 20'000; ++trial) {
    std::string bytes = good.substr(0, trial % 4 == 0 ? random() % (good.size() + 1) : good.size());
    for (std::uint64_t changes = random() % 4; changes > 0 && !bytes.empty(); --changes) {
      bytes[random() % bytes.size()] = static_cast<char>(random());
    }
    DomainData read;
    if (type("chat.MessageSent").read(kFlatBufferContentType, bytes, read)) {
      CHECK_FALSE(type("chat.MessageSent").to_json(read).empty());
    } else {
      ++refused;
    }
  }
  CHECK(refused > 1000);
}

TEST_CASE("domain event: an error names the type, the field and what it must be", "[schemas][domain]") {
  using Catch::Contains;
  CHECK_THAT(problem("chat.MessageSent", R"({"message":"m","sender":"a","text":""})"),
             Contains("chat.MessageSent") && Contains("'conversation' is missing"));
  CHECK_THAT(problem("chat.MemberLeft", R"({"conversation":"","user":"a"})"),
             Contains("'conversation' must not be empty"));
  CHECK_THAT(problem("chat.MemberLeft", R"({"conversation":5,"user":"a"})"),
             Contains("'conversation' must be a text, is a whole number"));
  CHECK_THAT(problem("chat.ConversationCreated", R"({"conversation":"c","kind":"party"})"),
             Contains("'kind' must be one of direct, group"));
  CHECK_THAT(
      problem("chat.MessageSent", R"({"conversation":"c","message":"m","sender":"a","text":"","mentions":[""]})"),
      Contains("'mentions' must not be empty"));
  CHECK_THAT(problem("chat.PresenceSet", R"({"user":"a","status":"away","expires_at":"tomorrow"})"),
             Contains("'expires_at' must be a time"));
  CHECK_THAT(problem("chat.ReceiptSet", R"({"conversation":"c","user":"a","message":"m","private":1})"),
             Contains("'private' must be true or false"));
  CHECK_THAT(problem("chat.MemberLeft", R"({"conversation":"c","user":"a","user":"b"})"),
             Contains("'user' is there twice"));
  CHECK_THAT(problem("chat.MemberLeft", "[1]"), Contains("must be a JSON object"));
  CHECK_THAT(problem("chat.MemberLeft", R"({"conversation":"c",)"), Contains("byte"));
  CHECK_THAT(problem("chat.MemberLeft", std::string("{}\0{}", 5)), Contains("NUL"));
  CHECK_THAT(problem("chat.MemberLeft", "{\"conversation\":\"c\",\"user\":\"\xC3\"}"), Contains("byte"));
  CHECK_THAT(problem("chat.MemberLeft", std::string(200'000, '[')), Contains("byte"));
}

TEST_CASE("domain event: any other content type of a known type is refused", "[schemas][domain]") {
  DomainData data;
  const Status read = type("chat.MemberLeft").read("text/plain", "{}", data);
  REQUIRE_FALSE(read);
  CHECK_THAT(read.error().message(), Catch::Contains("text/plain"));
}

TEST_CASE("domain event: a body with one event that does not fit is refused, naming the event", "[schemas][domain]") {
  const auto check = [](std::string_view second_type, std::string_view second_data) {
    BatchBuilder builder({Codec::kNone, 0});
    NewEvent event;
    event.stream = "conversation-1";
    event.type = "chat.MemberJoined";
    event.data = R"({"conversation":"c","user":"a","role":"owner"})";
    REQUIRE(builder.add(event));
    event.type = second_type;
    event.data = second_data;
    REQUIRE(builder.add(event));
    const auto encoded = builder.finish();
    REQUIRE(encoded);
    AlignedBytes raw(encoded->bytes.size());
    std::copy(encoded->bytes.begin(), encoded->bytes.end(), raw.data());
    const auto body = BatchBody::parse({raw.data(), raw.size()});
    REQUIRE(body);
    return check_domain_events(*body);
  };
  CHECK(check("chat.MemberLeft", R"({"conversation":"c","user":"a"})"));
  CHECK(check("custom.Type", "not even JSON"));
  const Status refused = check("chat.MemberLeft", R"({"conversation":"c"})");
  REQUIRE_FALSE(refused);
  CHECK_THAT(refused.error().message(), Catch::Contains("event 1") && Catch::Contains("'user' is missing"));
}

TEST_CASE("domain event: every type has a name of its own and accepts no empty object without its fields",
          "[schemas][domain]") {
  CHECK(domain_types().size() >= 13);
  for (const DomainType& each : domain_types()) {
    INFO(each.name());
    CHECK(find_domain_type(each.name()) == &each);
    DomainData data;
    CHECK_FALSE(each.read(kJsonContentType, "{}", data));
  }
  CHECK(find_domain_type("chat.Events") == nullptr);
}

}  // namespace
}  // namespace bahi
