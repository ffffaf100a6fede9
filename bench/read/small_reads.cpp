#include "small_reads.hpp"

#include <atomic>
#include <chrono>
#include <thread>

#include <fmt/format.h>
#include <rocksdb/perf_context.h>
#include <rocksdb/perf_level.h>

#include "bahi/schemas/batch_builder.hpp"
#include "machine.hpp"
#include "scratch.hpp"

namespace bahi::bench {
namespace {

constexpr std::uint64_t kHotStreams = 32;

/// Reads one whole stream as a user would, and checks what came.
void read_stream(const Engine& engine, TenantId tenant, std::uint64_t stream, std::uint64_t events_expected) {
  ReadRequest request;
  request.tenant = tenant;
  request.filter.stream = stream_name(stream);
  const auto cursor = require(engine.read(std::move(request)), "read");
  EventView event;
  std::uint64_t events = 0;
  while (require(cursor->next(event), "read")) {
    if (event.version.value != static_cast<std::int64_t>(events) || event.data.empty()) {
      fail(fmt::format("{}: event {} has version {}", stream_name(stream), events, event.version.value));
    }
    ++events;
  }
  if (events != events_expected) {
    fail(fmt::format("{}: {} events read, {} were written", stream_name(stream), events, events_expected));
  }
}

/// One state of the caches.
struct CacheState {
  std::string name;
  std::size_t batch_cache_bytes;
  std::uint64_t streams;  ///< drawn from the first so many
  std::uint64_t warm_up_reads;
  std::uint64_t reads;
  bool cold_page_cache = false;
  bool is_target = false;
};

struct BlockReads {
  double from_disk = 0;   ///< or from the page cache
  double from_cache = 0;  ///< RocksDB's block cache
};

BlockReads count_blocks(const Engine& engine, TenantId tenant, const CacheState& state, std::uint64_t events,
                        Random& random) {
  constexpr std::uint64_t kReads = 500;
  rocksdb::SetPerfLevel(rocksdb::PerfLevel::kEnableCount);
  rocksdb::get_perf_context()->Reset();
  for (std::uint64_t i = 0; i < kReads; ++i) read_stream(engine, tenant, random.below(state.streams), events);
  const BlockReads blocks{static_cast<double>(rocksdb::get_perf_context()->block_read_count) / kReads,
                          static_cast<double>(rocksdb::get_perf_context()->block_cache_hit_count) / kReads};
  rocksdb::SetPerfLevel(rocksdb::PerfLevel::kDisable);
  return blocks;
}

void run_state(const std::filesystem::path& directory, TenantId tenant, const SmallReadOptions& options,
               const CacheState& state, Table& table, Report& report) {
  if (state.cold_page_cache) drop_page_cache(directory);
  const auto engine = open_store(directory, state.batch_cache_bytes);
  const std::uint64_t events = options.fill.events_per_stream;
  Random random(7);
  for (std::uint64_t i = 0; i < state.warm_up_reads; ++i) {
    read_stream(*engine, tenant, random.below(state.streams), events);
  }
  Histogram latency;
  for (std::uint64_t i = 0; i < state.reads; ++i) {
    const std::uint64_t stream = random.below(state.streams);
    const std::uint64_t start = now_nanos();
    read_stream(*engine, tenant, stream, events);
    latency.record(now_nanos() - start);
  }
  const BlockReads blocks = count_blocks(*engine, tenant, state, events, random);
  table.add({state.name, format_latency(latency), fmt::format("{:.1f}", blocks.from_disk),
             fmt::format("{:.1f}", blocks.from_cache)});
  report.add_result({{"name", "stream of " + std::to_string(events) + ", " + state.name},
                     {"batch", options.fill.batch},
                     {"streams", options.fill.streams},
                     {"latency", latency_json(latency)},
                     {"block_reads", blocks.from_disk},
                     {"block_cache_hits", blocks.from_cache}});
  if (!state.is_target) return;
  report.target(fmt::format("stream of {} among {} streams, {} per batch, p99, {}", events, options.fill.streams,
                            options.fill.batch, state.name),
                static_cast<double>(latency.percentile(99)) / 1e3, false, 100, "us", 1);
}

EncodedBody one_event(const Workload& workload, EventSource& source) {
  BatchBuilder builder;
  NewEvent event;
  source.next_on(workload.options().streams, event);  // a stream of its own: others keep their ten events
  require(builder.add(event), "building a batch");
  return require(builder.finish(), "building a batch");
}

}  // namespace

void run_stream_reads(const std::filesystem::path& directory, TenantId tenant, const SmallReadOptions& options,
                      Report& report) {
  const EngineOptions defaults;
  const std::uint64_t streams = options.fill.streams;
  const std::uint64_t reads = options.reads;
  const CacheState states[]{
      {fmt::format("warm: the same {} streams again and again", kHotStreams), defaults.batch_cache_bytes,
       std::min(kHotStreams, streams), 1000, reads, false, true},
      {"warm: any stream, caches hold store and index", options.whole_cache_bytes, streams, reads * 5, reads, false,
       true},
      {fmt::format("warm: any stream, batch cache of {} MiB", defaults.batch_cache_bytes >> 20U),
       defaults.batch_cache_bytes, streams, reads / 2, reads, false, true},
      {"any stream, no batch cache, page cache warm", 0, streams, reads / 10, reads / 4},
      {"any stream, all caches cold at the start", defaults.batch_cache_bytes, streams, 0, reads / 40, true},
  };
  Table table({fmt::format("one stream of {} among {}, {} per batch", options.fill.events_per_stream, streams,
                           options.fill.batch),
               "p50 / p99 / p99.9 / max", "block reads", "block cache hits"});
  for (const CacheState& state : states) run_state(directory, tenant, options, state, table, report);
  fmt::print("\n");
  table.print();
}

void run_tail(const std::filesystem::path& directory, TenantId tenant, const Workload& workload, int rounds,
              Report& report) {
  const auto engine = open_store(directory, EngineOptions{}.batch_cache_bytes);
  EventSource source(workload, 2);
  Histogram append_latency;
  Histogram wake_latency;
  std::atomic<std::uint64_t> woken_at{0};
  std::atomic<int> armed{-1};
  const Offset first = engine->durable_offset(tenant);
  std::thread waiter([&] {
    for (int i = 0; i < rounds; ++i) {
      armed.store(i);
      require(engine->wait_for(tenant, first + static_cast<std::uint64_t>(i), std::chrono::seconds(30)), "wait_for");
      woken_at.store(now_nanos());
    }
  });
  for (int i = 0; i < rounds; ++i) {
    AppendRequest request;
    request.tenant = tenant;
    request.body = one_event(workload, source);
    while (armed.load() != i) std::this_thread::yield();
    std::this_thread::sleep_for(std::chrono::microseconds(300));  // the waiter is asleep by now
    woken_at.store(0);
    const std::uint64_t start = now_nanos();
    require(engine->append(std::move(request)), "append");
    append_latency.record(now_nanos() - start);
    std::uint64_t woken = 0;
    while ((woken = woken_at.load()) == 0) std::this_thread::yield();
    wake_latency.record(woken - start);
  }
  waiter.join();
  fmt::print("\n");
  Table table({"tail: one event, one waiter", "p50 / p99 / p99.9 / max"});
  table.add({"append called -> append answered", format_latency(append_latency)});
  table.add({"append called -> wait_for returned", format_latency(wake_latency)});
  table.print();
  report.add_result(
      {{"name", "tail wake-up"}, {"append", latency_json(append_latency)}, {"wake", latency_json(wake_latency)}});
}

}  // namespace bahi::bench
