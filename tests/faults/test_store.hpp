// What the tests of this folder share: a small store, batches for it, and a look at what it holds.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <vector>

#include "bahi/engine/engine.hpp"
#include "workload.hpp"

namespace bahi::faults {

inline constexpr std::uint32_t kTestEventsMax = 12;  ///< per batch

/// Small buffers and reserves; creates the store when it is missing.
[[nodiscard]] EngineOptions test_options(rocksdb::Env* env = nullptr);

/// The engine on `directory` and the identifier of its only tenant, "shop". Throws when it does not open.
struct TestStore {
  std::unique_ptr<Engine> engine;
  TenantId tenant;
};
[[nodiscard]] TestStore open_test_store(const std::filesystem::path& directory, const EngineOptions& options);

/// The batch that `request_id` alone determines.
[[nodiscard]] AppendRequest make_batch(TenantId tenant, std::uint64_t request_id);

/// What a history of `make_batch` requests left in the store.
struct Acknowledged {
  std::uint64_t request_id = 0;
  Offset first_offset;
};

/// Reads the whole log and compares it with the plan of each request it meets; throws on an event that is not as
/// planned, or a batch that is there twice or in part. Request ids by offset of their first event.
[[nodiscard]] std::vector<Acknowledged> read_batches_back(const Engine& engine, TenantId tenant);
/// Every acknowledged batch is where it was said to be, and at most `unknown_max` others are there.
void check_history(const Engine& engine, TenantId tenant, const std::vector<Acknowledged>& acknowledged,
                   std::size_t unknown_max);

}  // namespace bahi::faults
