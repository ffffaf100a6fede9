// From submitted requests to durable, acknowledged batches.
//
//   submitting threads   prepare (decompress, check, hash), look up cold heads, queue
//   sequencer            checks conditions in RAM, assigns offsets and versions, writes commit groups (no sync)
//   indexer              adds written batches to the index in RAM
//   syncer               syncs all written groups at once, anchors, publishes the durable offset
//   answerer             calls back, when the syncer has the next groups waiting; else the syncer does
//   flusher              turns full index deltas into sorted files, once they are durable
//   anchor keeper        fsyncs the anchor and keeps its record of the MANIFEST files
//
// Invariants (docs/crash_safety.md):
//   1. A group is written only after the one before it.
//   2. The anchor and the durable offset move only after the sync that covers them returned.
//   3. A request is answered only after the durable offset covers what the answer tells.
//   4. After a failed write or sync nothing is written, anchored or acknowledged any more.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "bahi/engine/engine.hpp"
#include "bahi/engine/log_store.hpp"
#include "disk_guard.hpp"
#include "durable_signal.hpp"
#include "head_anchor.hpp"
#include "head_cache.hpp"
#include "log_reader.hpp"
#include "tenant_state.hpp"
#include "term_index.hpp"

namespace bahi {

/// A request on its way through the pipeline.
struct PendingAppend {
  TenantState* tenant = nullptr;
  std::shared_ptr<SequencedBatch> batch;
  struct Expectation {
    std::string stream;
    ExpectedVersion expected;
    Hash128 identity;
  };
  std::vector<Expectation> expectations;
  std::optional<ProducerPosition> producer;
  Hash128 producer_identity;
  std::optional<AppendCondition> condition;
  Offset condition_checked;  ///< the condition was checked up to here
  std::optional<Offset> condition_match;  ///< what that found; decided by the sequencer, after the producer
  AppendCallback done;
  std::shared_ptr<AnswerWaker> waker;  ///< may be null
  std::size_t bytes = 0;

  /// A head that was not in the cache, read from the index.
  struct HeadHint {
    Hash128 identity;
    Head head;
    std::uint64_t epoch = 0;
  };
  std::vector<HeadHint> hints;
  std::size_t next_hint = 0;  ///< where the next look-up among the hints begins: they are asked for in order
};

/// What the pipeline works on. Everything outlives it; `anchor` and `disk` may be null.
struct PipelineParts {
  LogStore* store = nullptr;
  TermIndex* index = nullptr;
  LogReader* reader = nullptr;
  HeadCache* heads = nullptr;
  DurableSignal* signal = nullptr;
  HeadAnchor* anchor = nullptr;
  DiskGuard* disk = nullptr;
  /// Brings the anchor's record of the MANIFEST files up to date.
  std::function<Status()> refresh_record;
  std::function<TenantState&(TenantId)> tenant;
};

class CommitPipeline {
 public:
  /// `options` must outlive the pipeline.
  CommitPipeline(PipelineParts parts, const EngineOptions& options);
  CommitPipeline(const CommitPipeline&) = delete;
  CommitPipeline& operator=(const CommitPipeline&) = delete;
  ~CommitPipeline();

  void start();
  /// Refuses new requests, finishes accepted ones, ends the threads. Idempotent.
  void stop();

  /// See Engine::append. When nothing else is under way, the calling thread does all the work itself.
  [[nodiscard]] Result<AppendResult> append(TenantState& tenant, AppendRequest request);
  /// See Engine::submit.
  void submit(TenantState& tenant, AppendRequest request, AppendCallback done,
              std::shared_ptr<AnswerWaker> waker = nullptr);

  /// Waits until the index holds everything of the tenant below `offset`.
  Status wait_indexed(const TenantState& tenant, Offset offset) const;
  /// Writes the index postings held in memory to a sorted file.
  Status flush_index();
  /// A file of a database changed; the anchor must learn of it.
  void note_files_changed();
  /// Makes the engine read-only for good. The first reason is kept.
  void fail(const Error& reason);
  [[nodiscard]] bool failed() const { return failed_.load(std::memory_order_acquire); }
  [[nodiscard]] std::string failure() const;
  void add_stats(EngineStats& stats) const;

 private:
  using PendingPtr = std::unique_ptr<PendingAppend>;
  struct Answer {
    PendingPtr pending;
    Result<AppendResult> result;
  };
  /// What is written and synced together.
  struct Group {
    std::vector<std::shared_ptr<const SequencedBatch>> batches;
    std::vector<std::string> headers;  // parallel to batches
    std::vector<Answer> answers;
    std::vector<std::pair<TenantState*, TenantMark>> marks;  // newest per tenant
    std::size_t bytes = 0;
    [[nodiscard]] bool empty() const { return answers.empty(); }
  };
  using GroupPtr = std::shared_ptr<Group>;

  // Submitting threads.
  [[nodiscard]] Result<PendingPtr> admit(TenantState& tenant, AppendRequest& request);
  [[nodiscard]] Result<PendingPtr> prepare(TenantState& tenant, AppendRequest& request);
  void enqueue(PendingPtr pending);
  [[nodiscard]] bool try_append_here(PendingPtr& pending);
  Status look_up_heads(PendingAppend& pending);
  Status check_condition_on_disk(PendingAppend& pending);

