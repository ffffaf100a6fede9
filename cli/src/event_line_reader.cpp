#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <vector>

#include <fmt/format.h>

#include "bahi/base/base64.hpp"
#include "bahi/base/text.hpp"
#include "bahi/cli/event_line.hpp"
#include "json_parse.hpp"

namespace bahi::cli {
namespace {

enum class Field : std::uint8_t {
  kStream,
  kType,
  kId,
  kOccurredAt,
  kData,
  kDataBase64,
  kContentType,
  kTags,
  kActor,
  kOnBehalfOf,
  kCorrelationId,
  kCausationId,
  kReason,
  kTarget,
  kOffset,
  kVersion,
  kRecordedAt,
  kCount
};

constexpr std::size_t kFieldCount = static_cast<std::size_t>(Field::kCount);

constexpr std::array<std::string_view, kFieldCount> kFieldNames{
    "stream",       "type",   "id",     "occurred_at",  "data",           "data_base64",
    "content_type", "tags",   "actor",  "on_behalf_of", "correlation_id", "causation_id",
    "reason",       "target", "offset", "version",      "recorded_at"};

constexpr std::size_t index_of(Field field) {
  return static_cast<std::size_t>(field);
}

std::optional<Field> find_field(std::string_view name) {
  const auto* place = std::find(kFieldNames.begin(), kFieldNames.end(), name);
  if (place == kFieldNames.end()) return std::nullopt;
  return static_cast<Field>(place - kFieldNames.begin());
}

/// The value may be anything: kept verbatim, or assigned by the log and so ignored.
bool takes_any_value(Field field) {
  return field == Field::kData || field == Field::kOffset || field == Field::kVersion || field == Field::kRecordedAt;
}

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/// Where the value of the member begins whose key's opening quote is at `key`.
std::size_t value_begin(std::string_view line, std::size_t key) {
  std::size_t at = key + 1;
  while (at < line.size() && line[at] != '"') at += line[at] == '\\' ? 2 : 1;
  ++at;
  while (at < line.size() && (is_space(line[at]) || line[at] == ':')) ++at;
  return at;
}

/// A piece of the reader's text buffer, which may move while it grows.
struct Piece {
  std::size_t begin = 0;
  std::size_t size = 0;
};

}  // namespace

/// Collects the members of one line as RapidJSON reports them.
class EventLineReader::Handler : public rapidjson::BaseReaderHandler<rapidjson::UTF8<>, Handler> {
 public:
  explicit Handler(const Clock& clock) : clock_(&clock) {}

  Result<const EventLine*> parse(std::string_view line, std::uint64_t line_number) {
    line_ = line;
    line_number_ = line_number;
    if (auto problem = parse_json(reader_, line, *this)) {
      if (failure_) return error_at(failure_->position, failure_->code, failure_->message);
      return error_at(problem->position, ErrorCode::kMalformedJson, problem->message);
    }
    BAHI_TRY(assemble());
    return &result_;
  }

  [[nodiscard]] Error error_at(std::size_t position, ErrorCode code, std::string_view message) const {
    return {code, fmt::format("line {}, column {}: {}", line_number_, position + 1, message)};
  }

  [[nodiscard]] Error locate(const Error& error) const {
    std::string_view name = std::string_view(error.message()).substr(0, error.message().find(':'));
    if (name == "tag") name = "tags";
    if (name.starts_with("target.")) name = "target";
    const auto field = find_field(name);
    return error_at(field && seen(*field) ? value_of(*field) : 0, error.code(), error.message());
  }

  // RapidJSON's callbacks: false stops the parse.
  void begin(const ByteStream& stream) {
    stream_ = &stream;
    failure_.reset();
    depth_ = 0;
    inside_ = Inside::kTop;
    seen_ = 0;
    data_open_ = false;
    text_.clear();
    tags_.clear();
    values_.fill({});
    target_seen_ = {};
    target_ = {};
  }
  bool Null() {
    if (depth_ == 1) return null_value();
    return inside_ == Inside::kAnything || inside_ == Inside::kTarget || wrong_type();
  }
  /// Booleans and numbers.
  bool Default() {
    if (depth_ == 1 && field_ == Field::kOccurredAt) return true;  // read from the line in `assemble`
    return (depth_ == 1 && takes_any_value(field_)) || inside_ == Inside::kAnything || wrong_type();
  }
  bool String(const char* text, rapidjson::SizeType size, bool) {
    if (depth_ == 1) return takes_any_value(field_) || string_value({text, size});
    if (inside_ == Inside::kTags) {
      tags_.push_back(keep({text, size}));
    } else if (inside_ == Inside::kTarget) {
      target_[target_index_] = keep({text, size});
    }
    return depth_ > 0 || wrong_type();
  }
  bool StartObject() { return enter(Field::kTarget, Inside::kTarget); }
  bool StartArray() { return depth_ != 0 ? enter(Field::kTags, Inside::kTags) : wrong_type(); }
  bool EndObject(rapidjson::SizeType) { return leave(); }
  bool EndArray(rapidjson::SizeType) { return leave(); }
  bool Key(const char* text, rapidjson::SizeType size, bool) {
    if (inside_ == Inside::kTarget) return target_key({text, size});
    if (depth_ != 1) return true;
    close_data();
    const auto field = find_field({text, size});
    if (!field) {
      return fail(stream_->Tell(), fmt::format("unknown field '{}'; known are {}", std::string_view(text, size),
                                               fmt::join(kFieldNames, ", ")));
    }
    field_ = *field;
    if (seen(field_))
      return fail(stream_->Tell(), fmt::format("field '{}' stands twice", kFieldNames[index_of(field_)]));
    seen_ |= 1U << index_of(field_);
    keys_[index_of(field_)] = stream_->Tell();
    data_open_ = field_ == Field::kData;
    return true;
  }

