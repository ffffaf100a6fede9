// One read model of one tenant while it is being folded: from the log through the fold into the store.
//
//   catching up -- folded everything --> live -- an event that cannot be folded --> parked -- skip, retry --> catching
//   up
//        \-- the end of its range (a replay) --> finished
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "bahi/engine/engine.hpp"
#include "bahi/projections/projections.hpp"
#include "fold_batch.hpp"
#include "fold_memory.hpp"
#include "projection.hpp"

namespace bahi::projections {

/// What an instance is, as it is kept over restarts.
struct InstanceFact {
  InstanceId id;
  TenantId tenant;
  std::string name;  // of the projection; for a replay, projection@name
  std::string projection;
  std::uint32_t version = 0;
  Offset from;
  Offset to = kOffsetMax;  // a replay ends here
  bool kept = false;       // was built, and is written row by row since
  bool building = false;   // beside the one that serves
  void fields(auto& row) {
    row(id.value, tenant.value, name, projection, version, from.value, to.value, kept, building);
  }
};

class Instance {
 public:
  enum class Next : std::uint8_t {
    kMore,  ///< fold on
    kWait,  ///< for an event at or after `status().next`
    kRest,  ///< parked, finished or stopped
  };
  /// `skipped`: offsets that the fold is not given. `memory` must outlive it.
  Instance(const Engine& engine, ViewStore& store, FoldMemory& memory, const Projection& projection, InstanceFact fact,
           std::set<std::uint64_t> skipped);
  ~Instance();
  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;

  /// Takes up where the state ends. False: the state is not of this log; the instance must be built anew.
  [[nodiscard]] Result<bool> resume();
  /// Folds and commits, for about `time_max`. By one thread at a time. With `others_wait` everything is committed when
  /// it returns; without, after a kMore, a commit may be under way
  /// and more not be committed yet.
  Next run_slice(std::chrono::milliseconds time_max, bool others_wait);
  /// Called after each event that the fold was given, when it and all before it are committed; false: it stops there.
  /// To be set before the first slice.
  using AfterEvent = std::function<bool(Offset next)>;
  void after_each_event(AfterEvent call) { after_event_ = std::move(call); }

  // --- thread-safe
  [[nodiscard]] const InstanceFact& fact() const noexcept { return fact_; }
  [[nodiscard]] const Projection& projection() const noexcept { return projection_; }
  [[nodiscard]] ProjectionStatus status() const;
  /// Why it is parked, if it is.
  [[nodiscard]] std::optional<Error> parked_error() const;
  [[nodiscard]] Offset next() const noexcept { return {next_.load(std::memory_order_acquire)}; }
  /// No slice runs any more when it returns.
  void stop();
  /// Goes on behind the event at which it is parked, or tries it again. Errors: kInvalidArgument when it is not parked.
  [[nodiscard]] Result<Offset> unpark(bool skip);
  /// Calls `notify` once when everything below `offset` is folded in, or the instance rests before that; perhaps at
  /// once.
  std::uint64_t notify_at(Offset offset, std::function<void()> notify);
  void cancel_notify(std::uint64_t handle);
  /// From the next commit on rows are written one by one: everything was folded once.
  void keep() { fact_.kept = true; }

 private:
  struct Failure {
    Offset offset;
    Error error;
    bool poison = false;  // the event is at fault, not the machine
  };
  void make_fold();
  /// Folds up to `end`, or less when time or memory is up.
  [[nodiscard]] std::optional<Failure> fold(Offset end, std::chrono::steady_clock::time_point deadline);
  [[nodiscard]] std::optional<Failure> fold_batch(const FoldBatch& batch, Offset end);
  /// Commits up to the event, and tells who wants to know. False: it is to stop here.
  [[nodiscard]] Result<bool> show_event(const FoldBatch& batch, Offset event);
  [[nodiscard]] std::optional<Failure> fold_event(const FoldBatch& batch, const BatchWalker& walker);
  /// Finishes the commit under way and begins one of what was folded since; with std::launch::async it goes on beside
  /// the fold.
  Status begin_commit(std::launch how);
  [[nodiscard]] bool commit_under_way() const;
  /// Waits for the commit under way, if there is one.
  Status finish_commit();
  Status commit();
  /// What was not committed is forgotten.
  void begin_anew();
  /// After a turn that left nothing uncommitted.
  void watch_memory();
  void park(const Failure& failure);
  Next rest(ProjectionState state);
  void wake_waiters();

  const Engine& engine_;
  ViewStore& store_;
  FoldMemory& memory_;
  std::size_t held_bytes_ = 0;  // as it told `memory_`
  const Projection& projection_;
  InstanceFact fact_;
  const FoldTypes types_;

  std::mutex run_mutex_;  // held while a slice runs
  std::atomic<bool> stopped_{false};
  std::unique_ptr<FoldState> state_;
  std::unique_ptr<Fold> fold_;
  Checkpoint position_;  // folded, perhaps not committed
  Checkpoint committed_;
  std::shared_future<Status> commit_;  // under way; invalid: none is
  Checkpoint committing_;
  EventView event_;
  DomainData data_;
  AfterEvent after_event_;

  std::atomic<std::uint64_t> next_{0};
  std::atomic<std::uint64_t> events_{0};
  mutable std::mutex status_mutex_;
  ProjectionState run_state_ = ProjectionState::kCatchingUp;
  std::optional<Failure> parked_;
  std::set<std::uint64_t> skipped_;
  struct Waiter {
    std::uint64_t handle = 0;
    std::function<void()> notify;
  };
  std::multimap<std::uint64_t, Waiter> waiters_;
  std::uint64_t last_handle_ = 0;
};

}  // namespace bahi::projections
