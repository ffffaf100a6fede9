#include "test_store.hpp"

#include <algorithm>
#include <set>
#include <stdexcept>

#include <fmt/format.h>

namespace bahi::faults {

EngineOptions test_options(rocksdb::Env* env) {
  EngineOptions options;
  options.create_if_missing = true;
  options.write_buffer_bytes = std::size_t{64} << 10U;
  options.block_cache_bytes = std::size_t{4} << 20U;
  options.batch_cache_bytes = std::size_t{4} << 20U;
  options.index_delta_postings_max = 200;
  options.reserve_bytes = std::size_t{64} << 10U;
  options.free_bytes_min = std::size_t{1} << 20U;
  options.env = env;
  return options;
}

TestStore open_test_store(const std::filesystem::path& directory, const EngineOptions& options) {
  auto engine = Engine::open(directory, options);
  if (!engine) throw std::runtime_error("open: " + engine.error().to_string());
  auto tenant = (*engine)->find_tenant("shop");
  if (!tenant) tenant = (*engine)->create_tenant("shop");
  if (!tenant) throw std::runtime_error("tenant: " + tenant.error().to_string());
  return {std::move(*engine), *tenant};
}

AppendRequest make_batch(TenantId tenant, std::uint64_t request_id) {
  auto body = encode_events(plan_events(request_id, request_id, kTestEventsMax), request_id);
  if (!body) throw std::runtime_error("encode: " + body.error().to_string());
  AppendRequest request;
  request.tenant = tenant;
  request.body = std::move(*body);
  return request;
}

std::vector<Acknowledged> read_batches_back(const Engine& engine, TenantId tenant) {
  ReadRequest request;
  request.tenant = tenant;
  auto cursor = engine.read(request);
  if (!cursor) throw std::runtime_error("read: " + cursor.error().to_string());
  std::vector<Acknowledged> batches;
  std::set<std::uint64_t> seen;
  std::vector<PlannedEvent> planned;
  std::size_t index = 0;
  std::uint64_t offset = 0;
  EventView event;
  while (true) {
    const Result<bool> more = (*cursor)->next(event);
    if (!more) throw std::runtime_error("read: " + more.error().to_string());
    if (!*more) break;
    if (event.offset.value != offset++) throw std::runtime_error("offsets are not dense");
    if (index == planned.size()) {
      if (!seen.insert(event.id.high).second) throw std::runtime_error("a batch is there twice");
      batches.push_back({event.id.high, event.offset});
      planned = plan_events(event.id.high, event.id.high, kTestEventsMax);
      index = 0;
    }
    if (const auto field = difference(planned[index++], event); !field.empty()) {
      throw std::runtime_error(fmt::format("offset {}: {} differs", event.offset.value, field));
    }
  }
  if (index != planned.size()) throw std::runtime_error("the last batch is not whole");
  if (engine.durable_offset(tenant).value != offset) throw std::runtime_error("the durable offset is not the end");
  return batches;
}

void check_history(const Engine& engine, TenantId tenant, const std::vector<Acknowledged>& acknowledged,
                   std::size_t unknown_max) {
  const std::vector<Acknowledged> found = read_batches_back(engine, tenant);
  for (const Acknowledged& want : acknowledged) {
    const auto same = [&](const Acknowledged& have) {
      return have.request_id == want.request_id && have.first_offset == want.first_offset;
    };
    if (std::none_of(found.begin(), found.end(), same)) {
      throw std::runtime_error(
          fmt::format("batch {}, acknowledged at {}, is lost", want.request_id, want.first_offset.value));
    }
  }
  if (found.size() > acknowledged.size() + unknown_max) {
    throw std::runtime_error(fmt::format("{} batches are stored, {} were acknowledged and {} unknown", found.size(),
                                         acknowledged.size(), unknown_max));
  }
}

}  // namespace bahi::faults
