// engine_open: how long a store that was killed while appending needs until it works again.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "child.hpp"
#include "machine.hpp"
#include "report.hpp"
#include "scratch.hpp"

namespace {

using namespace bahi;
using namespace bahi::bench;

struct Options {
  std::string dir = default_parent();
  std::string json;
  std::vector<std::uint64_t> sizes{1'000'000, 10'000'000};
  std::size_t batch = 1000;
  int kills = 25;  // what is left to replay is a matter of chance: fewer say little
  bool cold = false;
  bool tmpfs = false;
  std::string child_append;
  std::string child_open;
  std::uint64_t child_seed = 0;
};

/// Appended between two kills: what has to be replayed depends on how far the last
/// flush of the log and the last sorted file of the index lie back.
constexpr std::uint64_t kIncrements[]{0, 137'000, 411'000, 53'000, 702'000, 250'000, 590'000, 999'000, 8'000, 333'000};

Spread run_size(const Options& options, std::uint64_t size, const std::filesystem::path& scratch, Report& report) {
  require_free_space(scratch, (std::uint64_t{4} << 30U) + size * 500);
  const std::filesystem::path directory = scratch / fmt::format("store-{}", size);
  Table table({"killed at", "recovered events", "open ms", "first append ms", "first stream read ms"});
  std::vector<double> open;
  std::vector<double> ready;
  std::uint64_t goal = size;
  for (int kill = 0; kill < options.kills; ++kill) {
    goal += kIncrements[static_cast<std::size_t>(kill) % std::size(kIncrements)];
    const std::uint64_t acknowledged =
        run_and_kill({"--child-append", directory.string(), "--child-seed", std::to_string(kill + 1), "--batch",
                      std::to_string(options.batch)},
                     goal);
    if (options.cold) drop_page_cache(directory);
    const OpenTimes times = run_and_measure({"--child-open", directory.string()});
    if (times.events < acknowledged) {
      fail(fmt::format("{} events were acknowledged before the kill, {} are there", acknowledged, times.events));
    }
    goal = times.events + 1;
    open.push_back(times.open_ms);
    ready.push_back(times.read_ms);
    table.add({std::to_string(acknowledged), std::to_string(times.events), fmt::format("{:.1f}", times.open_ms),
               fmt::format("{:.1f}", times.append_ms), fmt::format("{:.1f}", times.read_ms)});
    report.add_result({{"size", size},
                       {"killed_at", acknowledged},
                       {"recovered", times.events},
                       {"open_ms", times.open_ms},
                       {"first_append_ms", times.append_ms},
                       {"first_read_ms", times.read_ms}});
  }
  fmt::print("\nkill -9 at {} events and above, {} per batch, page cache {}\n", size, options.batch,
             options.cold ? "cold" : "warm");
  table.print();
  const Spread spread = Spread::of(ready);
  fmt::print("open {} ms, until append and read were answered {} ms, median (range)\n",
             Spread::of(open).to_string(1, 1), spread.to_string(1, 1));
  std::filesystem::remove_all(directory);
  return spread;
}

void add_flags(CLI::App& app, Options& options) {
  app.add_option("--sizes", options.sizes, "Events in the store when it is first killed, ascending")->delimiter(',');
  app.add_option("--batch", options.batch, "Events per batch")->check(CLI::Range(1, 65535));
  app.add_option("--kills", options.kills, "Of each size")->check(CLI::Range(1, 1000));
  app.add_flag("--cold", options.cold, "Drop the store's files from the page cache before each open");
  app.add_option("--dir", options.dir, "Directory on the disk to measure")->capture_default_str();
  app.add_flag("--allow-tmpfs", options.tmpfs, "Accept a directory in memory");
  app.add_option("--json", options.json, "Write the figures to this file; - = standard output");
  app.add_option("--child-append", options.child_append)->group("");
  app.add_option("--child-open", options.child_open)->group("");
  app.add_option("--child-seed", options.child_seed)->group("");
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app("Open time after kill -9");
  add_flags(app, options);
  CLI11_PARSE(app, argc, argv);
  if (!options.child_append.empty()) append_until_killed(options.child_append, options.batch, options.child_seed);
  if (!options.child_open.empty()) return open_and_measure(options.child_open);

  const ScratchDirectory scratch(options.dir, options.tmpfs, false);
  Report report("engine_open");
  const std::string machine = Machine::describe(scratch.path()).to_string();
  fmt::print("{}\n", machine);
  report.root()["machine"] = machine;
  const Usage start = Usage::now();
  std::vector<Spread> ready;
  for (const std::uint64_t size : options.sizes) ready.push_back(run_size(options, size, scratch.path(), report));
  report.target(fmt::format("ready after kill -9 at {} events, median", options.sizes.back()), ready.back().median,
                false, 1000, "ms", 1);
  if (ready.size() > 1) {
    report.target(fmt::format("  over the same at {} events", options.sizes.front()),
                  ready.back().median / ready.front().median, false, 1.2, "x");
  }
  fmt::print("\nCPU used by others meanwhile: {:.0f} %\n", (Usage::now() - start).foreign_cpu_share() * 100);
  const bool met = report.print_targets();
  report.write_json(options.json);
  return met ? 0 : 2;
}
