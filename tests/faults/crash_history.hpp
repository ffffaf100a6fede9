// The log of one tenant, as bahi_crash has read it from the store: the truth that answers and sightings are held
// against.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "bahi/schemas/event.hpp"
#include "crash_message.hpp"

namespace bahi::faults {

/// Hash of all that a reader can see of an event.
[[nodiscard]] std::uint64_t digest_of(const EventView& event);

struct EventPlace {
  std::uint64_t request_id = 0;
  std::uint32_t index = 0;
  std::uint64_t digest = 0;
};

struct TenantHistory {
  using Offsets = std::vector<std::uint64_t>;

  /// Takes in the next event of the log.
  void add(const EventView& event);
  /// -1: no such stream.
  [[nodiscard]] std::int64_t version_of(const std::string& stream) const;
  /// The first event at or after `offset` that is selected.
  [[nodiscard]] std::optional<std::uint64_t> next_match(const Selection& selection, std::uint64_t offset) const;
  /// The last one before `bound`.
  [[nodiscard]] std::optional<std::uint64_t> last_match(const Selection& selection, std::uint64_t bound) const;

  std::optional<TenantId> id;
  std::uint64_t acked_end = 0;                       ///< everything below was acknowledged, or lies before what was
  std::vector<EventPlace> events;                    ///< by offset
  std::unordered_map<std::string, Offsets> streams;  ///< by version
  std::unordered_map<std::string, Offsets> tags;
  std::unordered_map<std::string, Offsets> types;
  std::unordered_map<std::string, Offsets> categories;
  std::unordered_map<std::string, std::int64_t> acked_versions;

 private:
  [[nodiscard]] const Offsets& matches(const Selection& selection) const;
};

}  // namespace bahi::faults
