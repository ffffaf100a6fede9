// The event types that Bahi's own read models understand, their checks, and their two forms.
//
// An event's data is either JSON, stored as it was sent (so members that the schema does not know are kept), or a
// FlatBuffer. The schemas are in schemas/domain/*.fbs; a type is named after its file and table: `chat.MessageSent`.
// Data of a known type must fit its schema; types that are not known here are nobody's business.
//
// In JSON the members have the fields' names, enumerations are their names, identifiers strings, absent is absent or
// null. Attributes in a schema:
//   required           the member must be there
//   not_empty          a text has at least one byte; of a list, each of its texts; a list of objects has one at least
//   min: "N", max: "N" the number is at least, at most N; with a default outside of them it must be given
//   timestamp          UTC nanoseconds; in JSON an RFC 3339 string
//   date               days since 1970-01-01; in JSON "YYYY-MM-DD"
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "bahi/base/result.hpp"

namespace bahi {

/// Content type of an event whose data is a FlatBuffer of its type's table.
inline constexpr std::string_view kFlatBufferContentType = "application/vnd.bahi.flatbuffer";

/// Owns the bytes of one event's data as a FlatBuffer, aligned, and what is needed to build the next one without
/// allocating. Not thread-safe.
class DomainData {
 public:
  DomainData();
  ~DomainData();
  DomainData(DomainData&&) noexcept;
  DomainData& operator=(DomainData&&) noexcept;
  /// Holds until the next event is put here.
  [[nodiscard]] std::string_view bytes() const noexcept { return bytes_; }

 private:
  friend class DomainType;
  struct Scratch;
  std::unique_ptr<Scratch> scratch_;
  std::string_view bytes_;
};

/// One member of an event type's table.
struct DomainField;

/// One known event type. Immutable, so thread-safe; lives as long as the process.
class DomainType {
 public:
  struct Layout;
  DomainType(std::string name, const Layout& layout) : name_(std::move(name)), layout_(&layout) {}

  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  /// Checks the data of an event, in either form, and leaves it in `out` as a FlatBuffer whose table may be read
  /// without further checks. Errors: kMalformedEvent, naming the field; kMalformedJson.
  Status read(std::string_view content_type, std::string_view data, DomainData& out) const;
  /// The JSON of a FlatBuffer that `read` gave. Defaults are written out, absent members left out.
  [[nodiscard]] std::string to_json(const DomainData& data) const;
  /// Null: the type has no member of this name. Lives as long as the process.
  [[nodiscard]] const DomainField* field(std::string_view name) const noexcept;

 private:
  Status read_json(std::string_view json, DomainData& out) const;
  Status read_flatbuffer(std::string_view data, DomainData& out) const;

  std::string name_;
  const Layout* layout_;
};

/// A member as text: a text as it is, a number, truth value, choice, time or date as its JSON without quotes. Nothing:
/// it is absent, or a list or a table. `table`: a checked FlatBuffer of the field's type. The text is a view into it or
/// into `scratch`.
[[nodiscard]] std::optional<std::string_view> field_text(const DomainField& field, const void* table,
                                                         std::string& scratch);

/// All types, in the order of their schemas.
[[nodiscard]] std::span<const DomainType> domain_types();
/// Null: not a known type.
[[nodiscard]] const DomainType* find_domain_type(std::string_view name) noexcept;

class BatchBody;
/// Checks every event of a known type in a body: what an append must pass before it is stored. Events of other types
/// cost a look at the type's name. Errors: those of DomainType::read, naming the event.
Status check_domain_events(const BatchBody& body);

}  // namespace bahi
