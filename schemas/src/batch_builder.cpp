#include "bahi/schemas/batch_builder.hpp"

#include <array>
#include <cstring>
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

constexpr std::size_t kNameOverheadBytes = 16;   // offset, length, terminator, padding
constexpr std::size_t kEventOverheadBytes = 40;  // one entry in every column
constexpr std::size_t kBodyOverheadBytes = 512;  // root table, vector headers, padding

/// A NameTable that owns its bytes.
class Dictionary {
 public:
  std::uint16_t intern(std::string_view name, std::size_t& new_bytes) {
    bool inserted = false;
    const std::uint32_t number = table_.intern(name, inserted);
    if (inserted) {
      storage_.emplace_back(name);
      table_.rebind(number, storage_.back());
      new_bytes += name.size() + kNameOverheadBytes;
    }
    return static_cast<std::uint16_t>(number);
  }
  void clear() {
    table_.clear();
    storage_.clear();
  }
  [[nodiscard]] bool empty() const { return storage_.empty(); }
  [[nodiscard]] const std::deque<std::string>& names() const { return storage_; }

 private:
  NameTable table_;
  std::deque<std::string> storage_;  // stable addresses
};

std::array<std::string_view, 7> fields_of(const Metadata& metadata) {
  return {metadata.actor,  metadata.on_behalf_of, metadata.correlation_id, metadata.causation_id,
          metadata.reason, metadata.target_type,  metadata.target_id};
}

constexpr std::array<std::string_view, 7> kMetadataFieldNames{
    "actor", "on_behalf_of", "correlation_id", "causation_id", "reason", "target.type", "target.id"};

/// One string that is equal exactly when all fields are equal.
void metadata_key(const Metadata& metadata, std::string& key) {
  key.clear();
  for (const std::string_view field : fields_of(metadata)) {
    const auto size = static_cast<std::uint32_t>(field.size());
    key.append(reinterpret_cast<const char*>(&size), sizeof size);
    key.append(field);
  }
}

Status check_event(const NewEvent& event) {
  BAHI_TRY(check_stream_name(event.stream));
  BAHI_TRY(check_name("type", event.type));
  if (event.content_type != kJsonContentType) BAHI_TRY(check_name("content_type", event.content_type));
  if (event.data.size() > kEventDataBytesMax) {
    return Error{ErrorCode::kEventTooLarge, fmt::format("data: the event has {} bytes; at most {} are allowed",
                                                        event.data.size(), kEventDataBytesMax)};
  }
  if (event.tags.size() > kEventTagsMax) {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("tags: the event has {} tags; at most {} are allowed", event.tags.size(), kEventTagsMax)};
  }
  for (const std::string_view tag : event.tags) BAHI_TRY(check_name("tag", tag));
  const auto fields = fields_of(event.metadata);
  for (std::size_t i = 0; i < fields.size(); ++i) BAHI_TRY(check_metadata_text(kMetadataFieldNames[i], fields[i]));
  return {};
}

}  // namespace

struct BatchBuilder::State {
  BatchBuilderOptions options;
  Dictionary streams;
  Dictionary types;
  Dictionary tags;
  Dictionary content_types;
  Dictionary metadata_keys;
  std::vector<std::array<std::string, 7>> metadata;
  std::vector<std::uint16_t> stream_ref;
  std::vector<std::uint16_t> type_ref;
  std::vector<std::int64_t> occurred_at;
  std::vector<std::uint32_t> data_size;
  std::vector<char> data;
  std::vector<fb::EventId> ids;
  std::vector<std::uint16_t> content_type_ref;
  std::vector<std::uint16_t> metadata_ref;
  std::vector<std::uint8_t> tag_count;
  std::vector<std::uint16_t> tag_ref;
  bool has_ids = false;
  bool has_other_content = false;
  std::size_t name_bytes = 0;
  std::string scratch;
  flatbuffers::FlatBufferBuilder encoder{1U << 16U};

  [[nodiscard]] std::size_t raw_size_estimate() const {
    return kBodyOverheadBytes + name_bytes + data.size() + stream_ref.size() * kEventOverheadBytes + tag_ref.size() * 2;
  }

