#include <cstdio>
#include <exception>
#include <new>

#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include <fmt/format.h>

#include "bahi/cli/console.hpp"
#include "commands/commands.hpp"

namespace bahi::cli {
namespace {

constexpr const char* kVersion = "bahi " BAHI_VERSION;

int run(int argc, char** argv) {
  Context context;
  CLI::App app("Bahi: an event-sourced log server. Events in, events out, nothing lost, nothing altered.", "bahi");
  app.set_version_flag("--version", kVersion);
  app.require_subcommand(1);
  app.fallthrough();
  app.get_formatter()->column_width(34);
  app.add_option("--data,--data-dir", context.directory, "Directory of the store; may stand behind the command too")
      ->envname("BAHI_DATA");
  app.add_option("--server", context.server,
                 "HOST:PORT of a server, instead of --data; it is the one that is used when both are given")
      ->envname("BAHI_SERVER");
  app.add_option("--token", context.token,
                 "Credential for the server; safer in the variable, where ps does not show it")
      ->envname("BAHI_TOKEN");
  app.add_option("--profile", context.profile,
                 "A server that `bahi profile set` saved; what else is given wins over it")
      ->envname("BAHI_PROFILE");
  app.add_flag("--tls", context.tls, "Speak TLS with the server; the next three imply it")->envname("BAHI_TLS");
  app.add_option("--ca", context.tls_settings.ca_file,
                 "PEM file of the authorities that may vouch for the server [those of the system]")
      ->envname("BAHI_CA");
  app.add_option("--cert", context.tls_settings.certificate_file, "PEM file of the certificate to show the server")
      ->envname("BAHI_CERT");
  app.add_option("--key", context.tls_settings.key_file, "PEM file of its key")->envname("BAHI_KEY");
  app.add_option("--tls-name", context.tls_settings.server_name, "Name in the server's certificate [HOST]")
      ->envname("BAHI_TLS_NAME");
  app.footer(
      "Examples:\n"
      "  export BAHI_DATA=/var/lib/bahi\n"
      "  bahi tenant create shop\n"
      "  bahi import --tenant shop orders.ndjson\n"
      "  bahi read --tenant shop --stream order-1\n"
      "  bahi verify\n\n" +
      exit_code_help() + "\nEvery command has --help. The form of the events is described in docs/cli.md.");
  add_tenant_commands(app, context);
  add_import_command(app, context);
  add_append_command(app, context);
  add_read_command(app, context);
  add_verify_command(app, context);
  add_stats_command(app, context);
  add_index_commands(app, context);
  add_recover_command(app, context);
  add_backup_commands(app, context);
  add_token_commands(app, context);
  add_serve_command(app, context);
  add_ping_command(app, context);
  add_top_command(app, context);
  add_workload_commands(app, context);
  add_bench_commands(app, context);
  add_profile_commands(app, context);
  add_completion_command(app, context);
  add_projection_commands(app, context);
  add_query_commands(app, context);
  add_webhook_commands(app, context);
  add_key_commands(app, context);
  add_diff_command(app, context);
  add_replay_command(app, context);
  add_snapshot_commands(app, context);

  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& wish) {  // --help, --version
    return app.exit(wish);
  } catch (const CLI::ParseError& problem) {
    fmt::print(stderr, "bahi: usage: {}\nRun bahi --help, or --help behind the command.\n", problem.what());
    return static_cast<int>(ExitCode::kUsage);
  }
  if (const Status applied = context.uses_profile ? apply_profile(context) : Status(); !applied) {
    return static_cast<int>(report(applied.error()));
  }
  if (context.directory.empty() && context.needs_directory && !context.remote()) {
    fmt::print(stderr,
               "bahi: usage: name the directory of the store with --data DIR or in BAHI_DATA, or a server with "
               "--server HOST:PORT, in BAHI_SERVER or with --profile NAME\n");
    return static_cast<int>(ExitCode::kUsage);
  }
  const Result<ExitCode> code = context.action();
  return static_cast<int>(code ? *code : report(code.error()));
}

}  // namespace
}  // namespace bahi::cli

int main(int argc, char** argv) {
  try {
    return bahi::cli::run(argc, argv);
  } catch (const std::bad_alloc&) {
    return static_cast<int>(bahi::cli::report({bahi::ErrorCode::kOutOfMemory, "memory ran out"}));
  } catch (const std::exception& problem) {
    return static_cast<int>(bahi::cli::report({bahi::ErrorCode::kInternal, problem.what()}));
  }
}
