// JSON text at the level of bytes: strings out, validity in.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace bahi::cli {

/// Arrays and objects may be nested this deep in an event's data.
inline constexpr std::size_t kJsonDepthMax = 1000;

struct JsonProblem {
  std::size_t position = 0;  ///< byte, from 0
  std::string message;
};

/// Position of the first byte that is not part of well-formed UTF-8.
[[nodiscard]] std::optional<std::size_t> find_invalid_utf8(std::string_view text) noexcept;

/// Appends `text` (UTF-8) as a JSON string with its quotes.
void append_json_string(std::string_view text, std::string& out);

/// Decides whether bytes are one JSON value. Reusable; not thread-safe.
class JsonChecker {
 public:
  JsonChecker();
  ~JsonChecker();
  JsonChecker(const JsonChecker&) = delete;
  JsonChecker& operator=(const JsonChecker&) = delete;

  /// Nothing when `text` is exactly one JSON value, which white space may surround.
  [[nodiscard]] std::optional<JsonProblem> check(std::string_view text);
  /// True when `text` can stand in a line of NDJSON and be read back byte for byte:
  /// one JSON value, no line break, no white space around it.
  [[nodiscard]] bool is_embeddable(std::string_view text);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Line breaks of valid JSON, which can only stand between tokens, become spaces.
[[nodiscard]] std::string join_json_lines(std::string_view json);

}  // namespace bahi::cli
