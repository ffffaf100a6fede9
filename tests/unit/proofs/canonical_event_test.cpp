#include "bahi/proofs/canonical_event.hpp"

#include <catch2/catch.hpp>

#include <fmt/format.h>

#include "catch_result.hpp"

namespace bahi::proofs {
namespace {

EventView sample() {
  EventView event;
  event.tenant = {7};
  event.offset = {1000};
  event.version = {5};
  event.id = {0x0102030405060708, 0x090a0b0c0d0e0f10};
  event.occurred_at = {-1};
  event.recorded_at = {1767323045000000000};
  event.stream = "order-1";
  event.type = "OrderPlaced";
  event.content_type = kJsonContentType;
  event.data = R"({"total_paise":125000})";
  event.tags = {"customer:9", "batch"};
  event.metadata.actor = "mira";
  event.metadata.target_id = "1";
  return event;
}

std::string hex(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) text += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return text;
}

TEST_CASE("canonical event: the bytes never change", "[proofs][canonical]") {
  std::string bytes;
  append_canonical_event(sample(), bytes);
  CHECK(hex(bytes) ==
        "01"                                // form
        "00000000000003e8"                  // offset
        "0000000000000005"                  // version
        "0102030405060708090a0b0c0d0e0f10"  // id
        "ffffffffffffffff"                  // occurred_at
        "1886caf21c963200"                  // recorded_at
        "000000076f726465722d31"
        "0000000b4f72646572506c61636564"
        "000000106170706c69636174696f6e2f6a736f6e"
        "000000167b22746f74616c5f7061697365223a3132353030307d"
        "000000046d697261"
        "0000000000000000000000000000000000000000"
        "0000000131"
        "00000002"
        "0000000a637573746f6d65723a39"
        "000000056261746368");
  CHECK(hex(as_bytes(leaf_hash(bytes))) == "deaf055453bc15edeac425e9ebf7199e0d0d70343d85851445a8731d1f7c4af7");
}

TEST_CASE("canonical event: reads back as it was written", "[proofs][canonical]") {
  std::string bytes;
  append_canonical_event(sample(), bytes);
  EventView event;
  event.tenant = {7};
  REQUIRE(parse_canonical_event(bytes, event));
  std::string again;
  append_canonical_event(event, again);
  CHECK(again == bytes);
  CHECK(event.stream == "order-1");
  CHECK(event.version == Version{5});
  CHECK(event.occurred_at == Timestamp{-1});
  CHECK(event.tags == std::vector<std::string_view>{"customer:9", "batch"});
  CHECK(event.metadata == sample().metadata);
}

TEST_CASE("canonical event: every field counts", "[proofs][canonical]") {
  std::string bytes;
  append_canonical_event(sample(), bytes);
  const auto changed = [&](const auto& change) {
    EventView event = sample();
    change(event);
    std::string other;
    append_canonical_event(event, other);
    return other != bytes;
  };
  CHECK(changed([](EventView& e) { ++e.offset; }));
  CHECK(changed([](EventView& e) { ++e.version.value; }));
  CHECK(changed([](EventView& e) { ++e.id.low; }));
  CHECK(changed([](EventView& e) { ++e.occurred_at.nanos; }));
  CHECK(changed([](EventView& e) { ++e.recorded_at.nanos; }));
  CHECK(changed([](EventView& e) { e.stream = "order-2"; }));
  CHECK(changed([](EventView& e) { std::swap(e.type, e.data); }));
  CHECK(changed([](EventView& e) { e.content_type = "text/plain"; }));
  CHECK(changed([](EventView& e) { std::swap(e.tags[0], e.tags[1]); }));
  CHECK(changed([](EventView& e) { std::swap(e.metadata.actor, e.metadata.reason); }));
  CHECK_FALSE(changed([](EventView& e) { e.tenant = {8}; }));
}

TEST_CASE("canonical event: what is cut short or longer is refused", "[proofs][canonical]") {
  std::string bytes;
  append_canonical_event(sample(), bytes);
  EventView event;
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    CHECK_FALSE(parse_canonical_event(std::string_view(bytes).substr(0, size), event));
  }
  CHECK_FALSE(parse_canonical_event(bytes + '\0', event));
  bytes.front() = 2;
  CHECK_FALSE(parse_canonical_event(bytes, event));
}

}  // namespace
}  // namespace bahi::proofs
