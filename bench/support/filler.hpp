// Fills an engine's log as fast as it takes the events.
#pragma once

#include <cstddef>
#include <semaphore>

#include "bahi/engine/engine.hpp"
#include "bahi/schemas/batch_builder.hpp"

namespace bahi::bench {

/// Ends the program when the engine refuses something. Not thread-safe.
class Filler {
 public:
  Filler(Engine& engine, TenantId tenant, std::size_t batch, Codec codec);
  Filler(const Filler&) = delete;
  Filler& operator=(const Filler&) = delete;

  void add(const NewEvent& event);
  /// What was added up to here is an append of its own.
  void cut();
  /// Everything is durable and flushed, and nothing is under way. Nothing may be added afterwards.
  void finish();

 private:
  static constexpr std::ptrdiff_t kInFlight = 16;

  Engine& engine_;
  const TenantId tenant_;
  const std::size_t batch_;
  BatchBuilder builder_;
  std::counting_semaphore<kInFlight> free_slots_{kInFlight};
};

}  // namespace bahi::bench
