// A batch body spelled out column by column, so that a test can spoil any of them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <flatbuffers/flatbuffers.h>

#include "bahi/schemas/codec.hpp"
#include "batch_body_generated.h"
#include "sample_events.hpp"

namespace bahi::test {

/// Starts as a valid body of two events; `nullopt` leaves a column out.
struct BodyParts {
  std::optional<std::vector<std::string>> streams{{"order-1", "order-2"}};
  std::optional<std::vector<std::string>> types{{"Placed"}};
  std::optional<std::vector<std::string>> tags{{"a", "b"}};
  std::optional<std::vector<std::string>> content_types{{"text/plain"}};
  std::optional<std::vector<std::string>> actors{{"asha"}};  // one metadata table each
  std::optional<std::vector<std::uint16_t>> stream_ref{{0, 1}};
  std::optional<std::vector<std::uint16_t>> type_ref{{0, 0}};
  std::optional<std::vector<std::int64_t>> occurred_at{{1, 2}};
  std::optional<std::vector<std::uint32_t>> data_size{{2, 3}};
  std::optional<std::string> data{"{}abc"};
  std::optional<std::vector<schemas::fb::EventId>> ids;
  std::optional<schemas::fb::EventId> first_id{{1, 2}};
  std::optional<std::vector<std::uint16_t>> content_type_ref{{0, 0}};
  std::optional<std::vector<std::uint16_t>> metadata_ref{{1, 0}};
  std::optional<std::vector<std::uint8_t>> tag_count{{1, 2}};
  std::optional<std::vector<std::uint16_t>> tag_ref{{0, 0, 1}};

  [[nodiscard]] AlignedBytes encode() const {
    namespace fb = schemas::fb;
    flatbuffers::FlatBufferBuilder out;
    const auto names = [&out](const auto& list) {
      return list ? out.CreateVectorOfStrings(*list) : 0;
    };
    const auto column = [&out](const auto& values) { return values ? out.CreateVector(*values) : 0; };
    const auto stream_names = names(streams);
    const auto type_names = names(types);
    const auto tag_names = names(tags);
    const auto content_names = names(content_types);
    std::vector<flatbuffers::Offset<fb::Metadata>> tables;
    for (const std::string& actor : actors.value_or(std::vector<std::string>{})) {
      tables.push_back(fb::CreateMetadata(out, out.CreateString(actor)));
    }
    const auto metadata = actors ? out.CreateVector(tables) : 0;
    const auto stream_refs = column(stream_ref);
    const auto type_refs = column(type_ref);
    const auto times = column(occurred_at);
    const auto sizes = column(data_size);
    const auto data_bytes =
        data ? out.CreateVector(reinterpret_cast<const std::uint8_t*>(data->data()), data->size()) : 0;
    const auto id_column = ids ? out.CreateVectorOfStructs(*ids) : 0;
    const auto content_refs = column(content_type_ref);
    const auto metadata_refs = column(metadata_ref);
    const auto tag_counts = column(tag_count);
    const auto tag_refs = column(tag_ref);
    fb::BatchBodyBuilder body(out);
    body.add_streams(stream_names);
    body.add_types(type_names);
    body.add_tags(tag_names);
    body.add_content_types(content_names);
    body.add_metadata(metadata);
    body.add_stream_ref(stream_refs);
    body.add_type_ref(type_refs);
    body.add_occurred_at(times);
    body.add_data_size(sizes);
    body.add_data(data_bytes);
    body.add_ids(id_column);
    if (first_id) body.add_first_id(&*first_id);
    body.add_content_type_ref(content_refs);
    body.add_metadata_ref(metadata_refs);
    body.add_tag_count(tag_counts);
    body.add_tag_ref(tag_refs);
    // EndTable, because `Finish` of the generated builder asserts that required columns are there.
    out.Finish(flatbuffers::Offset<fb::BatchBody>(body.fbb_.EndTable(body.start_)));
    return aligned_copy({reinterpret_cast<const char*>(out.GetBufferPointer()), out.GetSize()});
  }
};

}  // namespace bahi::test
