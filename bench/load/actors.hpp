// The coroutines that a load consists of. They run on their lane, count into its tallies, and end with the window.
#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <string>

#include "bahi/schemas/batch_builder.hpp"
#include "lane.hpp"

namespace bahi::bench {

/// What the writers of one lane share.
struct Writing {
  Writing(const Workload& workload, const LoadOptions& options, RunState& state, unsigned share, unsigned shares);

  const LoadOptions& options;
  RunState& state;
  EventSource source;
  BatchBuilder builder;
  Pacer pacer;
};

/// One request in flight after the other: builds a body, compresses it, appends it.
boost::asio::awaitable<void> write(Lane& lane, client::AsyncClient& client, std::shared_ptr<Writing> writing);

/// What the readers of one lane share.
struct Reading {
  Reading(const LoadOptions& options, RunState& state, unsigned share, unsigned shares)
      : options(options),
        state(state),
        random(options.workload.seed * 7919U + share),
        pacer(options.rate, state.window.begin, share, shares) {}

  const LoadOptions& options;
  RunState& state;
  Random random;
  Pacer pacer;
};

/// Reads the last events of one stream after the other, drawn from those that the workload writes to.
boost::asio::awaitable<void> read_streams(Lane& lane, client::AsyncClient& client, std::shared_ptr<Reading> reading,
                                          double rate);

/// Follows the log from `from` on, and counts each event into `deliveries`, until the reader is cancelled.
boost::asio::awaitable<void> follow(Lane& lane, client::AsyncReader& reader, RunState& state);

/// Events of one stream of this process's own, with the time of each.
struct Probe {
  struct Sent {
    std::uint64_t due = 0;     ///< when the append was to be called
    std::uint64_t called = 0;  ///< when it was
  };
  std::string stream;
  std::deque<Sent> sent;  ///< by version
  std::atomic<std::uint64_t> received{0};
  Histogram from_call;  ///< to the subscriber's having the event
  Histogram from_due;
  Histogram acknowledged;  ///< from the call to the answer
};

/// Appends single events at the rate of the options.
boost::asio::awaitable<void> send_probes(client::AsyncClient& client, const LoadOptions& options, RunState& state,
                                         Probe& probe);
/// Receives them, until the reader is cancelled.
boost::asio::awaitable<void> receive_probes(client::AsyncReader& reader, RunState& state, Probe& probe);

}  // namespace bahi::bench
