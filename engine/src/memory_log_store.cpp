#include "bahi/engine/memory_log_store.hpp"

#include <mutex>

namespace bahi {
namespace {

using Batches = std::map<std::pair<std::uint32_t, std::uint64_t>, std::shared_ptr<const std::string>>;

class MemoryCursor final : public LogCursor {
 public:
  MemoryCursor(std::shared_ptr<MemoryLog> log, TenantId tenant) : log_(std::move(log)), tenant_(tenant) {}

  void seek(Offset offset) override {
    place_at([&](const Batches& batches) { return batches.lower_bound({tenant_.value, offset.value}); });
  }
  void seek_backward(Offset offset) override {
    place_at([&](const Batches& batches) {
      const auto found = batches.lower_bound({tenant_.value, offset.value});
      if (found != batches.end() && found->first.first == tenant_.value) return found;
      return found == batches.begin() ? batches.end() : std::prev(found);
    });
  }
  void next() override {
    place_at([&](const Batches& batches) { return batches.upper_bound({tenant_.value, last_offset_}); });
  }
  void previous() override {
    place_at([&](const Batches& batches) {
      const auto found = batches.lower_bound({tenant_.value, last_offset_});
      return found == batches.begin() ? batches.end() : std::prev(found);
    });
  }
  [[nodiscard]] bool valid() const override { return batch_ != nullptr; }
  [[nodiscard]] Status status() const override { return {}; }
  [[nodiscard]] Offset last_offset() const override { return {last_offset_}; }
  [[nodiscard]] std::string_view stored() const override { return *batch_; }

 private:
  template <class Find>
  void place_at(Find find) {
    const std::shared_lock lock(log_->mutex);
    const auto found = find(log_->batches);
    batch_.reset();
    if (found == log_->batches.end() || found->first.first != tenant_.value) return;
    last_offset_ = found->first.second;
    batch_ = found->second;
  }

  std::shared_ptr<MemoryLog> log_;
  TenantId tenant_;
  std::uint64_t last_offset_ = 0;
  std::shared_ptr<const std::string> batch_;
};

}  // namespace

void MemoryLog::crash() {
  const std::unique_lock lock(mutex);
  batches = durable;
}

Status MemoryLogStore::append(std::span<const LogRecord> records) {
  const std::unique_lock lock(log_->mutex);
  for (const LogRecord& record : records) {
    auto stored = std::make_shared<std::string>(record.header);
    stored->append(record.body);
    log_->batches[{record.tenant.value, record.last_offset.value}] = std::move(stored);
  }
  return {};
}

Status MemoryLogStore::sync() {
  const std::unique_lock lock(log_->mutex);
  log_->durable = log_->batches;
  return {};
}

std::unique_ptr<LogCursor> MemoryLogStore::cursor(TenantId tenant, CacheUse) const {
  return std::make_unique<MemoryCursor>(log_, tenant);
}

Result<std::vector<TenantId>> MemoryLogStore::tenants() const {
  const std::shared_lock lock(log_->mutex);
  std::vector<TenantId> found;
  for (const auto& [key, batch] : log_->batches) {
    if (found.empty() || found.back().value != key.first) found.push_back({key.first});
  }
  return found;
}

LogStoreStats MemoryLogStore::stats() const {
  const std::shared_lock lock(log_->mutex);
  LogStoreStats stats;
  for (const auto& [key, batch] : log_->batches) stats.file_bytes += batch->size();
  stats.written_bytes = stats.file_bytes;
  return stats;
}

}  // namespace bahi
