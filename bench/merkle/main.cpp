// merkle: what the Merkle tree costs appends, how fast it is built, and how fast proofs are given.
#include <random>
#include <thread>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "bahi/proofs/trees.hpp"
#include "driver.hpp"
#include "machine.hpp"
#include "report.hpp"
#include "scratch.hpp"

namespace {

using namespace bahi;
using namespace bahi::bench;

constexpr std::uint64_t kNoLimit = std::numeric_limits<std::uint64_t>::max();
constexpr Uuid kStore{1, 2};

struct Options {
  std::string dir = default_parent();
  std::string json;
  bool tmpfs = false;
  bool keep = false;
  std::size_t batch = 1000;
  unsigned submitters = 8;
  double seconds = 3;
  int repetitions = 5;
  std::uint64_t events = 10'000'000;
  std::uint64_t proofs = 5'000;
};

/// A store that is appended to, with its tree or without.
class Party {
 public:
  Party(const std::filesystem::path& directory, const Workload& workload, const DriverOptions& driver)
      : directory_(directory) {
    EngineOptions options;
    options.create_if_missing = true;
    engine_ = require(Engine::open(directory / "store", std::move(options)), "opening the store");
    tenant_ = require(engine_->create_tenant("bench"), "creating the tenant");
    driver_ = std::make_unique<AppendDriver>(*engine_, tenant_, workload, driver);
  }
  void plant() {
    proofs::TreesOptions options;
    options.directory = directory_ / "tree";
    options.store_id = kStore;
    options.key = proofs::KeyFile{require(proofs::SigningKey::generate("bench"), "making a key"), {}};
    trees_ = require(proofs::Trees::open(*engine_, std::move(options)), "opening the trees");
  }
  [[nodiscard]] double run(double seconds) { return driver_->run(seconds, kNoLimit, latency_).events_per_second(); }
  void fill(std::uint64_t events) { driver_->run(24.0 * 3600, events, latency_); }
  [[nodiscard]] std::uint64_t lag() {
    const std::uint64_t built = require(trees_->tree(tenant_), "the tree")->size();
    return engine_->durable_offset(tenant_).value - built;
  }
  /// Seconds until the tree has everything.
  [[nodiscard]] double settle() {
    const std::uint64_t began = now_nanos();
    while (lag() > 0) std::this_thread::sleep_for(std::chrono::milliseconds(2));
    return static_cast<double>(now_nanos() - began) / 1e9;
  }
  [[nodiscard]] Engine& engine() { return *engine_; }
  [[nodiscard]] TenantId tenant() const { return tenant_; }

