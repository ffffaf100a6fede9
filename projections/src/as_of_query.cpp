// Questions about the past, and snapshots: what Projections does with them.
#include <fmt/format.h>

#include "answer.hpp"
#include "arguments.hpp"
#include "bahi/base/clock.hpp"
#include "projections_impl.hpp"

namespace bahi::projections {
namespace {

/// A trace ends behind so much, to be asked on from there.
constexpr std::size_t kTraceBytesMax = std::size_t{1} << 20U;
constexpr std::size_t kTraceChangesMax = 1000;

/// The end of the events recorded up to `time`. Where the clock was set back, one of the places that could be meant.
Result<Offset> offset_at(const Engine& engine, TenantId tenant, Timestamp time) {
  Offset low;
  Offset high = engine.durable_offset(tenant);
  while (low < high) {
    const Offset middle{low.value + (high - low) / 2};
    BAHI_ASSIGN(const auto cursor, engine.read_batches(tenant, middle, middle + 1, Direction::kForward, 1));
    BAHI_ASSIGN(const bool there, cursor->next());
    if (!there) return Error{ErrorCode::kCorruptLog, fmt::format("no event at offset {}", middle.value)};
    const BatchHeader& header = cursor->header();
    if (header.recorded_at <= time) {
      low = header.next_offset();
    } else {
      high = header.first_offset;
    }
  }
  return low;
}

/// The answer, or `null` when what is asked about is not there.
Result<std::string> answer_in(const QueryEntry& entry, const QueryContext& context, const std::string& arguments) {
  BAHI_ASSIGN(Arguments taken, Arguments::parse(arguments));
  Answer answer;
  const Status done = entry.run(context, taken, answer);
  if (done) return answer.finish();
  if (done.error().code() == ErrorCode::kNotFound) return std::string("null");
  return done.error();
}

/// A query's answer from event to event, as JSON.
class Trace {
 public:
  Trace(const Engine& engine, TenantId tenant, const QueryEntry& entry, const std::string& arguments)
      : engine_(engine), tenant_(tenant), entry_(entry), arguments_(arguments) {}

  /// The answer of a state of all events below `next`. False: it is to end here.
  bool show(const StateView& state, Offset next) {
    auto answer = answer_in(entry_, {engine_, tenant_, state, next}, arguments_);
    if (!answer) {
      error_ = answer.error();
      return false;
    }
    if (before_.empty()) {
      before_ = last_ = std::move(*answer);
      return true;
    }
    if (*answer == last_) return true;
    last_ = std::move(*answer);
    changes_ += fmt::format(R"({}{{"offset":{},"after":{}}})", count_ == 0 ? "" : ",", next.value - 1, last_);
    return changes_.size() < kTraceBytesMax && ++count_ < kTraceChangesMax;
  }
  [[nodiscard]] const std::optional<Error>& error() const { return error_; }
  [[nodiscard]] std::string finish(Offset reached, Offset to) const {
    const std::string next = reached < to ? fmt::format(R"(,"next":{})", reached.value) : "";
    return fmt::format(R"({{"before":{},"changes":[{}]{}}})", before_, changes_, next);
  }

