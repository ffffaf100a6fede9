#include "as_of.hpp"

#include <algorithm>
#include <system_error>

#include <fmt/format.h>

namespace bahi::projections {
namespace {

namespace fs = std::filesystem;

/// To open a snapshot costs about as much as to fold so many events.
constexpr std::uint64_t kOpeningEvents = 5'000;
/// States of one line that are kept at a time.
constexpr std::size_t kViewsMax = 4;

bool is_of_state(const Error& error) {
  return error.code() == ErrorCode::kSnapshotDamaged || error.code() == ErrorCode::kViewsDamaged ||
         error.code() == ErrorCode::kUnknownSnapshot;
}

bool suits(const snapshots::SnapshotState& state, const AsOfSubject& subject) {
  if (state.tenant != subject.tenant || state.name != subject.name || state.from != subject.from) return false;
  const auto skipped = subject.skipped_below(state.next);
  return state.version == subject.projection->version &&
         std::equal(skipped.begin(), skipped.end(), state.skipped.begin(), state.skipped.end());
}

}  // namespace

class AsOf::Turn {
 public:
  Turn(AsOf& states, const AsOfSubject& subject, Deadline deadline)
      : states_(states), key_(subject.tenant, subject.name) {
    std::unique_lock lock(states_.mutex_);
    const auto is_free = [this] {
      return states_.cancelled_ ||
             (!states_.folding_.contains(key_) && states_.folding_.size() < states_.settings_.folds_max);
    };
    // A wait for ever is none that the library could count to.
    const auto end = std::min(deadline, std::chrono::steady_clock::now() + std::chrono::hours(24));
    came_ = states_.turn_ended_.wait_until(lock, end, is_free) && !states_.cancelled_;
    if (came_) states_.folding_.insert(key_);
  }
  ~Turn() {
    if (!came_) return;
    {
      const std::scoped_lock lock(states_.mutex_);
      states_.folding_.erase(key_);
    }
    states_.turn_ended_.notify_all();
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  /// Error: kDeadlineExceeded, kShuttingDown.
  [[nodiscard]] Status check() const {
    if (came_) return {};
    if (states_.cancelled_) return Error{ErrorCode::kShuttingDown, "the server stops"};
    return Error{ErrorCode::kDeadlineExceeded, "other questions about the past took all the time there was; ask again"};
  }

 private:
  AsOf& states_;
  const Key key_;
  bool came_ = false;
};

void AsOf::cancel() {
  {
    const std::scoped_lock lock(mutex_);
    cancelled_ = true;
  }
  turn_ended_.notify_all();
}

AsOf::AsOf(const Engine& engine, snapshots::SnapshotSet& snapshots, Settings settings)
    : engine_(engine), snapshots_(snapshots), settings_(std::move(settings)) {}

Result<std::unique_ptr<AsOf>> AsOf::open(const Engine& engine, snapshots::SnapshotSet& snapshots, Settings settings) {
  std::error_code error;
  fs::remove_all(settings.directory, error);
  if (!error) fs::create_directories(settings.directory, error);
  if (error) {
    return Error{ErrorCode::kIoError, fmt::format("clearing {}: {}", settings.directory.string(), error.message())};
  }
  return std::unique_ptr<AsOf>(new AsOf(engine, snapshots, std::move(settings)));
}

std::optional<AsOf::State> AsOf::find(const AsOfSubject& subject, Offset at) {
  const std::scoped_lock lock(mutex_);
  for (Entry& entry : entries_) {
    const auto view = entry.views.find(at);
    if (view == entry.views.end() || !entry.line->suits(subject)) continue;
    entry.used = ++last_use_;
    return State{entry.line, view->second};
  }
  return std::nullopt;
}

Result<AsOf::State> AsOf::state_at(const AsOfSubject& subject, Offset at, Deadline deadline) {
  if (auto known = find(subject, at)) return std::move(*known);
  const Turn turn(*this, subject, deadline);
  BAHI_TRY(turn.check());
  if (auto known = find(subject, at)) return std::move(*known);
  BAHI_ASSIGN(const auto line, line_at(subject, at, deadline));
  State state{line, line->view()};
  const std::scoped_lock lock(mutex_);
  for (Entry& entry : entries_) {
    if (entry.line != line) continue;
    if (entry.views.size() == kViewsMax) entry.views.erase(entry.views.begin());
    entry.views[at] = state.view;
  }
  return state;
}

Result<Offset> AsOf::step(const AsOfSubject& subject, Offset at, Offset to, Deadline deadline,
                          const AfterEvent& after_event) {
  const Turn turn(*this, subject, deadline);
  BAHI_TRY(turn.check());
  BAHI_ASSIGN(const auto line, line_at(subject, at, deadline));
  if (!after_event(*line->view(), at)) return at;
  const auto show = [&](Offset next) {
    return after_event(*line->view(), next) && std::chrono::steady_clock::now() < deadline;
  };
  const Status stepped = line->step_to(engine_, to, {deadline, cancelled_}, show);
  const bool is_late = !stepped && stepped.error().code() == ErrorCode::kDeadlineExceeded;
  if (!stepped && (!is_late || line->position() == at)) {
    if (is_of_state(stepped.error())) distrust({line, nullptr}, stepped.error());
    return stepped.error();
  }
  return line->position();
}

AsOf::Base AsOf::nearest_base(const AsOfSubject& subject, Offset at) {
  Base base;
  base.next = subject.from;
  {
    const std::scoped_lock lock(mutex_);
    for (const Entry& entry : entries_) {
      const Offset next = entry.line->position();
      if (next > at || !entry.line->suits(subject) || (base.line && next < base.next)) continue;
      base.line = entry.line;
      base.next = next;
    }
    if (base.line) base.line->pass_over(subject.skipped);
  }
  std::uint64_t lead = base.line ? kOpeningEvents : 0;  // that a snapshot must have
  snapshots_.visit([&](const snapshots::Snapshot& snapshot) {
    for (const snapshots::SnapshotState& state : snapshot.states) {
      if (state.next > at || state.next.value <= base.next.value + lead || !suits(state, subject)) continue;
      base = {nullptr, std::pair(snapshot.id, state.instance), state.next};
      lead = 0;
    }
  });
  return base;
}

Result<std::shared_ptr<AsOfLine>> AsOf::make_line(const AsOfSubject& subject, const Base& base) {
  fs::path directory;
  {
    const std::scoped_lock lock(mutex_);
    directory = settings_.directory / std::to_string(++last_directory_);
  }
  if (!base.snapshot) return AsOfLine::from_nothing(directory, subject);
  const auto [id, instance] = *base.snapshot;
  return AsOfLine::from_snapshot(directory, subject, snapshots_, id, instance);
}

Result<std::shared_ptr<AsOfLine>> AsOf::line_at(const AsOfSubject& subject, Offset at, Deadline deadline) {
  for (;;) {
    const Base base = nearest_base(subject, at);
    auto line = base.line ? Result<std::shared_ptr<AsOfLine>>(base.line) : make_line(subject, base);
    const Status folded = line ? (*line)->fold_to(engine_, at, {deadline, cancelled_}) : Status(line.error());
    const auto is = [&](ErrorCode code) { return !folded && folded.error().code() == code; };
    if (folded || is(ErrorCode::kDeadlineExceeded) || is(ErrorCode::kProjectionParked)) keep(*line);
    if (folded) return std::move(*line);
    if (line && is_of_state(folded.error())) {
      // Without this base, the next one: there are fewer of them each time.
      const bool has_other_base = (*line)->snapshot().has_value() || base.line;
      distrust({*line, nullptr}, folded.error());
      if (has_other_base) continue;
    }
    if (!line && base.snapshot && is_of_state(folded.error())) {
      snapshots_.distrust(base.snapshot->first, folded.error().message());
      continue;
    }
    return folded.error();
  }
}

void AsOf::keep(const std::shared_ptr<AsOfLine>& line) {
  {
    const std::scoped_lock lock(mutex_);
    const auto found =
        std::find_if(entries_.begin(), entries_.end(), [&](const Entry& each) { return each.line == line; });
    Entry& entry = found != entries_.end() ? *found : entries_.emplace_back();
    entry.line = line;
    entry.used = ++last_use_;
  }
  make_room(line);
}

void AsOf::make_room(const std::shared_ptr<AsOfLine>& newest) {
  std::vector<Entry> dropped;  // their directories are removed without the lock
  const std::scoped_lock lock(mutex_);
  std::uint64_t bytes = 0;
  for (const Entry& entry : entries_) bytes += entry.line->own_bytes();
  while (entries_.size() > 1 && (entries_.size() > settings_.lines_max || bytes > settings_.bytes_max)) {
    auto oldest = entries_.end();
    for (auto entry = entries_.begin(); entry != entries_.end(); ++entry) {
      if (entry->line != newest && (oldest == entries_.end() || entry->used < oldest->used)) oldest = entry;
    }
    bytes -= std::min(bytes, oldest->line->own_bytes());
    dropped.push_back(std::move(*oldest));
    entries_.erase(oldest);
  }
}

void AsOf::forget(const std::shared_ptr<AsOfLine>& line) {
  std::vector<Entry> dropped;
  const std::scoped_lock lock(mutex_);
  for (auto entry = entries_.begin(); entry != entries_.end(); ++entry) {
    if (entry->line != line) continue;
    dropped.push_back(std::move(*entry));
    entries_.erase(entry);
    return;
  }
}

void AsOf::distrust(const State& state, const Error& because) {
  forget(state.line);
  if (const auto snapshot = state.line->snapshot()) snapshots_.distrust(*snapshot, because.message());
}

}  // namespace bahi::projections
