// A filter, resolved against the dictionaries of one body: matching an event is then a few comparisons.
#pragma once

#include <optional>
#include <vector>

#include "bahi/schemas/event_filter.hpp"
#include "bahi/schemas/batch_body.hpp"

namespace bahi {

class BodyMatcher {
 public:
  /// `hint`: an event that probably belongs to the filter's stream; saves searching the dictionary.
  BodyMatcher(const BatchBody& body, const EventFilter& filter, std::optional<std::uint32_t> hint = std::nullopt);

  /// No event of the body can match.
  [[nodiscard]] bool none() const noexcept { return none_; }
  [[nodiscard]] bool matches(const EventPlace& place) const noexcept;
  /// First event at or after `index` that may match, by its stream alone; the event count when there is none.
  [[nodiscard]] std::uint32_t next_candidate(std::uint32_t index) const noexcept;

 private:
  void resolve_stream(const EventFilter& filter, std::optional<std::uint32_t> hint);

  const BatchBody* body_;
  bool none_ = false;
  std::optional<std::uint32_t> stream_;
  std::vector<bool> streams_;        // of the category; empty: any
  std::vector<bool> types_;          // empty: any
  std::vector<std::uint32_t> tags_;  // all of them
};

}  // namespace bahi
