// What a writer asks of the log, and what it is answered: in process and over the wire alike.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bahi/base/types.hpp"
#include "bahi/schemas/batch_builder.hpp"

namespace bahi {

/// What a stream must be like for the append to go through.
struct ExpectedVersion {
  enum class Kind : std::uint8_t { kAny, kNoStream, kStreamExists, kExactly };
  Kind kind = Kind::kAny;
  Version version;  ///< kExactly: the version of the stream's last event

  static ExpectedVersion any() { return {}; }
  static ExpectedVersion no_stream() { return {Kind::kNoStream, kNoStream}; }
  static ExpectedVersion stream_exists() { return {Kind::kStreamExists, {}}; }
  static ExpectedVersion exactly(Version version) { return {Kind::kExactly, version}; }
};

/// An expectation of any stream of the tenant, whether the append writes to it or not.
struct StreamExpectation {
  std::string stream;
  ExpectedVersion expected;
};

/// Makes an append idempotent: the first append with this (id, sequence) is stored, every
/// later one is answered with the first one's result, for ever, whatever it carries. Sequences
/// need neither be dense nor ascend; they only name the request.
struct ProducerPosition {
  Uuid id;
  std::uint64_t sequence = 0;
};

/// Matches an event that has one of `types` (any type when empty) and all of `tags`.
/// At least one type or tag must be given.
struct QueryItem {
  std::vector<std::string> types;
  std::vector<std::string> tags;
};

/// Matches an event that one of its items matches.
struct EventQuery {
  std::vector<QueryItem> items;
};

/// The append fails if an event that matches `query` exists at or after offset `from`: a
/// dynamic consistency boundary (https://dcb.events). A writer that has read the log up to,
/// not including, offset N gives `from` = N.
struct AppendCondition {
  EventQuery query;
  Offset from;
};

/// One atomic append: all of its events, over any number of the tenant's streams, or none.
struct AppendRequest {
  TenantId tenant;
  EncodedBody body;  ///< stored verbatim
  std::vector<StreamExpectation> expectations;
  std::optional<ProducerPosition> producer;
  std::optional<AppendCondition> condition;
};

struct AppendResult {
  Offset first_offset;
  std::uint32_t event_count = 0;
  Timestamp recorded_at;
  /// For each stream in the order in which the body first names it: the version of its
  /// first event of this append.
  std::vector<std::int64_t> first_versions;
  bool duplicate = false;  ///< answered from an earlier append of the same producer position
};

}  // namespace bahi
