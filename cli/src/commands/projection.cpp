// Care for the read models of a server.
#include <fmt/format.h>
#include <unistd.h>

#include "bahi/cli/json_table.hpp"
#include "bahi/cli/output.hpp"
#include "commands.hpp"

namespace bahi::cli {
namespace {

using Act = wire::ManageProjection::Act;

struct Arguments {
  std::string tenant;
  wire::ManageProjection request;
  std::uint64_t from = 0;
  std::uint64_t to = kOffsetMax.value;
  bool as_json = false;
  bool as_table = false;
};

Status check_remote(const Context& context) {
  if (context.remote()) return {};
  return Error{ErrorCode::kInvalidArgument, "projection: name a server with --server; only a server has read models"};
}

Result<ExitCode> list(const Context& context, const Arguments& arguments) {
  BAHI_TRY(check_remote(context));
  BAHI_ASSIGN(const auto client, connect(context, arguments.tenant));
  BAHI_ASSIGN(wire::QueryAnswer answer, client->projections());
  Output output(STDOUT_FILENO);
  if (arguments.as_json || (!arguments.as_table && ::isatty(STDOUT_FILENO) == 0)) {
    output.text() = answer.json + '\n';
  } else {
    BAHI_ASSIGN(output.text(), json_as_table(answer.json));
  }
  BAHI_TRY(output.flush());
  return ExitCode::kOk;
}

Result<ExitCode> manage(const Context& context, const Arguments& arguments, const char* done) {
  BAHI_TRY(check_remote(context));
  wire::ManageProjection request = arguments.request;
  request.from = Offset{arguments.from};
  request.to = Offset{arguments.to};
  BAHI_ASSIGN(const auto client, connect(context, arguments.tenant));
  BAHI_TRY(client->manage_projection(request));
  fmt::print("projection {}: {}\n", request.projection, done);
  return ExitCode::kOk;
}

}  // namespace

void add_projection_commands(CLI::App& app, Context& context) {
  CLI::App* const group =
      app.add_subcommand("projection", "Start, rebuild, replay and drop read models, and see how far they are");
  group->require_subcommand(1);
  const auto add = [&](const char* name, const char* help, Act act, const char* done) {
    CLI::App* const command = group->add_subcommand(name, help);
    auto arguments = std::make_shared<Arguments>();
    arguments->request.act = act;
    command->add_option("PROJECTION", arguments->request.projection, "Name")->required();
    command->add_option("--tenant", arguments->tenant, "Tenant; not needed with a token");
    if (act == Act::kReplay) {
      command->add_option("--name", arguments->request.name, "Of the new read model: it is asked as PROJECTION@NAME")
          ->required();
      command->add_option("--from", arguments->from, "First offset")->capture_default_str();
      command->add_option("--to", arguments->to, "Offset behind the last; default: what is durable now");
    }
    command->callback([&context, arguments, done] {
      context.needs_directory = false;
      context.action = [&context, arguments, done] { return manage(context, *arguments, done); };
    });
  };
  add("start", "Fold the tenant's events into this read model from now on, old ones first", Act::kStart, "started");
  add("drop", "End it, or a replay, and give its space back", Act::kDrop, "dropped");
  add("rebuild", "Build it anew beside the one that serves, then switch", Act::kRebuild, "is being rebuilt");
  add("replay", "Fold a range of offsets into a read model of its own", Act::kReplay, "is being replayed");
  add("skip", "Let a parked one go on behind the event that it cannot fold; recorded, and for ever", Act::kSkip,
      "goes on behind the event");
  add("retry", "Let a parked one try its event again", Act::kRetry, "tries again");

  CLI::App* const show = group->add_subcommand("list", "The read models with state, offset, lag and rate");
  auto arguments = std::make_shared<Arguments>();
  show->add_option("--tenant", arguments->tenant, "Tenant; not needed with a token");
  CLI::Option* const json = show->add_flag("--json", arguments->as_json, "JSON also on a terminal");
  show->add_flag("--table", arguments->as_table, "A table also when the output is not a terminal")->excludes(json);
  show->callback([&context, arguments] {
    context.needs_directory = false;
    context.action = [&context, arguments] { return list(context, *arguments); };
  });
}

}  // namespace bahi::cli
