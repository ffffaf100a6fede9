// Drives an engine with appends in a closed loop: each submitter has one request in flight.
#pragma once

#include <cstdint>
#include <vector>

#include "bahi/engine/engine.hpp"
#include "baseline.hpp"
#include "histogram.hpp"
#include "workload.hpp"

namespace bahi::bench {

enum class Mode : std::uint8_t {
  kReadyQueue,  ///< callbacks put submitters on a queue that a few producer threads drain, as a server's I/O threads
  kBlocking,    ///< one thread per submitter, in Engine::append
};

struct DriverOptions {
  Mode mode = Mode::kReadyQueue;
  std::size_t batch = 1000;
  unsigned submitters = 8;
  unsigned producers = 2;  ///< threads of kReadyQueue
  Codec codec = Codec::kLz4;
  bool pre_encoded = false;  ///< bodies are made before the clock starts, and only copied
};

/// Appends to one tenant of one engine. Not thread-safe.
class AppendDriver {
 public:
  AppendDriver(Engine& engine, TenantId tenant, const Workload& workload, const DriverOptions& options);

  /// Appends for `seconds`, or until `events_max` events were submitted, and waits for the last answer.
  /// `latency`: from the call of submit to the callback.
  Slice run(double seconds, std::uint64_t events_max, Histogram& latency);
  /// Appends that were refused as overloaded and tried again.
  [[nodiscard]] std::uint64_t overloads() const noexcept { return overloads_; }

 private:
  Slice run_ready_queue(std::uint64_t end_nanos, std::uint64_t events_max, Histogram& latency);
  Slice run_blocking(std::uint64_t end_nanos, std::uint64_t events_max, Histogram& latency);

  Engine* engine_;
  TenantId tenant_;
  const Workload* workload_;
  DriverOptions options_;
  std::vector<EncodedBody> bodies_;
  std::uint64_t sources_ = 0;
  std::uint64_t overloads_ = 0;
};

}  // namespace bahi::bench
