#include "filled_store.hpp"

#include <algorithm>
#include <numeric>

#include "filler.hpp"
#include "scratch.hpp"

namespace bahi::bench {
namespace {

/// A number without a common factor with `count`, another one for each round.
std::uint64_t step_of_round(std::uint64_t round, std::uint64_t count) {
  std::uint64_t step = 700'417U + round * 2018U;
  while (std::gcd(step, count) != 1) ++step;
  return step;
}

}  // namespace

TenantId fill_store(Engine& engine, const Workload& workload, const FillOptions& options) {
  const TenantId tenant = require(engine.create_tenant("bench"), "creating the tenant");
  EventSource source(workload, 1);
  Filler filler(engine, tenant, options.batch, options.codec);
  NewEvent event;
  for (std::uint64_t round = 0; round < options.events_per_stream; ++round) {
    const std::uint64_t step = step_of_round(round, options.streams);
    for (std::uint64_t i = 0; i < options.streams; ++i) {
      source.next_on(i * step % options.streams, event);
      filler.add(event);
    }
    filler.cut();
  }
  filler.finish();
  return tenant;
}

std::unique_ptr<Engine> open_store(const std::filesystem::path& directory, std::size_t batch_cache_bytes) {
  EngineOptions options;
  options.create_if_missing = true;
  // Where all batches fit, the index shall fit too: it is about a tenth of the log.
  options.block_cache_bytes = std::max(options.block_cache_bytes, batch_cache_bytes / 4);
  options.batch_cache_bytes = batch_cache_bytes;
  return require(Engine::open(directory, std::move(options)), "opening the store");
}

}  // namespace bahi::bench
