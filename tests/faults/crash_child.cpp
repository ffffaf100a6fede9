#include "crash_child.hpp"

#include <fmt/format.h>
#include <unistd.h>

namespace bahi::faults {
namespace {

EngineOptions random_options(Random& random) {
  EngineOptions options;
  options.create_if_missing = true;
  options.write_buffer_bytes = std::size_t{1} << random.between(17, 21);
  options.index_delta_postings_max = random.between(200, 6000);
  options.groups_in_flight_max = static_cast<std::uint32_t>(random.between(1, 16));
  options.group_bytes_max = std::size_t{1} << random.between(14, 20);
  options.stream_cache_entries_max = random.one_in(2) ? 50 : 100'000;
  options.condition_window_bytes = random.one_in(2) ? 20'000 : std::size_t{1} << 20U;
  options.block_cache_bytes = std::size_t{8} << 20U;
  options.batch_cache_bytes = std::size_t{8} << 20U;
  options.reserve_bytes = std::size_t{1} << 20U;
  options.free_bytes_min = std::size_t{16} << 20U;
  options.anchor_sync_interval = std::chrono::milliseconds(random.between(1, 50));
  return options;
}

Status find_or_create_tenants(ChildStore& store, const Pipe& pipe) {
  for (std::uint32_t number = 0; number < kCrashTenants; ++number) {
    const std::string name = fmt::format("shop{}", number);
    auto id = store.engine->find_tenant(name);
    if (!id) id = store.engine->create_tenant(name);
    if (!id) return id.error();
    store.tenants[number] = *id;
    pipe.send({Message::Kind::kTenant, number, id->value, name});
  }
  return {};
}

}  // namespace

void Pipe::send(const Message& message) const {
  if (::write(descriptor_, &message, sizeof message) != sizeof message) ::_exit(4);
}

ChildStore open_child_store(const ChildOptions& options, Random& random, const Pipe& pipe) {
  LossOptions loss;
  loss.lossy = true;
  loss.sync_reaches_disk = random.one_in(4);
  loss.leak_one_in = random.one_in(2) ? 10 : 0;
  loss.seed = random.next();
  if (random.one_in(2)) loss.name_journal = options.names;
  ChildStore store;
  store.env = std::make_unique<FaultEnv>(loss);
  EngineOptions engine_options = random_options(random);
  engine_options.env = store.env->env();
  auto engine = Engine::open(options.store, engine_options);
  if (!engine) {
    pipe.send({Message::Kind::kOpenFailed, 0, 0, engine.error().to_string()});
    return store;
  }
  store.engine = std::move(*engine);
  if (const Status status = find_or_create_tenants(store, pipe); !status) {
    pipe.send({Message::Kind::kOpenFailed, 0, 0, status.error().to_string()});
    store.engine.reset();
  }
  return store;
}

}  // namespace bahi::faults
