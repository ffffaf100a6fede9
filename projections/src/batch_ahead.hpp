// Reads the batches of a range of the log on a thread of its own, ahead of who folds them.
#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>

#include "bahi/engine/engine.hpp"
#include "fold_batch.hpp"

namespace bahi::projections {

/// The batches that overlap [from, to), in order. With `ahead`, a thread reads, decompresses and checks while the
/// caller folds; worth it for more than a few batches. Not thread-safe.
class BatchAhead {
 public:
  struct Range {
    TenantId tenant;
    Offset from;
    Offset to;
  };
  /// What is given by reference must outlive it, and `scratch` be left to it meanwhile.
  BatchAhead(const Engine& engine, const Range& range, const FoldTypes& types, DomainData& scratch, bool ahead);
  ~BatchAhead();
  BatchAhead(const BatchAhead&) = delete;
  BatchAhead& operator=(const BatchAhead&) = delete;
  /// Null at the end. Errors: kCorruptLog, kIoError.
  [[nodiscard]] Result<std::shared_ptr<const FoldBatch>> next();

 private:
  using Item = Result<std::shared_ptr<const FoldBatch>>;
  [[nodiscard]] Item read_one();
  void run();

  const Engine& engine_;
  const Range range_;
  const FoldTypes& types_;
  DomainData& scratch_;
  std::unique_ptr<BatchCursor> cursor_;  // opened by whoever reads

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Item> ready_;  // ends with a null or an error
  bool stopping_ = false;
  std::thread reader_;
};

}  // namespace bahi::projections
