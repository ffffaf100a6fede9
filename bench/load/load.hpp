// Loads on a server: what `bahi bench` runs. docs/benchmarks.md says what the figures mean.
#pragma once

#include <string>

#include <boost/json/object.hpp>

#include "bahi/base/result.hpp"
#include "options.hpp"

namespace bahi::bench {

struct LoadReport {
  boost::json::object json;  ///< settings, machine and all figures
  std::string text;          ///< the same for people, in short
};

// Errors of all: kInvalidArgument (an option), those of Client; kCancelled when it was stopped before anything counted.

/// Durable appends: `connections` with `in_flight` requests each, bodies built and compressed while it runs.
[[nodiscard]] Result<LoadReport> run_append(const LoadOptions& options);
/// Every connection reads the whole log from its beginning, every event decoded, again and again until the time is up.
[[nodiscard]] Result<LoadReport> run_replay(const LoadOptions& options);
/// `connections` with `in_flight` reads each of the last `limit` events of a stream, drawn from those that run_append
/// writes to.
[[nodiscard]] Result<LoadReport> run_stream_reads(const LoadOptions& options);
/// Single events appended at a rate; how long until each of `connections` subscribers has them.
[[nodiscard]] Result<LoadReport> run_subscribe(const LoadOptions& options);
/// `connections` subscriptions from the beginning of the log until each has caught up.
[[nodiscard]] Result<LoadReport> run_catch_up(const LoadOptions& options);
/// Appends as in run_append, stream reads and subscribers at the same time.
[[nodiscard]] Result<LoadReport> run_mixed(const LoadOptions& options);
/// Single appends at a rate, in turns without and with `connections` idle connections open.
[[nodiscard]] Result<LoadReport> run_idle(const LoadOptions& options);

}  // namespace bahi::bench