 private:
  const std::filesystem::path directory_;
  std::unique_ptr<Engine> engine_;
  TenantId tenant_;
  std::unique_ptr<AppendDriver> driver_;
  std::unique_ptr<proofs::Trees> trees_;
  Histogram latency_;
};

/// The same load on two stores in turn, in another order each time: one of them has trees.
void measure_cost(const Options& options, const std::filesystem::path& scratch, Report& report) {
  const Workload workload{WorkloadOptions{}};
  DriverOptions driver;
  driver.batch = options.batch;
  driver.submitters = options.submitters;
  driver.codec = Codec::kZstd;
  Party without(scratch / "without", workload, driver);
  Party with(scratch / "with", workload, driver);
  with.plant();
  static_cast<void>(without.run(options.seconds / 2));
  static_cast<void>(with.run(options.seconds / 2));
  std::vector<double> off;
  std::vector<double> on;
  std::vector<double> kept_up;
  std::uint64_t lag_max = 0;
  for (int round = 0; round < options.repetitions; ++round) {
    static_cast<void>(with.settle());
    const auto run_with = [&] {
      const double rate = with.run(options.seconds);
      on.push_back(rate);
      lag_max = std::max(lag_max, with.lag());
      kept_up.push_back(rate * options.seconds / (options.seconds + with.settle()));
    };
    if (round % 2 == 0) run_with();
    off.push_back(without.run(options.seconds));
    if (round % 2 == 1) run_with();
  }
  const Spread ratio = ratio_of(on, off);
  fmt::print("appends, {} per request: without tree {} k/s, with tree {} k/s, ratio {}\n", options.batch,
             Spread::of(off).to_string(1e-3, 0), Spread::of(on).to_string(1e-3, 0), ratio.to_string());
  fmt::print("  lag of the tree at the end of a slice: at most {} events; until the tree had caught up {} k/s\n",
             lag_max, Spread::of(kept_up).to_string(1e-3, 0));
  report.add_result({{"name", "cost"},
                     {"batch", options.batch},
                     {"off_events_per_second", Spread::of(off).to_json()},
                     {"on_events_per_second", Spread::of(on).to_json()},
                     {"ratio", ratio.to_json()},
                     {"lag_max", lag_max},
                     {"caught_up_events_per_second", Spread::of(kept_up).to_json()}});
  report.target("append rate with the tree over without", ratio.median, true, 0.8, "x");
}

void print_latency(std::string_view what, const Histogram& latency, Report& report) {
  const auto micros = [&](double share) { return static_cast<double>(latency.percentile(share)) / 1e3; };
  fmt::print("{}: p50 {:.0f} µs, p99 {:.0f} µs, max {:.0f} µs\n", what, micros(50), micros(99), micros(100));
  report.add_result({{"name", what}, {"p50_us", micros(50)}, {"p99_us", micros(99)}});
}

/// A tree built from a log that is there, and proofs for events all over it.
void measure_proofs(const Options& options, const std::filesystem::path& scratch, Report& report) {
  require_free_space(scratch, options.events * 512);
  const Workload workload{WorkloadOptions{}};
  DriverOptions driver;
  driver.codec = Codec::kZstd;
  Party party(scratch / "proofs", workload, driver);
  party.fill(options.events);
  const std::uint64_t size = party.engine().durable_offset(party.tenant()).value;
  proofs::TenantTree tree(party.engine(), party.tenant(), proofs::TreeFiles{scratch / "built", kStore});
  require(tree.open(), "opening the tree");
  const Usage before = Usage::now();
  require(tree.extend_to(size), "building the tree");
  const Usage used = Usage::now() - before;
  require(tree.save(), "saving the tree");
  const auto events = static_cast<double>(size);
  fmt::print("building a tree of {:.1f}M events: {:.0f} k events/s, {:.0f} ns CPU/event, {:.3f} B/event on disk\n",
             events / 1e6, events / used.wall_seconds / 1e3, used.cpu_seconds * 1e9 / events,
             static_cast<double>(file_bytes(scratch / "built", ".tiles")) / events);
  report.add_result({{"name", "build"}, {"events", size}, {"events_per_second", events / used.wall_seconds}});

  std::mt19937_64 random(20'261'121);
  Histogram inclusion;
  Histogram consistency;
  const proofs::TreeHead head = require(tree.head(size), "the root");
  for (std::uint64_t i = 0; i < options.proofs; ++i) {
    const std::uint64_t place = random() % size;
    std::uint64_t began = now_nanos();
    const proofs::HashList path = require(tree.inclusion(place, size), "a proof");
    inclusion.record(now_nanos() - began);
    began = now_nanos();
    const proofs::HashList extends = require(tree.consistency(place, size), "a proof");
    consistency.record(now_nanos() - began);
    if (i % 100 != 0) continue;
    const proofs::TreeHead old = require(tree.head(place), "a root");
    if (!proofs::verify_consistency(old, head, extends)) fail("a proof does not hold");
  }
  print_latency("inclusion proof of any event", inclusion, report);
  print_latency("consistency proof from any size", consistency, report);
  report.target("inclusion proof, p50", static_cast<double>(inclusion.percentile(50)) / 1e6, false, 1, "ms", 3);
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app("The Merkle tree: its cost for appends, building, proofs");
  app.add_option("--batch", options.batch, "Events per request")->capture_default_str();
  app.add_option("--submitters", options.submitters, "Requests in flight")->capture_default_str();
  app.add_option("--seconds", options.seconds, "Of one slice")->capture_default_str();
  app.add_option("--repetitions", options.repetitions, "Of each slice")->capture_default_str();
  app.add_option("--events", options.events, "In the log that proofs are made of; 0: no proofs")->capture_default_str();
  app.add_option("--proofs", options.proofs, "Of each kind")->capture_default_str();
  app.add_option("--dir", options.dir, "Directory on the disk to measure")->capture_default_str();
  app.add_flag("--keep", options.keep, "Leave the directory behind");
  app.add_flag("--allow-tmpfs", options.tmpfs, "Accept a directory in memory");
  app.add_option("--json", options.json, "Write the figures to this file; - = standard output");
  CLI11_PARSE(app, argc, argv);
  const ScratchDirectory scratch(options.dir, options.tmpfs, options.keep);
  Report report("merkle");
  const std::string machine = Machine::describe(scratch.path()).to_string();
  fmt::print("{}\n\n", machine);
  report.root()["machine"] = machine;
  if (options.repetitions > 0) measure_cost(options, scratch.path(), report);
  if (options.events > 0) measure_proofs(options, scratch.path(), report);
  fmt::print("\n");
  const bool met = report.print_targets();
  report.write_json(options.json);
  return met ? 0 : 2;
}
