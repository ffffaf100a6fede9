#include "domain_layout.hpp"

#include <map>
#include <stdexcept>

#include <flatbuffers/reflection_generated.h>
#include <fmt/format.h>

#include "bahi/base/text.hpp"

namespace bahi {
namespace {

using Layouts = std::map<const reflection::Object*, DomainType::Layout*>;

DomainKind kind_of(reflection::BaseType type, std::string_view where) {
  switch (type) {
    case reflection::Bool: return DomainKind::kBool;
    case reflection::UByte: return DomainKind::kUint8;
    case reflection::Int: return DomainKind::kInt32;
    case reflection::Long: return DomainKind::kInt64;
    case reflection::String: return DomainKind::kText;
    case reflection::Obj: return DomainKind::kTable;
    case reflection::Vector: return DomainKind::kList;
    default: throw std::logic_error(fmt::format("{}: a type that domain events do not support", where));
  }
}

void read_attributes(const reflection::Field& from, DomainField& field) {
  if (from.attributes() == nullptr) return;
  for (const reflection::KeyValue* attribute : *from.attributes()) {
    const std::string_view key = attribute->key()->string_view();
    if (key == "not_empty") field.not_empty = true;
    if (key == "timestamp") field.timestamp = true;
    if (key == "date") field.date = true;
    if (key == "min") field.min = std::stoll(attribute->value()->str());
  }
}

DomainField read_field(const reflection::Schema& schema, const reflection::Field& from, const Layouts& layouts) {
  DomainField field;
  field.name = from.name()->str();
  field.slot = from.offset();
  const reflection::Type& type = *from.type();
  field.kind = kind_of(type.base_type(), field.name);
  field.fallback = from.default_integer();
  field.required = from.required();
  DomainKind scalar = field.kind;
  if (field.kind == DomainKind::kList) scalar = field.element = kind_of(type.element(), field.name);
  if (scalar == DomainKind::kList ||
      (field.kind == DomainKind::kList && scalar != DomainKind::kText && scalar != DomainKind::kTable)) {
    throw std::logic_error(fmt::format("{}: a list of something that domain events do not support", field.name));
  }
  if (scalar == DomainKind::kTable)
    field.table = layouts.at(schema.objects()->Get(static_cast<unsigned>(type.index())));
  if (scalar == DomainKind::kUint8 && type.index() >= 0) {
    for (const reflection::EnumVal* value : *schema.enums()->Get(static_cast<unsigned>(type.index()))->values()) {
      if (value->value() != static_cast<std::int64_t>(field.choices.size())) {
        throw std::logic_error(fmt::format("{}: the values of an enumeration must be 0, 1, 2, …", field.name));
      }
      field.choices.push_back(value->name()->str());
    }
  }
  read_attributes(from, field);
  return field;
}

Error malformed(const DomainType::Layout& type, std::string_view field, std::string_view problem) {
  if (field.empty()) return {ErrorCode::kMalformedEvent, fmt::format("{}: {}", type.name, problem)};
  return {ErrorCode::kMalformedEvent, fmt::format("{}: field '{}' {}", type.name, field, problem)};
}

/// Walks a FlatBuffer with the verifier, so that nothing is looked at before it is known to lie within the bytes.
class Checker {
 public:
  Checker(const DomainType::Layout& type, std::string_view data)
      : type_(type), verifier_(reinterpret_cast<const std::uint8_t*>(data.data()), data.size(), 8, 10'000) {}

  Status check_table(const DomainType::Layout& layout, const flatbuffers::Table* table) {
    if (!table->VerifyTableStart(verifier_)) return broken();
    for (const DomainField& field : layout.fields) BAHI_TRY(check_field(field, *table));
    verifier_.EndTable();
    return {};
  }
  [[nodiscard]] flatbuffers::Verifier& verifier() { return verifier_; }
  [[nodiscard]] Error broken() const { return malformed(type_, {}, "the data is not a FlatBuffer of this type"); }

 private:
  Status check_field(const DomainField& field, const flatbuffers::Table& table) {
    switch (field.kind) {
      case DomainKind::kBool:
      case DomainKind::kUint8: return check_number<std::uint8_t>(field, table);
      case DomainKind::kInt32: return check_number<std::int32_t>(field, table);
      case DomainKind::kInt64: return check_number<std::int64_t>(field, table);
      default: break;
    }
    if (!table.VerifyOffset(verifier_, field.slot)) return broken();
    if (!table.CheckField(field.slot)) {
      if (field.required) return malformed(type_, field.name, "is missing");
      return {};
    }
    if (field.kind == DomainKind::kText) {
      return check_text(field, table.GetPointer<const flatbuffers::String*>(field.slot));
    }
    if (field.kind == DomainKind::kTable) {
      return check_table(*field.table, table.GetPointer<const flatbuffers::Table*>(field.slot));
    }
    return check_list(field, table);
  }

  template <class Number>
  Status check_number(const DomainField& field, const flatbuffers::Table& table) {
    if (!table.VerifyField<Number>(verifier_, field.slot, sizeof(Number))) return broken();
    const auto value =
        static_cast<std::int64_t>(table.GetField<Number>(field.slot, static_cast<Number>(field.fallback)));
    if (field.min && value < *field.min) {
      return malformed(type_, field.name, fmt::format("must be at least {}, is {}", *field.min, value));
    }
    if (!field.choices.empty() && value >= static_cast<std::int64_t>(field.choices.size())) {
      return malformed(type_, field.name,
                       fmt::format("must be one of {}, is number {}", fmt::join(field.choices, ", "), value));
    }
    return {};
  }

  Status check_text(const DomainField& field, const flatbuffers::String* text) {
    if (!verifier_.VerifyString(text)) return broken();
    if (field.not_empty && text->size() == 0) return malformed(type_, field.name, "must not be empty");
    if (!is_utf8(text->string_view())) return malformed(type_, field.name, "is not well-formed UTF-8");
    return {};
  }

  Status check_list(const DomainField& field, const flatbuffers::Table& table) {
    if (field.element == DomainKind::kText) {
      const auto* texts =
          table.GetPointer<const flatbuffers::Vector<flatbuffers::Offset<flatbuffers::String>>*>(field.slot);
      if (!verifier_.VerifyVector(texts)) return broken();
      if (!verifier_.VerifyVectorOfStrings(texts)) return broken();
      for (const flatbuffers::String* text : *texts) BAHI_TRY(check_text(field, text));
      return {};
    }
    const auto* rows =
        table.GetPointer<const flatbuffers::Vector<flatbuffers::Offset<flatbuffers::Table>>*>(field.slot);
    if (!verifier_.VerifyVector(rows)) return broken();
    if (field.not_empty && rows->size() == 0) return malformed(type_, field.name, "must not be empty");
    for (flatbuffers::uoffset_t i = 0; i < rows->size(); ++i) BAHI_TRY(check_table(*field.table, rows->Get(i)));
    return {};
  }

  const DomainType::Layout& type_;
  flatbuffers::Verifier verifier_;
};

}  // namespace

void add_domain_types(std::string_view prefix, const void* schema_bytes,
                      std::vector<std::unique_ptr<DomainType::Layout>>& layouts, std::vector<DomainType>& types) {
  const reflection::Schema& schema = *reflection::GetSchema(schema_bytes);
  Layouts by_object;
  for (const reflection::Object* object : *schema.objects()) {
    layouts.push_back(std::make_unique<DomainType::Layout>());
    const std::string_view full = object->name()->string_view();
    layouts.back()->name = fmt::format("{}.{}", prefix, full.substr(full.rfind('.') + 1));
    by_object[object] = layouts.back().get();
  }
  for (const auto& [object, layout] : by_object) {
    if (object == schema.root_table()) continue;
    // By position in the table, so that errors come in the order of the schema.
    std::map<std::uint16_t, const reflection::Field*> ordered;
    for (const reflection::Field* field : *object->fields()) {
      if (!field->deprecated()) ordered[field->id()] = field;
    }
    for (const auto& [id, field] : ordered) layout->fields.push_back(read_field(schema, *field, by_object));
  }
  std::map<std::uint16_t, const DomainType::Layout*> events;
  for (const reflection::Field* field : *schema.root_table()->fields()) {
    events[field->id()] = by_object.at(schema.objects()->Get(static_cast<unsigned>(field->type()->index())));
  }
  for (const auto& [id, layout] : events) types.emplace_back(layout->name, *layout);
}

Status check_domain_table(const DomainType::Layout& layout, std::string_view data) {
  Checker checker(layout, data);
  // The length of the smallest table: its place, its vtable and the place of that.
  if (data.size() < 12 || checker.verifier().VerifyOffset(0) == 0) return checker.broken();
  return checker.check_table(layout, flatbuffers::GetRoot<flatbuffers::Table>(data.data()));
}

}  // namespace bahi
