#include <chrono>
#include <map>
#include <optional>
#include <vector>

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include "bahi/base/clock.hpp"
#include "bahi/base/text.hpp"
#include "bahi/cli/json_text.hpp"
#include "bahi/cli/output.hpp"
#include "bahi/cli/progress_bar.hpp"
#include "bahi/cli/stop_signal.hpp"
#include "commands.hpp"

namespace bahi::cli {
namespace {

struct Arguments {
  double interval_seconds = 1;
  std::uint64_t count = 0;  // 0: until stopped
  bool as_json = false;
};

/// The counters of a server at one moment.
struct Sample {
  std::chrono::steady_clock::time_point at;
  std::string version;
  std::string read_only_reason;
  std::map<std::string, std::uint64_t> counters;
};

/// What happened between two samples. Every figure may be missing: an older server does not know all counters.
class Interval {
 public:
  Interval(const Sample& before, const Sample& after)
      : before_(before), after_(after), seconds_(std::chrono::duration<double>(after.at - before.at).count()) {}

  [[nodiscard]] std::optional<double> level(const std::string& name) const {
    const auto found = after_.counters.find(name);
    if (found == after_.counters.end()) return std::nullopt;
    return static_cast<double>(found->second);
  }
  /// 0 when it went back: the server was started anew.
  [[nodiscard]] std::optional<double> change(const std::string& name) const {
    const auto before = before_.counters.find(name);
    const auto after = after_.counters.find(name);
    if (before == before_.counters.end() || after == after_.counters.end()) return std::nullopt;
    return after->second < before->second ? 0 : static_cast<double>(after->second - before->second);
  }
  [[nodiscard]] std::optional<double> rate(const std::string& name) const {
    const auto changed = change(name);
    return changed && seconds_ > 0 ? std::optional(*changed / seconds_) : std::nullopt;
  }
  [[nodiscard]] std::optional<double> ratio(const std::string& name, const std::string& of, double scale = 1) const {
    const auto above = change(name);
    const auto below = change(of);
    return above && below && *below > 0 ? std::optional(*above / *below * scale) : std::nullopt;
  }
  [[nodiscard]] const Sample& after() const { return after_; }

