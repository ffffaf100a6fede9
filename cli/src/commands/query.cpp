// Read models from the command line: queries and commands.
#include <algorithm>
#include <array>
#include <optional>

#include <fmt/format.h>
#include <unistd.h>

#include "bahi/base/text.hpp"
#include "bahi/cli/json_table.hpp"
#include "bahi/cli/output.hpp"
#include "commands.hpp"

namespace bahi::cli {
namespace {

struct Arguments {
  std::string tenant;
  std::string projection;
  std::string name;
  std::vector<std::string> words;
  std::uint64_t min_offset = 0;
  std::optional<std::uint64_t> at_offset;
  std::string at_time;
  std::uint32_t timeout_ms = 10'000;
  std::string id;
  bool as_json = false;
  bool as_table = false;
  std::vector<std::string> columns;
};

Status show(const Arguments& arguments, std::string json, const std::string& note) {
  Output output(STDOUT_FILENO);
  if (arguments.as_json || (!arguments.as_table && ::isatty(STDOUT_FILENO) == 0)) {
    output.text() = json + '\n';
  } else {
    BAHI_ASSIGN(output.text(), json_as_table(json, arguments.columns));
    output.text() += note;
  }
  return output.flush();
}

Status check_remote(const Context& context, std::string_view command) {
  if (context.remote()) return {};
  return Error{ErrorCode::kInvalidArgument,
               fmt::format("{}: name a server with --server; only a server has read models", command)};
}

Result<ExitCode> run_query(const Context& context, const Arguments& arguments) {
  BAHI_TRY(check_remote(context, "query"));
  wire::Query query;
  query.projection = arguments.projection;
  query.query = arguments.name;
  BAHI_ASSIGN(query.arguments, json_of_words(arguments.words));
  query.min_offset = Offset{arguments.min_offset};
  query.timeout_ms = arguments.timeout_ms;
  if (arguments.at_offset) query.at_offset = Offset{*arguments.at_offset};
  if (!arguments.at_time.empty()) {
    BAHI_ASSIGN(query.at_time, parse_timestamp(arguments.at_time));
  }
  BAHI_ASSIGN(const auto client, connect(context, arguments.tenant));
  BAHI_ASSIGN(wire::QueryAnswer answer, client->query(query));
  BAHI_TRY(show(arguments, std::move(answer.json), fmt::format("(as of offset {})\n", answer.offset.value)));
  return ExitCode::kOk;
}

Result<ExitCode> run_command(const Context& context, const Arguments& arguments) {
  BAHI_TRY(check_remote(context, "command"));
  wire::Command command;
  command.projection = arguments.projection;
  command.command = arguments.name;
  BAHI_ASSIGN(command.arguments, json_of_words(arguments.words));
  command.timeout_ms = arguments.timeout_ms;
  if (!arguments.id.empty()) {
    BAHI_ASSIGN(const Uuid id, parse_uuid(arguments.id));
    command.producer = ProducerPosition{id, 0};
  }
  BAHI_ASSIGN(const auto client, connect(context, arguments.tenant));
  BAHI_ASSIGN(wire::CommandAnswer answer, client->command(std::move(command)));
  BAHI_TRY(show(arguments, std::move(answer.json), answer.duplicate ? "(done before, nothing was stored now)\n" : ""));
  return ExitCode::kOk;
}

/// Of a command that has others below it, the name may be missing.
CLI::Option* add_common(CLI::App& command, Arguments& arguments, std::string_view what) {
  CLI::Option* const name =
      command.add_option(std::string(what), arguments.name, "Which one; a wrong name is answered with those there are")
          ->required();
  command.add_option("ARGUMENTS", arguments.words, "NAME=VALUE ...");
  command.add_option("--tenant", arguments.tenant, "Tenant; not needed with a token");
  command.add_option("--timeout-ms", arguments.timeout_ms, "How long to wait for the read model")
      ->capture_default_str();
  CLI::Option* const json = command.add_flag("--json", arguments.as_json, "JSON also on a terminal");
  command.add_flag("--table", arguments.as_table, "A table also when the output is not a terminal")->excludes(json);
  command.add_option("--columns", arguments.columns, "What tables show, in this order: NAME,NAME,...; 'all' for all")
      ->delimiter(',');
  return name;
}

/// A query with its projection given, as a command of its own.
struct Shortcut {
  const char* name;
  const char* projection;
  const char* help;
  const char* example;
  const char* columns = "";  ///< shown unless others are asked for
};
constexpr std::array kShortcuts{
    Shortcut{"timeline", "timelines", "Ask the message timelines", "page conversation=tea limit=20"},
    Shortcut{"audit", "audit", "Ask the audit trail", "story correlation=order-17",
             "offset,recorded_at,actor,action,target_type,target_id,outcome,reason,changes"},
    Shortcut{"stock", "stock", "Ask the stock ledger", "ledger item=rice location=main"},
    Shortcut{"payment", "payments", "Ask the payments", "order order=o1"},
};

std::vector<std::string> split_names(std::string_view names) {
  std::vector<std::string> list;
  while (!names.empty()) {
    const std::size_t comma = std::min(names.find(','), names.size());
    list.emplace_back(names.substr(0, comma));
    names.remove_prefix(std::min(comma + 1, names.size()));
  }
  return list;
}

}  // namespace

void add_query_commands(CLI::App& app, Context& context) {
  const auto add_query = [&](const Shortcut& shortcut) {
    CLI::App* const query = app.add_subcommand(shortcut.name, shortcut.help);
    auto arguments = std::make_shared<Arguments>();
    if (shortcut.projection == nullptr) {
      query->add_option("PROJECTION", arguments->projection, "Read model, or PROJECTION@NAME for a replay")->required();
    } else {
      arguments->projection = shortcut.projection;
    }
    CLI::Option* const name = add_common(*query, *arguments, "QUERY");
    if (shortcut.name == std::string_view("audit")) {
      name->required(false);
      add_audit_commands(*query, context);
    }
    CLI::Option* const min_offset = query->add_option("--min-offset", arguments->min_offset,
                                                      "Answer once everything below this offset is folded in");
    CLI::Option* const at_offset =
        query->add_option("--at-offset", arguments->at_offset, "Answer from the events below this offset only");
    query->add_option("--at-time", arguments->at_time, "Answer from what was recorded up to then: RFC 3339")
        ->excludes(at_offset)
        ->excludes(min_offset);
    at_offset->excludes(min_offset);
    query->footer(
        fmt::format("Example:\n  bahi {} --server 127.0.0.1:7440 --tenant shop {}", shortcut.name, shortcut.example));
    query->callback([&context, arguments, query, columns = shortcut.columns] {
      if (!query->get_subcommands().empty()) return;  // it has set its own action
      if (arguments->name.empty()) throw CLI::RequiredError("QUERY");
      if (arguments->columns.empty()) arguments->columns = split_names(columns);
      if (arguments->columns == std::vector<std::string>{"all"}) arguments->columns.clear();
      context.needs_directory = false;
      context.action = [&context, arguments] { return run_query(context, *arguments); };
    });
  };
  add_query({"query", nullptr, "Ask a read model", "activity types limit=10"});
  for (const Shortcut& shortcut : kShortcuts) add_query(shortcut);

  CLI::App* const command = app.add_subcommand("command", "Let a read model decide what to append");
  auto arguments = std::make_shared<Arguments>();
  command->add_option("PROJECTION", arguments->projection, "Read model")->required();
  add_common(*command, *arguments, "COMMAND");
  command->add_option("--id", arguments->id,
                      "A UUID that names this command: the same one again is answered, not done twice");
  command->footer("Example:\n  bahi command --server 127.0.0.1:7440 --tenant shop stock sell item=rice quantity=3");
  command->callback([&context, arguments] {
    context.needs_directory = false;
    context.action = [&context, arguments] { return run_command(context, *arguments); };
  });
}

}  // namespace bahi::cli
