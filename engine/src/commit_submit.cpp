// The part of the commit pipeline that runs on the submitting threads.

#include <future>

#include <fmt/format.h>

#include "bahi/schemas/domain_event.hpp"
#include "bahi/schemas/names.hpp"
#include "commit_pipeline.hpp"

namespace bahi {
namespace {

constexpr std::size_t kRequestOverheadBytes = 512;

Status check_request(const AppendRequest& request) {
  for (const StreamExpectation& expectation : request.expectations) {
    BAHI_TRY(check_stream_name(expectation.stream));
    if (expectation.expected.kind == ExpectedVersion::Kind::kExactly && expectation.expected.version.value < 0) {
      return Error{ErrorCode::kInvalidArgument, fmt::format("expected version of stream '{}': must be 0 or more, is {}",
                                                            expectation.stream, expectation.expected.version.value)};
    }
  }
  if (request.producer && request.producer->id.is_nil()) {
    return Error{ErrorCode::kInvalidArgument, "producer id: the nil identifier is not allowed"};
  }
  if (!request.condition) return {};
  if (request.condition->query.items.empty()) {
    return Error{ErrorCode::kInvalidArgument, "condition: the query has no item"};
  }
  for (const QueryItem& item : request.condition->query.items) {
    if (item.types.empty() && item.tags.empty()) {
      return Error{ErrorCode::kInvalidArgument, "condition: an item has neither a type nor a tag"};
    }
    for (const std::string& type : item.types) BAHI_TRY(check_name("condition type", type));
    for (const std::string& tag : item.tags) BAHI_TRY(check_name("condition tag", tag));
  }
  return {};
}

}  // namespace

Result<CommitPipeline::PendingPtr> CommitPipeline::admit(TenantState& tenant, AppendRequest& request) {
  if (failed()) return read_only_error();
  const std::size_t bytes = request.body.bytes.size() + request.body.raw_size + kRequestOverheadBytes;
  // One request is always let in, so that a request larger than the queue is not refused for ever.
  if (queued_bytes_.load(std::memory_order_relaxed) != 0 &&
      queued_bytes_.load(std::memory_order_relaxed) + bytes > options_.queue_bytes_max) {
    counters_.overloads.fetch_add(1, std::memory_order_relaxed);
    return Error{ErrorCode::kOverloaded, fmt::format("{} bytes are queued already; retry after a pause",
                                                     queued_bytes_.load(std::memory_order_relaxed))};
  }
  queued_bytes_.fetch_add(bytes, std::memory_order_relaxed);
  auto prepared = prepare(tenant, request);
  if (prepared) {
    (*prepared)->bytes = bytes;
  } else {
    queued_bytes_.fetch_sub(bytes, std::memory_order_relaxed);
  }
  return prepared;
}

void CommitPipeline::submit(TenantState& tenant, AppendRequest request, AppendCallback done,
                            std::shared_ptr<AnswerWaker> waker) {
  auto admitted = admit(tenant, request);
  if (!admitted) {
    done(admitted.error());
    if (waker) waker->wake();
    return;
  }
  (*admitted)->done = std::move(done);
  (*admitted)->waker = std::move(waker);
  enqueue(std::move(*admitted));
}

Result<AppendResult> CommitPipeline::append(TenantState& tenant, AppendRequest request) {
  BAHI_ASSIGN(PendingPtr pending, admit(tenant, request));
  std::promise<Result<AppendResult>> answer;
  pending->done = [&answer](Result<AppendResult> result) { answer.set_value(std::move(result)); };
  if (!try_append_here(pending)) enqueue(std::move(pending));
  return answer.get_future().get();
}

void CommitPipeline::enqueue(PendingPtr pending) {
  {
    const std::scoped_lock lock(queue_mutex_);
    if (!stopping_) {
      const bool was_enough = sequencer_should_run();
      queue_bytes_ += pending->bytes;
      queue_.push_back(std::move(pending));
      queue_length_.store(queue_.size(), std::memory_order_release);
      if (!was_enough && sequencer_should_run()) queue_filled_.notify_one();
      return;
    }
  }
  queued_bytes_.fetch_sub(pending->bytes, std::memory_order_relaxed);
  pending->done(Error{ErrorCode::kShuttingDown, "the engine is closing; nothing was stored"});
  if (pending->waker) pending->waker->wake();
}

Result<CommitPipeline::PendingPtr> CommitPipeline::prepare(TenantState& tenant, AppendRequest& request) {
  BAHI_TRY(check_request(request));
  if (parts_.disk != nullptr) BAHI_TRY(parts_.disk->admit(request.body.bytes.size() + kRequestOverheadBytes));
  auto pending = std::make_unique<PendingAppend>();
  pending->tenant = &tenant;
  pending->batch = std::make_shared<SequencedBatch>();
  BAHI_ASSIGN(pending->batch->prepared, prepare_batch(tenant.id, std::move(request.body)));
  if (options_.check_events) BAHI_TRY(check_domain_events(pending->batch->prepared.body));
  pending->producer = request.producer;
  if (request.producer) pending->producer_identity = producer_identity(tenant.id, request.producer->id);
  for (StreamExpectation& expectation : request.expectations) {
    const Hash128 identity = stream_identity(tenant.id, expectation.stream);
    pending->expectations.push_back({std::move(expectation.stream), expectation.expected, identity});
  }
  pending->condition = std::move(request.condition);
  BAHI_TRY(look_up_heads(*pending));
  BAHI_TRY(check_condition_on_disk(*pending));
  return pending;
}

Status CommitPipeline::look_up_heads(PendingAppend& pending) {
  const PreparedBatch& batch = pending.batch->prepared;
  std::vector<std::uint32_t> cold_streams;
  std::vector<std::size_t> cold_expectations;
  std::optional<Head> producer_head;
  std::uint64_t epoch = 0;
  {
    HeadCache::Session heads(*parts_.heads);
    epoch = heads.epoch();
    if (pending.producer) producer_head = heads.find(pending.producer_identity);
    for (std::uint32_t ref = 0; ref < batch.streams.size(); ++ref) {
      if (!heads.find(batch.streams[ref].identity)) cold_streams.push_back(ref);
    }
    for (std::size_t i = 0; i < pending.expectations.size(); ++i) {
      if (!heads.find(pending.expectations[i].identity)) cold_expectations.push_back(i);
    }
  }
  if (pending.producer && !producer_head) {
    BAHI_ASSIGN(producer_head, parts_.reader->producer_head(pending.tenant->id, pending.producer->id));
    pending.hints.push_back({pending.producer_identity, *producer_head, epoch});
  }
  // Most likely a repeat, which needs no heads; if not, the sequencer looks them up itself.
  const bool likely_repeat = pending.producer && producer_head->value >= 0 &&
                             pending.producer->sequence <= static_cast<std::uint64_t>(producer_head->value);
  if (likely_repeat) return {};
  // No durable bound here: the log shows what is written, and the sequencer must build on that.
  for (const std::uint32_t ref : cold_streams) {
    BAHI_ASSIGN(const Head head,
                parts_.reader->stream_head(pending.tenant->id, batch.body.stream_name(ref), kOffsetMax));
    pending.hints.push_back({batch.streams[ref].identity, head, epoch});
  }
  for (const std::size_t i : cold_expectations) {
    const PendingAppend::Expectation& expectation = pending.expectations[i];
    BAHI_ASSIGN(const Head head, parts_.reader->stream_head(pending.tenant->id, expectation.stream, kOffsetMax));
    pending.hints.push_back({expectation.identity, head, epoch});
  }
  return {};
}

Status CommitPipeline::check_condition_on_disk(PendingAppend& pending) {
  if (!pending.condition) return {};
  TenantState& tenant = *pending.tenant;
  const Offset from = pending.condition->from;
  const Offset durable{tenant.durable.load(std::memory_order_acquire)};
  if (from.value >= tenant.condition_start.load(std::memory_order_acquire) || from >= durable) return {};
  BAHI_TRY(wait_indexed(tenant, durable));
  BAHI_ASSIGN(const auto match, parts_.reader->find_match(tenant.id, pending.condition->query, from, durable));
  pending.condition_checked = durable;
  // Not refused yet: a repeat of an append that is stored is answered with its result, though its own events match.
  pending.condition_match = match;
  return {};
}

}  // namespace bahi
