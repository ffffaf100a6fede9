#include "instance.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "bahi/base/failpoint.hpp"
#include "batch_ahead.hpp"

namespace bahi::projections {
namespace {

using SteadyClock = std::chrono::steady_clock;

/// What a commit of an instance that is being built may hold; it then goes into the store as one sorted file.
constexpr std::size_t kChangedBytesMax = std::size_t{24} << 20U;
/// Fewer events than this are not worth a thread that reads ahead.
constexpr std::uint64_t kReadAheadEventsMin = 20'000;

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

Instance::Instance(const Engine& engine, ViewStore& store, FoldMemory& memory, const Projection& projection,
                   InstanceFact fact, std::set<std::uint64_t> skipped)
    : engine_(engine),
      store_(store),
      memory_(memory),
      projection_(projection),
      fact_(std::move(fact)),
      types_(projection.types),
      skipped_(std::move(skipped)) {
  position_.next = committed_.next = fact_.from;
  next_.store(fact_.from.value);
  memory_.enter();
  make_fold();
}

Instance::~Instance() {
  stop();
  memory_.leave(held_bytes_);
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

Instance::Next Instance::run_slice(std::chrono::milliseconds time_max, bool others_wait) {
  const std::scoped_lock running(run_mutex_);
  if (stopped_) return Next::kRest;
  {
    const std::scoped_lock lock(status_mutex_);
    if (parked_ || run_state_ == ProjectionState::kFinished) return Next::kRest;
  }
  const Offset end = std::min(engine_.durable_offset(fact_.tenant), fact_.to);
  std::optional<Failure> failure = fold(end, SteadyClock::now() + time_max);
  if (failure && failure->poison) {
    if (const Status done = finish_commit(); !done) failure = Failure{position_.next, done.error()};
  }
  if (failure && failure->poison && failure->offset > committed_.next) {
    // Take back what the event had changed: fold again, up to it.
    const Offset poisoned = failure->offset;
    begin_anew();
    while (position_.next < poisoned) {
      if (const auto other = fold(poisoned, SteadyClock::time_point::max())) {
        failure = other;
        break;
      }
      if (position_.next == poisoned) break;
      if (const Status done = commit(); !done) {
        failure = Failure{position_.next, done.error()};
        break;
      }
    }
  }
  if (!failure || failure->poison) {
    const bool may_go_on = !failure && !others_wait && !stopped_ && position_.next < end;
    // While a commit is under way, the next one would only wait for it.
    if (may_go_on && commit_under_way()) return Next::kMore;
    const Status done = may_go_on ? begin_commit(std::launch::async) : commit();
    if (!done) failure = Failure{position_.next, done.error()};
    if (!failure && may_go_on) return Next::kMore;
  }
  if (failure) {
    (void)finish_commit();
    begin_anew();
    park(*failure);
    return rest(ProjectionState::kParked);
  }
  watch_memory();
  if (position_.next == fact_.to) return rest(ProjectionState::kFinished);
  const bool caught_up = position_.next == engine_.durable_offset(fact_.tenant);
  {
    const std::scoped_lock lock(status_mutex_);
    run_state_ = caught_up ? ProjectionState::kLive : ProjectionState::kCatchingUp;
  }
  return caught_up ? Next::kWait : Next::kMore;
}

void Instance::begin_anew() {
  make_fold();
  position_ = committed_;
}

void Instance::watch_memory() {
  const std::size_t held = state_->held_bytes();
  const bool too_much = memory_.note(std::exchange(held_bytes_, held), held);
  if (!too_much) return;
  begin_anew();
  (void)memory_.note(std::exchange(held_bytes_, 0), 0);
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
  BatchAhead batches(engine_, {fact_.tenant, position_.next, end}, types_, data_,
                     end - position_.next > kReadAheadEventsMin);
  while (position_.next < end) {
    const auto batch = batches.next();
    if (!batch) return Failure{position_.next, batch.error()};
    if (*batch == nullptr)
      return Failure{position_.next, {ErrorCode::kCorruptLog, "the log ends before its durable offset"}};
    if (auto failure = fold_batch(**batch, end)) return failure;
    if (stopped_ || SteadyClock::now() > deadline) break;
    if (state_->changed_bytes() <= kChangedBytesMax) continue;
    if (const Status begun = begin_commit(std::launch::async); !begun) return Failure{position_.next, begun.error()};
  }
  return std::nullopt;
}

std::optional<Instance::Failure> Instance::fold_batch(const FoldBatch& batch, Offset end) {
  if (batch.wanted()) {
    for (BatchWalker walker(batch.batch()); !walker.at_end() && walker.offset() < end; walker.next()) {
      if (walker.offset() < position_.next || batch.handler(walker.index()) == FoldTypes::kNone) continue;
      if (auto failure = fold_event(batch, walker)) return failure;
      if (!after_event_) continue;
      const Result<bool> goes_on = show_event(batch, walker.offset());
      if (!goes_on) return Failure{walker.offset(), goes_on.error()};
      if (!*goes_on) return std::nullopt;
    }
  }
  position_.next = std::min(batch.batch().header().next_offset(), end);
  position_.chain = batch.batch().header().chain_hash;
  return std::nullopt;
}

Result<bool> Instance::show_event(const FoldBatch& batch, Offset event) {
  position_.next = event + 1;
  position_.chain = batch.batch().header().chain_hash;
  BAHI_TRY(commit());
  if (after_event_(position_.next)) return true;
  stopped_ = true;
  return false;
}

std::optional<Instance::Failure> Instance::fold_event(const FoldBatch& batch, const BatchWalker& walker) {
  if (!skipped_.empty() && skipped_.contains(walker.offset().value)) return std::nullopt;
  walker.read(event_);
  const std::uint32_t index = walker.index();
  const FoldEvent event{event_, batch.handler(index), batch.data(index)};
  if (const Error* const problem = projection_.takes_malformed ? nullptr : batch.problem(index)) {
    return Failure{event_.offset, *problem, true};
  }
  ++position_.events;
  if (const Status applied = fold_->apply(event); !applied) {
    const ErrorCode code = applied.error().code();
    return Failure{event_.offset, applied.error(), code != ErrorCode::kIoError && code != ErrorCode::kViewsDamaged};
  }
  return std::nullopt;
}

Status Instance::begin_commit(std::launch how) {
  BAHI_TRY(finish_commit());
  if (position_.next == committed_.next) return {};
  if (failpoint::hit("projection_commit_before")) return Error{ErrorCode::kIoError, "projection: failed on purpose"};
  committing_ = position_;
  const auto mode = fact_.kept ? ViewStore::Mode::kKeep : ViewStore::Mode::kBuild;
  auto write = [this, mode, checkpoint = position_, taken = state_->take_changes()]() mutable {
    WriteSet changes = std::move(taken);  // its memory goes with it
    return store_.commit(changes, checkpoint, mode);
  };
  commit_ = std::async(how, std::move(write)).share();
  state_->await_before_reading(commit_);
  return {};
}

bool Instance::commit_under_way() const {
  return commit_.valid() && commit_.wait_for(std::chrono::seconds(0)) != std::future_status::ready;
}

Status Instance::finish_commit() {
  if (!commit_.valid()) return {};
  const Status done = commit_.get();
  commit_ = {};
  BAHI_TRY(done);
  if (failpoint::hit("projection_commit_after")) return Error{ErrorCode::kIoError, "projection: failed on purpose"};
  committed_ = committing_;
  next_.store(committed_.next.value, std::memory_order_release);
  events_.store(committed_.events, std::memory_order_relaxed);
  wake_waiters();
  return {};
}

Status Instance::commit() {
  BAHI_TRY(begin_commit(std::launch::deferred));  // that is, in finish_commit
  return finish_commit();
}

void Instance::park(const Failure& failure) {
  const std::scoped_lock lock(status_mutex_);
  parked_ = failure;
}

// --- from other threads

void Instance::stop() {
  stopped_ = true;
  {
    const std::scoped_lock running(run_mutex_);
    (void)finish_commit();
  }
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

std::optional<Error> Instance::parked_error() const {
  const std::scoped_lock lock(status_mutex_);
  return parked_ ? std::optional(parked_->error) : std::nullopt;
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
