#include "stock_fixture.hpp"

#include <algorithm>
#include <atomic>
#include <thread>

#include <fmt/format.h>
#include <rapidjson/pointer.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>
#include <catch2/catch.hpp>

#include "bahi/base/text.hpp"
#include "bahi/schemas/batch_builder.hpp"

namespace bahi::test {

using projections::CommandAnswer;
using projections::QueryAnswer;

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

namespace {

std::string lines_json(const std::vector<FactLine>& lines) {
  std::string json;
  for (const FactLine& line : lines) {
    json += fmt::format(R"({}{{"item":"{}","batch":"{}","quantity":{}}})", json.empty() ? "" : ",", line.item,
                        line.batch, line.quantity);
  }
  return "[" + json + "]";
}

std::vector<std::string> tags_of(const std::vector<FactLine>& lines, const std::string& other = {}) {
  std::vector<std::string> tags;
  for (const FactLine& line : lines) {
    const std::string tag = "stock:" + line.item;
    if (std::find(tags.begin(), tags.end(), tag) == tags.end()) tags.push_back(tag);
  }
  if (!other.empty()) tags.push_back(other);
  return tags;
}

}  // namespace

Fact item_defined(const std::string& item) {
  return {"stock.ItemDefined", fmt::format(R"({{"item":"{}","name":"{}"}})", item, item), {"stock:" + item}};
}

Fact batch_received(const FactLine& line, const std::string& location, std::int64_t cost_paise,
                    const std::string& expires_on, std::int64_t mrp_paise) {
  std::string data =
      fmt::format(R"({{"item":"{}","batch":"{}","location":"{}","quantity":{},"cost_paise":{},"mrp_paise":{})",
                  line.item, line.batch, location, line.quantity, cost_paise, mrp_paise);
  if (!expires_on.empty()) data += fmt::format(R"(,"expires_on":"{}")", expires_on);
  return {"stock.BatchReceived", data + "}", {"stock:" + line.item}};
}

Fact sold(const std::string& sale, const std::string& location, const std::vector<FactLine>& lines,
          const std::string& reservation) {
  std::string data = fmt::format(R"({{"sale":"{}","location":"{}","lines":{})", sale, location, lines_json(lines));
  if (!reservation.empty()) data += fmt::format(R"(,"reservation":"{}")", reservation);
  return {"stock.Sold", data + "}", tags_of(lines, "sale:" + sale)};
}

Fact returned(const std::string& sale, const std::string& location, const std::vector<FactLine>& lines) {
  return {"stock.Returned",
          fmt::format(R"({{"sale":"{}","location":"{}","lines":{}}})", sale, location, lines_json(lines)),
          tags_of(lines, "sale:" + sale)};
}

Fact reserved(const std::string& reservation, const std::string& location, const std::vector<FactLine>& lines) {
  return {"stock.Reserved",
          fmt::format(R"({{"reservation":"{}","location":"{}","lines":{}}})", reservation, location, lines_json(lines)),
          tags_of(lines, "reservation:" + reservation)};
}

Fact reservation_ended(const std::string& type, const std::string& reservation, const std::string& item) {
  return {type, fmt::format(R"({{"reservation":"{}"}})", reservation), {"stock:" + item, "reservation:" + reservation}};
}

Fact transferred(const std::string& from, const std::string& to, const std::vector<FactLine>& lines) {
  return {"stock.Transferred", fmt::format(R"({{"from":"{}","to":"{}","lines":{}}})", from, to, lines_json(lines)),
          tags_of(lines)};
}

Fact written_off(const std::string& location, const std::vector<FactLine>& lines) {
  return {"stock.WrittenOff",
          fmt::format(R"({{"location":"{}","lines":{},"reason":"broken"}})", location, lines_json(lines)),
          tags_of(lines)};
}

Fact counted(const FactLine& found, const std::string& location) {
  return {"stock.Counted",
          fmt::format(R"({{"item":"{}","batch":"{}","location":"{}","quantity":{},"reason":"stocktaking"}})",
                      found.item, found.batch, location, found.quantity),
          {"stock:" + found.item}};
}

Fact batch_fact(const std::string& type, const std::string& item, const std::string& batch) {
  return {type, fmt::format(R"({{"item":"{}","batch":"{}"}})", item, batch), {"stock:" + item}};
}

std::string sale_of(const std::string& sale, const std::string& item, std::int64_t quantity,
                    const std::string& location) {
  return fmt::format(R"({{"sale":"{}","location":"{}","lines":[{{"item":"{}","quantity":{}}}]}})", sale, location, item,
                     quantity);
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

StockFixture::StockFixture() {
  restart();
  REQUIRE(projections->start(tenant, "stock", "admin"));
}

void StockFixture::restart() {
  projections.reset();
  auto opened = projections::Projections::open(directory.path() / "views", *engine, {});
  REQUIRE(opened);
  projections = std::move(*opened);
}

void StockFixture::append(const std::vector<Fact>& facts) const {
  BatchBuilder builder({Codec::kNone, 0});
  for (const Fact& fact : facts) {
    NewEvent event;
    event.stream = "stock-raw";
    event.type = fact.type;
    event.data = fact.data;
    event.tags.assign(fact.tags.begin(), fact.tags.end());
    event.occurred_at = fact.occurred_at;
    const Status added = builder.add(event);
    REQUIRE(added);
  }
  AppendRequest request;
  request.tenant = tenant;
  request.body = builder.finish().value();
  REQUIRE(engine->append(std::move(request)));
}

void StockFixture::settle() const {
  std::atomic<bool> done{false};
  const auto cancel = projections->notify_at(tenant, "stock", engine->durable_offset(tenant), [&done] {
    done = true;
    done.notify_all();
  });
  done.wait(false);
}

Result<QueryAnswer> StockFixture::try_ask(const std::string& query, const std::string& arguments) const {
  settle();
  return projections->query({tenant, "stock", query, arguments, engine->durable_offset(tenant)});
}

Json StockFixture::ask(const std::string& query, const std::string& arguments) const {
  const auto answer = try_ask(query, arguments);
  INFO(query << " " << arguments);
  REQUIRE(answer);
  return Json(answer->json);
}

Result<CommandAnswer> StockFixture::try_run(const std::string& command, const std::string& arguments,
                                            std::optional<ProducerPosition> producer) const {
  std::promise<Result<CommandAnswer>> promise;
  auto answer = promise.get_future();
  projections->command({tenant, "stock", command, arguments, "asha", producer,
                        std::chrono::steady_clock::now() + std::chrono::minutes(2)},
                       [&promise](Result<CommandAnswer> result) { promise.set_value(std::move(result)); });
  return answer.get();
}

Json StockFixture::run(const std::string& command, const std::string& arguments) const {
  const auto answer = try_run(command, arguments);
  INFO(command << " " << arguments);
  REQUIRE(answer);
  return Json(answer->json);
}

Error StockFixture::refusal(const std::string& command, const std::string& arguments) const {
  const Offset before = engine->durable_offset(tenant);
  const auto answer = try_run(command, arguments);
  INFO(command << " " << arguments);
  REQUIRE_FALSE(answer);
  CHECK(engine->durable_offset(tenant) == before);
  return answer.error();
}

std::vector<std::string> StockFixture::all_rows(const std::string& query, const std::string& arguments,
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
