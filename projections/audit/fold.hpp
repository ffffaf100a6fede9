// Folds events into the postings of the audit trail.
//
// No event parks it: one that is malformed is a record all the same, with what its metadata says.
#pragma once

#include "audit/postings.hpp"
#include "audit/record.hpp"
#include "audit/tables.hpp"
#include "bahi/schemas/domain_event.hpp"
#include "projection.hpp"

namespace bahi::projections::audit {

class AuditFold final : public Fold {
 public:
  explicit AuditFold(FoldState& state);
  Status apply(const FoldEvent& event) override;
  [[nodiscard]] static std::unique_ptr<Fold> make(FoldState& state) { return std::make_unique<AuditFold>(state); }

 private:
  Status note_time(const EventView& event);
  Status post_terms(const EventView& event, const Record& record);
  Status post_target(std::string_view type, std::string_view id, TermKind kind, std::uint64_t offset);
  Status post_effective_time(const EventView& event);
  Status post_words(const EventView& event, const Record& record);
  /// Hides the content of earlier events of the target, and remembers that for later ones.
  Status redact(const Record& record, std::uint64_t offset);
  Status hide(std::uint64_t offset, std::uint64_t by);
  void mark_hidden(std::uint64_t offset, std::uint64_t by);

  FoldState& state_;
  Postings postings_;
  Table<ClockRow> clock_;
  Table<HiddenRow> redacted_;
  Describer describer_;
  Words words_;
  Key key_;
  std::string term_;
  std::string row_;
  // For the events that a redaction hides.
  Describer earlier_;
  DomainData earlier_data_;
  Words earlier_words_;
  Words earlier_reason_;
  std::vector<std::uint64_t> offsets_;
};

}  // namespace bahi::projections::audit
