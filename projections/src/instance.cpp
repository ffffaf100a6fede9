#include "instance.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "bahi/base/failpoint.hpp"
#include "batch_ahead.hpp"

namespace bahi::projections {
namespace {

using SteadyClock = std::chrono::steady_clock;

/// What a commit of an instance that is being built may hold; it then goes into the store as one sorted file.
constexpr std::size_t kChangedBytesMax = std::size_t{48} << 20U;
/// Fewer events than this are not worth a thread that reads ahead.
constexpr std::uint64_t kReadAheadEventsMin = 20'000;
constexpr std::size_t kNoHandler = SIZE_MAX;

}  // namespace

std::string_view to_string(ProjectionState state) noexcept {
  switch (state) {
    case ProjectionState::kCatchingUp: return "catching up";
    case ProjectionState::kLive: return "live";
    case ProjectionState::kRebuilding: return "rebuilding";
    case ProjectionState::kParked: return "parked";
    case ProjectionState::kFinished: return "finished";
  }
  return "unknown";
}

Instance::Instance(const Engine& engine, ViewStore& store, const Projection& projection, InstanceFact fact,
                   std::set<std::uint64_t> skipped)
    : engine_(engine), store_(store), projection_(projection), fact_(std::move(fact)), skipped_(std::move(skipped)) {
  for (std::size_t i = 0; i < projection_.types.size(); ++i) handlers_.emplace(projection_.types[i], i);
  position_.next = committed_.next = fact_.from;
  next_.store(fact_.from.value);
  make_fold();
}

Instance::~Instance() {
  stop();
}

void Instance::make_fold() {
  fold_.reset();
  state_ = std::make_unique<FoldState>(store_, fact_.id, EventLookup(engine_, fact_.tenant));
  fold_ = projection_.make_fold(*state_);
}

Result<bool> Instance::resume() {
  BAHI_ASSIGN(const Checkpoint checkpoint, store_.view(fact_.id)->checkpoint());
  if (checkpoint.next.value == 0) return true;
  if (checkpoint.next > engine_.durable_offset(fact_.tenant)) return false;
  // The last batch folded must still be the one at its place.
  BAHI_ASSIGN(const auto cursor, engine_.read_batches(fact_.tenant, checkpoint.next - 1, checkpoint.next));
  BAHI_ASSIGN(const bool there, cursor->next());
  if (!there || cursor->header().chain_hash != checkpoint.chain) return false;
  position_ = committed_ = checkpoint;
  next_.store(checkpoint.next.value);
  events_.store(checkpoint.events);
  return true;
}

// --- folding

Instance::Next Instance::run_slice(std::chrono::milliseconds time_max) {
  const std::scoped_lock running(run_mutex_);
  if (stopped_) return Next::kRest;
  {
    const std::scoped_lock lock(status_mutex_);
    if (parked_ || run_state_ == ProjectionState::kFinished) return Next::kRest;
  }
  const Offset end = std::min(engine_.durable_offset(fact_.tenant), fact_.to);
  std::optional<Failure> failure = fold(end, SteadyClock::now() + time_max);
  if (failure && failure->poison && failure->offset > committed_.next) {
    // Take back what the event had changed: fold again, up to it.
    const Offset poisoned = failure->offset;
    make_fold();
    position_ = committed_;
    while (position_.next < poisoned) {
      if (const auto other = fold(poisoned, SteadyClock::time_point::max())) {
        failure = other;
        break;
      }
      if (position_.next < poisoned) {
        if (const Status done = commit(); !done) {
          failure = Failure{position_.next, done.error()};
          break;
        }
      }
    }
  }
  const bool clean = !failure || failure->poison;
  if (clean && position_.next > committed_.next) {
    if (const Status done = commit(); !done) failure = Failure{position_.next, done.error()};
  }
  if (failure) {
    make_fold();
    position_ = committed_;
    park(*failure);
    return rest(ProjectionState::kParked);
  }
  if (position_.next == fact_.to) return rest(ProjectionState::kFinished);
  const bool caught_up = position_.next == engine_.durable_offset(fact_.tenant);
  {
    const std::scoped_lock lock(status_mutex_);
    run_state_ = caught_up ? ProjectionState::kLive : ProjectionState::kCatchingUp;
  }
  return caught_up ? Next::kWait : Next::kMore;
}

Instance::Next Instance::rest(ProjectionState state) {
  {
    const std::scoped_lock lock(status_mutex_);
    run_state_ = state;
  }
  wake_waiters();
  return Next::kRest;
}

std::optional<Instance::Failure> Instance::fold(Offset end, SteadyClock::time_point deadline) {
  if (position_.next >= end) return std::nullopt;
  BatchAhead batches(engine_, fact_.tenant, position_.next, end, end - position_.next > kReadAheadEventsMin);
  while (position_.next < end) {
    const auto batch = batches.next();
    if (!batch) return Failure{position_.next, batch.error()};
    if (*batch == nullptr)
      return Failure{position_.next, {ErrorCode::kCorruptLog, "the log ends before its durable offset"}};
    if (auto failure = fold_batch(**batch, end)) return failure;
    if (stopped_ || state_->changed_bytes() > kChangedBytesMax || SteadyClock::now() > deadline) break;
  }
  return std::nullopt;
}

void Instance::find_handlers(const BatchBody& body) {
  batch_handlers_.assign(body.type_count(), kNoHandler);
  batch_types_.assign(body.type_count(), nullptr);
  for (std::uint32_t ref = 0; ref < body.type_count(); ++ref) {
    const std::string_view type = body.type_name(ref);
    const auto handler = handlers_.find(type);
    if (handler != handlers_.end()) batch_handlers_[ref] = handler->second;
    if (handlers_.empty()) batch_handlers_[ref] = 0;
    if (batch_handlers_[ref] != kNoHandler) batch_types_[ref] = find_domain_type(type);
  }
}

std::optional<Instance::Failure> Instance::fold_batch(const DecodedBatch& batch, Offset end) {
  find_handlers(batch.body());
  const bool any = std::any_of(batch_handlers_.begin(), batch_handlers_.end(),
                               [](std::size_t handler) { return handler != kNoHandler; });
  if (any) {
    for (BatchWalker walker(batch); !walker.at_end() && walker.offset() < end; walker.next()) {
      if (walker.offset() < position_.next) continue;
      const std::uint32_t type_ref = batch.body().type_ref(walker.index());
      if (batch_handlers_[type_ref] == kNoHandler) continue;
      if (auto failure = fold_event(walker, type_ref)) return failure;
    }
  }
  position_.next = std::min(batch.header().next_offset(), end);
  position_.chain = batch.header().chain_hash;
  return std::nullopt;
}

std::optional<Instance::Failure> Instance::fold_event(const BatchWalker& walker, std::uint32_t type_ref) {
  walker.read(event_);
  if (!skipped_.empty() && skipped_.contains(event_.offset.value)) return std::nullopt;
  FoldEvent event{event_, batch_handlers_[type_ref]};
  const DomainType* type = batch_types_[type_ref];
  if (type != nullptr) {
    const Status read = type->read(event_.content_type, event_.data, data_);
    if (!read && !projection_.takes_malformed) return Failure{event_.offset, read.error(), true};
    if (read) event.data = data_.bytes().data();
  }
  ++position_.events;
  if (const Status applied = fold_->apply(event); !applied) {
    const ErrorCode code = applied.error().code();
    return Failure{event_.offset, applied.error(), code != ErrorCode::kIoError && code != ErrorCode::kViewsDamaged};
  }
  return std::nullopt;
}

Status Instance::commit() {
  if (failpoint::hit("projection_commit_before")) return Error{ErrorCode::kIoError, "projection: failed on purpose"};
  WriteSet& changes = state_->collect();
  BAHI_TRY(store_.commit(changes, position_, fact_.kept ? ViewStore::Mode::kKeep : ViewStore::Mode::kBuild));
  if (failpoint::hit("projection_commit_after")) return Error{ErrorCode::kIoError, "projection: failed on purpose"};
  state_->committed();
  committed_ = position_;
  next_.store(committed_.next.value, std::memory_order_release);
  events_.store(committed_.events, std::memory_order_relaxed);
  wake_waiters();
  return {};
}

void Instance::park(const Failure& failure) {
  const std::scoped_lock lock(status_mutex_);
  parked_ = failure;
}

// --- from other threads

void Instance::stop() {
  stopped_ = true;
  { const std::scoped_lock running(run_mutex_); }
  wake_waiters();
}

Result<Offset> Instance::unpark(bool skip) {
  const std::scoped_lock running(run_mutex_);
  const std::scoped_lock lock(status_mutex_);
  if (!parked_) return Error{ErrorCode::kInvalidArgument, fmt::format("projection '{}' is not parked", fact_.name)};
  const Offset offset = parked_->offset;
  if (skip) skipped_.insert(offset.value);
  parked_.reset();
  run_state_ = ProjectionState::kCatchingUp;
  return offset;
}

ProjectionStatus Instance::status() const {
  ProjectionStatus status;
  status.tenant = fact_.tenant;
  status.name = fact_.name;
  status.version = projection_.version;
  status.next = next();
  status.events = events_.load(std::memory_order_relaxed);
  const Offset end = std::min(engine_.durable_offset(fact_.tenant), fact_.to);
  status.lag = end > status.next ? end - status.next : 0;
  const std::scoped_lock lock(status_mutex_);
  status.state = run_state_ == ProjectionState::kLive && status.lag != 0 ? ProjectionState::kCatchingUp : run_state_;
  status.skipped = skipped_.size();
  if (parked_) {
    status.parked_at = parked_->offset;
    status.parked_because = parked_->error.to_string();
  }
  return status;
}

std::uint64_t Instance::notify_at(Offset offset, std::function<void()> notify) {
  {
    const std::scoped_lock lock(status_mutex_);
    const bool rests = parked_ || run_state_ == ProjectionState::kFinished || stopped_;
    if (next() < offset && !rests) {
      const std::uint64_t handle = ++last_handle_;
      waiters_.emplace(offset.value, Waiter{handle, std::move(notify)});
      return handle;
    }
  }
  notify();
  return 0;
}

void Instance::cancel_notify(std::uint64_t handle) {
  const std::scoped_lock lock(status_mutex_);
  for (auto waiter = waiters_.begin(); waiter != waiters_.end(); ++waiter) {
    if (waiter->second.handle != handle) continue;
    waiters_.erase(waiter);
    return;
  }
}

void Instance::wake_waiters() {
  std::vector<std::function<void()>> due;
  {
    const std::scoped_lock lock(status_mutex_);
    const bool rests = parked_ || run_state_ == ProjectionState::kFinished || stopped_;
    const auto last = rests ? waiters_.end() : waiters_.upper_bound(next().value);
    for (auto waiter = waiters_.begin(); waiter != last; ++waiter) due.push_back(std::move(waiter->second.notify));
    waiters_.erase(waiters_.begin(), last);
  }
  for (const auto& notify : due) notify();
}

}  // namespace bahi::projections
