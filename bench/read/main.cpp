// engine_read: full scans, filtered scans, single streams, and the wake-up at the end of the log.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "filled_store.hpp"
#include "machine.hpp"
#include "report.hpp"
#include "scans.hpp"
#include "scratch.hpp"
#include "small_reads.hpp"

namespace {

using namespace bahi;
using namespace bahi::bench;

struct Options {
  std::string dir = default_parent();
  std::string json;
  std::string codec = "lz4";
  std::vector<std::size_t> batches{1000, 100};
  std::uint64_t streams = 1'000'000;
  std::uint64_t events_per_stream = 10;
  std::uint64_t reads = 20'000;
  int repetitions = 5;
  int tail_rounds = 2000;
  bool no_scans = false;
  bool no_streams = false;
  bool tmpfs = false;
  bool keep = false;
};

void run_batch_size(const Options& options, std::size_t batch, const std::filesystem::path& scratch, Report& report) {
  SmallReadOptions small;
  small.fill.streams = options.streams;
  small.fill.events_per_stream = options.events_per_stream;
  small.fill.batch = batch;
  small.fill.codec = require(parse_codec(options.codec), "--codec");
  small.reads = options.reads;
  const std::uint64_t events = small.fill.events();
  require_free_space(scratch, (std::uint64_t{4} << 30U) + events * 700);
  WorkloadOptions load;
  load.streams = options.streams;
  const Workload workload(load);
  const std::filesystem::path directory = scratch / fmt::format("store-{}", batch);
  TenantId tenant;
  {
    const auto engine = open_store(directory, EngineOptions{}.batch_cache_bytes);
    const std::uint64_t start = now_nanos();
    tenant = fill_store(*engine, workload, small.fill);
    const double seconds = static_cast<double>(now_nanos() - start) / 1e9;
    fmt::print("\n{} events in {} streams, {} per batch, {}: filled in {:.1f} s ({:.2f} M events/s, one thread)\n",
               events, options.streams, batch, options.codec, seconds, static_cast<double>(events) / seconds / 1e6);
    if (!options.no_scans) {
      PlainRocks rocks(scratch / "rocks");
      rocks.fill(workload, events);
      run_scans(*engine, tenant, rocks, {options.repetitions, batch}, report);
    }
    require(engine->close(), "closing the store");
  }
  std::filesystem::remove_all(scratch / "rocks");
  if (!options.no_streams) run_stream_reads(directory, tenant, small, report);
  if (options.tail_rounds > 0) run_tail(directory, tenant, workload, options.tail_rounds, report);
  if (!options.keep) std::filesystem::remove_all(directory);
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app("Reads: full scan, filters, one stream among many, tail latency");
  app.add_option("--batch", options.batches, "Events per batch")->delimiter(',')->check(CLI::Range(1, 65535));
  app.add_option("--codec", options.codec, "none, lz4, zstd")->check(CLI::IsMember({"none", "lz4", "zstd"}));
  app.add_option("--streams", options.streams, "Streams; the log has this times --events-per-stream events")
      ->check(CLI::Range(std::uint64_t{64}, std::uint64_t{100'000'000}));
  app.add_option("--events-per-stream", options.events_per_stream, "Each in another batch")->check(CLI::Range(1, 1000));
  app.add_option("--reads", options.reads, "Streams read in each state of the caches")->capture_default_str();
  app.add_option("--repetitions", options.repetitions, "Of each scan")
      ->capture_default_str()
      ->check(CLI::Range(1, 1000));
  app.add_option("--tail-rounds", options.tail_rounds, "0: leave it out")->capture_default_str();
  app.add_flag("--no-scans", options.no_scans, "Leave the scans out");
  app.add_flag("--no-streams", options.no_streams, "Leave the single streams out");
  app.add_option("--dir", options.dir, "Directory on the disk to measure")->capture_default_str();
  app.add_flag("--keep", options.keep, "Leave the stores behind");
  app.add_flag("--allow-tmpfs", options.tmpfs, "Accept a directory in memory");
  app.add_option("--json", options.json, "Write the figures to this file; - = standard output");
  CLI11_PARSE(app, argc, argv);
  const ScratchDirectory scratch(options.dir, options.tmpfs, options.keep);
  Report report("engine_read");
  const std::string machine = Machine::describe(scratch.path()).to_string();
  fmt::print("{}\n", machine);
  report.root()["machine"] = machine;
  const Usage start = Usage::now();
  for (const std::size_t batch : options.batches) run_batch_size(options, batch, scratch.path(), report);
  fmt::print("\nCPU used by others meanwhile: {:.0f} %\n", (Usage::now() - start).foreign_cpu_share() * 100);
  const bool met = report.print_targets();
  report.write_json(options.json);
  return met ? 0 : 2;
}
