// The members of a domain event, one by one.
#include "bahi/base/text.hpp"
#include "domain_layout.hpp"

namespace bahi {

std::int64_t number_in(const DomainField& field, const flatbuffers::Table& table) {
  switch (field.kind) {
    case DomainKind::kInt32: return table.GetField<std::int32_t>(field.slot, static_cast<std::int32_t>(field.fallback));
    case DomainKind::kInt64: return table.GetField<std::int64_t>(field.slot, field.fallback);
    default: return table.GetField<std::uint8_t>(field.slot, static_cast<std::uint8_t>(field.fallback));
  }
}

bool is_absent(const DomainField& field, const flatbuffers::Table& table) {
  const bool is_number = field.kind < DomainKind::kText;
  // A time that was not given is no time, not the year 1970.
  return !table.CheckField(field.slot) && (!is_number || field.timestamp || field.date);
}

std::optional<std::string_view> field_text(const DomainField& field, const void* table, std::string& scratch) {
  const auto& root = *flatbuffers::GetRoot<flatbuffers::Table>(table);
  if (is_absent(field, root)) return std::nullopt;
  if (field.kind == DomainKind::kText) {
    return root.GetPointer<const flatbuffers::String*>(field.slot)->string_view();
  }
  if (field.kind > DomainKind::kText) return std::nullopt;
  const std::int64_t value = number_in(field, root);
  if (field.kind == DomainKind::kBool) return value != 0 ? "true" : "false";
  if (!field.choices.empty()) return field.choices[static_cast<std::size_t>(value)];
  if (field.date) {
    scratch = format_date(static_cast<std::int32_t>(value));
  } else if (field.timestamp) {
    scratch = format_timestamp({value});
  } else {
    scratch = std::to_string(value);
  }
  return scratch;
}

}  // namespace bahi
