// The tables of a domain schema (schemas/domain/*.fbs), prepared for reading, checking and writing events.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <flatbuffers/flatbuffers.h>

#include "bahi/schemas/domain_event.hpp"

namespace bahi {

enum class DomainKind : std::uint8_t { kBool, kUint8, kInt32, kInt64, kText, kTable, kList };

struct DomainField {
  std::string name;
  flatbuffers::voffset_t slot = 0;
  DomainKind kind = DomainKind::kBool;
  DomainKind element = DomainKind::kBool;     // of a list
  const DomainType::Layout* table = nullptr;  // of a table, or of a list of tables
  std::vector<std::string> choices;           // of an enumeration, by value; else empty
  std::int64_t fallback = 0;                  // the schema's default
  bool required = false;
  bool not_empty = false;
  bool timestamp = false;
  bool date = false;
  std::optional<std::int64_t> min;
  std::optional<std::int64_t> max;
};

/// One table.
struct DomainType::Layout {
  std::string name;  // of the event type, for messages
  std::vector<DomainField> fields;
  /// Null: no such field.
  [[nodiscard]] const DomainField* find(std::string_view field) const {
    for (const DomainField& candidate : fields) {
      if (candidate.name == field) return &candidate;
    }
    return nullptr;
  }
};

/// The value of a field that is no text, table or list.
[[nodiscard]] std::int64_t number_in(const DomainField& field, const flatbuffers::Table& table);
/// Whether the JSON of a table leaves the field out.
[[nodiscard]] bool is_absent(const DomainField& field, const flatbuffers::Table& table);

/// Takes the layouts of a compiled schema, and names its event types `prefix.Table`. The schemas are ours: one that
/// uses what is not supported here ends the program at its start.
void add_domain_types(std::string_view prefix, const void* schema,
                      std::vector<std::unique_ptr<DomainType::Layout>>& layouts, std::vector<DomainType>& types);

/// Structure, required fields and attributes of a FlatBuffer that may be anything. Error: kMalformedEvent.
Status check_domain_table(const DomainType::Layout& layout, std::string_view data);

}  // namespace bahi
