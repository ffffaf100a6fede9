#include <map>

#include <fmt/format.h>
#include <unistd.h>
#include <boost/json/serialize.hpp>

#include "bahi/cli/output.hpp"
#include "bahi/cli/stop_signal.hpp"
#include "commands.hpp"
#include "load.hpp"

namespace bahi::cli {
namespace {

using bench::LoadOptions;
using bench::LoadReport;

/// What the command line says, before it is translated.
struct Arguments {
  LoadOptions load;
  std::string tenant = "bench";
  std::string codec = "zstd";
  std::string data = "json";
  std::string mode;
  double duration_seconds = 10;
  double warm_up_seconds = 2;
  bool as_json = false;
};

using Runner = Result<LoadReport> (*)(const LoadOptions&);
/// By the mode; of a command without modes, the mode is "".
using Runners = std::map<std::string, Runner>;

Result<ExitCode> run_bench(const Context& context, const Arguments& arguments, const Runners& runners) {
  if (!context.remote()) return Error{ErrorCode::kInvalidArgument, "bench: name a server with --server"};
  LoadOptions load = arguments.load;
  BAHI_ASSIGN(load.client, client_options(context, arguments.tenant));
  BAHI_ASSIGN(load.codec, parse_codec(arguments.codec));
  load.workload.kind = arguments.data == "json" ? bench::DataKind::kJson : bench::DataKind::kRandom;
  load.duration = std::chrono::duration<double>(arguments.duration_seconds);
  load.warm_up = std::chrono::duration<double>(arguments.warm_up_seconds);
  const StopSignal& stop = StopSignal::instance();
  load.stopped = [&stop] { return stop.requested(); };
  BAHI_ASSIGN(const LoadReport report, runners.at(arguments.mode)(load));
  Output output(STDOUT_FILENO);
  output.text() = arguments.as_json ? boost::json::serialize(report.json) + '\n' : report.text;
  BAHI_TRY(output.flush());
  return stop.requested() ? ExitCode::kInterrupted : ExitCode::kOk;
}

void add_general(CLI::App& command, Arguments& arguments) {
  LoadOptions& load = arguments.load;
  command.add_option("--tenant,-t", arguments.tenant, "Whose log is used; created if it is missing")
      ->capture_default_str();
  command.add_option("--connections", load.connections, "Connections to the server")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command.add_option("--duration", arguments.duration_seconds, "Seconds that count")->capture_default_str();
  command.add_option("--warm-up", arguments.warm_up_seconds, "Seconds before that, which do not")
      ->capture_default_str();
  command.add_flag("--json", arguments.as_json, "Print one JSON object: settings, machine and every figure");
}

void add_threads(CLI::App& command, LoadOptions& load) {
  command.add_option("--threads", load.threads, "Threads that share the connections")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command.add_option("--in-flight", load.in_flight, "Requests without an answer, per connection")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
}

void add_streams(CLI::App& command, LoadOptions& load) {
  command.add_option("--streams", load.workload.streams, "Streams that the events fall on, uniformly")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command.add_option("--seed", load.workload.seed, "Of everything that is random")->capture_default_str();
}

void add_limit(CLI::App& command, LoadOptions& load) {
  command.add_option("--limit", load.limit, "Events of a stream that a read takes, newest first")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
}

void add_rate(CLI::App& command, LoadOptions& load) {
  command
      .add_option("--rate", load.rate,
                  "Requests per second, in all, at even distances; latency then counts from the moment at "
                  "which each was due. 0: as fast as answers come")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
}

void add_events(CLI::App& command, Arguments& arguments) {
  command.add_option("--batch", arguments.load.batch, "Events per request")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command.add_option("--event-bytes", arguments.load.workload.data_bytes, "Bytes of each event's data")
      ->check(CLI::Range(std::size_t{1}, std::size_t{1} << 20U))
      ->capture_default_str();
  command.add_option("--data", arguments.data, "json: compressible, at least 208 bytes; random: neither")
      ->check(CLI::IsMember({"json", "random"}))
      ->capture_default_str();
  command.add_option("--codec", arguments.codec, "How the bodies are compressed")
      ->check(CLI::IsMember({"none", "lz4", "zstd"}))
      ->capture_default_str();
}

void add_modes(CLI::App& command, Arguments& arguments, const Runners& runners, const std::string& help) {
  std::vector<std::string> names;
  for (const auto& [name, runner] : runners) names.push_back(name);
  command.add_option("--mode", arguments.mode, help)->check(CLI::IsMember(names))->capture_default_str();
}

std::shared_ptr<Arguments> arguments_for(std::string mode = "") {
  auto arguments = std::make_shared<Arguments>();
  arguments->mode = std::move(mode);
  arguments->load.workload.streams = 100;
  return arguments;
}

void run_when_called(CLI::App& command, Context& context, const std::shared_ptr<Arguments>& arguments,
                     Runners runners) {
  command.callback([&context, arguments, runners = std::move(runners)] {
    context.needs_directory = false;
    context.action = [&context, arguments, runners] { return run_bench(context, *arguments, runners); };
  });
}

void add_append_bench(CLI::App& bench, Context& context) {
  CLI::App* const append = bench.add_subcommand("append", "Durable appends: rate and latency");
  const auto arguments = arguments_for();
  add_general(*append, *arguments);
  add_threads(*append, arguments->load);
  add_events(*append, *arguments);
  add_streams(*append, arguments->load);
  add_rate(*append, arguments->load);
  append->footer(
      "Examples:\n"
      "  bahi bench append --server 127.0.0.1:7440\n"
      "  bahi bench append --batch 1 --connections 64 --json\n"
      "  bahi bench append --batch 100 --rate 2000");
  run_when_called(*append, context, arguments, {{"", bench::run_append}});
}

void add_read_bench(CLI::App& bench, Context& context) {
  const Runners runners{{"replay", bench::run_replay}, {"streams", bench::run_stream_reads}};
  CLI::App* const read = bench.add_subcommand("read", "Reads of the whole log, or of one stream after the other");
  const auto arguments = arguments_for("replay");
  arguments->load.connections = 1;
  add_general(*read, *arguments);
  add_modes(*read, *arguments, runners, "replay: the whole log, every event decoded; streams: streams' last events");
  add_threads(*read, arguments->load);
  add_streams(*read, arguments->load);
  add_limit(*read, arguments->load);
  add_rate(*read, arguments->load);
  read->footer("What is read is what `bahi bench append` wrote, with the same --streams.");
  run_when_called(*read, context, arguments, runners);
}

void add_subscribe_bench(CLI::App& bench, Context& context) {
  const Runners runners{{"latency", bench::run_subscribe}, {"catch-up", bench::run_catch_up}};
  CLI::App* const subscribe = bench.add_subcommand("subscribe", "From an append to its subscribers; catching up");
  const auto arguments = arguments_for("latency");
  arguments->load.connections = 1;
  arguments->load.rate = 100;
  add_general(*subscribe, *arguments);
  add_modes(*subscribe, *arguments, runners,
            "latency: single events at a rate, until each subscriber has them; catch-up: from the log's beginning");
  add_rate(*subscribe, arguments->load);
  run_when_called(*subscribe, context, arguments, runners);
}

void add_mixed_bench(CLI::App& bench, Context& context) {
  CLI::App* const mixed = bench.add_subcommand("mixed", "Appends, stream reads and subscriptions at the same time");
  const auto arguments = arguments_for();
  add_general(*mixed, *arguments);
  add_threads(*mixed, arguments->load);
  add_events(*mixed, *arguments);
  add_streams(*mixed, arguments->load);
  add_rate(*mixed, arguments->load);
  add_limit(*mixed, arguments->load);
  mixed->add_option("--readers", arguments->load.readers, "More connections, that read streams")->capture_default_str();
  mixed->add_option("--subscribers", arguments->load.subscribers, "More connections, that follow the log")
      ->capture_default_str();
  run_when_called(*mixed, context, arguments, {{"", bench::run_mixed}});
}

void add_idle_bench(CLI::App& bench, Context& context) {
  CLI::App* const idle = bench.add_subcommand("idle", "What idle connections cost: append latency, memory");
  const auto arguments = arguments_for();
  arguments->load.connections = 10'000;
  arguments->load.rate = 200;
  add_general(*idle, *arguments);
  add_rate(*idle, arguments->load);
  idle->add_option("--rounds", arguments->load.rounds, "Measurements without and with them, in turns")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  run_when_called(*idle, context, arguments, {{"", bench::run_idle}});
}

}  // namespace

void add_bench_commands(CLI::App& app, Context& context) {
  CLI::App* const bench = app.add_subcommand("bench", "Put a load on a server and measure");
  bench->require_subcommand(1);
  add_append_bench(*bench, context);
  add_read_bench(*bench, context);
  add_subscribe_bench(*bench, context);
  add_mixed_bench(*bench, context);
  add_idle_bench(*bench, context);
  bench->footer(
      "The events stay in the log of the tenant: use a store of its own. docs/benchmarks.md explains the figures.");
}

}  // namespace bahi::cli
