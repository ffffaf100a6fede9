#include <fmt/format.h>

#include "bahi/cli/json_text.hpp"
#include "bahi/cli/output.hpp"
#include "bahi/cli/progress_bar.hpp"
#include "commands.hpp"

#include <unistd.h>

namespace bahi::cli {
namespace {

void append_json(const EngineStats& stats, const std::vector<TenantInfo>& tenants, std::uint64_t events,
                 std::string& text) {
  text += fmt::format(
      R"({{"events":{},"log_bytes":{},"wal_bytes":{},"index_bytes":{},"index_postings_in_memory":{},"free_bytes":{},)"
      R"("tenants":[)",
      events, stats.log_bytes_on_disk, stats.wal_bytes_on_disk, stats.index_bytes_on_disk,
      stats.index_postings_in_memory, stats.free_bytes);
  for (const TenantInfo& tenant : tenants) {
    if (&tenant != tenants.data()) text += ',';
    text += R"({"tenant":)";
    append_json_string(tenant.name, text);
    text += fmt::format(R"(,"id":{},"events":{}}})", tenant.id.value, tenant.durable_offset.value);
  }
  text += "]}\n";
}

void append_text(const EngineStats& stats, const std::vector<TenantInfo>& tenants, std::uint64_t events,
                 std::string& text) {
  const auto row = [&text](std::string_view name, const std::string& value) {
    text += fmt::format("{:<18}{:>20}\n", name, value);
  };
  const std::uint64_t bytes = stats.log_bytes_on_disk + stats.wal_bytes_on_disk + stats.index_bytes_on_disk;
  row("tenants", grouped(tenants.size()));
  row("events", grouped(events));
  row("log", human_bytes(stats.log_bytes_on_disk));
  row("write-ahead log", human_bytes(stats.wal_bytes_on_disk));
  row("index", human_bytes(stats.index_bytes_on_disk));
  if (events != 0) {
    row("bytes per event", fmt::format("{:.1f}", static_cast<double>(bytes) / static_cast<double>(events)));
  }
  row("free on disk", human_bytes(stats.free_bytes));
}

Result<ExitCode> run_remote_stats(const Context& context, bool as_json) {
  BAHI_ASSIGN(const auto client, connect(context));
  BAHI_ASSIGN(const wire::Status status, client->status());
  Output output(STDOUT_FILENO);
  std::string& text = output.text();
  if (as_json) {
    text += R"({"version":)";
    append_json_string(status.version, text);
    text += R"(,"read_only_reason":)";
    append_json_string(status.read_only_reason, text);
    for (const auto& [name, value] : status.counters) {
      text += ',';
      append_json_string(name, text);
      text += fmt::format(":{}", value);
    }
    text += "}\n";
  } else {
    text += fmt::format("{:<32}{:>20}\n", "version", status.version);
    if (!status.read_only_reason.empty()) text += fmt::format("READ-ONLY: {}\n", status.read_only_reason);
    for (const auto& [name, value] : status.counters) text += fmt::format("{:<32}{:>20}\n", name, grouped(value));
  }
  BAHI_TRY(output.flush());
  return ExitCode::kOk;
}

Result<ExitCode> run_stats(const Context& context, bool as_json) {
  if (context.remote()) return run_remote_stats(context, as_json);
  EngineOptions options;
  options.read_only = true;
  BAHI_ASSIGN(const auto engine, open_engine(context, std::move(options)));
  const EngineStats stats = engine->stats();
  const std::vector<TenantInfo> tenants = engine->tenants();
  std::uint64_t events = 0;
  for (const TenantInfo& tenant : tenants) events += tenant.durable_offset.value;
  Output output(STDOUT_FILENO);
  if (as_json) {
    append_json(stats, tenants, events, output.text());
  } else {
    append_text(stats, tenants, events, output.text());
  }
  BAHI_TRY(output.flush());
  return ExitCode::kOk;
}

}  // namespace

void add_stats_command(CLI::App& app, Context& context) {
  CLI::App* const stats = app.add_subcommand("stats", "Size of the store and its parts");
  auto as_json = std::make_shared<bool>(false);
  stats->add_flag("--json", *as_json, "Print one JSON object");
  stats->footer("Changes nothing, and may run beside a writer.\nExample:\n  bahi stats --json | jq .events");
  stats->callback(
      [&context, as_json] { context.action = [&context, as_json] { return run_stats(context, *as_json); }; });
}

}  // namespace bahi::cli
