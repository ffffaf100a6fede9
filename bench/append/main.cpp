// engine_append: how fast the engine takes in events durably, beside what its disk and plain RocksDB do.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "append_case.hpp"
#include "bahi/schemas/batch_builder.hpp"
#include "scratch.hpp"

namespace {

using namespace bahi;
using namespace bahi::bench;

struct Options {
  std::string dir = default_parent();
  std::string json;
  bool targets = false;
  bool tmpfs = false;
  bool keep = false;
  bool blocking = false;
  bool pre_encoded = false;
  bool no_baselines = false;
  std::vector<std::size_t> batches{1, 10, 100, 1000};
  std::vector<unsigned> submitters{8};
  std::vector<std::string> codecs{"zstd"};
  std::vector<std::string> kinds{"json"};
  std::vector<std::uint64_t> streams{100};
  unsigned producers = 2;
  double seconds = 2;
  int repetitions = 5;
  std::uint64_t storage_events = 0;
};

void run_and_print(const AppendCase& shape, const std::filesystem::path& scratch, Report& report,
                   AppendResults& results) {
  run_case(shape, scratch, results);
  print_case(shape, results);
  report.add_result(case_json(shape, results));
}

StorageResults store_and_print(const AppendCase& shape, std::uint64_t events, const std::filesystem::path& scratch,
                               Report& report) {
  const StorageResults results = measure_storage(shape, events, scratch);
  print_storage(shape, results);
  report.add_result(storage_json(shape, results));
  return results;
}

/// What the encoding of batches, as a writer process does it, costs on this machine alone.
void print_encoding(Report& report) {
  Table table({"workload", "codec", "batch", "data kept", "body kept", "building ns/event"});
  for (const Codec codec : {Codec::kLz4, Codec::kZstd}) {
    for (const std::size_t batch : {std::size_t{1}, std::size_t{100}, std::size_t{1000}}) {
      const Workload workload{WorkloadOptions{}};
      const CompressionRatio ratio = measure_ratio(workload, codec, batch);
      table.add({"JSON, 10k streams", std::string(to_string(codec)), std::to_string(batch),
                 fmt::format("{:.3f}", ratio.data), fmt::format("{:.3f}", ratio.body),
                 fmt::format("{:.0f}", ratio.build_nanos_per_event)});
      report.add_result({{"name", "encoding"},
                         {"codec", to_string(codec)},
                         {"batch", batch},
                         {"data_ratio", ratio.data},
                         {"body_ratio", ratio.body},
                         {"build_nanos_per_event", ratio.build_nanos_per_event}});
    }
  }
  table.print();
}

AppendCase base_case(const Options& options, std::string name, std::size_t batch, unsigned submitters) {
  AppendCase shape;
  shape.name = std::move(name);
  shape.driver.batch = batch;
  shape.driver.submitters = submitters;
  shape.driver.producers = std::min(options.producers, submitters);
  shape.driver.mode = options.blocking ? Mode::kBlocking : Mode::kReadyQueue;
  shape.driver.codec = require(parse_codec(options.codecs.front()), "--codec");
  shape.streams = options.streams.front();
  shape.seconds = options.seconds;
  shape.repetitions = options.repetitions;
  return shape;
}

double median(const std::vector<double>& values) {
  return Spread::of(values).median;
}

/// The throughput targets; each with the variants that tell where the time goes.
void run_rate_targets(const Options& options, const std::filesystem::path& scratch, Report& report) {
  const AppendCase main_case = base_case(options, "main", 1000, 8);
  AppendResults main_results;
  run_and_print(main_case, scratch, report, main_results);
  report.target("1000 per batch, 8 in flight, index on", median(main_results.events_per_second) / 1e3, true, 1200,
                "k events/s", 0);
  report.target("  over plain RocksDB of the same run", main_results.rocks_ratio().median, true, 1.5, "x");

  AppendCase encoded = main_case;
  encoded.name = "main, only the engine's share";
  encoded.driver.pre_encoded = true;
  encoded.baselines = false;
  AppendResults encoded_results;
  run_and_print(encoded, scratch, report, encoded_results);

  AppendResults hundred;
  run_and_print(base_case(options, "smaller batches", 100, 8), scratch, report, hundred);
  report.target("100 per batch, 8 in flight", median(hundred.events_per_second) / 1e3, true, 800, "k events/s", 0);

  AppendResults single;
  run_and_print(base_case(options, "single events", 1, 64), scratch, report, single);
  report.target("single events from 64 submitters", median(single.events_per_second) / 1e3, true, 150, "k events/s", 1);

  AppendCase plain = base_case(options, "single events, uncompressed", 1, 64);
  plain.driver.codec = Codec::kNone;
  plain.baselines = false;
  AppendResults plain_results;
  run_and_print(plain, scratch, report, plain_results);

  AppendCase blocking = base_case(options, "single events, a thread each", 1, 64);
  blocking.driver.mode = Mode::kBlocking;
  blocking.baselines = false;
  AppendResults blocking_results;
  run_and_print(blocking, scratch, report, blocking_results);

  AppendCase lone = base_case(options, "lone writer", 1, 1);
  lone.driver.mode = Mode::kBlocking;
  lone.seconds = options.seconds / 4;  // short turns: the disk's speed changes within seconds
  lone.repetitions = options.repetitions * 3;
  AppendResults lone_results;
  run_and_print(lone, scratch, report, lone_results);
  report.target("one submitter, one in flight, over raw fdatasync", lone_results.raw_ratio(lone).median, true, 0.85,
                "x");
}

void run_storage_targets(const Options& options, const std::filesystem::path& scratch, Report& report) {
  const std::uint64_t events = options.storage_events == 0 ? 10'000'000 : options.storage_events;
  AppendCase shape = base_case(options, "main", 1000, 8);
  const StorageResults storage = store_and_print(shape, events, scratch, report);
  report.target("stored / raw, index included", storage.stored_ratio(256), false, 0.35, "", 3);
  report.target("write amplification", storage.write_amplification, false, 2.5, "x");
  report.target("write amplification by /proc/self/io", storage.process_write_amplification, false, 2.5, "x");
}

/// The same load with one thing changed.
void run_variants(const Options& options, const std::filesystem::path& scratch, Report& report) {
  std::vector<AppendCase> variants;
  for (const std::uint64_t streams : {std::uint64_t{10'000}, std::uint64_t{1'000'000}}) {
    variants.push_back(base_case(options, "other stream count", 1000, 8));
    variants.back().streams = streams;
  }
  for (const Codec codec : {Codec::kNone, Codec::kLz4, Codec::kZstd}) {
    AppendCase shape = base_case(options, "other codec", 1000, 8);
    if (codec == shape.driver.codec) continue;
    shape.driver.codec = codec;
    variants.push_back(shape);
  }
  variants.push_back(base_case(options, "incompressible", 1000, 8));
  variants.back().kind = DataKind::kRandom;
  for (AppendCase& shape : variants) {
    shape.baselines = false;
    AppendResults results;
    run_and_print(shape, scratch, report, results);
  }
}

void run_matrix(const Options& options, const std::filesystem::path& scratch, Report& report) {
  for (const std::string& kind : options.kinds) {
    for (const std::uint64_t streams : options.streams) {
      for (const std::string& codec : options.codecs) {
        for (const std::size_t batch : options.batches) {
          for (const unsigned submitters : options.submitters) {
            AppendCase shape = base_case(options, "matrix", batch, submitters);
            shape.kind = kind == "json" ? DataKind::kJson : DataKind::kRandom;
            shape.streams = streams;
            shape.driver.codec = require(parse_codec(codec), "--codec");
            shape.driver.pre_encoded = options.pre_encoded;
            shape.baselines = !options.no_baselines;
            AppendResults results;
            run_and_print(shape, scratch, report, results);
            if (options.storage_events != 0) {
              static_cast<void>(store_and_print(shape, options.storage_events, scratch, report));
            }
          }
        }
      }
    }
  }
}

void add_flags(CLI::App& app, Options& options) {
  app.add_flag("--default", options.targets, "Run the named set of targets; print PASS or MISS for each");
  app.add_option("--batch", options.batches, "Events per batch")->delimiter(',')->check(CLI::Range(1, 65535));
  app.add_option("--submitters", options.submitters, "Requests in flight")->delimiter(',')->check(CLI::Range(1, 4096));
  app.add_option("--codec", options.codecs, "none, lz4, zstd (--default uses the first)")
      ->delimiter(',')
      ->check(CLI::IsMember({"none", "lz4", "zstd"}));
  app.add_option("--data", options.kinds, "json, random")->delimiter(',')->check(CLI::IsMember({"json", "random"}));
  app.add_option("--streams", options.streams, "Streams (--default uses the first)")->delimiter(',');
  app.add_option("--producers", options.producers, "Threads that build and submit")->check(CLI::Range(1, 64));
  app.add_flag("--blocking", options.blocking, "One blocking thread per submitter instead");
  app.add_flag("--pre-encoded", options.pre_encoded, "Build the batches before the clock starts");
  app.add_flag("--no-baselines", options.no_baselines, "Only the engine");
  app.add_option("--seconds", options.seconds, "Of one slice")->capture_default_str();
  app.add_option("--repetitions", options.repetitions, "Of each slice")
      ->capture_default_str()
      ->check(CLI::Range(1, 1000));
  app.add_option("--storage-events", options.storage_events,
                 "Events to measure the stored size with (0: only with --default)");
  app.add_option("--dir", options.dir, "Directory on the disk to measure")->capture_default_str();
  app.add_flag("--keep", options.keep, "Leave the directory behind");
  app.add_flag("--allow-tmpfs", options.tmpfs, "Accept a directory in memory");
  app.add_option("--json", options.json, "Write the figures to this file; - = standard output");
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app("Durable appends: throughput, latency, stored size, write amplification");
  add_flags(app, options);
  CLI11_PARSE(app, argc, argv);
  const ScratchDirectory scratch(options.dir, options.tmpfs, options.keep);
  Report report("engine_append");
  const std::string machine = Machine::describe(scratch.path()).to_string();
  fmt::print("{}\n\n", machine);
  report.root()["machine"] = machine;
  if (!options.targets) {
    run_matrix(options, scratch.path(), report);
    report.write_json(options.json);
    return 0;
  }
  print_encoding(report);
  run_rate_targets(options, scratch.path(), report);
  run_storage_targets(options, scratch.path(), report);
  run_variants(options, scratch.path(), report);
  fmt::print("\n");
  const bool met = report.print_targets();
  report.write_json(options.json);
  return met ? 0 : 2;
}
