#include "bahi/proofs/canonical_event.hpp"

#include <array>

#include <fmt/format.h>

#include "bahi/schemas/bytes.hpp"
#include "bahi/schemas/limits.hpp"

namespace bahi::proofs {
namespace {

constexpr char kForm = 1;
constexpr std::size_t kFixedBytes = 49;

void put_text(std::string_view text, std::string& out) {
  bytes::put_be32(out, static_cast<std::uint32_t>(text.size()));
  out.append(text);
}

bool take_number(std::string_view& in, std::uint32_t& value) {
  if (in.size() < 4) return false;
  value = bytes::get_be32(in.data());
  in.remove_prefix(4);
  return true;
}

bool take_text(std::string_view& in, std::string_view& text) {
  std::uint32_t size = 0;
  if (!take_number(in, size) || size > in.size()) return false;
  text = in.substr(0, size);
  in.remove_prefix(size);
  return true;
}

}  // namespace

void append_canonical_event(const EventView& event, std::string& out) {
  out.push_back(kForm);
  bytes::put_be64(out, event.offset.value);
  bytes::put_be64(out, static_cast<std::uint64_t>(event.version.value));
  bytes::put_be64(out, event.id.high);
  bytes::put_be64(out, event.id.low);
  bytes::put_be64(out, static_cast<std::uint64_t>(event.occurred_at.nanos));
  bytes::put_be64(out, static_cast<std::uint64_t>(event.recorded_at.nanos));
  const Metadata& metadata = event.metadata;
  for (const std::string_view text :
       {event.stream, event.type, event.content_type, event.data, metadata.actor, metadata.on_behalf_of,
        metadata.correlation_id, metadata.causation_id, metadata.reason, metadata.target_type, metadata.target_id}) {
    put_text(text, out);
  }
  bytes::put_be32(out, static_cast<std::uint32_t>(event.tags.size()));
  for (const std::string_view tag : event.tags) put_text(tag, out);
}

Status parse_canonical_event(std::string_view bytes, EventView& event) {
  const auto wrong = [](std::string_view what) {
    return Error{ErrorCode::kMalformedBundle, fmt::format("canonical event: {}", what)};
  };
  if (bytes.size() < kFixedBytes) return wrong("it ends too early");
  if (bytes.front() != kForm) return wrong(fmt::format("form {} is not known", static_cast<int>(bytes.front())));
  const char* const fixed = bytes.data() + 1;
  event.offset = {bytes::get_be64(fixed)};
  event.version = {static_cast<std::int64_t>(bytes::get_be64(fixed + 8))};
  event.id = {bytes::get_be64(fixed + 16), bytes::get_be64(fixed + 24)};
  event.occurred_at = {static_cast<std::int64_t>(bytes::get_be64(fixed + 32))};
  event.recorded_at = {static_cast<std::int64_t>(bytes::get_be64(fixed + 40))};
  std::string_view rest = bytes.substr(kFixedBytes);
  Metadata& metadata = event.metadata;
  for (std::string_view* const text : {&event.stream, &event.type, &event.content_type, &event.data, &metadata.actor,
                                       &metadata.on_behalf_of, &metadata.correlation_id, &metadata.causation_id,
                                       &metadata.reason, &metadata.target_type, &metadata.target_id}) {
    if (!take_text(rest, *text)) return wrong("a text ends too early");
  }
  std::uint32_t tags = 0;
  if (!take_number(rest, tags) || tags > kEventTagsMax) return wrong("the number of tags is wrong");
  event.tags.resize(tags);
  for (std::string_view& tag : event.tags) {
    if (!take_text(rest, tag)) return wrong("a tag ends too early");
  }
  if (!rest.empty()) return wrong("bytes follow its end");
  return {};
}

}  // namespace bahi::proofs
