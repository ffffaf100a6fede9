// Snapshots of the read models' state on a server.
#include <fmt/format.h>
#include <unistd.h>

#include "bahi/cli/json_table.hpp"
#include "bahi/cli/output.hpp"
#include "commands.hpp"

namespace bahi::cli {
namespace {

using Act = wire::ManageSnapshots::Act;

struct Arguments {
  wire::ManageSnapshots request;
  bool as_json = false;
};

Result<ExitCode> manage(const Context& context, const Arguments& arguments) {
  if (!context.remote()) {
    return Error{ErrorCode::kInvalidArgument, "snapshot: name a server with --server; only a server has read models"};
  }
  BAHI_ASSIGN(const auto client, connect(context, "system"));
  BAHI_ASSIGN(const wire::QueryAnswer answer, client->manage_snapshots(arguments.request));
  Output output(STDOUT_FILENO);
  if (arguments.as_json || ::isatty(STDOUT_FILENO) == 0) {
    output.text() = answer.json + '\n';
  } else {
    BAHI_ASSIGN(output.text(), json_as_table(answer.json));
  }
  BAHI_TRY(output.flush());
  return ExitCode::kOk;
}

}  // namespace

void add_snapshot_commands(CLI::App& app, Context& context) {
  CLI::App* const group = app.add_subcommand(
      "snapshot", "Snapshots of all read models' state: they make answers about the past and restarts fast");
  group->require_subcommand(1);
  const auto add = [&](const char* name, const char* help, Act act) {
    CLI::App* const command = group->add_subcommand(name, help);
    auto arguments = std::make_shared<Arguments>();
    arguments->request.act = act;
    if (act == Act::kDelete) command->add_option("ID", arguments->request.id, "As `list` shows it")->required();
    command->add_flag("--json", arguments->as_json, "JSON also on a terminal");
    command->callback([&context, arguments] {
      context.needs_directory = false;
      context.action = [&context, arguments] { return manage(context, *arguments); };
    });
  };
  add("create", "Take one now", Act::kCreate);
  add("list", "Those there are", Act::kList);
  add("delete", "Delete one; no answer changes without it", Act::kDelete);
}

}  // namespace bahi::cli