 private:
  const Sample& before_;
  const Sample& after_;
  const double seconds_;
};

enum class Unit : std::uint8_t { kCount, kBytes, kMicros, kPercent };

struct Figure {
  const char* name;   // in JSON
  const char* label;  // for people
  Unit unit;
  std::optional<double> value;
};

std::vector<Figure> figures(const Interval& interval) {
  const auto cpu = interval.rate("process.cpu_nanos");
  return {
      {"events_per_second", "events appended /s", Unit::kCount, interval.rate("engine.appended_events")},
      {"batches_per_second", "appends /s", Unit::kCount, interval.rate("engine.appended_batches")},
      {"stored_bytes_per_second", "stored /s", Unit::kBytes, interval.rate("engine.appended_stored_bytes")},
      {"requests_per_second", "requests /s", Unit::kCount, interval.rate("server.requests")},
      {"received_bytes_per_second", "received /s", Unit::kBytes, interval.rate("server.bytes_received")},
      {"sent_bytes_per_second", "sent /s", Unit::kBytes, interval.rate("server.bytes_sent")},
      {"conflicts_per_second", "conflicts /s", Unit::kCount, interval.rate("engine.conflicts")},
      {"overloads_per_second", "overloads /s", Unit::kCount, interval.rate("engine.overloads")},
      {"denied_per_second", "denied requests /s", Unit::kCount, interval.rate("server.requests_denied")},
      {"appends_in_flight", "appends in flight", Unit::kCount, interval.level("server.appends_in_flight")},
      {"queued_bytes", "queue", Unit::kBytes, interval.level("engine.queued_bytes")},
      {"connections", "connections", Unit::kCount, interval.level("server.connections")},
      {"reads", "open reads", Unit::kCount, interval.level("server.reads")},
      {"subscriptions", "of these subscriptions", Unit::kCount, interval.level("server.subscriptions")},
      {"subscription_lag_max", "largest lag, events", Unit::kCount, interval.level("server.subscription_lag_max")},
      {"subscription_lag_total", "lag of all, events", Unit::kCount, interval.level("server.subscription_lag_total")},
      {"syncs_per_second", "syncs /s", Unit::kCount, interval.rate("engine.syncs")},
      {"sync_micros", "mean sync", Unit::kMicros, interval.ratio("engine.sync_nanos", "engine.syncs", 1e-3)},
      {"batches_per_sync", "appends per sync", Unit::kCount, interval.ratio("engine.appended_batches", "engine.syncs")},
      {"disk_written_bytes_per_second", "written to disk /s", Unit::kBytes, interval.rate("engine.disk_bytes_written")},
      {"log_bytes", "log", Unit::kBytes, interval.level("engine.log_bytes")},
      {"index_bytes", "index", Unit::kBytes, interval.level("engine.index_bytes")},
      {"free_bytes", "free on disk", Unit::kBytes, interval.level("engine.free_bytes")},
      {"resident_bytes", "memory", Unit::kBytes, interval.level("process.resident_bytes")},
      {"cpu_percent", "processor", Unit::kPercent, cpu ? std::optional(*cpu / 1e7) : std::nullopt},
  };
}

std::string shown(const Figure& figure) {
  if (!figure.value) return "-";
  const double value = *figure.value;
  switch (figure.unit) {
    case Unit::kCount:
      return value < 100 && value != static_cast<double>(static_cast<std::uint64_t>(value))
                 ? fmt::format("{:.1f}", value)
                 : grouped(static_cast<std::uint64_t>(value));
    case Unit::kBytes: return human_bytes(static_cast<std::uint64_t>(value));
    case Unit::kMicros: return fmt::format("{:.0f} us", value);
    case Unit::kPercent: return fmt::format("{:.0f} %", value);
  }
  return "";
}

/// Each screen overwrites the one before, line by line, so that nothing flickers.
void append_screen(const Context& context, const Interval& interval, std::string& text) {
  constexpr std::string_view kHome = "\x1b[H";
  constexpr std::string_view kRestOfLine = "\x1b[K\n";
  text += kHome;
  text += fmt::format("bahi {} on {}   {}", interval.after().version, context.server,
                      format_timestamp(SystemClock::instance().now()).substr(0, 19));
  text += kRestOfLine;
  if (!interval.after().read_only_reason.empty()) {
    text += fmt::format("READ-ONLY: {}", interval.after().read_only_reason);
    text += kRestOfLine;
  }
  text += kRestOfLine;
  for (const Figure& figure : figures(interval)) {
    text += fmt::format("{:<24}{:>16}", figure.label, shown(figure));
    text += kRestOfLine;
  }
  text += "\x1b[J";  // what a longer screen left below
}

void append_line(const Interval& interval, std::string& text) {
  text += fmt::format(R"({{"at":"{}","read_only_reason":)", format_timestamp(SystemClock::instance().now()));
  append_json_string(interval.after().read_only_reason, text);
  for (const Figure& figure : figures(interval)) {
    if (figure.value) text += fmt::format(R"(,"{}":{:.3f})", figure.name, *figure.value);
  }
  text += "}\n";
}

Result<Sample> take_sample(client::Client& client) {
  BAHI_ASSIGN(wire::Status status, client.status());
  Sample sample{std::chrono::steady_clock::now(), std::move(status.version), std::move(status.read_only_reason), {}};
  for (auto& [name, value] : status.counters) sample.counters.emplace(std::move(name), value);
  return sample;
}

/// False: stop.
bool pause(double seconds) {
  const StopSignal& stop = StopSignal::instance();
  pollfd state{stop.descriptor(), POLLIN, 0};
  (void)::poll(&state, 1, static_cast<int>(seconds * 1000));
  return !stop.requested();
}

Result<ExitCode> run_top(const Context& context, const Arguments& arguments) {
  if (!context.remote()) return Error{ErrorCode::kInvalidArgument, "top: name a server with --server"};
  (void)StopSignal::instance();
  BAHI_ASSIGN(const auto client, connect(context));
  const bool on_screen = ::isatty(STDOUT_FILENO) != 0 && !arguments.as_json;
  Output output(STDOUT_FILENO);
  if (on_screen) output.text() += "\x1b[2J";
  BAHI_ASSIGN(Sample before, take_sample(*client));
  for (std::uint64_t number = 1; pause(arguments.interval_seconds) && !output.closed(); ++number) {
    BAHI_ASSIGN(Sample after, take_sample(*client));
    const Interval interval(before, after);
    if (on_screen) {
      append_screen(context, interval, output.text());
    } else {
      append_line(interval, output.text());
    }
    BAHI_TRY(output.flush());
    if (number == arguments.count) break;
    before = std::move(after);
  }
  return ExitCode::kOk;
}

}  // namespace

void add_top_command(CLI::App& app, Context& context) {
  CLI::App* const top = app.add_subcommand("top", "What a server does, as it does it");
  auto arguments = std::make_shared<Arguments>();
  top->add_option("--interval", arguments->interval_seconds, "Seconds between two looks")
      ->check(CLI::Range(0.01, 86'400.0))
      ->capture_default_str();
  top->add_option("--count", arguments->count, "Stop after so many; 0: only with Ctrl-C")->capture_default_str();
  top->add_flag("--json", arguments->as_json, "One JSON object per interval, on a terminal too");
  top->footer(
      "Needs a token of the tenant system, as `bahi stats` does.\nExample:\n  bahi top | jq .events_per_second");
  top->callback([&context, arguments] {
    context.needs_directory = false;
    context.action = [&context, arguments] { return run_top(context, *arguments); };
  });
}

}  // namespace bahi::cli
