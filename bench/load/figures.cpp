#include "figures.hpp"

#include <algorithm>
#include <thread>

#include <fmt/format.h>

#include "bahi/schemas/batch_builder.hpp"
#include "bahi/schemas/limits.hpp"
#include "machine.hpp"

namespace bahi::bench {

Status check(const LoadOptions& options) {
  const auto wrong = [](std::string message) { return Error{ErrorCode::kInvalidArgument, std::move(message)}; };
  BAHI_TRY(check(options.workload));
  if (options.threads == 0 || options.connections == 0 || options.in_flight == 0 || options.rounds == 0)
    return wrong("threads, connections, in-flight and rounds must be at least 1");
  if (options.batch == 0 || options.batch > kBatchEventsMax)
    return wrong(fmt::format("batch: must be 1 to {} events", kBatchEventsMax));
  if (options.rate < 0) return wrong("rate: must not be negative");
  if (options.duration.count() <= 0 || options.warm_up.count() < 0)
    return wrong("duration must be above 0 and warm-up not below");
  // Whether a batch fits is for the builder to say: names and columns count too.
  const Workload workload(options.workload);
  EventSource source(workload, 0);
  BatchBuilder builder({options.codec, 1});
  NewEvent event;
  for (std::size_t i = 0; i < options.batch; ++i) {
    source.next(event);
    BAHI_TRY(builder.add(event));
  }
  return {};
}

boost::json::object tally_json(const Tally& tally, double seconds) {
  const auto rate = [seconds](std::uint64_t count) { return seconds > 0 ? static_cast<double>(count) / seconds : 0; };
  return {{"seconds", seconds},
          {"events", tally.events},
          {"events_per_second", rate(tally.events)},
          {"data_bytes_per_second", rate(tally.data_bytes)},
          {"body_bytes_per_second", rate(tally.wire_bytes)},
          {"requests", tally.requests},
          {"requests_per_second", rate(tally.requests)},
          {"rejected", tally.rejected},
          {"unsent", tally.unsent},
          {"latency", latency_json(tally.latency)}};
}

void TallyTable::add(std::string_view name, const Tally& tally, double seconds) {
  const auto rate = [seconds](std::uint64_t count) { return seconds > 0 ? static_cast<double>(count) / seconds : 0; };
  table_.add({std::string(name), fmt::format("{:.0f}", rate(tally.events)),
              fmt::format("{:.1f}", rate(tally.data_bytes) / 1e6), fmt::format("{:.0f}", rate(tally.requests)),
              tally.latency.count() == 0 ? "" : format_latency(tally.latency)});
}

Window window_from_now(const LoadOptions& options) {
  const auto nanos = [](std::chrono::duration<double> time) { return static_cast<std::uint64_t>(time.count() * 1e9); };
  const std::uint64_t begin = now_nanos() + nanos(options.warm_up);
  return {begin, begin + nanos(options.duration)};
}

void wait_until(std::uint64_t nanos, const RunState& state) {
  constexpr std::uint64_t kStep = 100'000'000;  // until the next look at the state
  for (std::uint64_t now = now_nanos(); now < nanos && !state.over(); now = now_nanos()) {
    std::this_thread::sleep_for(std::chrono::nanoseconds(std::min(nanos - now, kStep)));
  }
}

Status began(const RunState& state) {
  BAHI_TRY(state.outcome());
  if (now_nanos() >= state.window.begin) return {};
  return Error{ErrorCode::kCancelled, "stopped before anything was measured"};
}

double seconds_measured(const Window& window, std::uint64_t ended) {
  const std::uint64_t end = std::min(window.end, ended);
  return end > window.begin ? static_cast<double>(end - window.begin) / 1e9 : 0;
}

}  // namespace bahi::bench