  flatbuffers::Offset<flatbuffers::Vector<flatbuffers::Offset<flatbuffers::String>>> encode_names(
      const Dictionary& dictionary) {
    std::vector<flatbuffers::Offset<flatbuffers::String>> offsets;
    offsets.reserve(dictionary.names().size());
    for (const std::string& name : dictionary.names()) offsets.push_back(encoder.CreateString(name));
    return encoder.CreateVector(offsets);
  }

  flatbuffers::Offset<flatbuffers::Vector<flatbuffers::Offset<fb::Metadata>>> encode_metadata() {
    std::vector<flatbuffers::Offset<fb::Metadata>> offsets;
    offsets.reserve(metadata.size());
    const auto text = [this](const std::string& field) {
      return field.empty() ? flatbuffers::Offset<flatbuffers::String>{} : encoder.CreateSharedString(field);
    };
    for (const auto& fields : metadata) {
      const auto actor = text(fields[0]);
      const auto on_behalf_of = text(fields[1]);
      const auto correlation_id = text(fields[2]);
      const auto causation_id = text(fields[3]);
      const auto reason = text(fields[4]);
      const auto target_type = text(fields[5]);
      const auto target_id = text(fields[6]);
      offsets.push_back(fb::CreateMetadata(encoder, actor, on_behalf_of, correlation_id, causation_id, reason,
                                           target_type, target_id));
    }
    return encoder.CreateVector(offsets);
  }

  std::string_view encode() {
    encoder.Clear();
    const auto stream_names = encode_names(streams);
    const auto type_names = encode_names(types);
    const auto tag_names = tags.empty() ? 0 : encode_names(tags);
    const auto content_type_names = has_other_content ? encode_names(content_types) : 0;
    const auto metadata_tables = metadata.empty() ? 0 : encode_metadata();
    const auto data_bytes = encoder.CreateVector(reinterpret_cast<const std::uint8_t*>(data.data()), data.size());
    const auto stream_refs = encoder.CreateVector(stream_ref);
    const auto type_refs = encoder.CreateVector(type_ref);
    const auto times = encoder.CreateVector(occurred_at);
    const auto sizes = encoder.CreateVector(data_size);
    const auto id_values = has_ids ? encoder.CreateVectorOfStructs(ids) : 0;
    const auto content_refs = has_other_content ? encoder.CreateVector(content_type_ref) : 0;
    const auto metadata_refs = metadata.empty() ? 0 : encoder.CreateVector(metadata_ref);
    const auto tag_counts = tags.empty() ? 0 : encoder.CreateVector(tag_count);
    const auto tag_refs = tags.empty() ? 0 : encoder.CreateVector(tag_ref);
    encoder.Finish(fb::CreateBatchBody(encoder, stream_names, type_names, tag_names, content_type_names,
                                       metadata_tables, stream_refs, type_refs, times, sizes, data_bytes, id_values,
                                       has_ids ? nullptr : ids.data(), content_refs, metadata_refs, tag_counts, tag_refs));
    return {reinterpret_cast<const char*>(encoder.GetBufferPointer()), encoder.GetSize()};
  }

  /// Gives ids to the events without one: counting up from a random base.
  void assign_ids() {
    const Uuid base = random_uuid();
    for (std::size_t i = 0; i < stream_ref.size(); ++i) {
      if (!has_ids || (ids[i].high() == 0 && ids[i].low() == 0)) ids[i] = fb::EventId(base.high, base.low + i);
      if (!has_ids) return;  // first_id is enough
    }
  }
};

BatchBuilder::BatchBuilder(BatchBuilderOptions options) : state_(std::make_unique<State>()) {
  state_->options = options;
}
BatchBuilder::~BatchBuilder() = default;
BatchBuilder::BatchBuilder(BatchBuilder&&) noexcept = default;
BatchBuilder& BatchBuilder::operator=(BatchBuilder&&) noexcept = default;

std::size_t BatchBuilder::event_count() const noexcept { return state_->stream_ref.size(); }
std::size_t BatchBuilder::raw_size_estimate() const noexcept { return state_->raw_size_estimate(); }