 private:
  const Engine& engine_;
  const TenantId tenant_;
  const QueryEntry& entry_;
  const std::string& arguments_;
  std::string before_;
  std::string last_;
  std::string changes_;
  std::size_t count_ = 0;
  std::optional<Error> error_;
};

Status check_request(const QueryRequest& request) {
  const auto wrong = [](std::string_view what) { return Error{ErrorCode::kInvalidArgument, std::string(what)}; };
  if (request.at_offset && request.at_time) return wrong("at_offset: give it or at_time, not both");
  if (request.min_offset.value != 0) return wrong("min_offset: an answer about the past does not wait for new events");
  return {};
}

}  // namespace

Result<Offset> Projections::Impl::resolve(const QueryRequest& request) const {
  BAHI_TRY(check_request(request));
  const Offset durable = engine_.durable_offset(request.tenant);
  if (!request.at_offset) return offset_at(engine_, request.tenant, *request.at_time);
  if (*request.at_offset <= durable) return *request.at_offset;
  return Error{ErrorCode::kOffsetOutOfRange,
               fmt::format("at_offset: {} is beyond the end of the log, {}", request.at_offset->value, durable.value)};
}

Result<QueryAnswer> Projections::Impl::query_as_of(const QueryRequest& request, const Instance& live,
                                                   const QueryEntry& entry) const {
  BAHI_ASSIGN(const Offset at, resolve(request));
  const InstanceFact& fact = live.fact();
  if (at > fact.to) {
    return Error{ErrorCode::kOffsetOutOfRange,
                 fmt::format("at_offset: {} is beyond the replay's end, {}", at.value, fact.to.value)};
  }
  AsOfSubject subject{request.tenant, fact.name, &live.projection(), fact.from, {}};
  {
    const std::shared_lock lock(slots_mutex_);
    const auto slot = slots_.find({request.tenant, fact.projection});
    if (slot != slots_.end()) subject.skipped = slot->second.skipped;
  }
  const Offset from = std::max(at, fact.from);
  if (request.trace_to) return trace(request, subject, from, entry);
  // A state that cannot be read is not used again, so there are fewer ways each time.
  for (;;) {
    BAHI_ASSIGN(const AsOf::State state, as_of_->state_at(subject, from, request.deadline));
    BAHI_ASSIGN(Arguments arguments, Arguments::parse(request.arguments));
    Answer answer;
    const Status done = entry.run({engine_, request.tenant, *state.view, at}, arguments, answer);
    if (done) return QueryAnswer{at, answer.finish()};
    if (done.error().code() != ErrorCode::kViewsDamaged || !state.line->snapshot()) return done.error();
    as_of_->distrust(state, done.error());
  }
}

Result<QueryAnswer> Projections::Impl::trace(const QueryRequest& request, const AsOfSubject& subject, Offset from,
                                             const QueryEntry& entry) const {
  const Offset to = std::min(*request.trace_to, engine_.durable_offset(request.tenant));
  if (to < from) {
    return Error{ErrorCode::kOffsetOutOfRange,
                 fmt::format("trace_to: {} is before {}, where the trace begins", to.value, from.value)};
  }
  Trace trace(engine_, request.tenant, entry, request.arguments);
  const auto show = [&trace](const StateView& state, Offset next) { return trace.show(state, next); };
  BAHI_ASSIGN(const Offset reached, as_of_->step(subject, from, to, request.deadline, show));
  if (trace.error()) return *trace.error();
  return QueryAnswer{reached, trace.finish(reached, to)};
}

// --- snapshots

/// What the database in `state` holds, as its manifest shall say it. Instances that are on their way out are left out.
Result<std::vector<snapshots::SnapshotState>> Projections::Impl::describe(const std::filesystem::path& state) const {
  ViewStore::Options options;
  options.read_only = true;
  BAHI_ASSIGN(const auto store, ViewStore::open(state, options));
  BAHI_ASSIGN(const auto facts, store->facts());
  std::vector<snapshots::SnapshotState> states;
  for (const auto& [key, row] : facts) {
    InstanceFact fact;
    if (!decode_row(row, fact)) continue;
    BAHI_ASSIGN(const Checkpoint checkpoint, store->view(fact.id)->checkpoint());
    if (checkpoint.next.value == 0) continue;
    std::set<std::uint64_t> skipped;
    {
      const std::shared_lock lock(slots_mutex_);
      const auto slot = slots_.find({fact.tenant, fact.projection});
      if (slot == slots_.end()) continue;
      skipped = slot->second.skipped;
    }
    states.push_back({fact.id.value,
                      fact.tenant,
                      fact.name,
                      fact.version,
                      fact.from,
                      checkpoint.next,
                      checkpoint.chain,
                      {skipped.begin(), skipped.lower_bound(checkpoint.next.value)}});
  }
  return states;
}

Result<snapshots::Snapshot> Projections::Impl::take_snapshot() {
  const auto fill = [this](const std::filesystem::path& state) -> Result<std::vector<snapshots::SnapshotState>> {
    BAHI_TRY(store_->write_checkpoint(state));
    return describe(state);
  };
  const Timestamp now = SystemClock::instance().now();
  BAHI_ASSIGN(snapshots::Snapshot taken, snapshots_->take(now, fill));
  if (const Status thinned = snapshots_->thin(options_.retention, now, store_->directory()); !thinned) {
    log(LogLevel::kWarning, thinned.error().to_string());
  }
  return taken;
}

std::uint64_t Projections::Impl::folded_events() const {
  std::uint64_t folded = 0;
  const std::shared_lock lock(slots_mutex_);
  for (const auto& [key, slot] : slots_) {
    for (const auto& instance : {slot.serving, slot.building}) {
      if (instance) folded += instance->next().value;
    }
  }
  return folded;
}

}  // namespace bahi::projections
