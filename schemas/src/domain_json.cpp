// Between JSON and the FlatBuffers of domain events, by their layout.

#include <fmt/format.h>
#include <rapidjson/error/en.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include "bahi/base/text.hpp"
#include "domain_layout.hpp"
#include "domain_scratch.hpp"

namespace bahi {
namespace {

using flatbuffers::uoffset_t;
constexpr std::size_t kFieldsMax = 32;

std::string_view view(const JsonValue& text) {
  return {text.GetString(), text.GetStringLength()};
}

std::string_view name_of(const JsonValue& value) {
  if (value.IsString()) return "a text";
  if (value.IsInt64() || value.IsUint64()) return "a whole number";
  if (value.IsNumber()) return "a fraction or too large";
  if (value.IsBool()) return "true or false";
  if (value.IsArray()) return "a list";
  return "an object";
}

class TableBuilder {
 public:
  TableBuilder(const DomainType::Layout& type, flatbuffers::FlatBufferBuilder& builder)
      : type_(type), builder_(builder) {}

  /// `value` must be an object.
  Result<uoffset_t> build(const DomainType::Layout& layout, const JsonValue& value) {
    std::array<const JsonValue*, kFieldsMax> members{};
    for (const auto& member : value.GetObject()) {
      const DomainField* field = layout.find(view(member.name));
      if (field == nullptr || member.value.IsNull()) continue;  // what is not known stays in the event's JSON
      const JsonValue*& place = members[static_cast<std::size_t>(field - layout.fields.data())];
      if (place != nullptr) return wrong(*field, "is there twice");
      place = &member.value;
    }
    // What a table refers to must be built before it.
    std::array<uoffset_t, kFieldsMax> parts{};
    for (std::size_t i = 0; i < layout.fields.size(); ++i) {
      if (members[i] == nullptr) {
        if (layout.fields[i].required) return wrong(layout.fields[i], "is missing");
        continue;
      }
      BAHI_ASSIGN(parts[i], build_part(layout.fields[i], *members[i]));
    }
    const uoffset_t start = builder_.StartTable();
    for (std::size_t i = 0; i < layout.fields.size(); ++i) {
      if (members[i] == nullptr) continue;
      const DomainField& field = layout.fields[i];
      if (parts[i] != 0) {
        builder_.AddOffset(field.slot, flatbuffers::Offset<void>(parts[i]));
      } else {
        BAHI_TRY(add_number(field, *members[i]));
      }
    }
    return builder_.EndTable(start);
  }

 private:
  [[nodiscard]] Error wrong(const DomainField& field, std::string_view problem) const {
    return {ErrorCode::kMalformedEvent, fmt::format("{}: field '{}' {}", type_.name, field.name, problem)};
  }
  [[nodiscard]] Error wrong_kind(const DomainField& field, std::string_view wanted, const JsonValue& value) const {
    return wrong(field, fmt::format("must be {}, is {}", wanted, name_of(value)));
  }

  /// 0: a number, which lies in the table itself.
  Result<uoffset_t> build_part(const DomainField& field, const JsonValue& value) {
    if (field.kind == DomainKind::kText) return build_text(field, value);
    if (field.kind == DomainKind::kTable) {
      if (!value.IsObject()) return wrong_kind(field, "an object", value);
      return build(*field.table, value);
    }
    if (field.kind == DomainKind::kList) return build_list(field, value);
    return uoffset_t{0};
  }

  Result<uoffset_t> build_text(const DomainField& field, const JsonValue& value) {
    if (!value.IsString()) return wrong_kind(field, "a text", value);
    return builder_.CreateString(value.GetString(), value.GetStringLength()).o;
  }

  Result<uoffset_t> build_list(const DomainField& field, const JsonValue& value) {
    if (!value.IsArray()) return wrong_kind(field, "a list", value);
    std::vector<flatbuffers::Offset<void>> elements;
    elements.reserve(value.Size());
    for (const JsonValue& element : value.GetArray()) {
      uoffset_t part = 0;
      if (field.element == DomainKind::kText) {
        BAHI_ASSIGN(part, build_text(field, element));
      } else {
        if (!element.IsObject()) return wrong_kind(field, "a list of objects", element);
        BAHI_ASSIGN(part, build(*field.table, element));
      }
      elements.emplace_back(part);
    }
    return builder_.CreateVector(elements).o;
  }

  Status add_number(const DomainField& field, const JsonValue& value) {
    if (field.kind == DomainKind::kBool) {
      if (!value.IsBool()) return wrong_kind(field, "true or false", value);
      builder_.AddElement<std::uint8_t>(field.slot, value.GetBool() ? 1 : 0, static_cast<std::uint8_t>(field.fallback));
      return {};
    }
    if (!field.choices.empty()) return add_choice(field, value);
    if (field.timestamp || field.date) return add_time(field, value);
    if (!value.IsInt64()) return wrong_kind(field, "a whole number", value);
    return add_whole(field, value.GetInt64());
  }

  Status add_whole(const DomainField& field, std::int64_t value) {
    if (field.kind == DomainKind::kInt64) {
      builder_.AddElement<std::int64_t>(field.slot, value, field.fallback);
      return {};
    }
    const bool small = field.kind == DomainKind::kUint8;
    if (small ? value < 0 || value > UINT8_MAX : value < INT32_MIN || value > INT32_MAX) {
      return wrong(field, fmt::format("is out of range: {}", value));
    }
    if (small) {
      builder_.AddElement<std::uint8_t>(field.slot, static_cast<std::uint8_t>(value),
                                        static_cast<std::uint8_t>(field.fallback));
    } else {
      builder_.AddElement<std::int32_t>(field.slot, static_cast<std::int32_t>(value),
                                        static_cast<std::int32_t>(field.fallback));
    }
    return {};
  }

