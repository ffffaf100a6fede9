// The part of the commit pipeline that keeps the index: the indexer and the flusher.

#include "commit_pipeline.hpp"

namespace bahi {
namespace {

/// Deltas in memory, sealed and growing, beyond which the indexer waits for the flusher.
constexpr std::size_t kDeltasMax = 4;
/// Postings that the sequencing thread adds to the index itself.
constexpr std::size_t kPostingsHereMax = 64;

}  // namespace

void CommitPipeline::index_group(const Group& group) {
  for (const auto& batch : group.batches) {
    const BatchHeader& header = batch->header;
    parts_.index->add({header.tenant, header.first_offset, header.event_count, batch->prepared.streams,
                       batch->prepared.other_terms, batch->first_versions, header.producer_id,
                       header.producer_sequence});
  }
  {
    const std::scoped_lock lock(index_mutex_);
    for (const auto& [tenant, mark] : group.marks) {
      tenant->indexed.store(mark.next_offset.value, std::memory_order_release);
    }
  }
  index_changed_.notify_all();
  if (!parts_.index->wants_flush()) return;
  std::unique_lock flush_lock(flush_mutex_);
  if (parts_.index->seal()) {
    flush_wanted_ = true;
    flush_changed_.notify_all();
  } else if (parts_.index->postings_in_memory() > kDeltasMax * options_.index_delta_postings_max) {
    // Files cannot keep up: stop here; the bounded queue behind holds the writers back.
    flush_changed_.wait(flush_lock, [this] { return (!flush_wanted_ && !flushing_) || failed(); });
  }
}

void CommitPipeline::hand_to_indexer(const GroupPtr& group) {
  std::unique_lock lock(index_mutex_);
  // Waking the indexer costs more than the few postings of a small lone request.
  const PreparedBatch& first = group->batches.front()->prepared;
  const bool small = group->batches.size() == 1 && first.streams.size() + first.other_terms.size() <= kPostingsHereMax;
  if (small && unindexed_.empty() && !indexing_) {
    indexing_ = true;
    lock.unlock();
    index_group(*group);
    lock.lock();
    indexing_ = false;
    const bool more = !unindexed_.empty();
    lock.unlock();
    if (more) index_work_.notify_one();
    index_changed_.notify_all();
    return;
  }
  index_changed_.wait(lock, [this] { return unindexed_.size() < 4 * options_.groups_in_flight_max; });
  unindexed_.push_back(group);
  lock.unlock();
  index_work_.notify_one();
}

void CommitPipeline::run_indexer() {
  std::unique_lock lock(index_mutex_);
  for (;;) {
    index_changed_.notify_all();
    index_work_.wait(lock, [this] { return !indexing_ && (!unindexed_.empty() || index_stopping_); });
    if (unindexed_.empty()) return;
    indexing_ = true;
    const GroupPtr group = std::move(unindexed_.front());
    unindexed_.pop_front();
    lock.unlock();
    index_group(*group);
    lock.lock();
    indexing_ = false;
  }
}

Status CommitPipeline::wait_indexed(const TenantState& tenant, Offset offset) const {
  const auto covered = [&] { return tenant.indexed.load(std::memory_order_acquire) >= offset.value; };
  if (covered()) return {};
  std::unique_lock lock(index_mutex_);
  index_changed_.wait(lock, [&] {
    return covered() || index_stopping_ || (failed() && unindexed_.empty() && !indexing_);
  });
  if (covered()) return {};
  return read_only_error();
}

Status CommitPipeline::write_sealed_delta() {
  for (const auto& [tenant, covered] : parts_.index->sealed_covered()) {
    const TenantState& state = parts_.tenant({tenant});
    // The files must never know more than the durable log.
    while (state.durable.load(std::memory_order_acquire) < covered) {
      if (failed()) return {};
      (void)parts_.signal->wait([&state] { return Offset{state.durable.load(std::memory_order_acquire)}; },
                                Offset{covered} - 1, std::chrono::milliseconds(50));
    }
  }
  return parts_.index->write_sealed();
}

void CommitPipeline::run_flusher() {
  std::unique_lock lock(flush_mutex_);
  for (;;) {
    flush_changed_.wait(lock, [this] { return flush_wanted_ || flush_stopping_; });
    if (!flush_wanted_) return;
    // Taken down first: while this delta is being written the next one may be sealed and asked for.
    flush_wanted_ = false;
    flushing_ = true;
    lock.unlock();
    const Status written = failed() ? Status{} : write_sealed_delta();
    if (!written) fail(written.error());
    lock.lock();
    flushing_ = false;
    flush_changed_.notify_all();
  }
}

Status CommitPipeline::flush_index() {
  std::unique_lock lock(flush_mutex_);
  const auto idle = [this] { return (!flush_wanted_ && !flushing_) || flush_stopping_; };
  flush_changed_.wait(lock, idle);
  if (parts_.index->seal()) {
    flush_wanted_ = true;
    flush_changed_.notify_all();
    flush_changed_.wait(lock, idle);
  }
  if (failed()) return read_only_error();
  return {};
}

}  // namespace bahi