Status BatchBuilder::add(const NewEvent& event) {
  State& state = *state_;
  BAHI_TRY(check_event(event));
  if (event.id && event.id->is_nil()) {
    return Error{ErrorCode::kInvalidArgument, "id: the nil identifier is not allowed; leave it out to have one given"};
  }
  std::size_t upper = event.data.size() + event.stream.size() + event.type.size() + event.content_type.size() +
                      kEventOverheadBytes + 4 * kNameOverheadBytes;
  for (const std::string_view tag : event.tags) upper += tag.size() + kNameOverheadBytes;
  for (const std::string_view field : fields_of(event.metadata)) upper += field.size() + kNameOverheadBytes;
  if (state.stream_ref.size() == kBatchEventsMax || state.tags.names().size() + event.tags.size() > kBatchEventsMax ||
      state.raw_size_estimate() + upper > kBatchRawBytesMax) {
    return Error{ErrorCode::kBatchTooLarge,
                 fmt::format("batch: it holds {} events and {} bytes; this event would exceed {} events, {} distinct "
                             "tags or {} bytes",
                             state.stream_ref.size(), state.raw_size_estimate(), kBatchEventsMax, kBatchEventsMax,
                             kBatchRawBytesMax)};
  }
  state.stream_ref.push_back(state.streams.intern(event.stream, state.name_bytes));
  state.type_ref.push_back(state.types.intern(event.type, state.name_bytes));
  state.content_type_ref.push_back(state.content_types.intern(event.content_type, state.name_bytes));
  state.has_other_content = state.has_other_content || event.content_type != kJsonContentType;
  state.occurred_at.push_back(event.occurred_at.nanos);
  state.data_size.push_back(static_cast<std::uint32_t>(event.data.size()));
  state.data.insert(state.data.end(), event.data.begin(), event.data.end());
  const Uuid id = event.id.value_or(Uuid{});
  state.ids.emplace_back(id.high, id.low);
  state.has_ids = state.has_ids || event.id.has_value();
  state.tag_count.push_back(static_cast<std::uint8_t>(event.tags.size()));
  for (const std::string_view tag : event.tags) state.tag_ref.push_back(state.tags.intern(tag, state.name_bytes));
  std::uint16_t metadata_ref = 0;
  if (event.metadata != Metadata{}) {
    metadata_key(event.metadata, state.scratch);
    metadata_ref = static_cast<std::uint16_t>(state.metadata_keys.intern(state.scratch, state.name_bytes) + 1);
    if (metadata_ref > state.metadata.size()) {
      const auto fields = fields_of(event.metadata);
      auto& stored = state.metadata.emplace_back();
      for (std::size_t i = 0; i < fields.size(); ++i) stored[i] = fields[i];
      state.name_bytes += 7 * kNameOverheadBytes;
    }
  }
  state.metadata_ref.push_back(metadata_ref);
  return {};
}

Result<EncodedBody> BatchBuilder::finish() {
  State& state = *state_;
  if (state.stream_ref.empty()) return Error{ErrorCode::kInvalidArgument, "batch: it holds no event"};
  state.assign_ids();
  const std::string_view raw = state.encode();
  EncodedBody encoded;
  encoded.raw_size = static_cast<std::uint32_t>(raw.size());
  encoded.event_count = static_cast<std::uint32_t>(state.stream_ref.size());
  encoded.codec = compress(state.options.codec, state.options.zstd_level, raw, encoded.bytes);
  clear();
  return encoded;
}

void BatchBuilder::clear() {
  State& state = *state_;
  for (Dictionary* dictionary :
       {&state.streams, &state.types, &state.tags, &state.content_types, &state.metadata_keys}) {
    dictionary->clear();
  }
  state.metadata.clear();
  state.stream_ref.clear();
  state.type_ref.clear();
  state.occurred_at.clear();
  state.data_size.clear();
  state.data.clear();
  state.ids.clear();
  state.content_type_ref.clear();
  state.metadata_ref.clear();
  state.tag_count.clear();
  state.tag_ref.clear();
  state.has_ids = false;
  state.has_other_content = false;
  state.name_bytes = 0;
}

}  // namespace bahi
