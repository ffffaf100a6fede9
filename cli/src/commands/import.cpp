#include <chrono>
#include <cstdio>

#include <fmt/format.h>

#include "bahi/cli/console.hpp"
#include "bahi/cli/importer.hpp"
#include "bahi/cli/progress_bar.hpp"
#include "bahi/cli/stop_signal.hpp"
#include "bahi/schemas/limits.hpp"
#include "commands.hpp"

namespace bahi::cli {
namespace {

struct Arguments {
  std::string tenant;
  std::string file = "-";
  std::string source;
  std::string codec = "zstd";
  std::uint32_t batch_events = 1000;
  bool as_json = false;
};

void print_summary(const Arguments& arguments, const ImportSummary& summary, std::uint64_t stored_bytes, double seconds) {
  const double rate = static_cast<double>(summary.events_imported + summary.events_present) / seconds;
  if (arguments.as_json) {
    fmt::print(R"({{"events_imported":{},"events_already_there":{},"batches":{},"seconds":{:.3f},)"
               R"("events_per_second":{:.0f},"stored_bytes":{},"next_line":{}}})"
               "\n",
               summary.events_imported, summary.events_present, summary.batches_imported, seconds, rate,
               stored_bytes, summary.next_line);
    return;
  }
  fmt::print("imported {} events in {} batches, {} already there; {:.2f} s, {} events/s",
             grouped(summary.events_imported), grouped(summary.batches_imported), grouped(summary.events_present),
             seconds, grouped(static_cast<std::uint64_t>(rate)));
  if (summary.events_imported != 0 && stored_bytes != 0) {
    fmt::print("; stored {} ({:.1f} bytes per event)", human_bytes(stored_bytes),
               static_cast<double>(stored_bytes) / static_cast<double>(summary.events_imported));
  }
  fmt::print("\n");
}

void print_how_far(const ImportSummary& summary) {
  note(
      fmt::format("imported {} events, {} were already there; everything before line {} is in the log. Run the same "
                  "command again to go on there: what is in is not added twice",
                  grouped(summary.events_imported), grouped(summary.events_present), summary.next_line));
}

Result<ExitCode> run_import(const Context& context, const Arguments& arguments) {
  StopSignal::instance();
  ImportOptions options;
  BAHI_ASSIGN(options.codec, parse_codec(arguments.codec));
  BAHI_ASSIGN(LineSource input, LineSource::open(arguments.file));
  BAHI_ASSIGN(const auto log, open_log(context, arguments.tenant, {}));
  options.source = arguments.source;
  options.batch_events = arguments.batch_events;

  const auto start = std::chrono::steady_clock::now();
  ProgressBar bar("importing", "B");
  options.progress = [&bar, total = input.size_bytes().value_or(0)](std::uint64_t bytes) { bar.update(bytes, total); };
  Importer importer(*log, input, options);
  const Status status = importer.run();
  bar.wipe();
  const double seconds =
      std::max(1e-6, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  if (!status) {
    const ExitCode code = report(status.error());
    print_how_far(importer.summary());
    return code;
  }
  const std::uint64_t stored_bytes = log->stored_bytes();
  BAHI_TRY(log->close());
  print_summary(arguments, importer.summary(), stored_bytes, seconds);
  return ExitCode::kOk;
}

}  // namespace

void add_import_command(CLI::App& app, Context& context) {
  CLI::App* const import = app.add_subcommand("import", "Add events from NDJSON; running it again adds nothing twice");
  auto arguments = std::make_shared<Arguments>();
  import->add_option("--tenant,-t", arguments->tenant, "The tenant whose log gets the events")->required();
  import->add_option("FILE", arguments->file, "NDJSON, one event per line; '-' is standard input")
      ->capture_default_str();
  import->add_option("--source", arguments->source,
                     "Name of the source. Events of one source are added once. Without it the first line stands for "
                     "the source, so a file that is imported again, renamed or grown is recognised");
  import->add_option("--batch-events", arguments->batch_events, "Events per atomic batch")
      ->check(CLI::Range(std::uint32_t{1}, static_cast<std::uint32_t>(kBatchEventsMax)))
      ->capture_default_str();
  import->add_option("--codec", arguments->codec, "Compression of the batches")
      ->check(CLI::IsMember({"lz4", "zstd", "none"}))
      ->capture_default_str();
  import->add_flag("--json", arguments->as_json, "Print the summary as JSON");
  import->footer(
      "Examples:\n"
      "  bahi import --tenant shop orders.ndjson\n"
      "  zcat orders.ndjson.gz | bahi import --tenant shop\n"
      "  bahi read --tenant shop | bahi import --tenant copy --data /other/store\n\n"
      "A line: {\"stream\":\"order-1\",\"type\":\"placed\",\"data\":{\"total\":999},\"tags\":[\"sku:7\"]}\n"
      "All fields are described in docs/cli.md.");
  import->callback(
      [&context, arguments] { context.action = [&context, arguments] { return run_import(context, *arguments); }; });
}

}  // namespace bahi::cli
