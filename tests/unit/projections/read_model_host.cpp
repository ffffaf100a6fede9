#include "read_model_host.hpp"

#include <fmt/format.h>
#include <rapidjson/pointer.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>
#include <catch2/catch.hpp>

#include "bahi/base/text.hpp"
#include "bahi/schemas/batch_builder.hpp"

namespace bahi::test {

Json::Json(const std::string& text) {
  document_.Parse(text.c_str());
  INFO(text);
  REQUIRE_FALSE(document_.HasParseError());
}

const rapidjson::Value& Json::value(const std::string& pointer) const {
  const rapidjson::Value* found = rapidjson::Pointer(pointer.c_str()).Get(document_);
  INFO(pointer);
  REQUIRE(found != nullptr);
  return *found;
}
bool Json::has(const std::string& pointer) const {
  return rapidjson::Pointer(pointer.c_str()).Get(document_) != nullptr;
}
std::int64_t Json::number(const std::string& pointer) const {
  return value(pointer).GetInt64();
}
std::string Json::text(const std::string& pointer) const {
  return value(pointer).GetString();
}
bool Json::flag(const std::string& pointer) const {
  return value(pointer).GetBool();
}
std::size_t Json::size(const std::string& pointer) const {
  return value(pointer).Size();
}

Timestamp time_of(const std::string& time) {
  const auto parsed = parse_timestamp(time);
  REQUIRE(parsed);
  return *parsed;
}

Fact at(Fact fact, const std::string& time) {
  fact.occurred_at = time_of(time);
  return fact;
}

EncodedBody body_of(const std::vector<Fact>& facts) {
  BatchBuilder builder({Codec::kNone, 0});
  for (const Fact& fact : facts) {
    NewEvent event;
    event.stream = fact.stream;
    event.type = fact.type;
    event.data = fact.data;
    event.tags.assign(fact.tags.begin(), fact.tags.end());
    event.occurred_at = fact.occurred_at;
    const Status added = builder.add(event);
    REQUIRE(added);
  }
  auto body = builder.finish();
  REQUIRE(body);
  return std::move(*body);
}

void ReadModelHost::append(const std::vector<Fact>& facts) const {
  const auto stored = try_append(facts);
  REQUIRE(stored);
}

Json ReadModelHost::ask(const std::string& query, const std::string& arguments) const {
  const auto answer = try_ask(query, arguments);
  INFO(query << " " << arguments);
  REQUIRE(answer);
  return Json(answer->json);
}

Json ReadModelHost::run(const std::string& command, const std::string& arguments) const {
  const auto answer = try_run(command, arguments);
  INFO(command << " " << arguments);
  REQUIRE(answer);
  return Json(answer->json);
}

Error ReadModelHost::refusal(const std::string& command, const std::string& arguments) const {
  const Offset before = end();
  const auto answer = try_run(command, arguments);
  INFO(command << " " << arguments);
  REQUIRE_FALSE(answer);
  CHECK(end() == before);
  return answer.error();
}

std::vector<std::string> ReadModelHost::all_rows(const std::string& query, const std::string& arguments,
                                                 const std::string& list, int limit) const {
  std::vector<std::string> rows;
  std::string cursor;
  for (;;) {
    const std::string page =
        fmt::format(R"({}{}"limit":{}{}}})", arguments.substr(0, arguments.size() - 1), arguments == "{}" ? "" : ",",
                    limit, cursor.empty() ? "" : fmt::format(R"(,"cursor":"{}")", cursor));
    const Json answer = ask(query, page);
    for (const auto& row : answer.value("/" + list).GetArray()) {
      rapidjson::StringBuffer buffer;
      rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
      row.Accept(writer);
      rows.emplace_back(buffer.GetString(), buffer.GetSize());
    }
    if (!answer.has("/next")) return rows;
    cursor = answer.text("/next");
  }
}

}  // namespace bahi::test
