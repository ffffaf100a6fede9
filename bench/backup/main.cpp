// engine_backup: how fast a log is backed up, verified and restored, and what a running backup costs appends.
#include <atomic>
#include <chrono>
#include <optional>
#include <thread>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "bahi/snapshots/backup.hpp"
#include "driver.hpp"
#include "filler.hpp"
#include "machine.hpp"
#include "report.hpp"
#include "scratch.hpp"

namespace {

using namespace bahi;
using namespace bahi::bench;

struct Options {
  std::string dir = default_parent();
  std::string json;
  std::uint64_t events = 5'000'000;
  std::size_t batch = 1000;
  unsigned submitters = 8;
  double seconds = 5;
  int repetitions = 5;
  bool tmpfs = false;
};

class Stopwatch {
 public:
  [[nodiscard]] double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

/// One row: how fast bytes and events went by.
void add_row(Table& table, Report& report, const char* what, double seconds, std::uint64_t bytes,
             std::uint64_t events) {
  const double megabytes_per_second = static_cast<double>(bytes) / 1e6 / seconds;
  const double events_per_second = static_cast<double>(events) / seconds;
  table.add({what, fmt::format("{:.2f}", seconds), fmt::format("{:.0f}", megabytes_per_second),
             fmt::format("{:.0f}", events_per_second)});
  report.add_result({{"what", what},
                     {"seconds", seconds},
                     {"megabytes_per_second", megabytes_per_second},
                     {"events_per_second", events_per_second}});
}

/// Fills a store, backs it up twice (the second time there is little new), verifies, restores, opens.
void measure_rates(const Options& options, const Workload& workload, const std::filesystem::path& scratch,
                   Report& report) {
  Table table({"", "s", "MB/s", "events/s"});
  const std::filesystem::path backups = scratch / "backups";
  {
    EngineOptions settings;
    settings.create_if_missing = true;
    const auto engine = require(Engine::open(scratch / "store", settings), "opening the store");
    const TenantId tenant = require(engine->create_tenant("bench"), "creating the tenant");
    EventSource source(workload, 1);
    Filler filler(*engine, tenant, options.batch, Codec::kLz4);
    NewEvent event;
    for (std::uint64_t i = 0; i < options.events; ++i) {
      source.next(event);
      filler.add(event);
    }
    filler.finish();
    drop_page_cache(scratch / "store");
    const Stopwatch full;
    const BackupOutcome first = require(create_backup(*engine, backups, {}), "backing up");
    add_row(table, report, "first backup, from the disk", full.seconds(), first.info.bytes, first.info.events);
    Filler more(*engine, tenant, options.batch, Codec::kLz4);
    for (std::size_t i = 0; i < options.batch; ++i) {
      source.next(event);
      more.add(event);
    }
    more.finish();
    const Stopwatch incremental;
    const BackupOutcome second = require(create_backup(*engine, backups, {}), "backing up again");
    add_row(table, report, "second, of one batch", incremental.seconds(), second.info.bytes, second.info.events);
    require(engine->close(), "closing the store");
  }
  drop_page_cache(backups);
  const Stopwatch verifying;
  const BackupReport verified = require(verify_backup(backups, {}), "verifying");
  if (verified.damage) fail(verified.damage->to_string());
  add_row(table, report, "verify, from the disk", verifying.seconds(), verified.bytes, verified.events);
  drop_page_cache(backups);
  const Stopwatch restoring;
  const RestoreReport restored = require(restore_backup(backups, scratch / "restored", {}), "restoring");
  add_row(table, report, "restore, from the disk", restoring.seconds(), restored.bytes, restored.events);
  const Stopwatch opening;
  const auto engine = require(Engine::open(scratch / "restored", {}), "opening what was restored");
  add_row(table, report, "  and its index, at the first opening", opening.seconds(), restored.bytes, restored.events);
  require(engine->close(), "closing what was restored");
  std::filesystem::remove_all(scratch / "restored");
  std::filesystem::remove_all(backups);
  table.print();
}

/// Takes full backups, one after the other, until it goes away.
class Backups {
 public:
  Backups(const Engine& engine, std::filesystem::path directory)
      : thread_([this, &engine, directory = std::move(directory)] { run(engine, directory); }) {}
  Backups(const Backups&) = delete;
  Backups& operator=(const Backups&) = delete;
  ~Backups() {
    stopping_ = true;
    thread_.join();
  }

