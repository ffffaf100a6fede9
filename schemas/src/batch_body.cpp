#include "bahi/schemas/batch_body.hpp"

#include <algorithm>
#include <cstring>
#include <optional>
#include <vector>

#include <flatbuffers/flatbuffers.h>
#include <fmt/format.h>

#include "batch_body_generated.h"
#include "bahi/base/text.hpp"
#include "bahi/schemas/limits.hpp"
#include "bahi/schemas/name_table.hpp"
#include "bahi/schemas/names.hpp"

namespace bahi {
namespace {

namespace fb = schemas::fb;

constexpr flatbuffers::uoffset_t kDepthMax = 4;

/// A body is one table plus the Metadata tables. Each of these needs an event that uses it (18
/// bytes of columns) and 8 bytes of its own, so more tables than this are the same ones named
/// again and again, to make the verifier work for nothing.
constexpr flatbuffers::uoffset_t tables_max(std::size_t raw_bytes) {
  return static_cast<flatbuffers::uoffset_t>(std::min(raw_bytes / 26, kBatchEventsMax) + 1);
}

Error malformed(std::string what) { return {ErrorCode::kMalformedBatch, "body: " + std::move(what)}; }

template <class Vector>
std::uint32_t size_of(const Vector* vector) noexcept {
  return vector == nullptr ? 0 : vector->size();
}

std::string_view view(const flatbuffers::String* text) noexcept {
  return text == nullptr ? std::string_view{} : std::string_view(text->data(), text->size());
}

bool is_aligned(const std::uint8_t* place, std::size_t alignment) noexcept {
  return reinterpret_cast<std::uintptr_t>(place) % alignment == 0;
}

/// True when every entry of `refs` is below `limit`.
bool all_below(const flatbuffers::Vector<std::uint16_t>* refs, std::uint32_t limit) noexcept {
  if (refs == nullptr || refs->size() == 0) return true;
  const std::uint16_t* first = refs->data();
  std::uint16_t largest = 0;
  for (std::uint32_t i = 0; i < refs->size(); ++i) largest = std::max(largest, first[i]);
  return largest < limit;
}

/// Checks the texts of metadata tables, each text once however many tables share it. Valid
/// texts cannot overlap, because a length prefix holds a zero byte and a text does not, so
/// the work is bounded by the size of the body.
class MetadataChecker {
 public:
  explicit MetadataChecker(std::string_view raw) : raw_(raw), checked_((raw.size() + 3) / 4, false) {}

  Status check(const fb::Metadata& metadata) {
    BAHI_TRY(check("actor", metadata.actor()));
    BAHI_TRY(check("on_behalf_of", metadata.on_behalf_of()));
    BAHI_TRY(check("correlation_id", metadata.correlation_id()));
    BAHI_TRY(check("causation_id", metadata.causation_id()));
    BAHI_TRY(check("reason", metadata.reason()));
    BAHI_TRY(check("target.type", metadata.target_type()));
    return check("target.id", metadata.target_id());
  }

 private:
  Status check(std::string_view field, const flatbuffers::String* text) {
    if (text == nullptr) return {};
    // The verifier has made sure that texts begin at multiples of four.
    const auto place = static_cast<std::size_t>(reinterpret_cast<const char*>(text) - raw_.data()) / 4;
    if (checked_[place]) return {};
    checked_[place] = true;
    return check_metadata_text(field, view(text));
  }

