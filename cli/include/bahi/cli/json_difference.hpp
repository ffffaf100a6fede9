// What two JSON values do not have in common.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "bahi/base/result.hpp"

namespace bahi::cli {

struct JsonChange {
  std::string path;    ///< JSON pointer (RFC 6901); "" for the whole
  std::string before;  ///< JSON; empty: it is not there
  std::string after;   ///< JSON; empty: it is not there
};

/// Member by member. Lists are compared between what both begin and end with; their elements one by one when both have
/// equally many there, otherwise what went and what came. Error: kMalformedJson.
[[nodiscard]] Result<std::vector<JsonChange>> json_difference(std::string_view before, std::string_view after);
/// A JSON list of objects with `path`, `before` and `after`, without those that are not there.
[[nodiscard]] std::string as_json(const std::vector<JsonChange>& changes);
/// A line for each: "/total: 12 → 7".
[[nodiscard]] std::string as_lines(const std::vector<JsonChange>& changes, std::string_view indent);

}  // namespace bahi::cli
