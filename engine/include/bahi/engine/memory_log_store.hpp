// A log store in memory, for tests and simulation.
#pragma once

#include <map>
#include <memory>
#include <shared_mutex>
#include <string>

#include "bahi/engine/log_store.hpp"

namespace bahi {

/// The state outlives the store, so that a test can "crash" an engine and open another on what was left.
struct MemoryLog {
  mutable std::shared_mutex mutex;
  std::map<std::pair<std::uint32_t, std::uint64_t>, std::shared_ptr<const std::string>> batches;  // protected by mutex
  std::map<std::pair<std::uint32_t, std::uint64_t>, std::shared_ptr<const std::string>> durable;  // protected by mutex
  /// Loses what was not synced, as a power loss would.
  void crash();
};

class MemoryLogStore final : public LogStore {
 public:
  explicit MemoryLogStore(std::shared_ptr<MemoryLog> log) : log_(std::move(log)) {}

  Status append(std::span<const LogRecord> records) override;
  Status sync() override;
  [[nodiscard]] std::unique_ptr<LogCursor> cursor(TenantId tenant, CacheUse use) const override;
  [[nodiscard]] Result<std::vector<TenantId>> tenants() const override;
  Status flush() override { return {}; }
  [[nodiscard]] LogStoreStats stats() const override;

 private:
  std::shared_ptr<MemoryLog> log_;
};

}  // namespace bahi