 private:
  void run(const Engine& engine, const std::filesystem::path& directory) {
    BackupOptions options;
    options.stop = [this] { return stopping_.load(); };
    while (!stopping_) {
      const auto taken = create_backup(engine, directory, options);
      if (!taken && taken.error().code() != ErrorCode::kCancelled) fail(taken.error().to_string());
      std::filesystem::remove_all(directory);
    }
  }
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

void measure_cost(const Options& options, const Workload& workload, const std::filesystem::path& scratch,
                  Report& report) {
  const auto engine = require(Engine::open(scratch / "store", {}), "opening the store");
  DriverOptions driving;
  driving.batch = options.batch;
  driving.submitters = options.submitters;
  AppendDriver driver(*engine, require(engine->find_tenant("bench"), "finding the tenant"), workload, driving);
  Histogram alone;
  Histogram beside;
  std::vector<double> rates_alone;
  std::vector<double> rates_beside;
  const auto measure = [&](Histogram& latency) {
    return driver.run(options.seconds, ~std::uint64_t{0}, latency).events_per_second();
  };
  for (int i = 0; i < options.repetitions; ++i) {
    rates_alone.push_back(measure(alone));
    const Backups backups(*engine, scratch / "running");
    rates_beside.push_back(measure(beside));
  }
  const Spread ratio = ratio_of(rates_beside, rates_alone);
  Table table({"appends", "events/s", "p50 / p99 / p99.9 / max"});
  table.add({"alone", Spread::of(rates_alone).to_string(1, 0), format_latency(alone)});
  table.add({"while full backups run", Spread::of(rates_beside).to_string(1, 0), format_latency(beside)});
  table.print();
  fmt::print("of the rate remains {}\n", ratio.to_string());
  report.add_result(
      {{"what", "appends alone"}, {"rate", Spread::of(rates_alone).to_json()}, {"latency", latency_json(alone)}});
  report.add_result({{"what", "appends beside backups"},
                     {"rate", Spread::of(rates_beside).to_json()},
                     {"latency", latency_json(beside)}});
}

void add_flags(CLI::App& app, Options& options) {
  app.add_option("--events", options.events, "In the store that is backed up")->check(CLI::Range(1'000, 1'000'000'000));
  app.add_option("--batch", options.batch, "Events per batch")->check(CLI::Range(1, 65535));
  app.add_option("--submitters", options.submitters, "Requests under way beside a backup")->check(CLI::Range(1, 1024));
  app.add_option("--seconds", options.seconds, "Of one slice of appends")->check(CLI::Range(0.1, 600.0));
  app.add_option("--repetitions", options.repetitions, "Slices of each kind")->check(CLI::Range(1, 100));
  app.add_option("--dir", options.dir, "Directory on the disk to measure")->capture_default_str();
  app.add_flag("--allow-tmpfs", options.tmpfs, "Accept a directory in memory");
  app.add_option("--json", options.json, "Write the figures to this file; - = standard output");
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app("Backups: how fast, and what they cost appends");
  add_flags(app, options);
  CLI11_PARSE(app, argc, argv);
  const ScratchDirectory scratch(options.dir, options.tmpfs, false);
  require_free_space(scratch.path(), (std::uint64_t{4} << 30U) + options.events * 700);
  Report report("engine_backup");
  const std::string machine = Machine::describe(scratch.path()).to_string();
  fmt::print("{}\n", machine);
  report.root()["machine"] = machine;
  const Usage start = Usage::now();
  const Workload workload({});
  measure_rates(options, workload, scratch.path(), report);
  measure_cost(options, workload, scratch.path(), report);
  fmt::print("\nCPU used by others meanwhile: {:.0f} %\n", (Usage::now() - start).foreign_cpu_share() * 100);
  report.write_json(options.json);
  return 0;
}
