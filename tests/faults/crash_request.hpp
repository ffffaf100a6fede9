// The requests of bahi_crash: how they are made up, and what follows from one alone.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "bahi/schemas/append_request.hpp"
#include "bahi/schemas/event_filter.hpp"
#include "crash_message.hpp"
#include "workload.hpp"

namespace bahi::faults {

/// What a writer knows of the log when it decides what to ask.
class KnownLog {
 public:
  virtual ~KnownLog() = default;
  /// The number of events of a tenant.
  [[nodiscard]] virtual std::uint64_t end(std::uint32_t tenant) const = 0;
  /// Of a hot stream; -1: it does not exist.
  [[nodiscard]] virtual std::int64_t version(std::uint32_t tenant, std::uint32_t stream) const = 0;
};

/// A request with or without a producer position, an expectation (now and then a wrong one) and a condition.
[[nodiscard]] Intent make_intent(Random& random, std::uint64_t request_id, std::uint32_t tenant, std::uint64_t producer,
                                 const KnownLog& known);
/// The tenant's identifier is left to the caller.
[[nodiscard]] Result<AppendRequest> to_append(const Intent& intent);
[[nodiscard]] Answer to_answer(std::uint64_t request_id, const Result<AppendResult>& result);
/// Each stream of the request and its last version after it; empty when the placement lacks versions.
[[nodiscard]] std::vector<std::pair<std::string, std::int64_t>> last_versions(const Intent& intent,
                                                                              const Placement& placement);

/// Whether the request's expectation is met by a stream at `version` (-1: it does not exist).
[[nodiscard]] bool holds(const Intent& intent, std::int64_t version);
/// "request CYCLE.THREAD.NUMBER"
[[nodiscard]] std::string describe(std::uint64_t request_id);

/// "all", "stream account-7", …
[[nodiscard]] std::string describe(const Selection& selection);
[[nodiscard]] EventFilter to_filter(const Selection& selection);
[[nodiscard]] Selection random_selection(Random& random);

}  // namespace bahi::faults
