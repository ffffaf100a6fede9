// Histories by themselves: the same for the same options, and fit to be stored.
#include <catch2/catch.hpp>

#include <map>
#include <set>

#include <fmt/format.h>

#include "bahi/base/text.hpp"
#include "bahi/schemas/batch_builder.hpp"
#include "bahi/schemas/domain_event.hpp"
#include "bahi/schemas/hash.hpp"
#include "bahi/workload/random.hpp"
#include "folded_history.hpp"

namespace bahi::test {
namespace {

using workload::HistoryOptions;
using workload::Kind;

constexpr Kind kKinds[] = {Kind::kChat, Kind::kPharmacy, Kind::kPayments, Kind::kAudit};

/// All that is stored of an event, as text.
std::string line_of(const NewEvent& event) {
  std::string line = fmt::format("{} {} {} {} {}", event.stream, event.type, event.content_type,
                                 event.occurred_at.nanos, format_uuid(*event.id));
  for (const std::string_view tag : event.tags) line.append(" #").append(tag);
  const Metadata& metadata = event.metadata;
  for (const std::string_view text :
       {metadata.actor, metadata.on_behalf_of, metadata.correlation_id, metadata.causation_id, metadata.reason,
        metadata.target_type, metadata.target_id, event.data}) {
    line.append("|").append(text);
  }
  return line;
}

std::string fingerprint(const HistoryOptions& options, int events) {
  const auto history = workload::make_history(options);
  NewEvent event;
  Hash128 hash;
  for (int i = 0; i < events; ++i) {
    history->next(event);
    hash = xxh3_128(format_hash(hash), line_of(event));
  }
  return format_hash(hash);
}

TEST_CASE("workload: the same options give the same events, other seeds others", "[workload]") {
  for (const Kind kind : kKinds) {
    INFO(to_string(kind));
    const std::string once = fingerprint(small_history(kind), 3'000);
    CHECK(fingerprint(small_history(kind), 3'000) == once);
    CHECK(fingerprint(small_history(kind, 2), 3'000) != once);
    CHECK(workload::producer_of(small_history(kind)) == workload::producer_of(small_history(kind)));
    CHECK(workload::producer_of(small_history(kind)) != workload::producer_of(small_history(kind, 2)));
  }
  HistoryOptions larger = small_history(Kind::kPharmacy);
  ++larger.shops;
  CHECK(workload::producer_of(larger) != workload::producer_of(small_history(Kind::kPharmacy)));
}

TEST_CASE("workload: a history is the same on every machine, and stays what it was", "[workload]") {
  // Those who have written a part of a history go on with it: what a seed gives must not change by accident.
  CHECK(fingerprint(small_history(Kind::kChat), 2'000) == "8915ed23baa33daa259be9e7d27702da");
  CHECK(fingerprint(small_history(Kind::kPharmacy), 2'000) == "dfd166fc66933bfc2425579b8cfa0ac2");
  CHECK(fingerprint(small_history(Kind::kPayments), 2'000) == "0bccb70ff74bc38990f9fcafe2ceec4e");
  CHECK(fingerprint(small_history(Kind::kAudit), 2'000) == "017b1a4662e8946171a1e8525a03f89c");
}

TEST_CASE("workload: numbers and words are those of every machine", "[workload]") {
  workload::Random random(1);
  CHECK(random.next() == 10'451'216'379'200'822'465ULL);
  CHECK(random.below(1'000) < 1'000);
  CHECK(random.below(0) == 0);
  for (int i = 0; i < 1'000; ++i) {
    const std::int64_t drawn = random.between(-3, 3);
    CHECK((drawn >= -3 && drawn <= 3));
  }
  std::map<std::string_view, int> words;
  for (int i = 0; i < 20'000; ++i) ++words[workload::text_word(random)];
  CHECK(words["the"] > words["to"]);
  CHECK(words["to"] > words["that"]);
  CHECK(words.size() > 150);
}

TEST_CASE("workload: events fit their schemas, as JSON and as FlatBuffers, and can be built into bodies",
          "[workload]") {
  for (const Kind kind : kKinds) {
    HistoryOptions options = small_history(kind);
    const auto json = workload::make_history(options);
    options.flatbuffers = true;
    const auto binary = workload::make_history(options);
    BatchBuilder builder;
    DomainData data;
    DomainData same;
    NewEvent event;
    NewEvent other;
    std::set<std::string> known;
    for (int i = 0; i < 5'000; ++i) {
      json->next(event);
      binary->next(other);
      INFO(to_string(kind) << ' ' << i << ": " << line_of(event));
      REQUIRE(builder.add(event));
      REQUIRE(is_utf8(event.data));
      REQUIRE(other.type == event.type);
      const DomainType* const type = find_domain_type(event.type);
      if (type == nullptr) continue;
      known.emplace(event.type);
      REQUIRE(type->read(event.content_type, event.data, data));
      REQUIRE(other.content_type == kFlatBufferContentType);
      REQUIRE(type->read(other.content_type, other.data, same));
      REQUIRE(type->to_json(same) == type->to_json(data));
    }
    CHECK(builder.finish());
    INFO(to_string(kind));
    if (kind == Kind::kChat) CHECK(known.size() == 13);
    if (kind == Kind::kPharmacy) CHECK(known.size() >= 15);
  }
}

TEST_CASE("workload: time goes on by itself from where it is told to begin", "[workload]") {
  for (const Kind kind : kKinds) {
    INFO(to_string(kind));
    HistoryOptions options = small_history(kind);
    options.from = *parse_timestamp("2031-05-01T00:00:00Z");
    options.events_per_day = 24'000;
    const auto history = workload::make_history(options);
    NewEvent event;
    Timestamp latest;
    constexpr int kEvents = 48'000;
    for (int i = 0; i < kEvents; ++i) {
      history->next(event);
      latest = std::max(latest, event.occurred_at);
    }
    constexpr std::int64_t kDay = 86'400'000'000'000;
    const std::int64_t days = (latest.nanos - options.from.nanos) / kDay;
    CHECK(days >= 1);
    CHECK(days <= (kind == Kind::kPayments ? 8 : 3));
  }
}

TEST_CASE("workload: options out of range are named", "[workload]") {
  HistoryOptions options = small_history(Kind::kPharmacy);
  CHECK(workload::check(options));
  options.shops = 0;
  CHECK_THAT(workload::check(options).error().message(), Catch::StartsWith("shops: must be 1 to"));
  options = small_history(Kind::kPharmacy);
  options.shops = 1'000'000;
  options.items = 1'000;
  CHECK_THAT(workload::check(options).error().message(), Catch::Contains("shelves"));
  options = small_history(Kind::kChat);
  options.from = Timestamp{-1};
  CHECK(workload::check(options).error().code() == ErrorCode::kInvalidArgument);
}

TEST_CASE("workload: the smallest scales go on too", "[workload]") {
  for (const Kind kind : kKinds) {
    HistoryOptions options;
    options.kind = kind;
    options.members = options.rooms = options.shops = options.items = options.customers = 1;
    options.administrators = options.accounts = 1;
    const auto history = workload::make_history(options);
    NewEvent event;
    for (int i = 0; i < 2'000; ++i) history->next(event);
    CHECK_FALSE(event.stream.empty());
  }
}

}  // namespace
}  // namespace bahi::test
