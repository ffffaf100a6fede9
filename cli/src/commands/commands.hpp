// The commands of the program; each function adds one to the command line.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <CLI/App.hpp>

#include "bahi/base/result.hpp"
#include "bahi/cli/exit_code.hpp"
#include "bahi/cli/tenant_log.hpp"
#include "bahi/client/client.hpp"
#include "bahi/engine/engine.hpp"

namespace bahi::cli {

/// What the command line says; must outlive the run of `action`.
struct Context {
  std::string directory;
  std::string server;  ///< HOST:PORT; empty: the directory is used
  std::string token;
  std::string profile;  ///< a name; empty: the default one, when nothing else says where the store is
  bool uses_profile = true;
  bool tls = false;  ///< asked for; also implied by a file below
  tls::ClientSettings tls_settings;
  bool needs_directory = true;  ///< the command cannot do without, unless `server` is given
  [[nodiscard]] bool remote() const noexcept { return !server.empty(); }
  /// Of the command chosen. An error is reported by the caller.
  std::function<Result<ExitCode>()> action;
};

/// `export` and `verify` below the command `audit`.
void add_audit_commands(CLI::App& audit, Context& context);
void add_backup_commands(CLI::App& app, Context& context);
void add_bench_commands(CLI::App& app, Context& context);
void add_completion_command(CLI::App& app, Context& context);
void add_profile_commands(CLI::App& app, Context& context);
void add_top_command(CLI::App& app, Context& context);
void add_tenant_commands(CLI::App& app, Context& context);
void add_tenant_limit_commands(CLI::App& tenant, Context& context);
void add_import_command(CLI::App& app, Context& context);
void add_append_command(CLI::App& app, Context& context);
void add_read_command(CLI::App& app, Context& context);
void add_verify_command(CLI::App& app, Context& context);
void add_stats_command(CLI::App& app, Context& context);
void add_index_commands(CLI::App& app, Context& context);
void add_recover_command(CLI::App& app, Context& context);
void add_projection_commands(CLI::App& app, Context& context);
void add_query_commands(CLI::App& app, Context& context);
void add_key_commands(CLI::App& app, Context& context);
void add_ping_command(CLI::App& app, Context& context);
void add_serve_command(CLI::App& app, Context& context);
void add_diff_command(CLI::App& app, Context& context);
void add_replay_command(CLI::App& app, Context& context);
void add_snapshot_commands(CLI::App& app, Context& context);
void add_webhook_commands(CLI::App& app, Context& context);
void add_token_commands(CLI::App& app, Context& context);
void add_workload_commands(CLI::App& app, Context& context);

/// `Engine::open` on the directory of the command line, with the engine's warnings and its
/// progress on standard error.
[[nodiscard]] Result<std::unique_ptr<Engine>> open_engine(const Context& context, EngineOptions options,
                                                          const std::string& progress_label = "opening");
/// Takes server and token from the profile named, or from the default one, as far as nothing else gives them.
Status apply_profile(Context& context);
/// Where the server on the command line is, and who asks. kInvalidArgument.
[[nodiscard]] Result<client::ClientOptions> client_options(const Context& context, const std::string& tenant = "");
/// A client of the server on the command line. `tenant` empty: the token's, or all.
[[nodiscard]] Result<std::unique_ptr<client::Client>> connect(const Context& context, const std::string& tenant = "");
/// The tenant's log, on the server or in the directory of the command line.
[[nodiscard]] Result<std::unique_ptr<TenantLog>> open_log(const Context& context, const std::string& tenant,
                                                          EngineOptions options);

/// With their use and their limits; of a directory without connections and the server's defaults.
[[nodiscard]] Result<std::vector<wire::TenantList::Entry>> all_tenants(const Context& context);
/// One JSON object and a line break.
void append_tenant_json(const wire::TenantList::Entry& tenant, std::string& text);

}  // namespace bahi::cli
