#include <chrono>
#include <cstdio>

#include <fmt/format.h>

#include "bahi/base/text.hpp"
#include "bahi/cli/console.hpp"
#include "bahi/cli/history_writer.hpp"
#include "bahi/cli/progress_bar.hpp"
#include "bahi/cli/stop_signal.hpp"
#include "bahi/schemas/limits.hpp"
#include "commands.hpp"

namespace bahi::cli {
namespace {

using workload::HistoryOptions;
using workload::Kind;

struct Arguments {
  HistoryOptions history;
  HistoryWriterOptions writer;
  std::string tenant;
  std::string from;
  std::string codec = "zstd";
  std::string data = "json";
  bool as_json = false;
};

/// "2026-01-01", where its day begins in India, or a time.
Result<Timestamp> parse_from(const std::string& text) {
  if (const auto days = parse_date(text)) return parse_timestamp(text + "T00:00:00+05:30");
  auto time = parse_timestamp(text);
  if (time) return time;
  return Error{
      ErrorCode::kInvalidArgument,
      fmt::format("--from: '{}' is neither a date such as 2026-01-31 nor a time such as 2026-01-31T09:00:00Z", text)};
}

/// The tenant's log; the tenant is made when it is missing and who asks may do that.
Result<std::unique_ptr<TenantLog>> open_or_create(const Context& context, const std::string& tenant) {
  auto log = open_log(context, tenant, {});
  if (log || log.error().code() != ErrorCode::kUnknownTenant) return log;
  if (context.remote()) {
    BAHI_ASSIGN(const auto client, connect(context));
    BAHI_TRY(client->create_tenant(tenant));
  } else {
    BAHI_ASSIGN(const auto engine, open_engine(context, {}));
    BAHI_TRY(engine->create_tenant(tenant));
    BAHI_TRY(engine->close());
  }
  return open_log(context, tenant, {});
}

void print_summary(const Arguments& arguments, const HistorySummary& summary, double seconds) {
  const std::string_view kind = to_string(arguments.history.kind);
  const double rate = static_cast<double>(summary.events_written) / seconds;
  if (arguments.as_json) {
    fmt::print(R"({{"workload":"{}","tenant":"{}","seed":{},"events_written":{},"events_already_there":{},)"
               R"("batches":{},"seconds":{:.3f},"events_per_second":{:.0f}}})"
               "\n",
               kind, arguments.tenant, arguments.history.seed, summary.events_written, summary.events_present,
               summary.batches_written, seconds, rate);
    return;
  }
  fmt::print("{}: wrote {} events in {} appends to '{}', {} already there; {:.2f} s, {} events/s\n", kind,
             grouped(summary.events_written), grouped(summary.batches_written), arguments.tenant,
             grouped(summary.events_present), seconds, grouped(static_cast<std::uint64_t>(rate)));
}

Result<ExitCode> run_workload(const Context& context, const Arguments& given) {
  Arguments arguments = given;
  if (arguments.tenant.empty()) arguments.tenant = to_string(arguments.history.kind);
  if (!arguments.from.empty()) {
    BAHI_ASSIGN(arguments.history.from, parse_from(arguments.from));
  }
  arguments.history.flatbuffers = arguments.data == "flatbuffer";
  BAHI_ASSIGN(arguments.writer.codec, parse_codec(arguments.codec));
  BAHI_TRY(workload::check(arguments.history));
  const StopSignal& stop = StopSignal::instance();
  BAHI_ASSIGN(const auto log, open_or_create(context, arguments.tenant));

  const auto start = std::chrono::steady_clock::now();
  ProgressBar bar(std::string(to_string(arguments.history.kind)), "events");
  arguments.writer.progress = [&bar, total = arguments.writer.events](std::uint64_t done) { bar.update(done, total); };
  arguments.writer.stopped = [&stop] { return stop.requested(); };
  HistoryWriter writer(*log, arguments.history, arguments.writer);
  const Status status = writer.run();
  bar.wipe();
  const double seconds =
      std::max(1e-6, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  const HistorySummary& summary = writer.summary();
  if (!status) {
    const bool interrupted = stop.requested() && status.error().code() == ErrorCode::kCancelled;
    const ExitCode code = interrupted ? ExitCode::kInterrupted : report(status.error());
    note(
        fmt::format("wrote {} events, {} were already there. Run the same command again to go on there: what is in is "
                    "not added twice",
                    grouped(summary.events_written), grouped(summary.events_present)));
    return code;
  }
  BAHI_TRY(log->close());
  print_summary(arguments, summary, seconds);
  return ExitCode::kOk;
}

void add_general(CLI::App& command, Arguments& arguments) {
  command.add_option("--events", arguments.writer.events, "Events of the history that the log shall hold")
      ->required()
      ->check(CLI::PositiveNumber);
  command.add_option("--tenant,-t", arguments.tenant,
                     "Whose log gets them [named like the workload]; created if it is missing");
  command.add_option("--seed", arguments.history.seed, "Of everything that is random")->capture_default_str();
  command.add_option("--from", arguments.from,
                     "Date or time of the first event [2026-01-01]; from there the history's time goes by itself");
  command.add_option("--events-per-day", arguments.history.events_per_day,
                     "About so many events in a day of the history [as suits the workload]");
  command.add_option("--batch", arguments.writer.batch_events, "Events per append")
      ->check(CLI::Range(std::uint32_t{1}, static_cast<std::uint32_t>(kBatchEventsMax)))
      ->capture_default_str();
  command
      .add_option("--in-flight", arguments.writer.in_flight_max,
                  "Appends without an answer; with 1 nothing overtakes an append that is refused")
      ->check(CLI::Range(std::uint32_t{1}, kHistoryInFlightMax))
      ->capture_default_str();
  command.add_option("--data-form", arguments.data, "How the events' data is written")
      ->check(CLI::IsMember({"json", "flatbuffer"}))
      ->capture_default_str();
  command.add_option("--codec", arguments.codec, "Compression of the appends")
      ->check(CLI::IsMember({"lz4", "zstd", "none"}))
      ->capture_default_str();
  command.add_flag("--json", arguments.as_json, "Print the summary as JSON");
}

using Number = std::uint32_t HistoryOptions::*;
struct ScaleOption {
  const char* name;
  Number number;
  const char* help;
};

void add_workload(CLI::App& parent, Context& context, Kind kind, const char* help,
                  const std::vector<ScaleOption>& scale) {
  CLI::App* const command = parent.add_subcommand(std::string(to_string(kind)), help);
  auto arguments = std::make_shared<Arguments>();
  arguments->history.kind = kind;
  add_general(*command, *arguments);
  for (const ScaleOption& option : scale) {
    command->add_option(option.name, arguments->history.*option.number, option.help)->capture_default_str();
  }
  command->callback(
      [&context, arguments] { context.action = [&context, arguments] { return run_workload(context, *arguments); }; });
}

}  // namespace

void add_workload_commands(CLI::App& app, Context& context) {
  CLI::App* const workload = app.add_subcommand("workload", "Write a made-up history, as large as you like");
  workload->require_subcommand(1);
  add_workload(*workload, context, Kind::kChat,
               "A community that grows: rooms, direct conversations, threads, edits, reactions, receipts",
               {{"--members", &HistoryOptions::members, "That the community grows to"},
                {"--rooms", &HistoryOptions::rooms, "Besides the direct conversations"}});
  add_workload(*workload, context, Kind::kPharmacy,
               "A chain of pharmacies: batches with expiry, sales, reservations, returns, counts, recalls",
               {{"--shops", &HistoryOptions::shops, "Besides the warehouse"},
                {"--items", &HistoryOptions::items, "That they sell"}});
  add_workload(*workload, context, Kind::kPayments,
               "Orders and their payments, with reports of the provider that come late, twice and out of order",
               {{"--customers", &HistoryOptions::customers, "That place orders"}});
  add_workload(*workload, context, Kind::kAudit, "Administrators, and what they do to accounts and settings, and why",
               {{"--administrators", &HistoryOptions::administrators, "That act"},
                {"--accounts", &HistoryOptions::accounts, "That they look after"}});
  workload->footer(
      "The same options give the same events, on every machine. Running a command again adds nothing; with more "
      "--events "
      "it goes on.\n\n"
      "Examples:\n"
      "  bahi workload chat --events 1000000\n"
      "  bahi workload pharmacy --events 50000 --shops 20 --tenant shops --seed 7");
}

}  // namespace bahi::cli
