// What changed in a read model between two points, and which events did it.
#include <fmt/format.h>
#include <unistd.h>

#include "bahi/base/text.hpp"
#include "bahi/cli/event_line.hpp"
#include "bahi/cli/json_difference.hpp"
#include "bahi/cli/json_table.hpp"
#include "bahi/cli/output.hpp"
#include "bahi/cli/trace_reader.hpp"
#include "commands.hpp"

namespace bahi::cli {
namespace {

struct Arguments {
  std::string tenant;
  std::string projection;
  std::string query;
  std::vector<std::string> words;
  std::uint64_t from = 0;
  std::uint64_t to = 0;
  std::uint32_t timeout_ms = 60'000;
  bool as_json = false;
};

/// Writes one change after the other, for people or as NDJSON.
class Report {
 public:
  Report(client::Client& client, bool as_json) : client_(client), as_json_(as_json) {}

  Status add(Offset offset, const std::string& before, const std::string& after) {
    BAHI_ASSIGN(const auto changes, json_difference(before, after));
    ReadRequest request;
    request.from = offset;
    request.to = offset + 1;
    const auto reader = client_.read(request);
    EventView event;
    BAHI_ASSIGN(const bool found, reader->next(event));
    if (!found) return Error{ErrorCode::kCorruptLog, fmt::format("no event at offset {}", offset.value)};
    ++events_;
    if (as_json_) {
      std::string line;
      writer_.append(event, line);
      line.pop_back();
      output_.text() += fmt::format(R"({{"event":{},"changes":{}}})", line, cli::as_json(changes)) + '\n';
    } else {
      output_.text() += fmt::format("{}  {}  {}  {}\n{}", offset.value, format_timestamp(event.recorded_at), event.type,
                                    event.stream, as_lines(changes, "    "));
    }
    return output_.drain();
  }

  Status finish(const Arguments& arguments, const std::string& before, const std::string& after) {
    BAHI_ASSIGN(const auto changes, json_difference(before, after));
    if (as_json_) {
      output_.text() += fmt::format(R"({{"from_offset":{},"to_offset":{},"events":{},"changes":{}}})", arguments.from,
                                    arguments.to, events_, cli::as_json(changes)) +
                        '\n';
    } else {
      output_.text() += fmt::format("from offset {} to {}: {} events changed the answer\n{}", arguments.from,
                                    arguments.to, events_, as_lines(changes, "    "));
    }
    return output_.flush();
  }

 private:
  client::Client& client_;
  const bool as_json_;
  EventLineWriter writer_;
  Output output_{STDOUT_FILENO};
  std::uint64_t events_ = 0;
};

Result<ExitCode> run_diff(const Context& context, const Arguments& arguments) {
  if (!context.remote()) {
    return Error{ErrorCode::kInvalidArgument, "diff: name a server with --server; only a server has read models"};
  }
  if (arguments.to < arguments.from) {
    return Error{ErrorCode::kInvalidArgument, "--to-offset: is before --from-offset"};
  }
  wire::Query query;
  query.projection = arguments.projection;
  query.query = arguments.query;
  BAHI_ASSIGN(query.arguments, json_of_words(arguments.words));
  query.timeout_ms = arguments.timeout_ms;
  query.at_offset = Offset{arguments.from};
  query.trace_to = Offset{arguments.to};
  BAHI_ASSIGN(const auto client, connect(context, arguments.tenant));
  TraceReader trace(*client, std::move(query));
  BAHI_TRY(trace.begin());
  Report report(*client, arguments.as_json || ::isatty(STDOUT_FILENO) == 0);
  std::string last = trace.before();
  TraceReader::Change change;
  for (;;) {
    BAHI_ASSIGN(const bool more, trace.next(change));
    if (!more) break;
    BAHI_TRY(report.add(change.offset, last, change.after));
    last = std::move(change.after);
  }
  BAHI_TRY(report.finish(arguments, trace.before(), last));
  return ExitCode::kOk;
}

}  // namespace

void add_diff_command(CLI::App& app, Context& context) {
  CLI::App* const diff =
      app.add_subcommand("diff", "What changed in a read model between two offsets, and which events did it");
  auto arguments = std::make_shared<Arguments>();
  diff->add_option("PROJECTION", arguments->projection, "Read model")->required();
  diff->add_option("QUERY", arguments->query, "Whose answer is compared")->required();
  diff->add_option("ARGUMENTS", arguments->words, "NAME=VALUE ...");
  diff->add_option("--from-offset", arguments->from, "From the answer of the events below this offset")->required();
  diff->add_option("--to-offset", arguments->to, "To the answer of the events below this one")->required();
  diff->add_option("--tenant", arguments->tenant, "Tenant; not needed with a token");
  diff->add_option("--timeout-ms", arguments->timeout_ms, "How long one request may take")->capture_default_str();
  diff->add_flag("--json", arguments->as_json, "NDJSON also on a terminal");
  diff->footer(
      "One line for each event that changed the answer, with the members that it changed; the last line is the\n"
      "difference between the two ends.\n"
      "Example:\n"
      "  bahi diff --server 127.0.0.1:7440 --tenant shop stock availability item=rice --from-offset 1000 --to-offset "
      "2000");
  diff->callback([&context, arguments] {
    context.needs_directory = false;
    context.action = [&context, arguments] { return run_diff(context, *arguments); };
  });
}

}  // namespace bahi::cli
