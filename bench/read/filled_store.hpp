// A store in which the events of every stream lie far apart.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>

#include "bahi/engine/engine.hpp"
#include "workload.hpp"

namespace bahi::bench {

struct FillOptions {
  std::uint64_t streams = 1'000'000;
  std::uint64_t events_per_stream = 10;
  std::size_t batch = 1000;
  Codec codec = Codec::kLz4;
  [[nodiscard]] std::uint64_t events() const { return streams * events_per_stream; }
};

/// Appends `events_per_stream` rounds; each round gives every stream one event, in an order of
/// its own, so each event of a stream is in another batch. Flushes at the end. Returns the tenant.
[[nodiscard]] TenantId fill_store(Engine& engine, const Workload& workload, const FillOptions& options);

[[nodiscard]] std::unique_ptr<Engine> open_store(const std::filesystem::path& directory, std::size_t batch_cache_bytes);

}  // namespace bahi::bench
