// Answers of read models for people: members as lines, lists of objects as tables.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "bahi/base/result.hpp"

namespace bahi::cli {

/// Lays out a JSON object. Members named `paise` or `…_paise` are shown in rupees, lists of changes (`field`, `old`,
/// `new`) in words. `columns`: those that tables have, in this order; empty: all. Error: kMalformedJson.
[[nodiscard]] Result<std::string> json_as_table(std::string_view json, const std::vector<std::string>& columns = {});
/// Paise as rupees with Indian grouping: 1234567890 is "₹1,23,45,678.90".
[[nodiscard]] std::string format_rupees(std::int64_t paise);

/// A JSON object of `NAME=VALUE` words. A value that is a JSON number, true, false, null, list or object stays one;
/// anything else is a text, and so is what stands in quotation marks. Error: kInvalidArgument, naming the word.
template <class Words>
[[nodiscard]] Result<std::string> json_of_words(const Words& words);
[[nodiscard]] Result<std::string> json_of_word(std::string_view word);

template <class Words>
Result<std::string> json_of_words(const Words& words) {
  std::string json;
  for (const auto& word : words) {
    BAHI_ASSIGN(const std::string member, json_of_word(word));
    json += (json.empty() ? "" : ",") + member;
  }
  return "{" + json + "}";
}

}  // namespace bahi::cli
