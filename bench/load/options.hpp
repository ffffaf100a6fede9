// What a load on a server consists of. Times are nanoseconds of the steady clock unless a name says otherwise.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>

#include "bahi/client/options.hpp"
#include "bahi/schemas/codec.hpp"
#include "workload.hpp"

namespace bahi::bench {

struct LoadOptions {
  client::ClientOptions client;  ///< server, credential and tenant
  unsigned threads = 1;          ///< each with an event loop and its share of the connections
  unsigned connections = 8;
  unsigned in_flight = 1;  ///< requests without an answer, per connection
  std::size_t batch = 1000;
  Codec codec = Codec::kZstd;
  /// Requests per second over all connections, at even distances, whether the server keeps up or not. 0: each request
  /// follows the answer of the one before.
  double rate = 0;
  std::chrono::duration<double> warm_up{2};  ///< before anything counts
  std::chrono::duration<double> duration{10};
  WorkloadOptions workload;
  std::uint64_t limit = 100;                             ///< events of a stream that a read takes, newest first
  unsigned readers = 2;                                  ///< mixed: connections that read streams
  unsigned subscribers = 2;                              ///< mixed: connections that follow the log
  unsigned rounds = 3;                                   ///< idle: measurements with and without the idle connections
  std::function<bool()> stopped = [] { return false; };  ///< asked now and then, on any thread: ends the run early
};

/// kInvalidArgument names the option that is out of range.
Status check(const LoadOptions& options);

}  // namespace bahi::bench
