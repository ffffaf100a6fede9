// Measures the disk and plain RocksDB alone, and the workload's compression; needs no engine.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "baseline.hpp"
#include "machine.hpp"
#include "report.hpp"
#include "scratch.hpp"
#include "workload.hpp"

namespace {

using namespace bahi;
using namespace bahi::bench;

void print_ratios(const Workload& workload, Report& report) {
  Table table({"codec", "batch", "data kept", "body kept"});
  for (const Codec codec : {Codec::kLz4, Codec::kZstd}) {
    for (const std::size_t batch : {std::size_t{100}, std::size_t{1000}}) {
      const CompressionRatio ratio = measure_ratio(workload, codec, batch);
      table.add({std::string(to_string(codec)), std::to_string(batch), fmt::format("{:.3f}", ratio.data),
                 fmt::format("{:.3f}", ratio.body)});
      report.add_result({{"codec", to_string(codec)}, {"batch", batch}, {"data", ratio.data}, {"body", ratio.body}});
    }
  }
  table.print();
}

struct Options {
  std::string dir = default_parent();
  std::string json;
  double seconds = 2;
  int repetitions = 3;
  bool tmpfs = false;
};

void measure_raw(const Options& options, const std::filesystem::path& directory, Report& report) {
  RawFile raw(directory / "raw");
  Table table({"raw write + fdatasync", "writes/s", "MB/s", "p50 / p99 / p99.9 / max"});
  for (const std::size_t size : {std::size_t{512}, std::size_t{4096}, std::size_t{90'000}, std::size_t{1} << 20U}) {
    Histogram latency;
    std::vector<double> rates;
    for (int i = 0; i < options.repetitions; ++i) {
      rates.push_back(raw.run(options.seconds, size, 1, latency).batches_per_second());
    }
    const Spread rate = Spread::of(rates);
    table.add({fmt::format("{} B", size), rate.to_string(1, 0),
               fmt::format("{:.1f}", rate.median * static_cast<double>(size) / 1e6), format_latency(latency)});
    report.add_result({{"raw_bytes", size}, {"rate", rate.to_json()}, {"latency", latency_json(latency)}});
  }
  table.print();
}

void measure_rocks(const Options& options, const std::filesystem::path& directory, const Workload& workload,
                   Report& report) {
  Table table({"plain RocksDB, threads x batch", "k events/s", "p50 / p99 / p99.9 / max"});
  const std::pair<unsigned, std::size_t> kShapes[]{{1, 1}, {8, 1}, {64, 1}, {8, 10}, {8, 100}, {2, 1000}, {8, 1000}};
  for (const auto& [threads, batch] : kShapes) {
    require_free_space(directory, std::uint64_t{4} << 30U);
    PlainRocks rocks(directory / fmt::format("rocks-{}-{}", threads, batch));
    Histogram warm_up;
    rocks.run(options.seconds / 4, workload, batch, threads, warm_up);
    Histogram latency;
    std::vector<double> rates;
    for (int i = 0; i < options.repetitions; ++i) {
      rates.push_back(rocks.run(options.seconds, workload, batch, threads, latency).events_per_second());
    }
    const Spread rate = Spread::of(rates);
    table.add({fmt::format("{} x {}", threads, batch), rate.to_string(1e-3, 1), format_latency(latency)});
    report.add_result(
        {{"threads", threads}, {"batch", batch}, {"rate", rate.to_json()}, {"latency", latency_json(latency)}});
  }
  table.print();
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app("The baselines of Bahi's benchmarks alone: write + fdatasync, and plain RocksDB");
  app.add_option("--dir", options.dir, "Directory on the disk to measure")->capture_default_str();
  app.add_option("--json", options.json, "Write the figures to this file; - = standard output");
  app.add_option("--seconds", options.seconds, "Of one repetition")->capture_default_str();
  app.add_option("--repetitions", options.repetitions, "Of each measurement")->capture_default_str();
  app.add_flag("--allow-tmpfs", options.tmpfs, "Accept a directory in memory");
  CLI11_PARSE(app, argc, argv);
  const ScratchDirectory scratch(options.dir, options.tmpfs, false);
  Report report("baselines");
  const std::string machine = Machine::describe(scratch.path()).to_string();
  fmt::print("{}\n", machine);
  report.root()["machine"] = machine;
  const Workload workload{WorkloadOptions{}};
  print_ratios(workload, report);
  measure_raw(options, scratch.path(), report);
  measure_rocks(options, scratch.path(), workload, report);
  report.write_json(options.json);
  return 0;
}
