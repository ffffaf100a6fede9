// Makes the records of the audit trail from events.
#pragma once

#include <array>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "audit/action_table.hpp"
#include "audit/words.hpp"
#include "bahi/schemas/event.hpp"

namespace bahi::projections::audit {

/// What an event says to the trail. Views hold while the event does, and until the describer's next call.
struct Record {
  const ActionLine* line = nullptr;  ///< null: the table does not have the type, or its data is malformed
  std::string_view action;
  std::string_view actor;
  std::string_view target_type;
  std::string_view target_id;
  /// Another target that it concerns: the metadata's, when it is another one, else the table's; or empty.
  std::string_view about_type;
  std::string_view about_id;
  std::string_view outcome;
  std::string_view reason;
  bool changes_target = false;
};

/// One field of a target, as an event leaves it.
struct FieldChange {
  std::string_view field;
  std::optional<std::string> value;     ///< absent: reset
  std::optional<std::string> told_old;  ///< what the event itself says of the value before
  bool old_told = false;                ///< the event says what was before, even if it was nothing
  bool redactable = false;
};

/// Keeps memory from event to event. Not thread-safe.
class Describer {
 public:
  Describer();
  ~Describer();
  Describer(const Describer&) = delete;
  Describer& operator=(const Describer&) = delete;

  /// `data`: the event's checked FlatBuffer, or null. Null: the event is not of the trail, because its type is not in
  /// the table and nothing says who did it, why, or as part of what.
  [[nodiscard]] const Record* describe(const EventView& event, const void* data);
  // --- of the event that was described last
  /// Adds the words of what search finds besides the reason.
  void add_content(Words& words);
  [[nodiscard]] std::vector<FieldChange> changes();

 private:
  struct Lines;
  struct Line;
  struct Value;
  struct Json;
  [[nodiscard]] static const Lines& lines();
  void take_known(const EventView& event);
  void take_target(const EventView& event);
  [[nodiscard]] std::optional<std::string_view> text(const Value& value);
  [[nodiscard]] std::string_view text_or_empty(const Value& value) { return text(value).value_or(std::string_view()); }
  [[nodiscard]] std::vector<FieldChange> listed_changes() const;

  Record record_;
  const EventView* event_ = nullptr;
  const void* data_ = nullptr;
  const Line* line_ = nullptr;
  bool malformed_ = false;
  std::unique_ptr<Json> json_;
  std::deque<std::string> scratch_;  // texts made of numbers; `scratch_used_` of them
  std::size_t scratch_used_ = 0;
  std::string target_id_;
};

}  // namespace bahi::projections::audit
