// What reading one event after the other keeps, so that it allocates nothing.
#pragma once

#include <array>
#include <string>
#include <vector>

#include <flatbuffers/flatbuffers.h>
#include <rapidjson/document.h>

#include "bahi/schemas/domain_event.hpp"

namespace bahi {

using JsonAllocator = rapidjson::MemoryPoolAllocator<>;
using JsonDocument = rapidjson::GenericDocument<rapidjson::UTF8<>, JsonAllocator, JsonAllocator>;
using JsonValue = JsonDocument::ValueType;

struct DomainData::Scratch {
  std::vector<std::uint64_t> aligned;
  flatbuffers::FlatBufferBuilder builder;
  std::string text;  // parsed in place
  std::array<char, std::size_t{16} << 10U> values{};
  std::array<char, std::size_t{4} << 10U> stack{};
};

}  // namespace bahi
