#include "audit_fixture.hpp"

#include <future>
#include <thread>

#include <fmt/format.h>
#include <catch2/catch.hpp>

#include "bahi/schemas/batch_builder.hpp"

namespace bahi::projections::test_audit {
namespace {

constexpr const char* kName = "audit";

std::unique_ptr<Engine> engine_with(const Clock& clock, bool check_events) {
  EngineOptions options = test::small_options();
  options.clock = &clock;
  options.check_events = check_events;
  return test::memory_engine(std::make_shared<MemoryLog>(), options);
}

}  // namespace

AppendRequest request_of(TenantId tenant, const std::vector<Act>& acts) {
  BatchBuilder builder({Codec::kLz4, 1});
  for (const Act& act : acts) {
    NewEvent event;
    event.stream = act.stream;
    event.type = act.type;
    event.data = act.data;
    event.content_type = act.content_type;
    event.occurred_at = act.occurred_at;
    event.metadata = {act.actor,  act.on_behalf_of, act.correlation, act.causation,
                      act.reason, act.target_type,  act.target_id};
    REQUIRE(builder.add(event));
  }
  AppendRequest request;
  request.tenant = tenant;
  request.body = builder.finish().value();
  return request;
}

Trail::Trail(bool check_events, const ProjectionsOptions& with)
    : options(with), engine(engine_with(clock, check_events)), tenant(*engine->create_tenant("shop")) {
  restart();
  REQUIRE(projections->start(tenant, kName, "admin"));
}

void Trail::write(const std::vector<Act>& acts) const {
  REQUIRE(engine->append(request_of(tenant, acts)));
}

void Trail::restart() {
  projections.reset();
  auto opened = Projections::open(directory.path() / "views", *engine, options);
  REQUIRE(opened);
  projections = std::move(*opened);
}

void Trail::rebuild() const {
  REQUIRE(projections->rebuild(tenant, kName, "admin"));
  const auto under_way = [this] {
    for (const ProjectionStatus& each : projections->list(tenant)) {
      if (each.rebuilt_to) return true;
    }
    return false;
  };
  while (under_way()) std::this_thread::sleep_for(std::chrono::milliseconds(2));
}

void Trail::settle() const {
  std::promise<void> done;
  const auto cancel =
      projections->notify_at(tenant, kName, engine->durable_offset(tenant), [&done] { done.set_value(); });
  done.get_future().wait();
}

Json Trail::ask(const std::string& query, const std::string& arguments) const {
  settle();
  const auto answer = projections->query({tenant, kName, query, "{" + arguments + "}", engine->durable_offset(tenant)});
  INFO(query << " " << arguments);
  REQUIRE(answer);
  Json json;
  json.Parse(answer->json.c_str());
  REQUIRE_FALSE(json.HasParseError());
  return json;
}

Error Trail::failure(const std::string& query, const std::string& arguments) const {
  settle();
  const auto answer = projections->query({tenant, kName, query, "{" + arguments + "}", {}});
  INFO(query << " " << arguments);
  REQUIRE_FALSE(answer);
  return answer.error();
}

Hash128 Trail::fingerprint() const {
  const auto hash = projections->fingerprint(tenant, kName);
  REQUIRE(hash);
  return *hash;
}

std::string offsets_of(const Json& answer) {
  std::string text;
  for (const auto& record : answer["records"].GetArray()) {
    text += fmt::format("{}{}", text.empty() ? "" : " ", record["offset"].GetUint64());
  }
  return text;
}

std::vector<std::uint64_t> all_offsets(const Trail& trail, const std::string& query, const std::string& arguments,
                                       std::size_t limit) {
  std::vector<std::uint64_t> offsets;
  std::string cursor;
  for (;;) {
    const std::string separator = arguments.empty() ? "" : ",";
    const Json answer = trail.ask(query, fmt::format(R"({}{}"limit":{}{})", arguments, separator, limit, cursor));
    for (const auto& record : answer["records"].GetArray()) offsets.push_back(record["offset"].GetUint64());
    if (!answer.HasMember("next")) return offsets;
    cursor = fmt::format(R"(,"cursor":"{}")", answer["next"].GetString());
  }
}

std::string text_of(const rapidjson::Value& object, const char* name) {
  return object.HasMember(name) ? object[name].GetString() : std::string();
}

std::string line_of(const rapidjson::Value& record) {
  std::string line =
      fmt::format("{} {} {} {}/{} [{}] ({}) #{}", record["offset"].GetUint64(), text_of(record, "actor"),
                  text_of(record, "action"), text_of(record, "target_type"), text_of(record, "target_id"),
                  text_of(record, "outcome"), text_of(record, "reason"), text_of(record, "correlation_id"));
  if (record.HasMember("redacted_by")) line += fmt::format(" redacted by {}", record["redacted_by"].GetUint64());
  if (!record.HasMember("changes")) return line;
  for (const auto& change : record["changes"].GetArray()) {
    const auto value = [&](const char* name) {
      return change.HasMember(name) ? fmt::format("'{}'", change[name].GetString()) : std::string("null");
    };
    line += fmt::format(" {}:", text_of(change, "field"));
    line += change.HasMember("redacted") ? std::string("redacted") : value("old") + "->" + value("new");
    if (change.HasMember("old_unknown")) line += "?";
  }
  return line;
}

}  // namespace bahi::projections::test_audit