 private:
  enum class Inside : std::uint8_t { kTop, kAnything, kTags, kTarget };
  struct Failure {
    std::size_t position;
    ErrorCode code;
    std::string message;
  };

  bool fail(std::size_t position, std::string message) {
    failure_ = Failure{position, ErrorCode::kMalformedJson, std::move(message)};
    return false;
  }
  [[nodiscard]] bool seen(Field field) const { return (seen_ >> index_of(field) & 1U) != 0; }
  [[nodiscard]] std::size_t value_of(Field field) const { return value_begin(line_, keys_[index_of(field)]); }

  bool wrong_type() {
    if (depth_ == 0) return fail(line_.find_first_not_of(" \t\r\n"), "the line is not a JSON object");
    const std::string_view name = kFieldNames[index_of(field_)];
    switch (field_) {
      case Field::kTags: return fail(value_of(field_), "field 'tags' must be an array of strings");
      case Field::kTarget:
        return fail(value_of(field_), R"(field 'target' must be an object {"type": string, "id": string})");
      case Field::kOccurredAt:
        return fail(value_of(field_), "field 'occurred_at' must be an RFC 3339 time or integer nanoseconds since 1970");
      default: return fail(value_of(field_), fmt::format("field '{}' must be a string", name));
    }
  }

  bool null_value() {
    const bool required = field_ == Field::kStream || field_ == Field::kType;
    return !required || wrong_type();
  }

  bool string_value(std::string_view text) {
    if (field_ == Field::kTags || field_ == Field::kTarget) return wrong_type();
    values_[index_of(field_)] = keep(text);
    return true;
  }

  bool enter(Field structured, Inside inside) {
    ++depth_;
    if (depth_ == 1) return true;
    if (depth_ == 2) {
      if (takes_any_value(field_)) {
        inside_ = Inside::kAnything;
      } else if (field_ == structured) {
        inside_ = inside;
      } else {
        return wrong_type();
      }
      return true;
    }
    if (inside_ != Inside::kAnything) return wrong_type();
    if (depth_ <= kJsonDepthMax + 1) return true;
    return fail(stream_->Tell(), fmt::format("field '{}' is nested deeper than {} levels",
                                             kFieldNames[index_of(field_)], kJsonDepthMax));
  }

  bool leave() {
    --depth_;
    if (depth_ == 1) inside_ = Inside::kTop;
    if (depth_ == 0) close_data();
    return true;
  }

  bool target_key(std::string_view name) {
    if (name != "type" && name != "id") {
      return fail(stream_->Tell(), fmt::format("unknown field '{}' in 'target'; known are type, id", name));
    }
    target_index_ = name == "type" ? 0 : 1;
    if (target_seen_[target_index_])
      return fail(stream_->Tell(), fmt::format("field '{}' of 'target' stands twice", name));
    target_seen_[target_index_] = true;
    return true;
  }

  /// The stream stands on the first byte of what follows the data: a key's quote, or the closing brace.
  void close_data() {
    if (!data_open_) return;
    data_open_ = false;
    const std::size_t begin = value_of(Field::kData);
    std::size_t end = stream_->Tell();
    while (is_space(line_[end - 1])) --end;
    if (line_[stream_->Tell()] == '"') {
      --end;  // the comma
      while (is_space(line_[end - 1])) --end;
    }
    data_ = line_.substr(begin, end - begin);
  }

