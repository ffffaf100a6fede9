// The log as one sequence: the durable batches of all tenants in the order in which they were committed.

#include <fmt/format.h>

#include "engine_impl.hpp"

namespace bahi {
namespace {

class CommitOrderCursor final : public BatchCursor {
 public:
  using DurableEnd = std::function<Offset(TenantId)>;

  CommitOrderCursor(std::unique_ptr<rocksdb::Iterator> iterator, DurableEnd durable_end)
      : iterator_(std::move(iterator)), durable_end_(std::move(durable_end)) {}

  Result<bool> next() override {
    if (ended_) return false;
    if (started_) iterator_->Next();
    started_ = true;
    BAHI_TRY(check_rocksdb(iterator_->status(), "reading the log"));
    ended_ = !iterator_->Valid();
    if (ended_) return false;
    BAHI_ASSIGN(header_, decode_batch_header(stored()));
    // Positions are synced in their order: behind the first batch that nobody may see yet, nobody may see any.
    ended_ = header_.next_offset() > durable_end_(header_.tenant);
    return !ended_;
  }
  [[nodiscard]] std::string_view stored() const override { return iterator_->value().ToStringView(); }
  [[nodiscard]] const BatchHeader& header() const override { return header_; }

 private:
  std::unique_ptr<rocksdb::Iterator> iterator_;
  DurableEnd durable_end_;
  bool started_ = false;
  bool ended_ = false;
  BatchHeader header_;
};

}  // namespace

Result<std::unique_ptr<BatchCursor>> Engine::read_commits(const std::optional<TenantMark>& after) const {
  if (impl_->rocksdb_store_ == nullptr) {
    return Error{ErrorCode::kInvalidArgument, "a log in memory does not keep the order of commits across tenants"};
  }
  BAHI_ASSIGN(auto iterator, impl_->rocksdb_store_->commits(after));
  return std::unique_ptr<BatchCursor>(std::make_unique<CommitOrderCursor>(
      std::move(iterator), [this](TenantId tenant) { return durable_offset(tenant); }));
}

Uuid Engine::store_id() const {
  if (!impl_->on_disk_) return {};
  // The marker was checked when the store was opened, and is never written again.
  const auto id = read_store_id(impl_->paths_);
  return id ? *id : Uuid{};
}

}  // namespace bahi
