// A made-up history in an engine in memory, folded by a read model while it is appended.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include <rapidjson/document.h>

#include "bahi/projections/projections.hpp"
#include "bahi/workload/history.hpp"
#include "engine_fixture.hpp"

namespace bahi::test {

/// Small enough that rooms fill up and shelves run empty within a few thousand events.
workload::HistoryOptions small_history(workload::Kind kind, std::uint64_t seed = 1);

class FoldedHistory {
 public:
  /// Checks that everything was taken and folded, and nothing parked.
  FoldedHistory(const workload::HistoryOptions& options, std::string read_model, std::uint64_t events);

  [[nodiscard]] rapidjson::Document ask(const std::string& query, const std::string& arguments = "{}") const;
  /// Every element of `list` on all pages of a query; `arguments` without braces.
  void each(const std::string& query, const std::string& arguments, const char* list,
            const std::function<void(const rapidjson::Value&)>& visit) const;
  /// Events of the log by type.
  [[nodiscard]] std::uint64_t count(const std::string& type) const;
  void each_event(const std::function<void(const EventView&)>& visit) const;

 private:
  TemporaryDirectory directory_;
  std::unique_ptr<Engine> engine_ = memory_engine();
  TenantId tenant_ = *engine_->create_tenant("shop");
  std::unique_ptr<projections::Projections> projections_;
  std::string read_model_;
};

[[nodiscard]] inline std::string text_of(const rapidjson::Value& object, const char* name) {
  return object[name].GetString();
}
[[nodiscard]] inline std::int64_t number_of(const rapidjson::Value& object, const char* name) {
  return object[name].GetInt64();
}

}  // namespace bahi::test
