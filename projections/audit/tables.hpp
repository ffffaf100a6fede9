// The rows of the audit trail and their keys.
//
// The trail keeps no copy of an event: a record is made from the event, as it lies in the log, when it is shown. What
// is kept is where to find it: for each term (an actor, an action, a word, …) the offsets of its events, in blocks.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "key.hpp"

namespace bahi::projections::audit {

/// Raised when the records, the terms or the rows change.
inline constexpr std::uint32_t kVersion = 1;

enum Tables : std::uint8_t {
  kPostings = 1,  // one byte TermKind, text term, number block -> offsets of the block (posting_block.hpp)
  kHidden = 2,    // number offset -> HiddenRow; events whose content was redacted
  kRedacted = 3,  // text target type, text target id -> HiddenRow; targets whose content was redacted
  kClock = 4,     // (nothing) -> ClockRow
  kTimes = 5,     // signed number latest time of recording so far, number offset -> (nothing)
};

/// What a term is; part of keys, so for ever the same.
enum class TermKind : std::uint8_t {
  kAll = 1,  ///< the empty term: every record
  kActor = 2,
  kOnBehalfOf = 3,
  kAction = 4,
  kTargetType = 5,
  kTargetChange = 6,  ///< target_term; events that change what is known of the target
  kTarget = 7,        ///< target_term; the other events about it
  kCorrelation = 8,
  kOutcome = 9,
  kWord = 10,    ///< of reason or content
  kHours = 11,   ///< when it took effect: number of the hour since 1970
  kDays = 12,    ///< 24 of them
  kMonths = 13,  ///< 768 of them, 32 days
};

struct HiddenRow {
  std::uint64_t by = 0;  ///< offset of the redaction
  void fields(auto& row) { row(by); }
};

/// What the kTimes rows go on from.
struct ClockRow {
  std::int64_t latest = INT64_MIN;  ///< time of recording
  std::uint64_t rows_to = 0;        ///< offset at which the next row is due at the earliest
  void fields(auto& row) { row(latest, rows_to); }
};
/// Offsets between two rows of kTimes, at least.
inline constexpr std::uint64_t kTimesEvery = 256;

/// Put together from type and id so that no other target has the same.
inline void target_term(std::string_view type, std::string_view id, std::string& term) {
  term.clear();
  bytes::put_varint(term, type.size());
  term.append(type).append(id);
}

[[nodiscard]] constexpr std::int64_t floor_div(std::int64_t a, std::int64_t b) noexcept {
  return a / b - (a % b < 0 ? 1 : 0);
}
inline constexpr std::int64_t kNanosPerHour = 3'600'000'000'000;
inline constexpr std::int64_t kHoursPerDay = 24;
inline constexpr std::int64_t kHoursPerMonth = 768;
/// A number as a term.
inline void number_term(std::int64_t number, std::string& term) {
  term.clear();
  bytes::put_be64(term, static_cast<std::uint64_t>(number));
}

}  // namespace bahi::projections::audit