  Status add_choice(const DomainField& field, const JsonValue& value) {
    for (std::size_t i = 0; value.IsString() && i < field.choices.size(); ++i) {
      if (field.choices[i] == view(value)) return add_whole(field, static_cast<std::int64_t>(i));
    }
    return wrong(field, fmt::format("must be one of {}", fmt::join(field.choices, ", ")));
  }

  Status add_time(const DomainField& field, const JsonValue& value) {
    if (field.date) {
      const auto days = value.IsString() ? parse_date(view(value)) : std::nullopt;
      if (!days) return wrong(field, "must be a date like \"2026-03-31\"");
      return add_whole(field, *days);
    }
    const auto time =
        value.IsString() ? parse_timestamp(view(value)) : Result<Timestamp>(Error{ErrorCode::kInvalidArgument, ""});
    if (!time) return wrong(field, "must be a time like \"2026-03-31T09:30:00Z\"");
    return add_whole(field, time->nanos);
  }

  const DomainType::Layout& type_;
  flatbuffers::FlatBufferBuilder& builder_;
};

using JsonOutput = rapidjson::Writer<rapidjson::StringBuffer>;

void write_text(JsonOutput& out, std::string_view text) {
  out.String(text.data(), static_cast<unsigned>(text.size()));
}

void write_table(JsonOutput& out, const DomainType::Layout& layout, const flatbuffers::Table& table);

void write_number(JsonOutput& out, const DomainField& field, std::int64_t value) {
  if (field.kind == DomainKind::kBool) {
    out.Bool(value != 0);
  } else if (!field.choices.empty()) {
    write_text(out, field.choices[static_cast<std::size_t>(value)]);
  } else if (field.date) {
    write_text(out, format_date(static_cast<std::int32_t>(value)));
  } else if (field.timestamp) {
    write_text(out, format_timestamp({value}));
  } else {
    out.Int64(value);
  }
}

void write_list(JsonOutput& out, const DomainField& field, const flatbuffers::Table& table) {
  out.StartArray();
  if (field.element == DomainKind::kText) {
    const auto* texts =
        table.GetPointer<const flatbuffers::Vector<flatbuffers::Offset<flatbuffers::String>>*>(field.slot);
    for (const flatbuffers::String* text : *texts) write_text(out, text->string_view());
  } else {
    const auto* rows =
        table.GetPointer<const flatbuffers::Vector<flatbuffers::Offset<flatbuffers::Table>>*>(field.slot);
    for (uoffset_t i = 0; i < rows->size(); ++i) write_table(out, *field.table, *rows->Get(i));
  }
  out.EndArray();
}

void write_table(JsonOutput& out, const DomainType::Layout& layout, const flatbuffers::Table& table) {
  out.StartObject();
  for (const DomainField& field : layout.fields) {
    const bool is_number = field.kind < DomainKind::kText;
    if (is_absent(field, table)) continue;
    out.Key(field.name.data(), static_cast<unsigned>(field.name.size()));
    if (is_number) {
      write_number(out, field, number_in(field, table));
    } else if (field.kind == DomainKind::kText) {
      write_text(out, table.GetPointer<const flatbuffers::String*>(field.slot)->string_view());
    } else if (field.kind == DomainKind::kTable) {
      write_table(out, *field.table, *table.GetPointer<const flatbuffers::Table*>(field.slot));
    } else {
      write_list(out, field, table);
    }
  }
  out.EndObject();
}

}  // namespace

Status DomainType::read_json(std::string_view json, DomainData& out) const {
  DomainData::Scratch& scratch = *out.scratch_;
  if (const auto nul = json.find('\0'); nul != std::string_view::npos) {
    return Error{ErrorCode::kMalformedJson, fmt::format("{}: byte {} of the data: a NUL byte", name_, nul)};
  }
  scratch.text.assign(json);
  JsonAllocator values(scratch.values.data(), scratch.values.size());
  JsonAllocator stack(scratch.stack.data(), scratch.stack.size());
  JsonDocument document(&values, scratch.stack.size() / 2, &stack);
  // Iterative: the nesting is the sender's choice, the stack is ours.
  document.ParseInsitu<rapidjson::kParseIterativeFlag | rapidjson::kParseValidateEncodingFlag>(scratch.text.data());
  if (document.HasParseError()) {
    return Error{ErrorCode::kMalformedJson, fmt::format("{}: byte {} of the data: {}", name_, document.GetErrorOffset(),
                                                        rapidjson::GetParseError_En(document.GetParseError()))};
  }
  if (!document.IsObject())
    return Error{ErrorCode::kMalformedEvent, fmt::format("{}: the data must be a JSON object", name_)};
  scratch.builder.Clear();
  TableBuilder builder(*layout_, scratch.builder);
  BAHI_ASSIGN(const uoffset_t root, builder.build(*layout_, document));
  scratch.builder.Finish(flatbuffers::Offset<void>(root));
  out.bytes_ = {reinterpret_cast<const char*>(scratch.builder.GetBufferPointer()), scratch.builder.GetSize()};
  // Ranges and the like are checked in one place, whatever form an event had.
  return check_domain_table(*layout_, out.bytes_);
}

std::string DomainType::to_json(const DomainData& data) const {
  rapidjson::StringBuffer buffer;
  JsonOutput out(buffer);
  write_table(out, *layout_, *flatbuffers::GetRoot<flatbuffers::Table>(data.bytes().data()));
  return {buffer.GetString(), buffer.GetSize()};
}

}  // namespace bahi
