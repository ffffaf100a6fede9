#include "bahi/cli/trace_reader.hpp"

#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

namespace bahi::cli {
namespace {

std::string text_of(const rapidjson::Value& value) {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  value.Accept(writer);
  return {buffer.GetString(), buffer.GetSize()};
}

}  // namespace

Status TraceReader::begin() {
  return fetch();
}

Status TraceReader::fetch() {
  BAHI_ASSIGN(const wire::QueryAnswer answer, client_.query(query_));
  rapidjson::Document page;
  page.Parse(answer.json.data(), answer.json.size());
  const bool is_trace =
      !page.HasParseError() && page.IsObject() && page.HasMember("before") && page.HasMember("changes");
  if (!is_trace) return Error{ErrorCode::kMalformedFrame, "the server does not know how answers changed; it is older"};
  if (is_first_) before_ = text_of(page["before"]);
  is_first_ = false;
  for (const auto& change : page["changes"].GetArray()) {
    changes_.push_back({Offset{change["offset"].GetUint64()}, text_of(change["after"])});
  }
  is_over_ = !page.HasMember("next");
  query_.at_time.reset();
  query_.at_offset = answer.offset;
  return {};
}

Result<bool> TraceReader::next(Change& change) {
  while (changes_.empty() && !is_over_) BAHI_TRY(fetch());
  if (changes_.empty()) return false;
  change = std::move(changes_.front());
  changes_.pop_front();
  return true;
}

}  // namespace bahi::cli
