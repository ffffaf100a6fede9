// The history of a tenant once more: as fast as it goes or at the pace at which it was recorded, and, with a query,
// what its answer was before and after each event.
#include <algorithm>
#include <chrono>
#include <optional>

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include "bahi/cli/event_line.hpp"
#include "bahi/cli/json_table.hpp"
#include "bahi/cli/output.hpp"
#include "bahi/cli/progress_bar.hpp"
#include "bahi/cli/stop_signal.hpp"
#include "bahi/cli/trace_reader.hpp"
#include "commands.hpp"

namespace bahi::cli {
namespace {

using SteadyClock = std::chrono::steady_clock;

struct Arguments {
  std::string tenant;
  std::uint64_t from = 0;
  std::optional<std::uint64_t> to;
  std::optional<std::string> stream;
  std::optional<std::string> category;
  std::vector<std::string> types;
  std::vector<std::string> tags;
  double pace = 0;  // 0: as fast as it goes
  std::vector<std::string> query;
  std::uint32_t timeout_ms = 60'000;
};

/// Holds each event back until its time has come.
class Pace {
 public:
  explicit Pace(double factor) : factor_(factor) {}
  /// False: the user wants to stop.
  [[nodiscard]] bool wait_for(Timestamp recorded_at) {
    const StopSignal& stop = StopSignal::instance();
    if (factor_ <= 0) return !stop.requested();
    if (!first_) {
      first_ = recorded_at;
      began_ = SteadyClock::now();
    }
    const double passed = static_cast<double>(recorded_at.nanos - first_->nanos) / factor_;
    const auto due = began_ + std::chrono::nanoseconds(static_cast<std::int64_t>(std::max(passed, 0.0)));
    while (!stop.requested() && SteadyClock::now() < due) {
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(due - SteadyClock::now());
      pollfd state{stop.descriptor(), POLLIN, 0};
      (void)::poll(&state, 1, static_cast<int>(std::clamp<std::int64_t>(left.count(), 1, 60'000)));
    }
    return !stop.requested();
  }

 private:
  const double factor_;
  std::optional<Timestamp> first_;
  SteadyClock::time_point began_;
};

/// What the answer of a query was around each event.
class Answers {
 public:
  Answers(client::Client& client, wire::Query query) : trace_(client, std::move(query)) {}
  Status begin() {
    BAHI_TRY(trace_.begin());
    now_ = trace_.before();
    return look_ahead();
  }
  /// Appends the line of `event`, which comes behind those given before.
  Status append(Offset offset, std::string_view event, std::string& out) {
    // An event that a filter leaves out may have changed the answer too.
    while (next_ && next_->offset < offset) BAHI_TRY(pass());
    const bool changed = next_ && next_->offset == offset;
    out += fmt::format(R"({{"event":{},"changed":{},"before":{})", event, changed, now_);
    if (changed) BAHI_TRY(pass());
    out += fmt::format(R"(,"after":{}}})", now_) + '\n';
    return {};
  }

 private:
  Status pass() {
    now_ = std::move(next_->after);
    return look_ahead();
  }
  Status look_ahead() {
    TraceReader::Change change;
    BAHI_ASSIGN(const bool more, trace_.next(change));
    next_ = more ? std::optional(std::move(change)) : std::nullopt;
    return {};
  }

  TraceReader trace_;
  std::string now_;
  std::optional<TraceReader::Change> next_;
};

Result<std::unique_ptr<Answers>> answers_of(client::Client& client, const Arguments& arguments) {
  if (arguments.query.size() < 2) {
    return Error{ErrorCode::kInvalidArgument, "--query: give a read model, one of its queries, and the arguments"};
  }
  wire::Query query;
  query.projection = arguments.query[0];
  query.query = arguments.query[1];
  const std::vector<std::string> words(arguments.query.begin() + 2, arguments.query.end());
  BAHI_ASSIGN(query.arguments, json_of_words(words));
  query.timeout_ms = arguments.timeout_ms;
  query.at_offset = Offset{arguments.from};
  query.trace_to = Offset{arguments.to.value_or(kOffsetMax.value - 1)};
  auto answers = std::make_unique<Answers>(client, std::move(query));
  BAHI_TRY(answers->begin());
  return answers;
}

/// Writes all that `next` gives. `end`: where it will end, if that is known.
Status replay(const std::function<Result<bool>(EventView&)>& next, const Arguments& arguments,
              std::optional<Offset> end, Answers* answers) {
  Pace pace(arguments.pace);
  ProgressBar progress("replaying", "events");
  EventLineWriter writer;
  Output output(STDOUT_FILENO);
  std::string line;
  EventView event;
  while (!output.closed()) {
    BAHI_ASSIGN(const bool found, next(event));
    if (!found) break;
    // What has gathered is seen before anything is waited for.
    if (arguments.pace > 0) BAHI_TRY(output.flush());
    if (!pace.wait_for(event.recorded_at)) break;
    if (answers == nullptr) {
      writer.append(event, output.text());
    } else {
      line.clear();
      writer.append(event, line);
      line.pop_back();
      BAHI_TRY(answers->append(event.offset, line, output.text()));
    }
    progress.update(event.offset.value + 1 - arguments.from, end ? end->value - arguments.from : 0);
    BAHI_TRY(output.drain());
  }
  return output.flush();
}

Result<ExitCode> run_replay(const Context& context, const Arguments& arguments) {
  const StopSignal& stop = StopSignal::instance();
  ReadRequest request;
  request.from = Offset{arguments.from};
  if (arguments.to) request.to = Offset{*arguments.to};
  request.filter = {arguments.stream, arguments.category, arguments.types, arguments.tags};
  if (context.remote()) {
    BAHI_ASSIGN(const auto client, connect(context, arguments.tenant));
    std::unique_ptr<Answers> answers;
    if (!arguments.query.empty()) {
      BAHI_ASSIGN(answers, answers_of(*client, arguments));
    }
    const auto reader = client->read(request);
    const auto next = [&](EventView& event) { return reader->next(event); };
    BAHI_TRY(replay(next, arguments, request.to, answers.get()));
  } else {
    if (!arguments.query.empty()) {
      return Error{ErrorCode::kInvalidArgument, "--query: name a server with --server; only a server has read models"};
    }
    EngineOptions options;
    options.read_only = true;
    options.without_index = request.filter.empty();
    BAHI_ASSIGN(const auto engine, open_engine(context, std::move(options)));
    BAHI_ASSIGN(request.tenant, engine->find_tenant(arguments.tenant));
    const Offset end = std::min(engine->durable_offset(request.tenant), request.to.value_or(kOffsetMax));
    BAHI_ASSIGN(const auto cursor, engine->read(request));
    const auto next = [&](EventView& event) { return cursor->next(event); };
    BAHI_TRY(replay(next, arguments, end, nullptr));
  }
  return stop.requested() ? ExitCode::kInterrupted : ExitCode::kOk;
}

}  // namespace

void add_replay_command(CLI::App& app, Context& context) {
  CLI::App* const replay = app.add_subcommand(
      "replay", "A tenant's history once more, as NDJSON: at its own pace, or with a query's answers");
  auto arguments = std::make_shared<Arguments>();
  replay->add_option("--tenant,-t", arguments->tenant, "The tenant whose log is replayed")->required();
  replay->add_option("--from", arguments->from, "First offset")->capture_default_str()->check(CLI::NonNegativeNumber);
  replay->add_option("--to", arguments->to, "Offset to stop before")->check(CLI::NonNegativeNumber);
  replay->add_option("--stream", arguments->stream, "Only this stream");
  replay->add_option("--category", arguments->category, "Only streams named CATEGORY-…");
  replay->add_option("--type", arguments->types, "Only this type; given several times: any of them")
      ->allow_extra_args(false);
  replay->add_option("--tag", arguments->tags, "Only events with this tag; given several times: all of them")
      ->allow_extra_args(false);
  replay->add_option("--pace", arguments->pace, "1: as slowly as it was recorded, 10: ten times as fast")
      ->check(CLI::PositiveNumber);
  replay
      ->add_option("--query", arguments->query,
                   "PROJECTION QUERY NAME=VALUE ...: its answer before and after each event")
      ->expected(1, -1);
  replay->add_option("--timeout-ms", arguments->timeout_ms, "How long one request for answers may take")
      ->capture_default_str();
  replay->footer(
      "Changes nothing. Progress is shown on standard error. `bahi projection replay` folds a range into a read "
      "model.\n"
      "Examples:\n"
      "  bahi replay --tenant shop --from 1000 --to 2000 --pace 10\n"
      "  bahi replay --server 127.0.0.1:7440 --tenant shop --from 1000 --to 1100 --query stock availability item=rice");
  replay->callback(
      [&context, arguments] { context.action = [&context, arguments] { return run_replay(context, *arguments); }; });
}

}  // namespace bahi::cli
