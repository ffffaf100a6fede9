#include "batch_ahead.hpp"

#include <pthread.h>

namespace bahi::projections {
namespace {

constexpr std::size_t kReadyMax = 32;

}  // namespace

BatchAhead::BatchAhead(const Engine& engine, const Range& range, const FoldTypes& types, DomainData& scratch,
                       bool ahead)
    : engine_(engine), range_(range), types_(types), scratch_(scratch) {
  if (!ahead) return;
  reader_ = std::thread([this] { run(); });
  ::pthread_setname_np(reader_.native_handle(), "bahi-read-ahead");
}

BatchAhead::~BatchAhead() {
  if (!reader_.joinable()) return;
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  reader_.join();
}

BatchAhead::Item BatchAhead::read_one() {
  if (!cursor_) {
    BAHI_ASSIGN(cursor_, engine_.read_batches(range_.tenant, range_.from, range_.to));
  }
  BAHI_ASSIGN(const bool more, cursor_->next());
  if (!more) return std::shared_ptr<const FoldBatch>();
  BAHI_ASSIGN(auto batch, DecodedBatch::decode(cursor_->stored()));
  return std::make_shared<const FoldBatch>(std::move(batch), types_, scratch_);
}

void BatchAhead::run() {
  for (;;) {
    Item item = read_one();
    const bool last = !item || *item == nullptr;
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return ready_.size() < kReadyMax || stopping_; });
    if (stopping_) return;
    ready_.push_back(std::move(item));
    changed_.notify_all();
    if (last) return;
  }
}

Result<std::shared_ptr<const FoldBatch>> BatchAhead::next() {
  if (!reader_.joinable()) return read_one();
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return !ready_.empty(); });
  const Item& front = ready_.front();
  if (!front || *front == nullptr) return front;  // stays, for those who ask again
  Item item = std::move(ready_.front());
  ready_.pop_front();
  changed_.notify_all();
  return item;
}

}  // namespace bahi::projections
