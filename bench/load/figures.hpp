// From tallies to a report.
#pragma once

#include <string>
#include <string_view>

#include <boost/json/object.hpp>

#include "lane.hpp"
#include "load.hpp"
#include "report.hpp"

namespace bahi::bench {

/// Rates and latencies of a tally over so many seconds.
[[nodiscard]] boost::json::object tally_json(const Tally& tally, double seconds);
/// A table with a row per tally added.
class TallyTable {
 public:
  void add(std::string_view name, const Tally& tally, double seconds);
  [[nodiscard]] std::string to_string() const { return table_.to_string(); }

 private:
  Table table_{{"", "events/s", "MB/s", "requests/s", "p50 / p99 / p99.9 / max"}};
};

/// Where the windows of a run that begins now lie.
[[nodiscard]] Window window_from_now(const LoadOptions& options);
/// Until that moment, or until the run is over.
void wait_until(std::uint64_t nanos, const RunState& state);
/// kCancelled when the run was stopped before the window began.
[[nodiscard]] Status began(const RunState& state);
/// What was really measured: less than the window when the run was stopped.
[[nodiscard]] double seconds_measured(const Window& window, std::uint64_t ended);

}  // namespace bahi::bench
