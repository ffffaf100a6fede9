#include "folded_history.hpp"

#include <atomic>

#include <fmt/format.h>

namespace bahi::test {

workload::HistoryOptions small_history(workload::Kind kind, std::uint64_t seed) {
  workload::HistoryOptions options;
  options.kind = kind;
  options.seed = seed;
  options.members = 400;
  options.rooms = 8;
  options.shops = 6;
  options.items = 40;
  options.customers = 500;
  options.administrators = 12;
  options.accounts = 300;
  // Years in a few thousand events: batches expire, holds end.
  options.events_per_day = 60;
  return options;
}

FoldedHistory::FoldedHistory(const workload::HistoryOptions& options, std::string read_model, std::uint64_t events)
    : read_model_(std::move(read_model)) {
  auto opened = projections::Projections::open(directory_.path() / "views", *engine_, {});
  REQUIRE(opened);
  projections_ = std::move(*opened);
  REQUIRE(projections_->start(tenant_, read_model_, "admin"));
  const auto history = workload::make_history(options);
  BatchBuilder builder;
  NewEvent event;
  for (std::uint64_t i = 0; i < events; ++i) {
    history->next(event);
    REQUIRE(builder.add(event));
    if (builder.event_count() < 100 && i + 1 < events) continue;
    AppendRequest request;
    request.tenant = tenant_;
    request.body = *builder.finish();
    REQUIRE(engine_->append(std::move(request)));
  }
  std::atomic<bool> done{false};
  const auto cancel = projections_->notify_at(tenant_, read_model_, Offset{events}, [&done] {
    done = true;
    done.notify_all();
  });
  done.wait(false);
  const auto all = projections_->list(tenant_);
  REQUIRE(all.size() == 1);
  INFO(all[0].parked_because);
  REQUIRE(all[0].state != projections::ProjectionState::kParked);
  REQUIRE(all[0].next == Offset{events});
}

rapidjson::Document FoldedHistory::ask(const std::string& query, const std::string& arguments) const {
  const auto answer = projections_->query({tenant_, read_model_, query, arguments, {}});
  INFO(query << ' ' << arguments);
  REQUIRE(answer);
  rapidjson::Document document;
  document.Parse(answer->json.data(), answer->json.size());
  REQUIRE_FALSE(document.HasParseError());
  return document;
}

void FoldedHistory::each(const std::string& query, const std::string& arguments, const char* list,
                         const std::function<void(const rapidjson::Value&)>& visit) const {
  std::string cursor;
  for (;;) {
    const auto answer =
        ask(query, fmt::format(R"({{{}{}"limit":1000{}}})", arguments, arguments.empty() ? "" : ",", cursor));
    for (const auto& element : answer[list].GetArray()) visit(element);
    if (!answer.HasMember("next")) return;
    cursor = fmt::format(R"(,"cursor":"{}")", answer["next"].GetString());
  }
}

void FoldedHistory::each_event(const std::function<void(const EventView&)>& visit) const {
  ReadRequest request;
  request.tenant = tenant_;
  const auto cursor = engine_->read(std::move(request));
  REQUIRE(cursor);
  EventView event;
  for (;;) {
    const auto more = (*cursor)->next(event);
    REQUIRE(more);
    if (!*more) return;
    visit(event);
  }
}

std::uint64_t FoldedHistory::count(const std::string& type) const {
  std::uint64_t events = 0;
  each_event([&](const EventView& event) { events += event.type == type ? 1 : 0; });
  return events;
}

}  // namespace bahi::test
