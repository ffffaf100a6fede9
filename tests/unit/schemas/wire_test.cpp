#include "bahi/schemas/wire.hpp"

#include <random>

#include <flatbuffers/flatbuffers.h>
#include <fmt/format.h>
#include <catch2/catch.hpp>

#include "bahi/schemas/frame.hpp"
#include "support/catch_result.hpp"
#include "wire_generated.h"

namespace bahi::wire {
namespace {

std::string hex(std::string_view bytes) {
  std::string text;
  for (const char byte : bytes) text += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  return text;
}

std::string frame_of(std::uint64_t request, const Message& message) {
  std::string bytes;
  put_frame(request, message, 0, bytes);
  return bytes;
}

Result<Envelope> decode(std::string_view frame) {
  return decode_head(frame.substr(kFramePrefixBytes));
}

/// Encodes, decodes, encodes: nothing may have changed.
template <class T>
T round_trip(const T& message) {
  const std::string frame = frame_of(42, message);
  const auto envelope = decode(frame);
  REQUIRE(envelope);
  CHECK(envelope->request == 42);
  REQUIRE(std::holds_alternative<T>(envelope->message));
  CHECK(hex(frame_of(42, envelope->message)) == hex(frame));
  return std::get<T>(envelope->message);
}

AppendRequest full_append() {
  AppendRequest request;
  request.body = {Codec::kZstd, 5000, 17, ""};
  request.expectations = {{"order-1", ExpectedVersion::exactly(Version{3})}, {"order-2", ExpectedVersion::no_stream()}};
  request.producer = ProducerPosition{Uuid{1, 2}, 99};
  request.condition = AppendCondition{{{{{"placed"}, {"sku:1", "sku:2"}}, {{}, {"name:ada"}}}}, Offset{12}};
  return request;
}

TEST_CASE("wire: every message comes back as it was", "[schemas][wire]") {
  CHECK(round_trip(Hello{kMagic, 1, 2, 3, "token", "shop", "test"}).token == "token");
  CHECK(round_trip(Welcome{1, 0, 5, "bahi", "shop", Role::kAuditor, 1, 2, 3, 4, 5}).role == Role::kAuditor);
  const AppendRequest append = round_trip(Append{full_append()}).request;
  CHECK(append.expectations.size() == 2);
  CHECK(append.expectations[0].expected.version == Version{3});
  CHECK(append.condition->query.items[1].tags == std::vector<std::string>{"name:ada"});
  CHECK(round_trip(Appended{{Offset{7}, 2, Timestamp{9}, {0, 5}, true}}).result.first_versions.size() == 2);
  const Failure conflict =
      round_trip(Failure{Error{ErrorCode::kWrongExpectedVersion, "no", Conflict{"order-1", 5, 0}}});
  CHECK(conflict.error.conflict()->actual_version == 5);
  Read read;
  read.request.from = Offset{3};
  read.request.to = Offset{9};
  read.request.direction = Direction::kBackward;
  read.request.filter = {"order-1", "order", {"placed"}, {"a", "b"}};
  read.request.limit = 0;
  read.credit = 77;
  CHECK(round_trip(read).request.limit == std::uint64_t{0});
  CHECK_FALSE(round_trip(Read{}).request.to.has_value());
  CHECK(round_trip(Credit{5}).bytes == 5);
  CHECK(round_trip(Batches{{1, 2, 3}, Offset{4}}).sizes.size() == 3);
  CHECK(round_trip(CaughtUp{Offset{4}}).next == Offset{4});
  CHECK(round_trip(ReadEnd{Offset{4}}).next == Offset{4});
  round_trip(Cancel{});
  round_trip(Ping{});
  round_trip(Pong{});
  round_trip(GoingAway{});
  round_trip(Done{});
  CHECK(round_trip(CreateTenant{"shop"}).name == "shop");
  round_trip(ListTenants{});
  CHECK(round_trip(TenantList{{{TenantId{1}, "shop", 5}, {TenantId{2}, "", 0}}}).tenants.size() == 2);
  CHECK(round_trip(CreateToken{"shop", Role::kWriter, "till", Timestamp{5}}).role == Role::kWriter);
  CHECK(round_trip(TokenCreated{Uuid{1, 2}, "secret"}).secret == "secret");
  round_trip(ListTokens{});
  CHECK(round_trip(TokenList{{{Uuid{1, 2}, "shop", Role::kAdmin, "n", Timestamp{1}, {}}}}).tokens.size() == 1);
  CHECK(round_trip(RevokeToken{Uuid{1, 2}}).id == Uuid{1, 2});
  TenantList::Entry full{TenantId{3}, "shop", 5, 6, 7, 8, {}, 0b10};
  full.limits[TenantLimit::kStoredBytes] = 9;
  const TenantList listed = round_trip(TenantList{{full, {TenantId{4}, "other", 1}}});
  CHECK(listed.tenants[0].stored_bytes == 6);
  CHECK(listed.tenants[0].subscriptions == 8);
  CHECK(listed.tenants[0].limits == full.limits);
  CHECK(listed.tenants[0].limits_own == 0b10);
  CHECK(listed.tenants[1].limits == TenantLimits{});
  const SetTenantLimits set = round_trip(SetTenantLimits{"shop", {{TenantLimit::kConnections, 5}}});
  CHECK(set.entries.at(0).limit == TenantLimit::kConnections);
  CHECK(set.entries.at(0).value == 5);
  const Failure slow = round_trip(Failure{Error{ErrorCode::kOverloaded, "too fast"}.set_retry_after_ms(70)});
  CHECK(slow.error.retry_after_ms() == 70);
  round_trip(GetStatus{});
  CHECK(round_trip(Status{"1", "", {{"a", 1}, {"b", 2}}}).counters.size() == 2);
  Query query{"stock", "item", "{}", Offset{4}, 5, {}, {}, {}};
  CHECK_FALSE(round_trip(query).at_offset.has_value());
  CHECK_FALSE(round_trip(query).at_time.has_value());
  CHECK_FALSE(round_trip(query).trace_to.has_value());
  query.at_offset = Offset{0};
  query.at_time = Timestamp{-6};
  query.trace_to = Offset{7};
  CHECK(round_trip(query).at_offset == Offset{0});
  CHECK(round_trip(query).at_time == Timestamp{-6});
  CHECK(round_trip(query).trace_to == Offset{7});
  CHECK(round_trip(ManageSnapshots{ManageSnapshots::Act::kDelete, 8}).id == 8);
  round_trip(VerifyStore{});
  CHECK(round_trip(CreateBackup{7}).bytes_per_second_max == 7);
  const auto backup = round_trip(BackupCreated{false, 1, "/backups", 2, 3, 4});
  CHECK_FALSE(backup.news);
  CHECK(backup.directory == "/backups");
  CHECK((backup.number == 1 && backup.batches == 2 && backup.events == 3 && backup.bytes == 4));
  CHECK(round_trip(VerifyReport{1, 2, 3, 4, 5, {{"shop", Offset{1}, Error{ErrorCode::kCorruptLog, "x"}}}})
            .findings.size() == 1);
  CHECK(round_trip(GetCheckpoint{7, true, 9}).min_size == 7);
  CHECK(round_trip(Checkpoint{"log", 5, std::string(32, 'r'), {"a", "b"}, ""}).hand_overs.size() == 2);
  CHECK(round_trip(GetProof{GetProof::Kind::kRanges, 9, 1, {{2, 3}, {4, 5}}}).ranges.at(1).second == 5);
  round_trip(Proof{});
}

TEST_CASE("wire: checkpoints and proofs outside the limits are refused", "[schemas][wire]") {
  const auto refused = [](const Message& message) { return !decode(frame_of(1, message)).has_value(); };
  CHECK(refused(Checkpoint{"log", 5, std::string(31, 'r'), {}, ""}));
  CHECK(refused(GetProof{GetProof::Kind{0}, 9, 1, {}}));
  CHECK(refused(GetProof{GetProof::Kind{4}, 9, 1, {}}));
  CHECK(refused(GetProof{GetProof::Kind::kRanges, 9, 1, {GetProof::kRangesMax + 1, {1, 2}}}));
}

// Peers of every age read these bytes: a change here is a change of the protocol.
TEST_CASE("wire: golden frames", "[schemas][wire][golden]") {
  CHECK(hex(frame_of(0, Ping{})) ==
        "28000000240000001000000000000a000c000000070008000a0000000000000c080000000400040004000000");
  CHECK(hex(frame_of(7, Credit{65536})) ==
        "4400000040000000140000000000000000000a001a000c00070008000a00000000000007180000000700000000000000"
        "00000000000006000c000400060000000000010000000000");
  CHECK(hex(frame_of(1, Hello{kMagic, 1, 0, 0, "t", "shop", ""})) ==
        "6400000060000000140000000000000000000a0014000c00070008000a000000000000011c0000000100000000000000"
        "1000140008000600000000000c00100010000000000001004241484914000000040000000400000073686f7000000000"
        "0100000074000000");
  AppendRequest append;
  append.body = {Codec::kLz4, 300, 2, "body"};
  append.producer = ProducerPosition{Uuid{1, 2}, 3};
  std::string bytes;
  put_append(9, append, bytes);
  CHECK(hex(bytes) ==
        "7000000068000000140000000000000000000a0018000c00070008000a00000000000003240000000900000000000000"
        "0000000014002800070008000c000000000000001000200014000000000000012c010000020000000100000000000000"
        "02000000000000000300000000000000626f6479");
}

TEST_CASE("wire: a union member of a newer peer is unknown, not wrong", "[schemas][wire]") {
  flatbuffers::FlatBufferBuilder builder;
  const auto ping = fb::CreatePing(builder);
  builder.Finish(fb::CreateFrame(builder, 5, static_cast<fb::Message>(200), ping.Union()));
  const auto envelope = decode_head({reinterpret_cast<const char*>(builder.GetBufferPointer()), builder.GetSize()});
  REQUIRE(envelope);
  CHECK(envelope->request == 5);
  REQUIRE(std::holds_alternative<Unknown>(envelope->message));
  CHECK(std::get<Unknown>(envelope->message).type == 200);
  CHECK(name_of(envelope->message) == "Unknown");
}

TEST_CASE("wire: an error number of a newer peer keeps its name", "[schemas][wire]") {
  flatbuffers::FlatBufferBuilder builder;
  const auto failure = fb::CreateFailureDirect(builder, 777, "brand_new", "what happened");
  builder.Finish(fb::CreateFrame(builder, 5, fb::Message::Failure, failure.Union()));
  const auto envelope = decode_head({reinterpret_cast<const char*>(builder.GetBufferPointer()), builder.GetSize()});
  REQUIRE(envelope);
  const Error& error = std::get<Failure>(envelope->message).error;
  CHECK(error.code() == ErrorCode::kInternal);
  CHECK(error.message() == "brand_new (777): what happened");
}

TEST_CASE("wire: strings shared many times are refused", "[schemas][wire]") {
  flatbuffers::FlatBufferBuilder builder;
  const auto text = builder.CreateString(std::string(10'000, 'x'));
  const std::vector<flatbuffers::Offset<flatbuffers::String>> many(10'000, text);
  const auto types = builder.CreateVector(many);
  fb::ReadBuilder read(builder);
  read.add_types(types);
  builder.Finish(fb::CreateFrame(builder, 5, fb::Message::Read, read.Finish().Union()));
  const auto envelope = decode_head({reinterpret_cast<const char*>(builder.GetBufferPointer()), builder.GetSize()});
  REQUIRE_FALSE(envelope);
  CHECK(envelope.error().code() == ErrorCode::kMalformedFrame);
}

TEST_CASE("wire: lists shared by many tables are refused", "[schemas][wire]") {
  flatbuffers::FlatBufferBuilder builder;
  const auto text = builder.CreateString("x");
  const auto tags = builder.CreateVector(std::vector<flatbuffers::Offset<flatbuffers::String>>(5'000, text));
  const auto item = fb::CreateQueryItem(builder, 0, tags);
  const auto items = builder.CreateVector(std::vector<flatbuffers::Offset<fb::QueryItem>>(5'000, item));
  fb::AppendBuilder append(builder);
  append.add_condition(items);
  builder.Finish(fb::CreateFrame(builder, 5, fb::Message::Append, append.Finish().Union()));
  CHECK_FALSE(decode_head({reinterpret_cast<const char*>(builder.GetBufferPointer()), builder.GetSize()}));
}

TEST_CASE("wire: columns of different lengths, roles and kinds that are none, are refused", "[schemas][wire]") {
  flatbuffers::FlatBufferBuilder builder;
  const auto refused = [&builder](fb::Message type, flatbuffers::Offset<void> message) {
    builder.Finish(fb::CreateFrame(builder, 5, type, message));
    const bool bad = !decode_head({reinterpret_cast<const char*>(builder.GetBufferPointer()), builder.GetSize()});
    builder.Clear();
    return bad;
  };
  CHECK(refused(fb::Message::CreateToken, fb::CreateCreateTokenDirect(builder, "shop", 9).Union()));
  CHECK(refused(fb::Message::SetTenantLimits, [&builder] {
    const std::vector<std::uint8_t> limits{5};
    const std::vector<std::uint64_t> unknown{1};
    return fb::CreateSetTenantLimitsDirect(builder, "shop", &limits, &unknown).Union();
  }()));
  const std::vector<std::uint64_t> values{1, 2};
  CHECK(refused(fb::Message::Status, fb::CreateStatusDirect(builder, "", "", nullptr, &values).Union()));
  const auto stream = builder.CreateVectorOfStrings({"order-1"});
  const auto kind = builder.CreateVector(std::vector<std::uint8_t>{4});
  const auto version = builder.CreateVector(std::vector<std::int64_t>{0});
  CHECK(refused(fb::Message::Append, fb::CreateAppend(builder, 0, 0, 0, stream, kind, version).Union()));
}

TEST_CASE("wire: no bytes whatever bring the decoder down", "[schemas][wire]") {
  std::mt19937_64 random(20261121);
  INFO("seed 20261121");
  const std::vector<std::string> seeds{frame_of(1, Append{full_append()}), frame_of(2, Hello{}),
                                       frame_of(3, TokenList{{{Uuid{1, 2}, "s", Role::kAdmin, "n", {}, {}}}})};
  for (int i = 0; i < 20'000; ++i) {
    std::string frame = seeds[random() % seeds.size()];
    for (std::uint64_t k = 1 + random() % 4; k > 0; --k) frame[random() % frame.size()] = static_cast<char>(random());
    if (random() % 4 == 0) frame.resize(kFramePrefixBytes + random() % frame.size());
    (void)decode_head(std::string_view(frame).substr(std::min(frame.size(), kFramePrefixBytes)));
  }
}

TEST_CASE("wire: batches must fill their payload exactly", "[schemas][wire]") {
  const auto views = split_batches({{2, 3}, {}}, "aabbb");
  REQUIRE(views);
  CHECK(*views == std::vector<std::string_view>{"aa", "bbb"});
  CHECK_FALSE(split_batches({{2, 3}, {}}, "aabb"));
  CHECK_FALSE(split_batches({{2, 3}, {}}, "aabbbb"));
}

}  // namespace
}  // namespace bahi::wire
