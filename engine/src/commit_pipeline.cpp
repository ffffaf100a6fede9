#include "commit_pipeline.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <pthread.h>

#include "bahi/base/failpoint.hpp"
#include "bahi/base/planted_bug.hpp"
#include "spin.hpp"

namespace bahi {
namespace {

constexpr std::chrono::milliseconds kAnchorIdle{5};
/// Durable groups whose callbacks are slow hold the syncer back beyond this.
constexpr std::size_t kUnansweredGroupsMax = 64;

}  // namespace

CommitPipeline::CommitPipeline(PipelineParts parts, const EngineOptions& options)
    : parts_(std::move(parts)), options_(options) {}

CommitPipeline::~CommitPipeline() { stop(); }

void CommitPipeline::start() {
  started_ = true;
  const auto run = [this](const char* name, void (CommitPipeline::*loop)()) {
    std::thread thread([this, loop] { (this->*loop)(); });
    ::pthread_setname_np(thread.native_handle(), name);  // at most 15 characters; for top, perf and gdb
    return thread;
  };
  sequencer_ = run("bahi-sequencer", &CommitPipeline::run_sequencer);
  syncer_ = run("bahi-syncer", &CommitPipeline::run_syncer);
  answerer_ = run("bahi-answerer", &CommitPipeline::run_answerer);
  indexer_ = run("bahi-indexer", &CommitPipeline::run_indexer);
  flusher_ = run("bahi-flusher", &CommitPipeline::run_flusher);
  anchor_keeper_ = run("bahi-anchor", &CommitPipeline::run_anchor_keeper);
}

void CommitPipeline::stop() {
  if (!started_) return;
  started_ = false;
  // In the order of the data's path: each thread ends when what feeds it has ended and it has nothing left.
  {
    const std::scoped_lock lock(queue_mutex_);
    stopping_ = true;
  }
  queue_filled_.notify_all();
  sequencer_.join();
  syncer_.join();
  {
    const std::scoped_lock lock(answer_mutex_);
    answer_stopping_ = true;
  }
  answers_changed_.notify_all();
  answerer_.join();
  {
    const std::scoped_lock lock(index_mutex_);
    index_stopping_ = true;
  }
  index_work_.notify_all();
  index_changed_.notify_all();
  indexer_.join();
  {
    const std::scoped_lock lock(flush_mutex_);
    flush_stopping_ = true;
  }
  flush_changed_.notify_all();
  flusher_.join();
  {
    const std::scoped_lock lock(anchor_mutex_);
    anchor_stopping_ = true;
  }
  anchor_changed_.notify_all();
  anchor_keeper_.join();
}

// --- failure

Error CommitPipeline::read_only_error() const {
  return {ErrorCode::kReadOnly, fmt::format("the store accepts no appends since: {}; reopen it", failure())};
}

std::string CommitPipeline::failure() const {
  const std::scoped_lock lock(failure_mutex_);
  return failure_;
}

void CommitPipeline::fail(const Error& reason) {
  {
    const std::scoped_lock lock(failure_mutex_);
    if (failed_.load()) return;
    failure_ = reason.to_string();
    failed_.store(true, std::memory_order_release);
  }
  if (options_.log) options_.log(LogLevel::kError, "read-only from now on: " + reason.to_string());
  for (auto [mutex, changed] : {std::pair{&index_mutex_, &index_changed_}, std::pair{&flush_mutex_, &flush_changed_}}) {
    const std::scoped_lock lock(*mutex);
    changed->notify_all();
  }
}

// --- the syncer

void CommitPipeline::run_syncer() {
  std::unique_lock lock(sync_mutex_);
  for (;;) {
    lock.unlock();
    spin_briefly([this] { return in_flight_.load() != 0; });
    lock.lock();
    sync_changed_.wait(lock, [this] { return !syncing_ && (!unsynced_.empty() || sequencer_done_); });
    if (unsynced_.empty()) return;
    std::vector<GroupPtr> groups(std::make_move_iterator(unsynced_.begin()), std::make_move_iterator(unsynced_.end()));
    const auto count = groups.size();
    unsynced_.clear();
    syncing_ = true;
    lock.unlock();
    finish_groups(std::move(groups));
    lock.lock();
    syncing_ = false;
    in_flight_ -= count;
    sync_changed_.notify_all();
    if (in_flight_.load() != 0) continue;
    lock.unlock();
    wake_sequencer();
    lock.lock();
  }
}

void CommitPipeline::wake_sequencer() {
  {
    // The lock keeps the news from slipping past the sequencer between its look and its sleep.
    const std::scoped_lock lock(queue_mutex_);
    if (queue_.empty() && !holding_back_) return;
  }
  queue_filled_.notify_one();
}

Status CommitPipeline::sync_groups(const std::vector<GroupPtr>& groups) {
  // Before the look at what was written: a conflict may name an event of a group that failed.
  if (failed()) return read_only_error();
  const bool any_written = std::any_of(groups.begin(), groups.end(), [](const GroupPtr& group) { return !group->batches.empty(); });
  if (!any_written) return {};
  const auto began = std::chrono::steady_clock::now();
  if (!planted(PlantedBug::kAckBeforeSync)) BAHI_TRY(parts_.store->sync());
  const std::chrono::nanoseconds took = std::chrono::steady_clock::now() - began;
  counters_.syncs.fetch_add(1, std::memory_order_relaxed);
  counters_.sync_nanos.fetch_add(static_cast<std::uint64_t>(took.count()), std::memory_order_relaxed);
  if (failpoint::hit("after_sync")) return Error{ErrorCode::kIoError, "after_sync: failed on purpose"};
  if (parts_.anchor == nullptr) return {};
  std::vector<TenantMark> marks;
  for (auto group = groups.rbegin(); group != groups.rend(); ++group) {
    for (const auto& [tenant, mark] : (*group)->marks) {
      const bool newer_known = std::any_of(marks.begin(), marks.end(),
                                           [&mark = mark](const TenantMark& known) { return known.tenant == mark.tenant; });
      if (!newer_known) marks.push_back(mark);
    }
  }
  BAHI_TRY(parts_.anchor->publish(marks));
  anchor_publishes_.fetch_add(1);
  if (anchor_keeper_idle_.load()) {
    const std::scoped_lock lock(anchor_mutex_);
    anchor_changed_.notify_all();
  }
  return {};
}

void CommitPipeline::publish(const std::vector<GroupPtr>& groups) {
  for (const GroupPtr& group : groups) {
    for (const auto& [tenant, mark] : group->marks) {
      tenant->durable.store(mark.next_offset.value, std::memory_order_release);
    }
  }
  for (const GroupPtr& group : groups) {
    for (const auto& [tenant, mark] : group->marks) parts_.signal->advance(tenant->id, mark.next_offset);
    for (const auto& batch : group->batches) {
      counters_.events.fetch_add(batch->header.event_count, std::memory_order_relaxed);
      counters_.raw_bytes.fetch_add(batch->header.raw_size, std::memory_order_relaxed);
    }
    counters_.batches.fetch_add(group->batches.size(), std::memory_order_relaxed);
    counters_.stored_bytes.fetch_add(group->bytes, std::memory_order_relaxed);
  }
}

bool CommitPipeline::rests_on_durable(const Answer& answer) {
  const std::uint64_t durable = answer.pending->tenant->durable.load(std::memory_order_acquire);
  if (answer.result) return answer.result->first_offset.value + answer.result->event_count <= durable;  // a repeat
  const Conflict* conflict = answer.result.error().conflict();
  const bool names_event = conflict != nullptr && conflict->actual_version != kNoStream.value;
  return !names_event || conflict->offset < durable;
}

void CommitPipeline::answer_all(const std::vector<GroupPtr>& groups, const Error* error) {
  std::vector<std::shared_ptr<AnswerWaker>> wakers;  // distinct; as few as the submitters have threads
  for (const GroupPtr& group : groups) {
    for (Answer& answer : group->answers) {
      if (error != nullptr && !rests_on_durable(answer)) {
        // An append has an unknown outcome now; a conflict, with an event that may never be, was certainly not stored.
        answer.result = answer.result ? *error : read_only_error();
      }
      auto& waker = answer.pending->waker;
      if (waker && std::find(wakers.begin(), wakers.end(), waker) == wakers.end()) wakers.push_back(waker);
      answer.pending->done(std::move(answer.result));
      answer.pending.reset();
    }
  }
  for (const auto& waker : wakers) waker->wake();
}

void CommitPipeline::finish_groups(std::vector<GroupPtr> groups) {
  if (planted(PlantedBug::kPublishBeforeDurable)) publish(groups);
  if (const Status synced = sync_groups(groups); !synced) {
    fail(synced.error());
    const Error unknown{ErrorCode::kWriteFailed,
                        fmt::format("{}; whether this append is in the log shows when the store is reopened", failure())};
    answer_all(groups, &unknown);
    return;
  }
  publish(groups);
  (void)failpoint::hit("before_ack");
  answer(std::move(groups));
}

void CommitPipeline::answer(std::vector<GroupPtr> groups) {
  bool more_to_sync = false;
  {
    const std::scoped_lock lock(sync_mutex_);
    more_to_sync = !unsynced_.empty();
  }
  {
    std::unique_lock lock(answer_mutex_);
    // Behind answers that are still being given these must wait too, so that the order stays.
    if (more_to_sync || answering_ || !unanswered_.empty()) {
      answers_changed_.wait(lock, [this] { return unanswered_.size() < kUnansweredGroupsMax; });
      unanswered_.insert(unanswered_.end(), std::make_move_iterator(groups.begin()), std::make_move_iterator(groups.end()));
      answers_changed_.notify_all();
      return;
    }
  }
  answer_all(groups, nullptr);
}

void CommitPipeline::run_answerer() {
  std::unique_lock lock(answer_mutex_);
  for (;;) {
    answering_ = false;
    answers_changed_.wait(lock, [this] { return !unanswered_.empty() || answer_stopping_; });
    if (unanswered_.empty()) return;
    std::vector<GroupPtr> groups(std::make_move_iterator(unanswered_.begin()), std::make_move_iterator(unanswered_.end()));
    unanswered_.clear();
    answering_ = true;
    answers_changed_.notify_all();
    lock.unlock();
    answer_all(groups, nullptr);
    groups.clear();
    lock.lock();
  }
}

// --- the anchor keeper

void CommitPipeline::note_files_changed() {
  const std::scoped_lock lock(anchor_mutex_);
  files_changed_ = true;
  anchor_changed_.notify_all();
}

void CommitPipeline::run_anchor_keeper() {
  if (parts_.anchor == nullptr) return;
  std::uint64_t synced = 0;
  const auto due = [this] { return files_changed_ || anchor_stopping_; };
  std::unique_lock lock(anchor_mutex_);
  for (bool stopping = false; !stopping;) {
    anchor_keeper_idle_.store(true);
    anchor_changed_.wait(lock, [&] { return due() || anchor_publishes_.load() != synced; });
    anchor_keeper_idle_.store(false);
    // Coalesce: until nothing was published for a moment, at the longest for the interval.
    const auto deadline = std::chrono::steady_clock::now() + options_.anchor_sync_interval;
    for (std::uint64_t seen = ~synced; seen != anchor_publishes_.load() && std::chrono::steady_clock::now() < deadline;) {
      seen = anchor_publishes_.load();
      if (anchor_changed_.wait_for(lock, kAnchorIdle, due)) break;
    }
    stopping = anchor_stopping_;
    const bool files_changed = std::exchange(files_changed_, false);
    const std::uint64_t publishes = anchor_publishes_.load();
    lock.unlock();
    if (!failed()) {
      const Status kept = files_changed ? parts_.refresh_record() : parts_.anchor->sync();
      if (!kept) fail(kept.error());
    }
    synced = publishes;
    lock.lock();
  }
}

void CommitPipeline::add_stats(EngineStats& stats) const {
  stats.appended_events = counters_.events;
  stats.appended_batches = counters_.batches;
  stats.appended_stored_bytes = counters_.stored_bytes;
  stats.appended_raw_bytes = counters_.raw_bytes;
  stats.commit_groups = counters_.groups;
  stats.syncs = counters_.syncs;
  stats.sync_nanos = counters_.sync_nanos;
  stats.duplicates = counters_.duplicates;
  stats.conflicts = counters_.conflicts;
  stats.overloads = counters_.overloads;
  stats.queued_bytes = queued_bytes_;
  stats.read_only = failed();
  stats.read_only_reason = failure();
}

}  // namespace bahi
