// The queries of the timelines; README.md says what they take and answer.
#pragma once

#include <vector>

#include "projection.hpp"

namespace bahi::projections::timelines {

inline constexpr std::int64_t kPageDefault = 50;
inline constexpr std::int64_t kPageMax = 1'000;

/// Messages of timelines, threads, versions.
[[nodiscard]] std::vector<QueryEntry> message_queries();
/// The list of a user's conversations, and what they have read there.
[[nodiscard]] std::vector<QueryEntry> conversation_queries();
/// Receipts, reactions and pins of messages; presence.
[[nodiscard]] std::vector<QueryEntry> attachment_queries();

}  // namespace bahi::projections::timelines
