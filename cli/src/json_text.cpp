#include "bahi/cli/json_text.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>

#include <boost/locale/utf.hpp>

#include "json_parse.hpp"

namespace bahi::cli {
namespace {

/// Accepts everything; counts the nesting.
struct DepthHandler : rapidjson::BaseReaderHandler<rapidjson::UTF8<>, DepthHandler> {
  void begin(const ByteStream&) {
    depth = 0;
    too_deep = false;
  }
  bool enter() {
    too_deep = ++depth > kJsonDepthMax;
    return !too_deep;
  }
  bool leave() {
    --depth;
    return true;
  }
  bool StartObject() { return enter(); }
  bool StartArray() { return enter(); }
  bool EndObject(rapidjson::SizeType) { return leave(); }
  bool EndArray(rapidjson::SizeType) { return leave(); }

  std::size_t depth = 0;
  bool too_deep = false;
};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

std::size_t skip_digits(std::string_view text, std::size_t at) {
  while (at < text.size() && is_digit(text[at])) ++at;
  return at;
}

/// End of the number that begins at `begin`; npos when it is not of JSON's form.
std::size_t number_end(std::string_view text, std::size_t begin) {
  std::size_t at = begin + (text[begin] == '-' ? 1 : 0);
  const std::size_t whole = at;
  at = skip_digits(text, at);
  if (at == whole || (text[whole] == '0' && at != whole + 1)) return std::string_view::npos;
  if (at < text.size() && text[at] == '.') {
    const std::size_t fraction = at + 1;
    at = skip_digits(text, fraction);
    if (at == fraction) return std::string_view::npos;
  }
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
    const std::size_t exponent = at;
    at = skip_digits(text, exponent);
    if (at == exponent) return std::string_view::npos;
  }
  return at;
}

}  // namespace

std::optional<std::size_t> mask_numbers(std::string& text) {
  bool in_string = false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (in_string) {
      if (text[at] == '\\') {
        ++at;
      } else if (text[at] == '"') {
        in_string = false;
      }
    } else if (text[at] == '"') {
      in_string = true;
    } else if (text[at] == '-' || is_digit(text[at])) {
      const std::size_t end = number_end(text, at);
      if (end == std::string::npos) return at;
      text[at] = '0';
      std::fill(text.begin() + static_cast<std::ptrdiff_t>(at) + 1, text.begin() + static_cast<std::ptrdiff_t>(end),
                ' ');
      at = end - 1;
    }
  }
  return std::nullopt;
}

std::optional<std::size_t> find_invalid_utf8(std::string_view text) noexcept {
  namespace utf = boost::locale::utf;
  constexpr std::uint64_t kHighBits = 0x8080808080808080ULL;
  const char* place = text.data();
  const char* const end = place + text.size();
  while (place != end) {
    if (end - place >= 8) {
      std::uint64_t word = 0;
      std::memcpy(&word, place, sizeof word);
      if ((word & kHighBits) == 0) {
        place += 8;
        continue;
      }
    }
    if (static_cast<unsigned char>(*place) < 0x80) {
      ++place;
      continue;
    }
    const char* const begin = place;
    const utf::code_point point = utf::utf_traits<char>::decode(place, end);
    if (point == utf::illegal || point == utf::incomplete) return static_cast<std::size_t>(begin - text.data());
  }
  return std::nullopt;
}

void append_json_string(std::string_view text, std::string& out) {
  constexpr std::string_view kHex = "0123456789abcdef";
  out.push_back('"');
  std::size_t run = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const auto byte = static_cast<unsigned char>(text[at]);
    if (byte >= 0x20 && byte != '"' && byte != '\\') continue;
    out.append(text, run, at - run);
    run = at + 1;
    switch (byte) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      default:
        out += "\\u00";
        out.push_back(kHex[byte >> 4U]);
        out.push_back(kHex[byte & 0xFU]);
    }
  }
  out.append(text, run, text.size() - run);
  out.push_back('"');
}

struct JsonChecker::State {
  rapidjson::Reader reader;
  DepthHandler handler;
};

JsonChecker::JsonChecker() : state_(std::make_unique<State>()) {}
JsonChecker::~JsonChecker() = default;

std::optional<JsonProblem> JsonChecker::check(std::string_view text) {
  auto problem = parse_json(state_->reader, text, state_->handler);
  if (problem && state_->handler.too_deep) problem->message = "nested deeper than 1000 levels.";
  return problem;
}

bool JsonChecker::is_embeddable(std::string_view text) {
  const auto is_space = [](char c) { return c == ' ' || c == '\t'; };
  if (text.empty() || is_space(text.front()) || is_space(text.back())) return false;
  if (std::memchr(text.data(), '\n', text.size()) != nullptr) return false;
  if (std::memchr(text.data(), '\r', text.size()) != nullptr) return false;
  return !check(text);
}

std::string join_json_lines(std::string_view json) {
  std::string joined(json);
  std::replace_if(
      joined.begin(), joined.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
  return joined;
}

}  // namespace bahi::cli
