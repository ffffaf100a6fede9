// The administrators: what they say was before, was.
#include <catch2/catch.hpp>

#include <map>
#include <vector>

#include <fmt/format.h>

#include "bahi/base/text.hpp"
#include "folded_history.hpp"

namespace bahi::test {
namespace {

using workload::Kind;

TEST_CASE("workload: audit: each change begins where the last one ended, and a case is one chain",
          "[workload][audit]") {
  const auto history = workload::make_history(small_history(Kind::kAudit));
  std::map<std::string, std::string> values;   // of target and field; a role begins as viewer, a lock open
  std::map<std::string, std::string> last_of;  // event by correlation
  std::map<std::string, int> actions;
  int changes = 0;
  int chained = 0;
  NewEvent event;
  for (int i = 0; i < 20'000; ++i) {
    history->next(event);
    INFO(i << ": " << event.type << ' ' << event.data);
    CHECK_FALSE(event.metadata.actor.empty());
    const std::string correlation(event.metadata.correlation_id);
    CHECK(std::string(event.metadata.causation_id) == last_of[correlation]);
    if (!last_of[correlation].empty()) ++chained;
    last_of[correlation] = format_uuid(*event.id);
    if (event.type != "audit.Recorded") continue;
    rapidjson::Document data;
    data.Parse(event.data.data(), event.data.size());
    ++actions[text_of(data, "action")];
    CHECK_FALSE(event.metadata.reason.empty());
    if (!data.HasMember("changes")) continue;
    for (const auto& change : data["changes"].GetArray()) {
      ++changes;
      const std::string field = text_of(change, "field");
      const std::string name = text_of(data, "target_id") + "." + field;
      const auto known = values.find(name);
      const std::string first = field == "role" ? "viewer" : field == "locked" ? "false" : "";
      const std::string before = change.HasMember("old") ? text_of(change, "old") : "";
      CHECK(before == (known == values.end() ? first : known->second));
      values[name] = change.HasMember("new") ? text_of(change, "new") : "";
    }
  }
  CHECK(changes > 5'000);
  CHECK(chained > 8'000);
  CHECK(actions.size() == 8);
}

TEST_CASE("workload: audit: the trail has every event, case by case and by its reasons", "[workload][audit]") {
  const FoldedHistory office(small_history(Kind::kAudit, 3), "audit", 5'000);
  std::map<std::string, std::vector<std::int64_t>> cases;
  std::uint64_t fraud = 0;
  office.each_event([&](const EventView& event) {
    cases[std::string(event.metadata.correlation_id)].push_back(static_cast<std::int64_t>(event.offset.value));
    if (event.metadata.reason == "suspected fraud") ++fraud;
  });
  REQUIRE(fraud > 50);
  std::uint64_t checked = 0;
  for (const auto& [correlation, offsets] : cases) {
    if (checked++ == 100) break;
    std::vector<std::int64_t> found;
    office.each("story", fmt::format(R"("correlation":"{}")", correlation), "records",
                [&](const rapidjson::Value& record) { found.push_back(number_of(record, "offset")); });
    CHECK(found == offsets);
  }
  std::uint64_t found = 0;
  office.each("records", R"("text":"suspected fraud")", "records", [&](const rapidjson::Value&) { ++found; });
  CHECK(found >= fraud);
  found = 0;
  office.each("records", "", "records", [&](const rapidjson::Value&) { ++found; });
  CHECK(found == 5'000);
}

}  // namespace
}  // namespace bahi::test
