#include "backup_crash_child.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <string_view>
#include <thread>

#include <fmt/format.h>

#include "bahi/engine/engine.hpp"
#include "workload.hpp"

namespace bahi::faults {
namespace {

using std::chrono::milliseconds;

constexpr std::array<std::string_view, 3> kTenants{"shop", "office", "yard"};
constexpr std::uint32_t kEventsMax = 40;

/// Ends the process with what went wrong: here that is a finding, not a fault.
template <class T>
T must(Result<T> result, std::string_view what) {
  if (!result) {
    fmt::print(stderr, "{}: {}\n", what, result.error().to_string());
    std::_Exit(4);  // other threads are at work
  }
  return std::move(*result);
}

void append_until(const std::atomic<bool>& stopping, Engine& engine, std::uint64_t seed) {
  Random random(seed);
  while (!stopping.load()) {
    const std::uint64_t request_id = random.next();
    AppendRequest request;
    request.tenant = must(engine.find_tenant(kTenants.at(random.below(kTenants.size()))), "finding a tenant");
    request.body = must(encode_events(plan_events(request_id, request_id, kEventsMax), request_id), "encoding");
    must(engine.append(std::move(request)), "appending");
    if (random.one_in(10)) std::this_thread::sleep_for(milliseconds(random.between(1, 10)));
  }
}

}  // namespace

EngineOptions backup_engine_options() {
  EngineOptions options;
  options.create_if_missing = true;
  options.write_buffer_bytes = std::size_t{1} << 20U;
  options.reserve_bytes = 0;
  options.free_bytes_min = 0;
  return options;
}

BackupOptions small_segments() {
  BackupOptions options;
  options.segment_bytes_max = std::size_t{16} << 10U;
  options.free_bytes_min = 0;
  return options;
}

int run_backups(const BackupPlaces& places, std::uint64_t seed, std::uint32_t run_ms) {
  Random random(seed);
  const auto engine = must(Engine::open(places.store, backup_engine_options()), "opening the store");
  for (const std::string_view tenant : kTenants) {
    if (!engine->find_tenant(tenant)) must(engine->create_tenant(tenant), "creating a tenant");
  }
  std::atomic<bool> stopping{false};
  std::thread first([&, seed_of_thread = random.next()] { append_until(stopping, *engine, seed_of_thread); });
  std::thread second([&, seed_of_thread = random.next()] { append_until(stopping, *engine, seed_of_thread); });
  const auto end = std::chrono::steady_clock::now() + milliseconds(run_ms);
  do {
    // Of another size each time: what an interrupted backup left may have more files than the next one.
    BackupOptions backup = small_segments();
    backup.segment_bytes_max = (std::size_t{2} << 10U) << random.below(6);
    must(create_backup(*engine, places.backups, backup), "taking a backup");
    std::this_thread::sleep_for(milliseconds(random.between(1, 60)));
  } while (run_ms == 0 || std::chrono::steady_clock::now() < end);
  stopping.store(true);
  first.join();
  second.join();
  return 0;
}

int run_restore(const BackupPlaces& places) {
  RestoreOptions options;
  options.engine = backup_engine_options();
  options.engine.write_buffer_bytes = std::size_t{64} << 10U;  // several sorted files
  must(restore_backup(places.backups, places.restored, options), "restoring");
  EngineOptions settings = backup_engine_options();
  settings.create_if_missing = false;
  must(Engine::open(places.restored, settings), "opening what was restored");
  return 0;
}

}  // namespace bahi::faults
