// The part of the commit pipeline that gives every batch its place: one thread.

#include <algorithm>

#include <fmt/format.h>

#include "bahi/base/failpoint.hpp"
#include "bahi/base/planted_bug.hpp"
#include "commit_pipeline.hpp"
#include "spin.hpp"

namespace bahi {
namespace {

bool holds(const ExpectedVersion& expected, std::int64_t actual) {
  switch (expected.kind) {
    case ExpectedVersion::Kind::kAny: return true;
    case ExpectedVersion::Kind::kNoStream: return actual == kNoStream.value;
    case ExpectedVersion::Kind::kStreamExists: return actual != kNoStream.value;
    case ExpectedVersion::Kind::kExactly: return actual == expected.version.value;
  }
  return false;
}

/// Enough to be worth a write of its own while a sync is under way.
constexpr std::size_t kWakeRequests = 16;
constexpr std::size_t kWakeBytes = std::size_t{16} << 10U;

std::string describe(const ExpectedVersion& expected) {
  switch (expected.kind) {
    case ExpectedVersion::Kind::kAny: return "anything";
    case ExpectedVersion::Kind::kNoStream: return "no stream";
    case ExpectedVersion::Kind::kStreamExists: return "an existing stream";
    case ExpectedVersion::Kind::kExactly: return fmt::format("version {}", expected.version.value);
  }
  return {};
}

}  // namespace

bool CommitPipeline::sequencer_should_run() const {
  // While a sync is under way, what is written now waits for the next one anyway: let a little company gather.
  if (in_flight_.load() == 0) return !queue_.empty();
  return queue_.size() >= kWakeRequests || queue_bytes_ >= kWakeBytes;
}

bool CommitPipeline::try_append_here(PendingPtr& pending) {
  const std::unique_lock sequencing(sequencing_mutex_, std::try_to_lock);
  if (!sequencing.owns_lock() || in_flight_.load() != 0) return false;
  {
    // Nobody who came before may be overtaken.
    const std::scoped_lock lock(queue_mutex_);
    if (!queue_.empty() || stopping_) return false;
  }
  if (!group_->empty()) return false;
  last_group_was_single_ = true;
  PendingAppend& request = *pending;
  sequence(request, std::move(pending));
  commit_group();
  return true;
}

bool CommitPipeline::stopping() const {
  const std::scoped_lock lock(queue_mutex_);
  return stopping_;
}

void CommitPipeline::run_sequencer() {
  std::vector<PendingPtr> taken;
  for (;;) {
    spin_briefly([this] { return queue_length_.load(std::memory_order_acquire) != 0; });
    {
      std::unique_lock lock(queue_mutex_);
      queue_filled_.wait(lock, [&] {
        return sequencer_should_run() || stopping_ || (holding_back_ && in_flight_.load() == 0);
      });
      if (queue_.empty() && !holding_back_) break;
      taken.swap(queue_);
      queue_bytes_ = 0;
      queue_length_.store(0, std::memory_order_release);
    }
    const std::scoped_lock sequencing(sequencing_mutex_);
    for (PendingPtr& pending : taken) {
      PendingAppend& request = *pending;
      sequence(request, std::move(pending));
      if (group_->bytes >= options_.group_bytes_max) commit_group();
    }
    taken.clear();
    const bool enough = group_->bytes >= kWakeBytes || group_->answers.size() >= kWakeRequests;
    if (enough || in_flight_.load() == 0 || stopping()) commit_group();
    const std::scoped_lock lock(queue_mutex_);
    holding_back_ = !group_->empty();
  }
  // A blocking append may still be sequencing on its own thread: the syncer must outlast it.
  const std::scoped_lock sequencing(sequencing_mutex_);
  const std::scoped_lock lock(sync_mutex_);
  sequencer_done_ = true;
  sync_changed_.notify_all();
}

void CommitPipeline::sequence(PendingAppend& pending, PendingPtr owner) {
  auto result = failed() ? Result<AppendResult>(read_only_error()) : decide(pending);
  queued_bytes_.fetch_sub(pending.bytes, std::memory_order_relaxed);
  if (!result && (result.error().code() == ErrorCode::kWrongExpectedVersion ||
                  result.error().code() == ErrorCode::kConditionFailed)) {
    counters_.conflicts.fetch_add(1, std::memory_order_relaxed);
  }
  if (result && result->duplicate) counters_.duplicates.fetch_add(1, std::memory_order_relaxed);
  group_->answers.push_back({std::move(owner), std::move(result)});
}

Result<AppendResult> CommitPipeline::decide(PendingAppend& pending) {
  if (pending.producer && !planted(PlantedBug::kSkipDeduplication)) {
    BAHI_ASSIGN(auto earlier, check_producer(pending));
    if (earlier) return std::move(*earlier);
  }
  BAHI_TRY(check_condition(pending));
  HeadCache::Session heads(*parts_.heads);
  BAHI_TRY(check_expectations(pending, heads));
  const PreparedBatch& batch = pending.batch->prepared;
  std::vector<std::int64_t> first_versions(batch.streams.size());
  for (std::uint32_t ref = 0; ref < batch.streams.size(); ++ref) {
    BAHI_ASSIGN(const Head head, head_of(pending, heads, batch.streams[ref].identity, [&] {
                  return parts_.reader->stream_head(pending.tenant->id, batch.body.stream_name(ref), kOffsetMax);
                }));
    first_versions[ref] = head.value + 1;
  }
  return assign(pending, heads, std::move(first_versions));
}

Result<Head> CommitPipeline::head_of(PendingAppend& pending, HeadCache::Session& heads, const Hash128& identity,
                                     const std::function<Result<Head>()>& look_up) {
  if (const auto head = heads.find(identity)) return *head;
  for (std::size_t looked = 0; looked < pending.hints.size(); ++looked) {
    const std::size_t place = (pending.next_hint + looked) % pending.hints.size();
    const PendingAppend::HeadHint& hint = pending.hints[place];
    if (hint.identity != identity) continue;
    pending.next_hint = place + 1;
    if (hint.epoch == heads.epoch()) return hint.head;
    break;
  }
  // Entries were dropped since the request was prepared. What is not in the cache is in the index.
  return look_up();
}

Result<std::optional<AppendResult>> CommitPipeline::check_producer(PendingAppend& pending) {
  TenantState& tenant = *pending.tenant;
  std::optional<Head> head;
  {
    HeadCache::Session heads(*parts_.heads);
    BAHI_ASSIGN(head, head_of(pending, heads, pending.producer_identity, [&] {
                  return parts_.reader->producer_head(tenant.id, pending.producer->id);
                }));
    heads.put(pending.producer_identity, *head, tenant.id);
  }
  const bool certainly_new =
      head->value < 0 || (pending.producer->sequence > static_cast<std::uint64_t>(head->value) &&
                          head->value < std::int64_t{1} << 62U);
  if (certainly_new) return std::optional<AppendResult>();
  // Perhaps a repeat. Everything sequenced so far must be in the index before it is asked.
  commit_group();
  if (failed()) return read_only_error();
  BAHI_TRY(wait_indexed(tenant, tenant.next_offset));
  return parts_.reader->earlier_result(tenant.id, *pending.producer);
}

Status CommitPipeline::check_expectations(PendingAppend& pending, HeadCache::Session& heads) {
  for (const PendingAppend::Expectation& expectation : pending.expectations) {
    BAHI_ASSIGN(const Head head, head_of(pending, heads, expectation.identity, [&] {
                  return parts_.reader->stream_head(pending.tenant->id, expectation.stream, kOffsetMax);
                }));
    if (holds(expectation.expected, head.value)) continue;
    const std::string actual =
        head.value == kNoStream.value ? "it does not exist" : fmt::format("it is at version {}", head.value);
    return Error{ErrorCode::kWrongExpectedVersion,
                 fmt::format("stream '{}': expected {}, but {}; read what is new and decide again",
                             expectation.stream, describe(expectation.expected), actual),
                 Conflict{expectation.stream, head.value, head.last_offset}};
  }
  return {};
}

Status CommitPipeline::check_condition(PendingAppend& pending) {
  if (!pending.condition) return {};
  TenantState& tenant = *pending.tenant;
  if (!tenant.window) {
    tenant.window = std::make_unique<ConditionWindow>(options_.condition_window_bytes, tenant.next_offset);
    tenant.condition_start.store(tenant.next_offset.value, std::memory_order_release);
  }
  Offset from = std::max(pending.condition->from, pending.condition_checked);
  std::optional<Offset> match = pending.condition_match;
  if (!match && from < tenant.window->start() && from < tenant.next_offset) {
    // The window moved on since the request was prepared: ask the index for the part in between.
    const Offset start = tenant.window->start();
    commit_group();
    if (failed()) return read_only_error();
    BAHI_TRY(wait_indexed(tenant, start));
    BAHI_ASSIGN(match, parts_.reader->find_match(tenant.id, pending.condition->query, from, start));
    from = start;
  }
  if (!match) match = tenant.window->find(pending.condition->query, from);
  if (!match) return {};
  return Error{ErrorCode::kConditionFailed,
               fmt::format("condition: the event at offset {} matches; read on from offset {} and decide again",
                           match->value, pending.condition->from.value),
               Conflict{{}, 0, match->value}};
}

Result<AppendResult> CommitPipeline::assign(PendingAppend& pending, HeadCache::Session& heads,
                                            std::vector<std::int64_t> first_versions) {
  TenantState& tenant = *pending.tenant;
  SequencedBatch& batch = *pending.batch;
  BatchHeader& header = batch.header;
  header.codec = batch.prepared.encoded.codec;
  header.tenant = tenant.id;
  header.first_offset = tenant.next_offset;
  header.event_count = batch.prepared.encoded.event_count;
  header.stored_size = static_cast<std::uint32_t>(batch.prepared.encoded.bytes.size());
  header.raw_size = batch.prepared.encoded.raw_size;
  header.recorded_at = options_.clock->now();
  if (pending.producer) {
    header.producer_id = pending.producer->id;
    header.producer_sequence = pending.producer->sequence;
  }
  header.body_hash = batch.prepared.body_hash;
  header.previous_hash = tenant.chain_hash;
  std::string encoded_header;
  encode_batch_header(header, first_versions, encoded_header);

  const std::uint64_t last_offset = header.last_offset().value;
  for (std::uint32_t ref = 0; ref < first_versions.size(); ++ref) {
    const StreamUse& use = batch.prepared.streams[ref];
    heads.put(use.identity, {first_versions[ref] + use.count - 1, header.first_offset.value + use.last_index}, tenant.id);
  }
  if (pending.producer) {
    const auto known = heads.find(pending.producer_identity);
    constexpr std::uint64_t kMax = std::uint64_t{1} << 62U;
    const auto sequence = static_cast<std::int64_t>(std::min(pending.producer->sequence, kMax));
    heads.put(pending.producer_identity, {std::max(sequence, known ? known->value : -1), last_offset}, tenant.id);
  }
  if (heads.full()) rotate_heads(heads);
  tenant.next_offset = header.next_offset();
  tenant.chain_hash = header.chain_hash;
  batch.first_versions = first_versions;
  batch.tenant_bytes = tenant.stored_bytes.load(std::memory_order_relaxed) + encoded_header.size() + header.stored_size;
  tenant.stored_bytes.store(batch.tenant_bytes, std::memory_order_relaxed);

  AppendResult result{header.first_offset, header.event_count, header.recorded_at, std::move(first_versions), false};
  group_->bytes += encoded_header.size() + header.stored_size;
  group_->headers.push_back(std::move(encoded_header));
  group_->batches.push_back(pending.batch);
  const TenantMark mark{tenant.id, tenant.next_offset, tenant.chain_hash};
  auto known_mark = std::find_if(group_->marks.rbegin(), group_->marks.rend(),
                                 [&tenant](const auto& entry) { return entry.first == &tenant; });
  if (known_mark == group_->marks.rend()) {
    group_->marks.emplace_back(&tenant, mark);
  } else {
    known_mark->second = mark;
  }
  if (tenant.window) {
    tenant.window->add(pending.batch);
    tenant.condition_start.store(tenant.window->start().value, std::memory_order_release);
  }
  return result;
}

void CommitPipeline::rotate_heads(HeadCache::Session& heads) {
  heads.rotate([this](TenantId tenant, std::uint64_t last_offset) {
    return parts_.tenant(tenant).indexed.load(std::memory_order_acquire) > last_offset;
  });
}

Status CommitPipeline::write_group(Group& group) {
  if (group.batches.empty()) return {};
  if (failed()) return read_only_error();
  if (failpoint::hit("before_wal")) return Error{ErrorCode::kIoError, "before_wal: failed on purpose"};
  std::vector<LogRecord> records;
  records.reserve(group.batches.size());
  for (std::size_t i = 0; i < group.batches.size(); ++i) {
    const SequencedBatch& batch = *group.batches[i];
    records.push_back({batch.header.tenant, batch.header.first_offset, batch.header.last_offset(), group.headers[i],
                       batch.prepared.encoded.bytes, batch.tenant_bytes});
  }
  BAHI_TRY(parts_.store->append(records));
  if (failpoint::hit("after_wal")) return Error{ErrorCode::kIoError, "after_wal: failed on purpose"};
  return {};
}

void CommitPipeline::commit_group() {
  if (group_->empty()) return;
  {
    std::unique_lock lock(sync_mutex_);
    sync_changed_.wait(lock, [this] { return in_flight_ < options_.groups_in_flight_max; });
  }
  GroupPtr group = std::exchange(group_, std::make_shared<Group>());
  if (const Status written = write_group(*group); !written) {
    fail(written.error());
    // Answered by the syncer, behind the groups before it.
    group->marks.clear();
  } else if (!group->batches.empty()) {
    counters_.groups.fetch_add(1, std::memory_order_relaxed);
    hand_to_indexer(group);
  }
  const bool single = group->answers.size() == 1;
  const bool alone = single && last_group_was_single_ && queue_length_.load(std::memory_order_acquire) == 0;
  last_group_was_single_ = single;
  {
    std::unique_lock lock(sync_mutex_);
    ++in_flight_;
    if (!alone || syncing_ || !unsynced_.empty()) {
      unsynced_.push_back(std::move(group));
      sync_changed_.notify_all();
      return;
    }
    syncing_ = true;
  }
  // A lone writer: the hop to the syncer would only add to its latency.
  finish_groups({std::move(group)});
  bool others_wait = false;
  {
    const std::scoped_lock lock(sync_mutex_);
    syncing_ = false;
    --in_flight_;
    others_wait = !unsynced_.empty() || sequencer_done_;
  }
  if (others_wait) sync_changed_.notify_all();
  wake_sequencer();
}

}  // namespace bahi
