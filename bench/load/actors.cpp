#include "actors.hpp"

#include <optional>

#include "machine.hpp"
#include "scratch.hpp"

namespace bahi::bench {

namespace asio = boost::asio;

Writing::Writing(const Workload& workload, const LoadOptions& load, RunState& run, unsigned share, unsigned shares)
    : options(load),
      state(run),
      source(workload, share),
      builder({load.codec, 1}),
      pacer(load.rate, run.window.begin - static_cast<std::uint64_t>(load.warm_up.count() * 1e9), share, shares) {}

namespace {

EncodedBody build(Writing& writing, NewEvent& event) {
  for (std::size_t i = 0; i < writing.options.batch; ++i) {
    writing.source.next(event);
    require(writing.builder.add(event), "building a batch; --batch and --event-bytes are too large together");
  }
  return require(writing.builder.finish(), "building a batch");
}

/// When the next request is due, 0 for at once; nothing when there is none left. What is due is sent however late,
/// since leaving it out would leave out the worst latencies; but a server that cannot keep up ends the run at some
/// time.
std::optional<std::uint64_t> next_due(double rate, Pacer& pacer, const RunState& state, Tally& tally) {
  constexpr std::uint64_t kOverrun = 10'000'000'000;
  const std::uint64_t now = now_nanos();
  if (state.over()) return std::nullopt;
  if (rate == 0) return now < state.window.end ? std::optional<std::uint64_t>(0) : std::nullopt;
  const std::uint64_t due = pacer.next();
  if (due >= state.window.end) return std::nullopt;
  if (now < state.window.end + kOverrun) return due;
  for (std::uint64_t left = due; left < state.window.end; left = pacer.next()) ++tally.unsent;
  return std::nullopt;
}

/// False: the run is over.
bool count(Tally& tally, RunState& state, const Status& status, std::uint64_t began) {
  const std::uint64_t now = now_nanos();
  if (!status && status.error().code() == ErrorCode::kOverloaded) {
    if (state.window.holds(now)) ++tally.rejected;
    return true;
  }
  if (!status) {
    state.fail(status.error());
    return false;
  }
  if (state.window.holds(began)) tally.latency.record(now - began);
  if (state.window.holds(now)) ++tally.requests;
  return true;
}

}  // namespace

asio::awaitable<void> write(Lane& lane, client::AsyncClient& client, std::shared_ptr<Writing> writing) {
  const LoadOptions& options = writing->options;
  RunState& state = writing->state;
  NewEvent event;
  AppendRequest request;
  while (const auto due = next_due(options.rate, writing->pacer, state, lane.appends)) {
    co_await sleep_until(*due);
    request.body = build(*writing, event);
    const std::size_t wire_bytes = request.body.bytes.size();
    const std::uint64_t began = *due != 0 ? *due : now_nanos();
    const Result<AppendResult> appended = co_await client.append(std::move(request));
    if (!count(lane.appends, state, appended ? Status() : Status(appended.error()), began)) break;
    if (!appended || !state.window.holds(now_nanos())) continue;
    lane.appends.events += options.batch;
    lane.appends.data_bytes += options.batch * options.workload.data_bytes;
    lane.appends.wire_bytes += wire_bytes;
  }
}

asio::awaitable<void> read_streams(Lane& lane, client::AsyncClient& client, std::shared_ptr<Reading> reading,
                                   double rate) {
  RunState& state = reading->state;
  EventView event;
  while (const auto due = next_due(rate, reading->pacer, state, lane.reads)) {
    co_await sleep_until(*due);
    ReadRequest request;
    request.filter.stream = stream_name(reading->random.below(reading->options.workload.streams));
    request.direction = Direction::kBackward;
    request.limit = reading->options.limit;
    const std::uint64_t began = *due != 0 ? *due : now_nanos();
    client::AsyncReader reader = client.read(std::move(request));
    std::uint64_t events = 0;
    std::uint64_t bytes = 0;
    Status status;
    for (;;) {
      const Result<bool> found = co_await reader.next(event);
      if (!found) status = found.error();
      if (!found || !*found) break;
      ++events;
      bytes += event.data.size();
    }
    if (!count(lane.reads, state, status, began)) break;
    if (!status || !state.window.holds(now_nanos())) continue;
    lane.reads.events += events;
    lane.reads.data_bytes += bytes;
  }
}

asio::awaitable<void> follow(Lane& lane, client::AsyncReader& reader, RunState& state) {
  EventView event;
  for (;;) {
    const Result<bool> found = co_await reader.next(event);
    if (!found && found.error().code() != ErrorCode::kCancelled) state.fail(found.error());
    if (!found || !*found) break;
    if (!state.window.holds(now_nanos())) continue;
    ++lane.deliveries.events;
    lane.deliveries.data_bytes += event.data.size();
  }
}

asio::awaitable<void> send_probes(client::AsyncClient& client, const LoadOptions& options, RunState& state,
                                  Probe& probe) {
  const auto warm_up = static_cast<std::uint64_t>(options.warm_up.count() * 1e9);
  Pacer pacer(options.rate, state.window.begin - warm_up, 0, 1);
  BatchBuilder builder({options.codec, 1});
  const std::string data(options.workload.data_bytes, 'x');
  NewEvent event;
  event.stream = probe.stream;
  event.type = "Probe";
  event.data = data;
  event.content_type = "application/octet-stream";
  AppendRequest request;
  for (std::uint64_t due = pacer.next(); due < state.window.end && !state.over(); due = pacer.next()) {
    require(builder.add(event), "building a probe");
    request.body = require(builder.finish(), "building a probe");
    co_await sleep_until(due);
    const std::uint64_t called = now_nanos();
    probe.sent.push_back({due, called});
    const Result<AppendResult> appended = co_await client.append(std::move(request));
    if (!appended) co_return state.fail(appended.error());
    if (state.window.holds(due)) probe.acknowledged.record(now_nanos() - called);
  }
}

asio::awaitable<void> receive_probes(client::AsyncReader& reader, RunState& state, Probe& probe) {
  EventView event;
  for (;;) {
    const Result<bool> found = co_await reader.next(event);
    if (!found && found.error().code() != ErrorCode::kCancelled) state.fail(found.error());
    if (!found || !*found) break;
    const std::uint64_t now = now_nanos();
    const auto number = static_cast<std::uint64_t>(event.version.value);
    if (event.stream != probe.stream || number >= probe.sent.size()) continue;
    probe.received.fetch_add(1);
    const Probe::Sent& sent = probe.sent[number];
    if (!state.window.holds(sent.due)) continue;
    probe.from_call.record(now - sent.called);
    probe.from_due.record(now - sent.due);
  }
}

}  // namespace bahi::bench
