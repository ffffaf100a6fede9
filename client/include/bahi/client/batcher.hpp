// Appends single events in batches: many callers share the cost of a request.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>

#include "bahi/base/result.hpp"
#include "bahi/client/client.hpp"
#include "bahi/schemas/codec.hpp"
#include "bahi/schemas/event.hpp"

namespace bahi::client {

struct BatcherOptions {
  /// How long an event waits for company, at most.
  std::chrono::microseconds linger{1'000};
  std::size_t events_max = 1'000;                   ///< of one batch; it goes out when it is full
  std::size_t bytes_max = std::size_t{256} << 10U;  ///< of one batch, before compression
  Codec codec = Codec::kLz4;
};

/// Called once, on a thread of the client or the batcher; must neither block nor call the batcher. The value is the
/// event's offset.
using EventHandler = std::function<void(Result<Offset>)>;

/// Events are stored in the order in which they were added. A batch is atomic: its events are stored together, or each
/// handler gets the same error. For appends with conditions use Client::append. Thread-safe; the client must outlive
/// it.
class Batcher {
 public:
  explicit Batcher(Client& client, BatcherOptions options = {});
  ~Batcher();  ///< sends what waits; handlers may still be called until the client ends
  Batcher(const Batcher&) = delete;
  Batcher& operator=(const Batcher&) = delete;

  /// Copies the event in. An error (a bad name, an event too large) means that `done` is never called.
  Status add(const NewEvent& event, EventHandler done);
  /// Sends what waits, without waiting for company or for the answers.
  void flush();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace bahi::client
