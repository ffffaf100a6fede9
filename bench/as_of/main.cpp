// as_of: what a snapshot costs, and how long questions about the past take, by where the nearest base is.
#include <algorithm>
#include <random>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "histogram.hpp"
#include "histories.hpp"
#include "machine.hpp"
#include "report.hpp"
#include "scratch.hpp"

namespace {

using namespace bahi;
using namespace bahi::bench;

struct Options {
  std::string dir = default_parent();
  std::string json;
  std::vector<std::string> models;
  HistorySettings history;
  std::uint64_t spacing = 250'000;
  int questions = 20;
  bool tmpfs = false;
  bool keep = false;
};

/// One that every read model of this name answers, and that reads little.
projections::QueryRequest question_for(TenantId tenant, std::string_view model) {
  projections::QueryRequest request;
  request.tenant = tenant;
  request.projection = model;
  if (model == "activity") request.query = "types";
  if (model == "audit") request.query = "records";
  if (model == "payments") request.query = "totals";
  if (model == "stock") request.query = "discrepancies";
  if (model == "timelines") {
    request.query = "conversations";
    request.arguments = R"({"user":"nobody"})";
  }
  return request;
}

std::uint64_t timed(const projections::Projections& projections, const projections::QueryRequest& request) {
  const std::uint64_t start = now_nanos();
  require(projections.query(request), "asking about the past");
  return now_nanos() - start;
}

void run_model(Histories& histories, const ReadModelCase& model, const Options& options, Report& report) {
  projections::Projections& projections = histories.projections();
  const TenantId tenant = histories.tenant(model.history);
  if (!start_read_model(projections, tenant, model.name)) return;
  Histogram snapshots;
  for (std::uint64_t next = options.spacing;; next += options.spacing) {
    const std::uint64_t to = std::min(next, histories.events());
    wait_for_fold(projections, tenant, std::string(model.name), Offset{to});
    const std::uint64_t start = now_nanos();
    require(projections.take_snapshot(), "taking a snapshot");
    snapshots.record(now_nanos() - start);
    if (to == histories.events()) break;
  }
  std::vector<std::uint64_t> bases;
  for (const auto& snapshot : projections.snapshots()) {
    for (const auto& state : snapshot.states) {
      if (state.tenant == tenant && state.name == model.name) bases.push_back(state.next.value);
    }
  }
  Histogram cold;
  Histogram again;
  Histogram near;
  std::uint64_t distance = 0;
  std::mt19937_64 random(1);
  projections::QueryRequest request = question_for(tenant, model.name);
  for (int i = 0; i < options.questions; ++i) {
    const std::uint64_t at = random() % histories.events();
    std::uint64_t base = 0;
    for (const std::uint64_t each : bases) base = each <= at ? std::max(base, each) : base;
    distance = std::max(distance, at - base);
    request.at_offset = Offset{at};
    cold.record(timed(projections, request));
    again.record(timed(projections, request));
    request.at_offset = Offset{std::min(at + 1'000, histories.events())};
    near.record(timed(projections, request));
  }
  fmt::print("{:10} snapshot {}\n", model.name, format_latency(snapshots));
  fmt::print("           first question at an offset, at most {} events from a snapshot: {}\n", distance,
             format_latency(cold));
  fmt::print("           the same again: {}; 1,000 events on: {}\n", format_latency(again), format_latency(near));
  std::fflush(stdout);
  report.add_result({{"read_model", model.name},
                     {"events", histories.events()},
                     {"distance_max", distance},
                     {"snapshot", latency_json(snapshots)},
                     {"first", latency_json(cold)},
                     {"again", latency_json(again)},
                     {"near", latency_json(near)}});
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app("Snapshots of read models, and questions about the past");
  app.add_option("--events", options.history.events, "Of each history")
      ->check(CLI::Range(std::uint64_t{10'000}, std::uint64_t{1'000'000'000}))
      ->capture_default_str();
  app.add_option("--spacing", options.spacing, "Events between two snapshots, about")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--questions", options.questions, "For each read model")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--models", options.models, "Only these read models [all]")->delimiter(',');
  app.add_option("--dir", options.dir, "Directory on the disk to measure")->capture_default_str();
  app.add_flag("--keep", options.keep, "Leave the stores behind");
  app.add_flag("--allow-tmpfs", options.tmpfs, "Accept a directory in memory");
  app.add_option("--json", options.json, "Write the figures to this file; - = standard output");
  CLI11_PARSE(app, argc, argv);
  const ScratchDirectory scratch(options.dir, options.tmpfs, options.keep);
  require_free_space(scratch.path(), (std::uint64_t{2} << 30U) + options.history.events * 5'000);
  Report report("as_of");
  const std::string machine = Machine::describe(scratch.path()).to_string();
  fmt::print("{}\n", machine);
  report.root()["machine"] = machine;
  report.root()["events"] = options.history.events;
  const Usage start = Usage::now();
  {
    Histories histories(scratch.path() / "histories", options.history);
    for (const ReadModelCase& each : read_model_cases()) {
      const auto& wanted = options.models;
      if (wanted.empty() || std::find(wanted.begin(), wanted.end(), each.name) != wanted.end()) {
        run_model(histories, each, options, report);
      }
    }
  }
  fmt::print("\nCPU used by others meanwhile: {:.0f} %\n", (Usage::now() - start).foreign_cpu_share() * 100);
  report.write_json(options.json);
  return 0;
}
