// What each known event type means to the audit trail: the one table of it.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

namespace bahi::projections::audit {

/// One value of a line: "$member" is that member of the event's data, "" nothing, and everything else itself.
using Spec = std::string_view;

/// What an event says of its target. The old value is what the trail last knew of the same field of the same target.
struct ChangeLine {
  std::string_view field = {};
  Spec value = {};  ///< absent or "": a reset
};

struct ActionLine {
  std::string_view type = {};  ///< of the event
  Spec action = {};
  Spec target_type = {};               ///< without one, the stream is the target: category and what follows it
  std::array<Spec, 2> target_id = {};  ///< joined with a slash
  Spec about_type = {};                ///< another target that it concerns, when the metadata names none
  Spec about_id = {};
  Spec actor = {};  ///< who did it when the metadata does not say
  Spec outcome = {};
  Spec reason = {};  ///< when the metadata has none
  std::array<ChangeLine, 3> changes = {};
  /// Texts that search finds.
  std::array<Spec, 2> content = {};
  /// A redaction of the target hides the content, in changes as well.
  bool redactable = false;
  /// Is such a redaction.
  bool redacts = false;
  /// An audit.Recorded, which has its own list of changes.
  bool lists_changes = false;
};

[[nodiscard]] std::span<const ActionLine> action_lines();

}  // namespace bahi::projections::audit
