#include <algorithm>
#include <chrono>
#include <optional>

#include <poll.h>
#include <unistd.h>

#include "bahi/cli/event_line.hpp"
#include "bahi/cli/output.hpp"
#include "bahi/cli/stop_signal.hpp"
#include "bahi/cli/store_watch.hpp"
#include "commands.hpp"

namespace bahi::cli {
namespace {

struct Arguments {
  std::string tenant;
  std::uint64_t from = 0;
  std::optional<std::uint64_t> to;
  std::optional<std::string> stream;
  std::optional<std::string> category;
  std::vector<std::string> types;
  std::vector<std::string> tags;
  std::optional<std::uint64_t> limit;
  bool is_backward = false;
  bool follows = false;
};

/// Reads of one command, and their output.
class Reading {
 public:
  Reading(const Engine& engine, ReadRequest request) : engine_(engine), request_(std::move(request)) {}

  /// Writes what the request matches.
  Status run_once() {
    BAHI_TRY(copy(request_));
    return output_.flush();
  }

  /// `run_once`, and then all that is appended, until a stop signal, the limit or the end of the range.
  Status follow(Engine& engine, StoreWatch& watch) {
    const Offset end = request_.to.value_or(kOffsetMax);
    Offset next = request_.from;
    for (;;) {
      const Offset durable = std::min(engine_.durable_offset(request_.tenant), end);
      if (next < durable) {
        ReadRequest part = request_;
        part.from = next;
        part.to = durable;
        BAHI_TRY(copy(std::move(part)));
        next = durable;
      }
      BAHI_TRY(output_.flush());
      if (next >= end || is_done()) return {};
      BAHI_ASSIGN(const bool more, engine.refresh());
      if (more) continue;
      BAHI_TRY(watch.wait(output_.descriptor()));
      if (StopSignal::instance().requested() || reader_is_gone()) return {};
    }
  }

 private:
  [[nodiscard]] bool is_done() const {
    return output_.closed() || StopSignal::instance().requested() || request_.limit == std::uint64_t{0};
  }

  /// Writes what `part` matches and takes it off the limit.
  Status copy(ReadRequest part) {
    part.limit = request_.limit;
    BAHI_ASSIGN(const auto cursor, engine_.read(std::move(part)));
    EventView event;
    while (!is_done()) {
      BAHI_ASSIGN(const bool found, cursor->next(event));
      if (!found) break;
      writer_.append(event, output_.text());
      BAHI_TRY(output_.drain());
      if (request_.limit) --*request_.limit;
    }
    return {};
  }

  [[nodiscard]] bool reader_is_gone() const {
    pollfd state{output_.descriptor(), 0, 0};
    return ::poll(&state, 1, 0) > 0 && (state.revents & (POLLERR | POLLHUP)) != 0;
  }

  const Engine& engine_;
  ReadRequest request_;
  EventLineWriter writer_;
  Output output_{STDOUT_FILENO};
};

/// Reads of one command from a server, and their output.
class RemoteReading {
 public:
  RemoteReading(client::Client& client, const ReadRequest& request, bool follows)
      : reader_(follows ? client.subscribe(request) : client.read(request)) {}

  Status run() {
    const StopSignal& stop = StopSignal::instance();
    EventView event;
    while (!output_.closed() && !stop.requested()) {
      // What has gathered goes out before anything is waited for.
      const Result<bool> found =
          reader_->next(event, output_.text().empty() ? kPatience : std::chrono::milliseconds(0));
      if (!found && found.error().code() == ErrorCode::kDeadlineExceeded) {
        BAHI_TRY(output_.flush());
        continue;
      }
      if (!found) return found.error();
      if (!*found) break;
      writer_.append(event, output_.text());
      BAHI_TRY(output_.drain());
    }
    return output_.flush();
  }

 private:
  static constexpr std::chrono::milliseconds kPatience{200};  // until the next look at the stop signal

  std::unique_ptr<client::EventReader> reader_;
  EventLineWriter writer_;
  Output output_{STDOUT_FILENO};
};

Result<ExitCode> run_remote(const Context& context, const Arguments& arguments, const ReadRequest& request) {
  BAHI_ASSIGN(const auto client, connect(context, arguments.tenant));
  RemoteReading reading(*client, request, arguments.follows);
  BAHI_TRY(reading.run());
  return StopSignal::instance().requested() && !arguments.follows ? ExitCode::kInterrupted : ExitCode::kOk;
}

Result<ExitCode> run_read(const Context& context, const Arguments& arguments) {
  const StopSignal& stop = StopSignal::instance();
  ReadRequest request;
  request.from = Offset{arguments.from};
  if (arguments.to) request.to = Offset{*arguments.to};
  request.direction = arguments.is_backward ? Direction::kBackward : Direction::kForward;
  request.filter = {arguments.stream, arguments.category, arguments.types, arguments.tags};
  request.limit = arguments.limit;
  if (context.remote()) return run_remote(context, arguments, request);

  EngineOptions options;
  options.read_only = true;
  options.without_index = arguments.follows || request.filter.empty();
  std::unique_ptr<StoreWatch> watch;
  BAHI_ASSIGN(const auto engine, open_engine(context, std::move(options)));
  BAHI_ASSIGN(request.tenant, engine->find_tenant(arguments.tenant));
  // What is written after this line wakes us; what was written before it is taken in by `refresh`.
  if (arguments.follows) {
    BAHI_ASSIGN(watch, StoreWatch::open(context.directory));
  }

  Reading reading(*engine, std::move(request));
  if (watch) {
    BAHI_TRY(reading.follow(*engine, *watch));
    return ExitCode::kOk;
  }
  BAHI_TRY(reading.run_once());
  return stop.requested() ? ExitCode::kInterrupted : ExitCode::kOk;
}

}  // namespace

void add_read_command(CLI::App& app, Context& context) {
  CLI::App* const read = app.add_subcommand("read", "Write events as NDJSON to standard output");
  auto arguments = std::make_shared<Arguments>();
  read->add_option("--tenant,-t", arguments->tenant, "The tenant whose log is read")->required();
  read->add_option("--from", arguments->from, "First offset")->capture_default_str()->check(CLI::NonNegativeNumber);
  read->add_option("--to", arguments->to, "Offset to stop before")->check(CLI::NonNegativeNumber);
  read->add_option("--stream", arguments->stream, "Only this stream");
  read->add_option("--category", arguments->category, "Only streams named CATEGORY-…");
  read->add_option("--type", arguments->types, "Only this type; given several times: any of them")
      ->allow_extra_args(false);
  read->add_option("--tag", arguments->tags, "Only events with this tag; given several times: all of them")
      ->allow_extra_args(false);
  read->add_option("--limit", arguments->limit, "Stop after so many events")->check(CLI::NonNegativeNumber);
  CLI::Option* const backward = read->add_flag("--backward", arguments->is_backward, "Newest first");
  read->add_flag("--follow", arguments->follows, "Go on with every event appended, until Ctrl-C")->excludes(backward);
  read->footer(
      "Changes nothing, and may run beside a writer.\n"
      "Examples:\n"
      "  bahi read --tenant shop --stream order-1\n"
      "  bahi read --tenant shop --category order --type placed --tag sku:7 --limit 10\n"
      "  bahi read --tenant shop --from 1000 --to 2000 | jq -c .data\n"
      "  bahi read --tenant shop --backward --limit 1\n"
      "  bahi read --tenant shop --follow --type paid");
  read->callback(
      [&context, arguments] { context.action = [&context, arguments] { return run_read(context, *arguments); }; });
}

}  // namespace bahi::cli