  Piece keep(std::string_view text) {
    const Piece piece{text_.size(), text.size()};
    text_.append(text);
    return piece;
  }
  [[nodiscard]] std::string_view view(Piece piece) const {
    return std::string_view(text_).substr(piece.begin, piece.size);
  }
  /// Empty when the field was not given, or null.
  [[nodiscard]] std::string_view value(Field field) const { return view(values_[index_of(field)]); }
  [[nodiscard]] bool is_null(Field field) const { return line_.substr(value_of(field)).starts_with("null"); }
  [[nodiscard]] bool given(Field field) const { return seen(field) && !is_null(field); }

  Status assemble() {
    NewEvent& event = result_.event;
    for (const Field field : {Field::kStream, Field::kType}) {
      if (!seen(field)) {
        return error_at(
            0, ErrorCode::kMalformedJson,
            fmt::format("field '{}' is missing; an event needs stream and type", kFieldNames[index_of(field)]));
      }
    }
    event.stream = value(Field::kStream);
    event.type = value(Field::kType);
    event.content_type = given(Field::kContentType) ? value(Field::kContentType) : kJsonContentType;
    event.tags.clear();
    for (const Piece tag : tags_) event.tags.push_back(view(tag));
    event.metadata = {value(Field::kActor),
                      value(Field::kOnBehalfOf),
                      value(Field::kCorrelationId),
                      value(Field::kCausationId),
                      value(Field::kReason),
                      view(target_[0]),
                      view(target_[1])};
    BAHI_TRY(assemble_id());
    BAHI_TRY(assemble_time());
    return assemble_data();
  }

  Status assemble_id() {
    result_.event.id.reset();
    if (!given(Field::kId)) return {};
    auto id = parse_uuid(value(Field::kId));
    if (!id) return error_at(value_of(Field::kId), ErrorCode::kInvalidArgument, "id: " + id.error().message());
    result_.event.id = *id;
    return {};
  }

  Status assemble_time() {
    result_.has_occurred_at = given(Field::kOccurredAt);
    if (!result_.has_occurred_at) {
      result_.event.occurred_at = clock_->now();
      return {};
    }
    const std::size_t begin = value_of(Field::kOccurredAt);
    if (line_[begin] == '"') {
      auto time = parse_timestamp(value(Field::kOccurredAt));
      if (!time) return error_at(begin, ErrorCode::kInvalidArgument, "occurred_at: " + time.error().message());
      result_.event.occurred_at = *time;
      return {};
    }
    const char* const end = line_.data() + line_.size();
    const auto [rest, problem] = std::from_chars(line_.data() + begin, end, result_.event.occurred_at.nanos);
    if (problem != std::errc{} || *rest == '.' || *rest == 'e' || *rest == 'E') {
      return error_at(begin, ErrorCode::kInvalidArgument,
                      "occurred_at: must be an RFC 3339 time or integer nanoseconds since 1970 in 64 bits");
    }
    return {};
  }

  Status assemble_data() {
    NewEvent& event = result_.event;
    if (seen(Field::kData)) {
      event.data = data_;
    } else {
      event.data = "null";
    }
    if (!given(Field::kDataBase64)) return {};
    const std::size_t begin = value_of(Field::kDataBase64);
    if (seen(Field::kData))
      return error_at(begin, ErrorCode::kMalformedJson, "give either 'data' or 'data_base64', not both");
    if (!decode_base64(value(Field::kDataBase64), decoded_)) {
      return error_at(begin, ErrorCode::kInvalidArgument, "data_base64: not valid base64 with padding (RFC 4648)");
    }
    event.data = decoded_;
    return {};
  }

  const Clock* clock_;
  rapidjson::Reader reader_;
  EventLine result_;
  std::string_view line_;
  std::uint64_t line_number_ = 0;
  const ByteStream* stream_ = nullptr;
  std::optional<Failure> failure_;
  std::size_t depth_ = 0;
  Inside inside_ = Inside::kTop;
  Field field_ = Field::kStream;
  std::uint32_t seen_ = 0;  // a bit per field
  std::array<std::size_t, kFieldCount> keys_{};
  std::array<Piece, kFieldCount> values_{};
  std::vector<Piece> tags_;
  std::array<Piece, 2> target_{};  // type, id
  std::array<bool, 2> target_seen_{};
  std::size_t target_index_ = 0;
  bool data_open_ = false;
  std::string_view data_;
  std::string text_;     // strings, unescaped
  std::string decoded_;  // data_base64
};

EventLineReader::EventLineReader(const Clock& clock) : handler_(std::make_unique<Handler>(clock)) {}
EventLineReader::~EventLineReader() = default;

Result<const EventLine*> EventLineReader::parse(std::string_view line, std::uint64_t line_number) {
  return handler_->parse(line, line_number);
}

Error EventLineReader::locate(const Error& error) const {
  return handler_->locate(error);
}

}  // namespace bahi::cli
