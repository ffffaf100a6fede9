// Shows records: each is made from its event in the log.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "audit/posting_list.hpp"
#include "audit/record.hpp"
#include "audit/tables.hpp"
#include "bahi/schemas/domain_event.hpp"
#include "event_lookup.hpp"
#include "projection.hpp"

namespace bahi::projections::audit {

/// An event with what it says. Not thread-safe.
class RecordReader {
 public:
  explicit RecordReader(const QueryContext& context) : lookup_(context.engine, context.tenant) {}
  /// False: the event is not of the trail. Errors: those of EventLookup.
  [[nodiscard]] Result<bool> read(std::uint64_t offset);

  // --- what was read last
  [[nodiscard]] const EventView& event() const noexcept { return *event_; }
  [[nodiscard]] const Record& record() const noexcept { return *record_; }
  [[nodiscard]] std::vector<FieldChange> changes() { return describer_.changes(); }
  /// The data as JSON; empty when it is none.
  [[nodiscard]] std::string data() const;

 private:
  EventLookup lookup_;
  const EventView* event_ = nullptr;
  const Record* record_ = nullptr;
  const DomainType* type_ = nullptr;  // when the data fits its schema
  DomainData data_;
  Describer describer_;
};

/// Not thread-safe; must not outlive the context.
class RecordShow {
 public:
  explicit RecordShow(const QueryContext& context) : context_(context), earlier_(context) {}
  /// Writes the members of one record.
  Status show(RecordReader& reader, Answer& answer);
  /// Whether a redaction hides the content of the event.
  [[nodiscard]] Result<bool> hidden(std::uint64_t offset, HiddenRow& row) const;

 private:
  Status show_changes(RecordReader& reader, bool hidden, Answer& answer);
  /// Finds what was said last of the fields before `offset`.
  Status find_old(const Record& record, std::uint64_t offset, std::vector<FieldChange>& changes);

  const QueryContext& context_;
  RecordReader earlier_;
};

}  // namespace bahi::projections::audit
