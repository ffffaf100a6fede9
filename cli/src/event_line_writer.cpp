#include <array>
#include <cstring>

#include <fmt/format.h>

#include "bahi/base/base64.hpp"
#include "bahi/base/text.hpp"
#include "bahi/cli/event_line.hpp"

namespace bahi::cli {
namespace {

constexpr std::int64_t kNanosPerSecond = 1'000'000'000;
constexpr std::int64_t kRfc3339First = -9'214'560'000;  // 1678-01-01, seconds
constexpr std::int64_t kRfc3339End = 9'214'646'400;     // 2262-01-01, seconds

void append_uuid(const Uuid& id, std::string& out) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::array<char, 36> text;
  std::size_t at = 0;
  for (unsigned nibble = 0; nibble < 32; ++nibble) {
    if (nibble == 8 || nibble == 12 || nibble == 16 || nibble == 20) text[at++] = '-';
    const std::uint64_t half = nibble < 16 ? id.high : id.low;
    text[at++] = kHex[half >> (60U - 4U * (nibble % 16U)) & 0xFU];
  }
  out.append(text.data(), text.size());
}

void append_number(std::uint64_t number, std::string& out) {
  const fmt::format_int text(number);
  out.append(text.data(), text.size());
}

void append_member(std::string_view key, std::string_view value, std::string& out) {
  if (value.empty()) return;
  out += key;
  append_json_string(value, out);
}

void append_target(const Metadata& metadata, std::string& out) {
  if (metadata.target_type.empty() && metadata.target_id.empty()) return;
  out += R"(,"target":{)";
  append_member(R"("type":)", metadata.target_type, out);
  if (!metadata.target_type.empty() && !metadata.target_id.empty()) out += ',';
  append_member(R"("id":)", metadata.target_id, out);
  out += '}';
}

}  // namespace

void EventLineWriter::append_time(Timestamp time, TimeText& last, std::string& out) {
  if (last.text.empty() || last.time != time) {
    // Times outside the years that RFC 3339 text is read back for stay exact as integers.
    const std::int64_t seconds = time.nanos / kNanosPerSecond;
    const bool printable = seconds > kRfc3339First && seconds < kRfc3339End;
    last.text = printable ? '"' + format_timestamp(time) + '"' : std::to_string(time.nanos);
    last.time = time;
  }
  out += last.text;
}

void EventLineWriter::append_data(const EventView& event, std::string& out) {
  if (checker_.is_embeddable(event.data)) {
    out += R"(,"data":)";
    out += event.data;
    return;
  }
  out += R"(,"data_base64":")";
  append_base64(event.data, out);
  out += '"';
}

void EventLineWriter::append(const EventView& event, std::string& out) {
  out += R"({"offset":)";
  append_number(event.offset.value, out);
  out += R"(,"version":)";
  append_number(static_cast<std::uint64_t>(event.version.value), out);
  out += R"(,"recorded_at":)";
  append_time(event.recorded_at, recorded_, out);
  out += R"(,"stream":)";
  append_json_string(event.stream, out);
  out += R"(,"type":)";
  append_json_string(event.type, out);
  out += R"(,"id":")";
  append_uuid(event.id, out);
  out += R"(","occurred_at":)";
  append_time(event.occurred_at, occurred_, out);
  if (event.content_type != kJsonContentType) append_member(R"(,"content_type":)", event.content_type, out);
  append_data(event, out);
  if (!event.tags.empty()) {
    out += R"(,"tags":[)";
    for (const std::string_view tag : event.tags) {
      append_json_string(tag, out);
      out += ',';
    }
    out.back() = ']';
  }
  append_member(R"(,"actor":)", event.metadata.actor, out);
  append_member(R"(,"on_behalf_of":)", event.metadata.on_behalf_of, out);
  append_member(R"(,"correlation_id":)", event.metadata.correlation_id, out);
  append_member(R"(,"causation_id":)", event.metadata.causation_id, out);
  append_member(R"(,"reason":)", event.metadata.reason, out);
  append_target(event.metadata, out);
  out += "}\n";
}

}  // namespace bahi::cli