  // The sequencer.
  void run_sequencer();
  [[nodiscard]] bool sequencer_should_run() const;
  [[nodiscard]] bool stopping() const;
  /// All groups are answered: requests and groups that waited for company need wait no longer.
  void wake_sequencer();
  void sequence(PendingAppend& pending, PendingPtr owner);
  [[nodiscard]] Result<AppendResult> decide(PendingAppend& pending);
  [[nodiscard]] Result<std::optional<AppendResult>> check_producer(PendingAppend& pending);
  Status check_expectations(PendingAppend& pending, HeadCache::Session& heads);
  Status check_condition(PendingAppend& pending);
  [[nodiscard]] Result<Head> head_of(PendingAppend& pending, HeadCache::Session& heads, const Hash128& identity,
                                     const std::function<Result<Head>()>& look_up);
  [[nodiscard]] Result<AppendResult> assign(PendingAppend& pending, HeadCache::Session& heads,
                                            std::vector<std::int64_t> first_versions);
  void rotate_heads(HeadCache::Session& heads);
  void commit_group();
  Status write_group(Group& group);

  // The syncer.
  void run_syncer();
  void finish_groups(std::vector<GroupPtr> groups);
  void publish(const std::vector<GroupPtr>& groups);
  Status sync_groups(const std::vector<GroupPtr>& groups);
  /// `error`: what the appends of these groups are told instead of their places, which never became durable.
  void answer_all(const std::vector<GroupPtr>& groups, const Error* error);
  /// Whether everything the answer names is durable.
  static bool rests_on_durable(const Answer& answer);
  void answer(std::vector<GroupPtr> groups);
  void run_answerer();

  void run_indexer();
  void index_group(const Group& group);
  void hand_to_indexer(const GroupPtr& group);
  void run_flusher();
  Status write_sealed_delta();
  void run_anchor_keeper();

  [[nodiscard]] Error read_only_error() const;

  PipelineParts parts_;
  const EngineOptions& options_;

  std::atomic<bool> failed_{false};
  mutable std::mutex failure_mutex_;
  std::string failure_;  // protected by failure_mutex_

  // Queue from the submitting threads to the sequencer.
  mutable std::mutex queue_mutex_;
  std::condition_variable queue_filled_;
  std::vector<PendingPtr> queue_;       // protected by queue_mutex_
  std::size_t queue_bytes_ = 0;         // of queue_; protected by queue_mutex_
  bool stopping_ = false;               // protected by queue_mutex_
  bool holding_back_ = false;           // the sequencer has a group waiting for the syncer; protected by queue_mutex_
  std::atomic<std::size_t> queued_bytes_{0};
  std::atomic<std::size_t> queue_length_{0};

  // Who sequences: the sequencer, or a thread in `append` when all is idle. Protects group_, last_group_was_single_ and the
  // parts of TenantState that are the sequencer's.
  std::mutex sequencing_mutex_;
  GroupPtr group_ = std::make_shared<Group>();
  bool last_group_was_single_ = true;

  // Groups from the sequencer to the syncer.
  std::mutex sync_mutex_;
  std::condition_variable sync_changed_;
  std::deque<GroupPtr> unsynced_;       // protected by sync_mutex_
  std::atomic<std::size_t> in_flight_{0};  // groups handed over, not answered; changed under sync_mutex_
  bool syncing_ = false;                // protected by sync_mutex_
  bool sequencer_done_ = false;         // protected by sync_mutex_

  // Durable groups from the syncer to the answerer, when the next sync should not wait for the answers.
  std::mutex answer_mutex_;
  std::condition_variable answers_changed_;
  std::deque<GroupPtr> unanswered_;     // protected by answer_mutex_
  bool answering_ = false;              // protected by answer_mutex_
  bool answer_stopping_ = false;        // protected by answer_mutex_

  // Groups from the sequencer to the indexer.
  mutable std::mutex index_mutex_;
  std::condition_variable index_work_;             // for the indexer
  mutable std::condition_variable index_changed_;  // for those who wait for the index
  std::deque<GroupPtr> unindexed_;      // protected by index_mutex_
  bool indexing_ = false;               // protected by index_mutex_
  bool index_stopping_ = false;         // protected by index_mutex_

  std::mutex flush_mutex_;
  std::condition_variable flush_changed_;
  bool flush_wanted_ = false;           // a sealed delta waits for the flusher; protected by flush_mutex_
  bool flushing_ = false;               // protected by flush_mutex_
  bool flush_stopping_ = false;         // protected by flush_mutex_

  std::mutex anchor_mutex_;
  std::condition_variable anchor_changed_;
  std::atomic<std::uint64_t> anchor_publishes_{0};
  std::atomic<bool> anchor_keeper_idle_{false};
  bool files_changed_ = false;          // protected by anchor_mutex_
  bool anchor_stopping_ = false;        // protected by anchor_mutex_

  struct Counters {
    std::atomic<std::uint64_t> events{0}, batches{0}, stored_bytes{0}, raw_bytes{0}, groups{0}, syncs{0}, sync_nanos{0};
    std::atomic<std::uint64_t> duplicates{0}, conflicts{0}, overloads{0};
  };
  Counters counters_;

  std::thread sequencer_;
  std::thread syncer_;
  std::thread answerer_;
  std::thread indexer_;
  std::thread flusher_;
  std::thread anchor_keeper_;
  bool started_ = false;
};

}  // namespace bahi
