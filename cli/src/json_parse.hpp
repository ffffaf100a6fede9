// RapidJSON's SAX reader over bytes that no NUL ends, with what it lacks added:
// UTF-8 is checked, and numbers of any size are accepted (their text is what counts).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <rapidjson/error/en.h>
#include <rapidjson/reader.h>

#include "bahi/cli/json_text.hpp"

namespace bahi::cli {

/// Input stream of RapidJSON. A NUL byte among the bytes reads as their end, which
/// `parse_json` notices.
struct ByteStream {
  using Ch = char;
  explicit ByteStream(std::string_view text) : place(text.data()), begin(text.data()), end(text.data() + text.size()) {}

  [[nodiscard]] Ch Peek() const { return place == end ? '\0' : *place; }
  Ch Take() { return place == end ? '\0' : *place++; }
  [[nodiscard]] std::size_t Tell() const { return static_cast<std::size_t>(place - begin); }
  // The writing half of RapidJSON's stream concept, never used on input.
  Ch* PutBegin() { return nullptr; }
  void Put(Ch) {}
  void Flush() {}
  std::size_t PutEnd(Ch*) { return 0; }

  const char* place;
  const char* begin;
  const char* end;
};

}  // namespace bahi::cli

namespace rapidjson {
/// The reader works on a copy of the stream while it reads one string or number and
/// writes it back at the end. So in `Key`, `String` and the number callbacks the stream
/// still tells where that token begins; in `StartX` and `EndX` it stands on the bracket.
template <>
struct StreamTraits<bahi::cli::ByteStream> {
  enum { copyOptimization = 1 };
};
}  // namespace rapidjson

namespace bahi::cli {

/// Replaces every number outside strings by a 0 and spaces, so that all positions stay.
/// Returns the position of the first number that is not of JSON's form, if any.
[[nodiscard]] std::optional<std::size_t> mask_numbers(std::string& text);

/// Parses `text` as one JSON value. `Handler` is a RapidJSON handler that also has
/// `void begin(const ByteStream&)`, called before each pass.
template <class Handler>
std::optional<JsonProblem> parse_json(rapidjson::Reader& reader, std::string_view text, Handler& handler) {
  if (const auto position = find_invalid_utf8(text)) return JsonProblem{*position, "not well-formed UTF-8"};
  const auto pass = [&reader, &handler](ByteStream& stream) {
    handler.begin(stream);
    return reader.Parse<rapidjson::kParseIterativeFlag>(stream, handler);
  };
  ByteStream stream(text);
  rapidjson::ParseResult result = pass(stream);
  std::size_t parsed = stream.Tell();
  if (result.Code() == rapidjson::kParseErrorNumberTooBig) {
    std::string masked(text);
    if (const auto position = mask_numbers(masked)) return JsonProblem{*position, "Invalid number."};
    ByteStream masked_stream(masked);
    result = pass(masked_stream);
    parsed = masked_stream.Tell();
  }
  if (result.IsError()) return JsonProblem{result.Offset(), rapidjson::GetParseError_En(result.Code())};
  if (parsed != text.size()) return JsonProblem{parsed, "a NUL byte is not allowed."};
  return std::nullopt;
}

}  // namespace bahi::cli
