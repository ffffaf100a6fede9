#include <chrono>
#include <cstdio>

#include <fmt/format.h>

#include "bahi/cli/progress_bar.hpp"
#include "commands.hpp"

namespace bahi::cli {
namespace {

Result<ExitCode> rebuild_index(const Context& context) {
  if (context.remote()) return Error{ErrorCode::kInvalidArgument, "--server: the index is rebuilt in the directory"};
  const auto start = std::chrono::steady_clock::now();
  EngineOptions options;
  options.rebuild_index = true;
  BAHI_ASSIGN(const auto engine, open_engine(context, std::move(options), "rebuilding the index"));
  std::uint64_t events = 0;
  for (const TenantInfo& tenant : engine->tenants()) events += tenant.durable_offset.value;
  BAHI_TRY(engine->close());
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  fmt::print("index of {} events rebuilt in {:.2f} s\n", grouped(events), seconds);
  return ExitCode::kOk;
}

}  // namespace

void add_index_commands(CLI::App& app, Context& context) {
  CLI::App* const index = app.add_subcommand("index", "Look after the index, which is derived from the log");
  index->require_subcommand(1);
  CLI::App* const rebuild = index->add_subcommand("rebuild", "Throw the index away and build it anew from the log");
  rebuild->footer("Example:\n  bahi index rebuild --data /var/lib/bahi");
  rebuild->callback([&context] { context.action = [&context] { return rebuild_index(context); }; });
}

}  // namespace bahi::cli
