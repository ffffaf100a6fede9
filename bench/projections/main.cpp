// read_models: rebuild rate, pages by depth, deciders under contention, every query.
#include <algorithm>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "bahi/server/server.hpp"
#include "machine.hpp"
#include "many_tenants.hpp"
#include "pages.hpp"
#include "rebuild.hpp"
#include "report.hpp"
#include "scratch.hpp"
#include "sellers.hpp"

namespace {

using namespace bahi;
using namespace bahi::bench;

struct Options {
  std::string dir = default_parent();
  std::string json;
  std::vector<std::string> models;
  HistorySettings history;
  AnswerSettings answers;
  SellerSettings sellers;
  unsigned items = 1'000;
  int repetitions = 3;
  bool no_sellers = false;
  bool no_queries = false;
  ManyTenantsSettings crowd;
  bool only_tenants = false;
  bool tmpfs = false;
  bool keep = false;

  [[nodiscard]] bool wants(std::string_view model) const {
    return models.empty() || std::find(models.begin(), models.end(), model) != models.end();
  }
};

std::unique_ptr<server::Server> serve(Engine& engine, const std::filesystem::path& views) {
  server::ServerOptions options;
  options.port = 0;
  options.views = views;
  return require(server::Server::start(engine, std::move(options)), "starting the server");
}

client::ClientOptions client_of(const server::Server& server, std::string_view tenant) {
  client::ClientOptions options;
  options.port = server.port();
  options.tenant = tenant;
  return options;
}

void run_histories(const Options& options, const std::filesystem::path& scratch, Report& report) {
  Histories histories(scratch / "histories", options.history);
  std::vector<ReadModelCase> there;
  for (const ReadModelCase& each : read_model_cases()) {
    if (options.wants(each.name) && run_rebuild(histories, each, options.repetitions, report)) there.push_back(each);
  }
  if (options.no_queries || there.empty()) return;
  const bool pages = std::any_of(there.begin(), there.end(), [](const auto& each) { return each.name == "timelines"; });
  fmt::print("\n");
  if (pages) run_pages_in_process(histories, options.answers, report);
  histories.close_projections();
  const auto server = serve(histories.engine(), histories.views());
  for (const ReadModelCase& each : there) {
    const auto client = require(client::Client::connect(client_of(*server, to_string(each.history))), "connecting");
    if (each.name == "timelines") run_pages_over_tcp(*client, options.answers, report);
    run_questions(*client, each, options.answers, report);
  }
}

void run_all_sellers(const Options& options, const std::filesystem::path& scratch, Report& report) {
  const std::filesystem::path directory = scratch / "sellers";
  EngineOptions engine_options;
  engine_options.create_if_missing = true;
  const auto engine = require(Engine::open(directory / "store", std::move(engine_options)), "opening the store");
  require(engine->create_tenant("shop"), "creating a tenant");
  const auto server = serve(*engine, directory / "views");
  SellerSettings settings = options.sellers;
  settings.client = client_of(*server, "shop");
  {
    const auto client = require(client::Client::connect(settings.client), "connecting");
    wire::ManageProjection start;
    start.act = wire::ManageProjection::Act::kStart;
    start.projection = "stock";
    require(client->manage_projection(start), "starting the ledger");
  }
  fmt::print("\n");
  constexpr std::int64_t kPlenty = 100'000'000;
  run_sellers(settings, "many", options.items, kPlenty, 20'000, report);
  run_sellers(settings, "hot", 1, kPlenty, 0, report);
  // Runs out while they sell: the last piece has one buyer.
  run_sellers(settings, "scarce", 1, 200, 0, report);
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app("Read models: rebuild, pages, sellers who decide at the same time, every query");
  app.add_option("--events", options.history.events, "Of each history")
      ->check(CLI::Range(std::uint64_t{100'000}, std::uint64_t{1'000'000'000}))
      ->capture_default_str();
  app.add_option("--seed", options.history.seed, "Of the histories")->capture_default_str();
  app.add_option("--batch", options.history.batch, "Events per append")
      ->check(CLI::Range(1, 65535))
      ->capture_default_str();
  app.add_flag("--flatbuffers", options.history.flatbuffers, "Events' data as FlatBuffers instead of JSON");
  app.add_option("--models", options.models, "Only these read models [all]")->delimiter(',');
  app.add_option("--repetitions", options.repetitions, "Builds of each read model")
      ->check(CLI::Range(1, 100))
      ->capture_default_str();
  app.add_option("--reads", options.answers.reads, "Pages of each kind")->capture_default_str();
  app.add_option("--questions", options.answers.questions, "Askings of each query behind the first")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_flag("--no-queries", options.no_queries, "Leave pages and queries out");
  app.add_flag("--no-sellers", options.no_sellers, "Leave the sellers out");
  app.add_option("--sellers", options.sellers.sellers, "Who sell at the same time")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--clients", options.sellers.clients, "Connections that they share")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--items", options.items, "That they sell")->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--seconds", options.sellers.seconds, "How long they sell")->capture_default_str();
  app.add_option("--tenants", options.crowd.tenants, "Whose read models are folded live at the same time")
      ->check(CLI::Range(1, 100'000))
      ->capture_default_str();
  app.add_option("--tenants-seconds", options.crowd.seconds, "How long they append")->capture_default_str();
  app.add_option("--tenants-rate", options.crowd.events_per_second, "Events per second of all of them")
      ->capture_default_str();
  app.add_flag("--only-tenants", options.only_tenants, "Nothing but these");
  app.add_option("--dir", options.dir, "Directory on the disk to measure")->capture_default_str();
  app.add_flag("--keep", options.keep, "Leave the stores behind");
  app.add_flag("--allow-tmpfs", options.tmpfs, "Accept a directory in memory");
  app.add_option("--json", options.json, "Write the figures to this file; - = standard output");
  CLI11_PARSE(app, argc, argv);
  options.answers.history = options.history;
  const ScratchDirectory scratch(options.dir, options.tmpfs, options.keep);
  require_free_space(scratch.path(), (std::uint64_t{2} << 30U) + options.history.events * 2'500);
  Report report("read_models");
  const std::string machine = Machine::describe(scratch.path()).to_string();
  fmt::print("{}\n", machine);
  report.root()["machine"] = machine;
  report.root()["events"] = options.history.events;
  report.root()["seed"] = options.history.seed;
  const Usage start = Usage::now();
  // First, while the process has held no other memory.
  fmt::print("\n");
  run_many_tenants(scratch.path() / "tenants", options.crowd, report);
  if (!options.only_tenants) run_histories(options, scratch.path(), report);
  if (!options.no_sellers && !options.only_tenants) run_all_sellers(options, scratch.path(), report);
  fmt::print("\nCPU used by others meanwhile: {:.0f} %\n", (Usage::now() - start).foreign_cpu_share() * 100);
  const bool met = report.print_targets();
  report.write_json(options.json);
  return met ? 0 : 2;
}
