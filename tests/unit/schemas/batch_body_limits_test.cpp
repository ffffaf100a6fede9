// Bodies made to cost more than their size: a frame of 64 KiB is refused or parsed within one
// millisecond of processor time and four times its memory.
#include <algorithm>
#include <chrono>
#include <ctime>

#include "allocation_meter.hpp"
#include "bahi/schemas/batch_body.hpp"
#include "bahi/schemas/limits.hpp"
#include "body_parts.hpp"
#include "support/catch_result.hpp"

namespace bahi::test {
namespace {

namespace fb = schemas::fb;

constexpr std::size_t kFrameBytes = std::size_t{64} << 10U;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(NDEBUG)
constexpr double kMillisecondsMax = 40;
#else
constexpr double kMillisecondsMax = 1;
#endif

double thread_milliseconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

/// The columns of `count` events, all of the first stream, type and metadata.
struct Columns {
  flatbuffers::Offset<flatbuffers::Vector<std::uint16_t>> refs, metadata_refs;
  flatbuffers::Offset<flatbuffers::Vector<std::int64_t>> times;
  flatbuffers::Offset<flatbuffers::Vector<std::uint32_t>> sizes;
  flatbuffers::Offset<flatbuffers::Vector<std::uint8_t>> data;

  Columns(flatbuffers::FlatBufferBuilder& out, std::size_t count, std::size_t metadata_count) {
    std::vector<std::uint16_t> counting(count);
    for (std::size_t i = 0; i < count; ++i) {
      counting[i] = metadata_count == 0 ? 0 : static_cast<std::uint16_t>(i % metadata_count + 1);
    }
    refs = out.CreateVector(std::vector<std::uint16_t>(count, 0));
    metadata_refs = out.CreateVector(counting);
    times = out.CreateVector(std::vector<std::int64_t>(count, 0));
    sizes = out.CreateVector(std::vector<std::uint32_t>(count, 0));
    data = out.CreateVector(std::vector<std::uint8_t>{});
  }
};

AlignedBytes finish(flatbuffers::FlatBufferBuilder& out, flatbuffers::Offset<fb::BatchBody> body) {
  out.Finish(body);
  REQUIRE(out.GetSize() <= kFrameBytes + 1024);
  REQUIRE(out.GetSize() > kFrameBytes / 2);
  return aligned_copy({reinterpret_cast<const char*>(out.GetBufferPointer()), out.GetSize()});
}

/// Parses `raw` and holds it to the promise; returns whether it was accepted.
bool parse_within_limits(const AlignedBytes& raw) {
  bool accepted = false;
  double best = 1e9;
  for (int run = 0; run < 7; ++run) {
    const double begin = thread_milliseconds();
    accepted = BatchBody::parse(raw.view()).has_value();
    best = std::min(best, thread_milliseconds() - begin);
  }
  const std::size_t memory = peak_of([&raw] { (void)BatchBody::parse(raw.view()); });
  INFO("body of " << raw.size() << " bytes: " << best << " ms, " << memory << " bytes of memory");
  CHECK(best <= kMillisecondsMax);
  CHECK(memory + raw.size() <= 4 * raw.size());
  return accepted;
}

TEST_CASE("body limits: one string named as thousands of streams, types, tags and content types", "[schemas][limits]") {
  flatbuffers::FlatBufferBuilder out;
  const auto text = out.CreateString("order-1");
  const auto names = out.CreateVector(std::vector<flatbuffers::Offset<flatbuffers::String>>(15'000, text));
  const Columns columns(out, 100, 0);
  const fb::EventId id(1, 1);
  const auto raw = finish(out, fb::CreateBatchBody(out, names, names, names, names, 0, columns.refs, columns.refs,
                                                   columns.times, columns.sizes, columns.data, 0, &id));
  CHECK_FALSE(parse_within_limits(raw));
}

TEST_CASE("body limits: one string named by as many streams as there are events", "[schemas][limits]") {
  flatbuffers::FlatBufferBuilder out;
  constexpr std::size_t kCount = 2'900;
  const auto text = out.CreateString("order-" + std::string(500, 'x'));
  const auto names = out.CreateVector(std::vector<flatbuffers::Offset<flatbuffers::String>>(kCount, text));
  std::vector<std::uint16_t> counting(kCount);
  for (std::size_t i = 0; i < kCount; ++i) counting[i] = static_cast<std::uint16_t>(i);
  const auto refs = out.CreateVector(counting);
  const Columns columns(out, kCount, 0);
  const fb::EventId id(1, 1);
  const auto raw = finish(out, fb::CreateBatchBody(out, names, names, 0, 0, 0, refs, refs, columns.times,
                                                   columns.sizes, columns.data, 0, &id));
  CHECK_FALSE(parse_within_limits(raw));
}

TEST_CASE("body limits: one metadata table named thousands of times", "[schemas][limits]") {
  flatbuffers::FlatBufferBuilder out;
  const auto reason = out.CreateString(std::string(kMetadataFieldBytesMax, 'x'));
  const auto table = fb::CreateMetadata(out, reason, reason, reason, reason, reason, reason, reason);
  const auto name = out.CreateVectorOfStrings({"order-1"});
  SECTION("more often than there are events") {
    const auto tables = out.CreateVector(std::vector<flatbuffers::Offset<fb::Metadata>>(14'000, table));
    const Columns columns(out, 20, 20);
    const fb::EventId id(1, 1);
    CHECK_FALSE(parse_within_limits(
        finish(out, fb::CreateBatchBody(out, name, name, 0, 0, tables, columns.refs, columns.refs, columns.times,
                                        columns.sizes, columns.data, 0, &id, 0, columns.metadata_refs))));
  }
  SECTION("no more often than events use it, each text shared seven times") {
    const auto tables = out.CreateVector(std::vector<flatbuffers::Offset<fb::Metadata>>(1'200, table));
    const Columns columns(out, 2'300, 1'200);
    const fb::EventId id(1, 1);
    CHECK(parse_within_limits(
        finish(out, fb::CreateBatchBody(out, name, name, 0, 0, tables, columns.refs, columns.refs, columns.times,
                                        columns.sizes, columns.data, 0, &id, 0, columns.metadata_refs))));
  }
}

TEST_CASE("body limits: metadata texts that overlap each other", "[schemas][limits]") {
  // Every four bytes of this text are a length of 1024, so a text begins at each of them.
  flatbuffers::FlatBufferBuilder out;
  std::string lengths;
  for (int i = 0; i < 6'000; ++i) lengths += std::string("\x00\x04\x00\x00", 4);
  const auto shared = out.CreateString(lengths);
  constexpr std::size_t kCount = 1'500;
  std::vector<flatbuffers::Offset<fb::Metadata>> tables;
  for (std::uint32_t i = 0; i < 150; ++i) {
    const auto text = [&](std::uint32_t k) {
      return flatbuffers::Offset<flatbuffers::String>(shared.o - 4 * (1 + i * 7 + k));
    };
    tables.push_back(fb::CreateMetadata(out, text(0), text(1), text(2), text(3), text(4), text(5), text(6)));
  }
  const auto metadata = out.CreateVector(tables);
  const auto name = out.CreateVectorOfStrings({"order-1"});
  const Columns columns(out, kCount, 150);
  const fb::EventId id(1, 1);
  const auto raw = finish(out, fb::CreateBatchBody(out, name, name, 0, 0, metadata, columns.refs, columns.refs,
                                                   columns.times, columns.sizes, columns.data, 0, &id, 0,
                                                   columns.metadata_refs));
  CHECK_FALSE(parse_within_limits(raw));
}

TEST_CASE("body limits: the largest honest dictionaries", "[schemas][limits]") {
  BatchBuilder builder({Codec::kNone, 1});
  std::string name;
  NewEvent event = simple_event();
  SECTION("a stream and a type per event") {
    for (int i = 0; builder.raw_size_estimate() < kFrameBytes; ++i) {
      name = "ऑर्डर-" + std::to_string(i);
      event.stream = name;
      event.type = name;
      REQUIRE(builder.add(event));
    }
  }
  SECTION("64 tags per event") {
    std::vector<std::string> tags(kEventTagsMax);
    event.tags.resize(kEventTagsMax);
    for (int i = 0; builder.raw_size_estimate() < kFrameBytes; ++i) {
      for (std::size_t k = 0; k < tags.size(); ++k) event.tags[k] = tags[k] = std::to_string(i) + "." + std::to_string(k);
      REQUIRE(builder.add(event));
    }
  }
  SECTION("long metadata") {
    std::string reason;
    for (int i = 0; builder.raw_size_estimate() < kFrameBytes; ++i) {
      reason.clear();
      while (reason.size() < 1000) reason += "कारण " + std::to_string(i);
      event.metadata.reason = reason;
      REQUIRE(builder.add(event));
    }
  }
  const auto raw = aligned_copy(builder.finish().value().bytes);
  CHECK(parse_within_limits(raw));
}

}  // namespace
}  // namespace bahi::test
