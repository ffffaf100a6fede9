#include "bahi/cli/json_table.hpp"

#include <algorithm>
#include <vector>

#include <fmt/format.h>
#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>
#include <boost/locale/utf.hpp>

#include "bahi/cli/json_text.hpp"

namespace bahi::cli {
namespace {

constexpr std::string_view kPaise = "_paise";

std::string_view name_of(const rapidjson::Value& text) {
  return {text.GetString(), text.GetStringLength()};
}

std::string as_json(const rapidjson::Value& value) {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  value.Accept(writer);
  return {buffer.GetString(), buffer.GetSize()};
}

bool is_money(std::string_view name, const rapidjson::Value& value) {
  return (name == "paise" || name.ends_with(kPaise)) && value.IsInt64();
}

/// Without what would disturb a terminal.
std::string one_line(const rapidjson::Value& value) {
  std::string text(name_of(value));
  std::replace_if(
      text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }, ' ');
  return text;
}

bool is_change(const rapidjson::Value& value) {
  const auto is_text = [&](const char* name) {
    const auto found = value.FindMember(name);
    return found == value.MemberEnd() || found->value.IsString();
  };
  return value.IsObject() && value.HasMember("field") && is_text("field") && is_text("old") && is_text("new");
}

/// "role: reader → writer". What is not there is nothing, or not to be seen any more.
std::string change_in_words(const rapidjson::Value& change) {
  if (change.HasMember("redacted")) return one_line(change["field"]) + ": redacted";
  const auto text = [&](const char* name) {
    return change.HasMember(name) ? one_line(change[name]) : std::string("–");
  };
  return fmt::format("{}: {} → {}", one_line(change["field"]), change.HasMember("old_unknown") ? "?" : text("old"),
                     text("new"));
}

std::string cell(std::string_view name, const rapidjson::Value& value) {
  if (value.IsNull()) return "";
  if (is_money(name, value)) return format_rupees(value.GetInt64());
  if (value.IsString()) return one_line(value);
  if (!value.IsArray() || value.Empty() || !std::all_of(value.Begin(), value.End(), is_change)) return as_json(value);
  std::string words;
  for (const auto& change : value.GetArray()) words += (words.empty() ? "" : "; ") + change_in_words(change);
  return words;
}

std::string title(std::string_view name) {
  if (name == "paise") return "value";
  if (name.ends_with(kPaise)) name.remove_suffix(kPaise.size());
  std::string text(name);
  std::replace(text.begin(), text.end(), '_', ' ');
  return text;
}

/// Code points: close enough to columns.
std::size_t width_of(const std::string& text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

struct Column {
  std::string name;
  std::size_t width = 0;
  bool is_number = true;
};

void append_cell(const std::string& text, const Column& column, bool last, std::string& out) {
  const std::string padding(column.width - std::min(column.width, width_of(text)), ' ');
  if (column.is_number) out += padding + text;
  if (!column.is_number) out += last ? text : text + padding;
  if (!last) out += "  ";
}

void append_table(const rapidjson::Value& rows, const std::vector<std::string>& wanted, std::string& out) {
  std::vector<Column> columns;
  for (const std::string& name : wanted) columns.push_back({name, title(name).size()});
  for (const auto& row : rows.GetArray()) {
    for (const auto& member : row.GetObject()) {
      const std::string_view name = name_of(member.name);
      if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), name) == wanted.end()) continue;
      auto column = std::find_if(columns.begin(), columns.end(), [&](const Column& each) { return each.name == name; });
      if (column == columns.end()) column = columns.insert(columns.end(), {std::string(name), title(name).size()});
      column->width = std::max(column->width, width_of(cell(name, member.value)));
      column->is_number = column->is_number && (member.value.IsNumber() || member.value.IsNull());
    }
  }
  const auto append_row = [&](auto&& text_of) {
    out += "  ";
    for (const Column& column : columns) append_cell(text_of(column), column, &column == &columns.back(), out);
    out += '\n';
  };
  append_row([](const Column& column) { return title(column.name); });
  for (const auto& row : rows.GetArray()) {
    append_row([&](const Column& column) {
      const auto found = row.FindMember(column.name.c_str());
      return found == row.MemberEnd() ? std::string() : cell(column.name, found->value);
    });
  }
}

bool is_table(const rapidjson::Value& value) {
  return value.IsArray() && !value.Empty() &&
         std::all_of(value.Begin(), value.End(), [](const rapidjson::Value& each) { return each.IsObject(); });
}

}  // namespace

std::string format_rupees(std::int64_t paise) {
  const bool negative = paise < 0;
  const std::uint64_t amount = negative ? ~static_cast<std::uint64_t>(paise) + 1 : static_cast<std::uint64_t>(paise);
  std::string whole = std::to_string(amount / 100);
  // Three digits at the end, two each before them.
  for (std::size_t place = whole.size() > 3 ? whole.size() - 3 : 0; place > 0; place = place > 2 ? place - 2 : 0) {
    whole.insert(place, ",");
  }
  return fmt::format("{}₹{}.{:02}", negative ? "-" : "", whole, amount % 100);
}

Result<std::string> json_as_table(std::string_view json, const std::vector<std::string>& columns) {
  rapidjson::Document document;
  document.Parse<rapidjson::kParseIterativeFlag>(json.data(), json.size());
  if (document.HasParseError() || !document.IsObject()) {
    return Error{ErrorCode::kMalformedJson, "the answer is not a JSON object"};
  }
  std::string out;
  for (const auto& member : document.GetObject()) {
    const std::string_view name = name_of(member.name);
    if (is_table(member.value)) {
      out += title(name) + '\n';
      append_table(member.value, columns, out);
    } else if (member.value.IsObject()) {
      out += title(name) + '\n';
      for (const auto& inner : member.value.GetObject()) {
        out += fmt::format("  {}: {}\n", title(name_of(inner.name)), cell(name_of(inner.name), inner.value));
      }
    } else {
      out += fmt::format("{}: {}\n", title(name), cell(name, member.value));
    }
  }
  return out;
}

Result<std::string> json_of_word(std::string_view word) {
  const std::size_t equals = word.find('=');
  if (equals == 0 || equals == std::string_view::npos) {
    return Error{ErrorCode::kInvalidArgument, fmt::format("'{}': an argument is NAME=VALUE", word)};
  }
  std::string member;
  append_json_string(word.substr(0, equals), member);
  member += ':';
  const std::string_view value = word.substr(equals + 1);
  JsonChecker checker;
  if (!value.empty() && !checker.check(value)) {
    member += value;
  } else {
    if (find_invalid_utf8(value)) {
      return Error{ErrorCode::kInvalidArgument, fmt::format("'{}': the value is not well-formed UTF-8", word)};
    }
    append_json_string(value, member);
  }
  return member;
}

}  // namespace bahi::cli
