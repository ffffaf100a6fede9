// Writes the seeds of one fuzz target: make_corpus TARGET DIRECTORY
#include <fstream>
#include <random>

#include <fmt/format.h>

#include "bahi/schemas/batch_builder.hpp"
#include "bahi/schemas/frame.hpp"
#include "bahi/schemas/wire.hpp"
#include "checked_batch.hpp"

namespace bahi::fuzz {
namespace {

/// Batches of several shapes: each optional column there and not there.
EncodedBody sample(unsigned shape, Codec codec) {
  BatchBuilder builder({codec, 1});
  for (unsigned i = 0; i < 1 + shape % 7 * 5; ++i) {
    const std::string number = std::to_string(i % 4);
    const std::string stream = "order-" + number;
    const std::string tag = "customer:" + number;
    const std::string data = R"({"amount_paise":125000,"line":)" + number + "}";
    NewEvent event;
    event.stream = stream;
    event.type = i % 2 == 0 ? "OrderPlaced" : "PaymentCaptured";
    event.data = data;
    event.occurred_at = {static_cast<std::int64_t>(i) * 1000};
    if ((shape & 1U) != 0) event.id = Uuid{7, i + 1};
    if ((shape & 2U) != 0) event.tags = {tag, "store:9"};
    if ((shape & 4U) != 0 && i % 2 == 0) event.content_type = "text/plain";
    if ((shape & 8U) != 0) event.metadata = {"asha", "", stream, "", "a reason", "order", number};
    if (!builder.add(event)) std::abort();
  }
  return builder.finish().value();
}

void write(const std::string& directory, unsigned number, std::string_view bytes) {
  std::ofstream out(fmt::format("{}/seed-{}", directory, number), std::ios::binary);
  out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (!out) {
    fmt::print(stderr, "make_corpus: cannot write into {}\n", directory);
    std::exit(1);
  }
}

/// One frame of each kind of message that a client sends, and conversations of them.
std::string conversation(unsigned shape, bool whole) {
  AppendRequest append;
  append.body = sample(shape, Codec::kLz4);
  append.expectations = {{"order-1", ExpectedVersion::no_stream()}};
  append.condition = AppendCondition{{{QueryItem{{"OrderPlaced"}, {"customer:1"}}}}, Offset{shape}};
  wire::Read read;
  read.request.filter = {"order-1", "order", {"OrderPlaced"}, {"customer:1"}};
  read.follow = shape % 2 == 0;
  read.credit = 1000;
  const std::vector<wire::Message> messages{
      wire::Hello{},
      read,
      wire::Append{append},
      wire::Credit{500},
      wire::Ping{},
      wire::CreateToken{"shop", Role::kReader, "n", {}},
      wire::Cancel{},
      wire::RevokeToken{Uuid{1, 2}},
      wire::ListTenants{},
      wire::CreateTenant{"shop"},
      wire::SetTenantLimits{"shop", {{TenantLimit::kConnections, 5}}},
      wire::Batches{{1, 2}, {}},
      wire::TokenList{{{Uuid{1, 2}, "shop", Role::kAdmin, "n", {}, {}}}},
      wire::Failure{Error{ErrorCode::kConditionFailed, "m", Conflict{"order-1", 1, 2}}}};
  std::string bytes;
  if (!whole) {
    wire::put_frame(shape, messages[shape % messages.size()], 0, bytes);
    return bytes.substr(kFramePrefixBytes);
  }
  for (unsigned i = 0; i <= shape % 13; ++i)
    wire::put_frame(i, messages[(i * (1 + shape / 13)) % messages.size()], 0, bytes);
  return bytes;
}

std::string seed_for(std::string_view target, unsigned shape) {
  if (target == "fuzz_wire") return conversation(shape, false);
  if (target == "fuzz_session") return conversation(shape, true);
  const auto codec = static_cast<Codec>(shape % 3);
  const EncodedBody body = sample(shape, target == "fuzz_body" ? Codec::kNone : codec);
  if (target == "fuzz_body") return body.bytes;
  if (target == "fuzz_codec") {
    std::string seed{static_cast<char>(body.codec), static_cast<char>(body.raw_size),
                     static_cast<char>(body.raw_size >> 8U), static_cast<char>(body.raw_size >> 16U)};
    return seed + body.bytes;
  }
  if (target == "fuzz_builder") {
    std::string seed(1, static_cast<char>(shape));
    for (unsigned i = 0; i <= shape % 5; ++i) {
      seed += static_cast<char>(shape * 3);
      seed += "\x07order-1\x06Placed\x02{}";
      if (shape % 2 == 1)
        seed +=
            "\x0Atext/plain\x05\x06\x02\x01"
            "a\x01"
            "b\x04"
            "asha\x03why\x01"
            "1\x05";
    }
    return seed;
  }
  const auto raw = decompress(body.codec, body.bytes, body.raw_size).value();
  const auto parsed = BatchBody::parse(raw.view()).value();
  return with_right_header(body.bytes, body.codec, body.raw_size, body.event_count, parsed.stream_count());
}

}  // namespace
}  // namespace bahi::fuzz

int main(int argc, char** argv) {
  if (argc != 3) {
    fmt::print(stderr, "usage: make_corpus TARGET DIRECTORY\n");
    return 2;
  }
  for (unsigned shape = 0; shape < 48; ++shape) {
    bahi::fuzz::write(argv[2], shape, bahi::fuzz::seed_for(argv[1], shape));
  }
  return 0;
}
