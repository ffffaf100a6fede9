// Reads of the whole log: on a thread per connection, beside the thread of its client, since decoding is what takes
// the time.
#include <thread>

#include <fmt/format.h>

#include "figures.hpp"
#include "load.hpp"
#include "machine.hpp"
#include "target.hpp"

namespace bahi::bench {
namespace {

struct Pass {
  std::uint64_t began = 0;
  std::uint64_t ended = 0;
  std::uint64_t events = 0;
  std::uint64_t data_bytes = 0;
  [[nodiscard]] double seconds() const { return static_cast<double>(ended - began) / 1e9; }
};

/// Reads to the end of the log, or as a subscription up to `until`, and looks at every event.
Result<Pass> read_all(client::Client& client, bool follows, Offset until, const RunState& state) {
  Pass pass;
  pass.began = now_nanos();
  ReadRequest request;
  const auto reader = follows ? client.subscribe(std::move(request)) : client.read(std::move(request));
  EventView event;
  while (!follows || reader->position() < until) {
    BAHI_ASSIGN(const bool found, reader->next(event));
    if (!found) break;
    if (event.stream.empty() || event.type.empty()) return Error{ErrorCode::kInternal, "an event without a name"};
    ++pass.events;
    pass.data_bytes += event.data.size();
    if (pass.events % 65'536 == 0 && state.over())
      return Error{ErrorCode::kCancelled, "stopped in the middle of a pass"};
  }
  pass.ended = now_nanos();
  return pass;
}

struct Replay {
  const LoadOptions& options;
  const bool follows;
  RunState& state;
  const Offset until;
  std::vector<Pass> passes;  // of one connection, those that count

  void run() {
    auto client = client::Client::connect(options.client);
    if (!client) return state.fail(client.error());
    // At least one pass counts, however long it takes.
    while (!state.over() && (passes.empty() || now_nanos() < state.window.end)) {
      const Result<Pass> pass = read_all(**client, follows, until, state);
      if (!pass) {
        if (pass.error().code() != ErrorCode::kCancelled) state.fail(pass.error());
        return;
      }
      if (pass->began >= state.window.begin) passes.push_back(*pass);
    }
  }
};

Result<LoadReport> replay(const LoadOptions& options, bool follows) {
  BAHI_TRY(check(options));
  LoadReport report;
  BAHI_ASSIGN(const wire::Welcome welcome, prepare(options));
  report.json = conditions(follows ? "catch-up" : "replay", options, welcome);
  BAHI_ASSIGN(const Offset until, end_of_log(options));
  if (until == Offset{0})
    return Error{ErrorCode::kInvalidArgument, "the tenant's log is empty: run `bahi bench append` first"};
  Meter meter(options);
  RunState state(options.stopped);
  state.window = window_from_now(options);
  std::vector<Replay> replays(options.connections, Replay{options, follows, state, until, {}});
  std::vector<std::thread> threads;
  for (Replay& one : replays) threads.emplace_back([&one] { one.run(); });
  wait_until(state.window.begin, state);
  meter.begin();
  for (std::thread& thread : threads) thread.join();
  meter.end();
  BAHI_TRY(state.outcome());
  Tally tally;
  Pass whole;
  std::vector<double> rates;
  for (const Replay& one : replays) {
    for (const Pass& pass : one.passes) {
      whole.began = whole.began == 0 ? pass.began : std::min(whole.began, pass.began);
      whole.ended = std::max(whole.ended, pass.ended);
      tally.events += pass.events;
      tally.data_bytes += pass.data_bytes;
      ++tally.requests;
      tally.latency.record(pass.ended - pass.began);
      rates.push_back(static_cast<double>(pass.events) / pass.seconds());
    }
  }
  if (tally.requests == 0) return Error{ErrorCode::kCancelled, "stopped before anything was measured"};
  const Spread spread = Spread::of(rates);
  report.json["read"] = tally_json(tally, whole.seconds());
  report.json["events_per_second_of_a_pass"] = spread.to_json();
  TallyTable table;
  table.add(follows ? "catch-up" : "replay", tally, whole.seconds());
  report.text = table.to_string();
  report.text += fmt::format("{} passes over {} events; M events/s of a pass: {}\n", tally.requests, until.value,
                             spread.to_string(1e-6));
  meter.add_to(report, tally.events);
  return report;
}

}  // namespace

Result<LoadReport> run_replay(const LoadOptions& options) {
  return replay(options, false);
}

Result<LoadReport> run_catch_up(const LoadOptions& options) {
  return replay(options, true);
}

}  // namespace bahi::bench
