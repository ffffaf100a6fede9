// The commands of the program; each function adds one to the command line.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include <CLI/App.hpp>

#include "bahi/base/result.hpp"
#include "bahi/cli/exit_code.hpp"
#include "bahi/engine/engine.hpp"

namespace bahi::cli {

/// What the command line says; must outlive the run of `action`.
struct Context {
  std::string directory;
  /// Of the command chosen. An error is reported by the caller.
  std::function<Result<ExitCode>()> action;
};

void add_tenant_commands(CLI::App& app, Context& context);
void add_import_command(CLI::App& app, Context& context);
void add_append_command(CLI::App& app, Context& context);
void add_read_command(CLI::App& app, Context& context);
void add_verify_command(CLI::App& app, Context& context);
void add_stats_command(CLI::App& app, Context& context);
void add_index_commands(CLI::App& app, Context& context);
void add_recover_command(CLI::App& app, Context& context);

/// `Engine::open` on the directory of the command line, with the engine's warnings and its
/// progress on standard error.
[[nodiscard]] Result<std::unique_ptr<Engine>> open_engine(const Context& context, EngineOptions options,
                                                          const std::string& progress_label = "opening");

}  // namespace bahi::cli