  std::string_view raw_;
  std::vector<bool> checked_;
};

Status check_distinct(std::string_view field, const flatbuffers::Vector<flatbuffers::Offset<flatbuffers::String>>* names,
                      Status (*check)(std::string_view)) {
  if (names == nullptr) return {};
  NameTable table;
  table.reserve(names->size());
  for (const flatbuffers::String* text : *names) {
    BAHI_TRY(check(view(text)));
    bool inserted = false;
    table.intern(view(text), inserted);
    if (!inserted) return malformed(fmt::format("{} names '{}' twice", field, view(text)));
  }
  return {};
}

/// Every one of the `size` entries of a dictionary must be used; `first_ref` refers to the first.
/// Checked before the entries are looked at: it bounds what the rest costs by the columns' size.
Status check_used(std::string_view field, const flatbuffers::Vector<std::uint16_t>* refs, std::uint32_t size,
                  std::uint16_t first_ref = 0) {
  if (size > size_of(refs)) return malformed(fmt::format("{} holds more entries than events use", field));
  std::vector<bool> used(size, false);
  std::uint32_t missing = size;
  for (std::uint32_t i = 0; i < size_of(refs); ++i) {
    if (refs->data()[i] < first_ref) continue;
    const std::uint32_t entry = refs->data()[i] - first_ref;
    if (!used[entry]) {
      used[entry] = true;
      --missing;
    }
  }
  if (missing != 0) return malformed(fmt::format("{} holds {} entries that no event uses", field, missing));
  return {};
}

}  // namespace

Result<BatchBody> BatchBody::parse_structure(std::string_view raw) {
  if (raw.size() > kBatchRawBytesMax) {
    return Error{ErrorCode::kBatchTooLarge, fmt::format("body: {} bytes uncompressed; at most {} are allowed; split it",
                                                        raw.size(), kBatchRawBytesMax)};
  }
  if (reinterpret_cast<std::uintptr_t>(raw.data()) % 8 != 0) return malformed("its bytes are not aligned");
  flatbuffers::Verifier verifier(reinterpret_cast<const std::uint8_t*>(raw.data()), raw.size(), kDepthMax,
                                 tables_max(raw.size()));
  if (!fb::VerifyBatchBodyBuffer(verifier)) return malformed("not a valid FlatBuffer of BatchBody");
  BatchBody body;
  body.body_ = fb::GetBatchBody(raw.data());
  body.event_count_ = body.body_->stream_ref()->size();
  BAHI_TRY(body.check_references());
  return body;
}

Result<BatchBody> BatchBody::parse(std::string_view raw) {
  BAHI_ASSIGN(BatchBody body, parse_structure(raw));
  BAHI_TRY(body.check_names(raw));
  return body;
}

Result<BatchBody> BatchBody::parse_trusted(std::string_view raw) { return parse_structure(raw); }

Status BatchBody::check_references() const {
  const std::uint32_t count = event_count_;
  if (count == 0) return malformed("it holds no event");
  if (count > kBatchEventsMax) {
    return Error{ErrorCode::kBatchTooLarge,
                 fmt::format("body: {} events; at most {} are allowed; split it", count, kBatchEventsMax)};
  }
  const auto wrong_length = [count](std::string_view column, const auto* values) {
    return values != nullptr && values->size() != count
               ? std::optional<Error>(malformed(fmt::format("column {} does not have one entry per event", column)))
               : std::nullopt;
  };
  if (auto error = wrong_length("type_ref", body_->type_ref())) return *error;
  if (auto error = wrong_length("occurred_at", body_->occurred_at())) return *error;
  if (auto error = wrong_length("data_size", body_->data_size())) return *error;
  if (auto error = wrong_length("ids", body_->ids())) return *error;
  if (auto error = wrong_length("content_type_ref", body_->content_type_ref())) return *error;
  if (auto error = wrong_length("metadata_ref", body_->metadata_ref())) return *error;
  if (auto error = wrong_length("tag_count", body_->tag_count())) return *error;
  // The verifier aligns a vector's length, not its elements.
  if (!is_aligned(body_->occurred_at()->Data(), alignof(std::int64_t)) ||
      (body_->ids() != nullptr && !is_aligned(body_->ids()->Data(), alignof(fb::EventId)))) {
    return malformed("a column is not aligned");
  }
  if (body_->ids() == nullptr && body_->first_id() == nullptr) return malformed("neither ids nor first_id is given");
  if (!all_below(body_->stream_ref(), size_of(body_->streams())) || !all_below(body_->type_ref(), size_of(body_->types())) ||
      !all_below(body_->content_type_ref(), size_of(body_->content_types())) ||
      !all_below(body_->metadata_ref(), size_of(body_->metadata()) + 1) ||
      !all_below(body_->tag_ref(), size_of(body_->tags()))) {
    return malformed("an event refers past the end of a dictionary");
  }
  std::uint64_t data_bytes = 0;
  std::uint32_t largest = 0;
  const std::uint32_t* sizes = body_->data_size()->data();
  for (std::uint32_t i = 0; i < count; ++i) {
    data_bytes += sizes[i];
    largest = std::max(largest, sizes[i]);
  }
  if (largest > kEventDataBytesMax) {
    return Error{ErrorCode::kEventTooLarge,
                 fmt::format("data: an event has {} bytes; at most {} are allowed", largest, kEventDataBytesMax)};
  }
  if (data_bytes != body_->data()->size()) return malformed("data_size does not add up to the size of data");
  std::uint64_t tags = 0;
  for (std::uint32_t i = 0; i < size_of(body_->tag_count()); ++i) tags += body_->tag_count()->data()[i];
  if (tags != size_of(body_->tag_ref())) return malformed("tag_count does not add up to the size of tag_ref");
  return {};
}

Status BatchBody::check_names(std::string_view raw) const {
  BAHI_TRY(check_used("streams", body_->stream_ref(), size_of(body_->streams())));
  BAHI_TRY(check_used("types", body_->type_ref(), size_of(body_->types())));
  BAHI_TRY(check_used("tags", body_->tag_ref(), size_of(body_->tags())));
  BAHI_TRY(check_used("content_types", body_->content_type_ref(), size_of(body_->content_types())));
  BAHI_TRY(check_used("metadata", body_->metadata_ref(), size_of(body_->metadata()), 1));
  BAHI_TRY(check_distinct("streams", body_->streams(), check_stream_name));
  BAHI_TRY(check_distinct("types", body_->types(), [](std::string_view name) { return check_name("type", name); }));
  BAHI_TRY(check_distinct("tags", body_->tags(), [](std::string_view name) { return check_name("tag", name); }));
  BAHI_TRY(check_distinct("content_types", body_->content_types(),
                          [](std::string_view name) { return check_name("content_type", name); }));
  if (body_->metadata() != nullptr) {
    MetadataChecker checker(raw);
    for (const fb::Metadata* metadata : *body_->metadata()) BAHI_TRY(checker.check(*metadata));
  }
  for (std::uint32_t i = 0; i < size_of(body_->tag_count()); ++i) {
    if (body_->tag_count()->data()[i] > kEventTagsMax) {
      return Error{ErrorCode::kInvalidArgument,
                   fmt::format("tags: an event has {} tags; at most {} are allowed",
                               body_->tag_count()->data()[i], kEventTagsMax)};
    }
  }
  return {};
}

std::uint32_t BatchBody::stream_count() const noexcept { return body_->streams()->size(); }
std::uint32_t BatchBody::type_count() const noexcept { return body_->types()->size(); }
std::uint32_t BatchBody::tag_count() const noexcept { return size_of(body_->tags()); }
std::string_view BatchBody::stream_name(std::uint32_t ref) const noexcept { return view(body_->streams()->Get(ref)); }
std::string_view BatchBody::type_name(std::uint32_t ref) const noexcept { return view(body_->types()->Get(ref)); }
std::string_view BatchBody::tag_name(std::uint32_t ref) const noexcept { return view(body_->tags()->Get(ref)); }
std::uint32_t BatchBody::stream_ref(std::uint32_t index) const noexcept { return body_->stream_ref()->data()[index]; }
std::uint32_t BatchBody::type_ref(std::uint32_t index) const noexcept { return body_->type_ref()->data()[index]; }
std::uint32_t BatchBody::earlier_in_stream(std::uint32_t index) const noexcept {
  const std::uint16_t* refs = body_->stream_ref()->data();
  return static_cast<std::uint32_t>(std::count(refs, refs + index, refs[index]));
}
std::uint32_t BatchBody::next_in_stream(std::uint32_t stream_ref, std::uint32_t index) const noexcept {
  const std::uint16_t* refs = body_->stream_ref()->data();
  return static_cast<std::uint32_t>(
      std::find(refs + index, refs + event_count_, static_cast<std::uint16_t>(stream_ref)) - refs);
}
std::uint32_t BatchBody::event_tag_count(std::uint32_t index) const noexcept {
  return body_->tag_count() == nullptr ? 0 : body_->tag_count()->data()[index];
}
std::uint32_t BatchBody::tag_ref(std::uint32_t tag_place) const noexcept { return body_->tag_ref()->data()[tag_place]; }

void BatchBody::advance(EventPlace& place) const noexcept {
  place.data_begin += body_->data_size()->data()[place.index];
  place.tag_begin += event_tag_count(place.index);
  ++place.index;
}

EventPlace BatchBody::place_of(std::uint32_t index) const noexcept {
  EventPlace place;
  const std::uint32_t* sizes = body_->data_size()->data();
  for (std::uint32_t i = 0; i < index; ++i) place.data_begin += sizes[i];
  if (body_->tag_count() != nullptr) {
    const std::uint8_t* counts = body_->tag_count()->data();
    for (std::uint32_t i = 0; i < index; ++i) place.tag_begin += counts[i];
  }
  place.index = index;
  return place;
}

void BatchBody::read(const EventPlace& place, EventView& event) const {
  const std::uint32_t i = place.index;
  if (const auto* ids = body_->ids()) {
    event.id = {ids->Get(i)->high(), ids->Get(i)->low()};
  } else {
    event.id = {body_->first_id()->high(), body_->first_id()->low() + i};
  }
  event.occurred_at = {body_->occurred_at()->data()[i]};
  event.stream = stream_name(stream_ref(i));
  event.type = type_name(type_ref(i));
  event.content_type = body_->content_type_ref() == nullptr
                           ? kJsonContentType
                           : view(body_->content_types()->Get(body_->content_type_ref()->data()[i]));
  event.data = {reinterpret_cast<const char*>(body_->data()->data()) + place.data_begin, body_->data_size()->data()[i]};
  event.tags.clear();
  for (std::uint32_t k = 0; k < event_tag_count(i); ++k) event.tags.push_back(tag_name(tag_ref(place.tag_begin + k)));
  event.metadata = {};
  const std::uint32_t metadata_ref = body_->metadata_ref() == nullptr ? 0 : body_->metadata_ref()->data()[i];
  if (metadata_ref == 0) return;
  const fb::Metadata* metadata = body_->metadata()->Get(metadata_ref - 1);
  event.metadata = {view(metadata->actor()),          view(metadata->on_behalf_of()),
                    view(metadata->correlation_id()), view(metadata->causation_id()),
                    view(metadata->reason()),         view(metadata->target_type()),
                    view(metadata->target_id())};
}

}  // namespace bahi
