// A read model in the past: a store of its own with one instance, which only goes forward.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "bahi/snapshots/snapshot_set.hpp"
#include "instance.hpp"

namespace bahi::projections {

/// Which read model is meant, and how it is folded.
struct AsOfSubject {
  TenantId tenant;
  std::string name;  ///< of the projection, or of a replay
  const Projection* projection = nullptr;
  Offset from;                      ///< where its fold begins
  std::set<std::uint64_t> skipped;  ///< offsets that the fold is not given

  /// The offsets that were passed over in a state of all events below `next`.
  [[nodiscard]] std::set<std::uint64_t> skipped_below(Offset next) const {
    return {skipped.begin(), skipped.lower_bound(next.value)};
  }
};

/// Folded by one thread at a time; `position`, `view` and `own_bytes` are for all. `suits` and `pass_over` need a lock.
class AsOfLine {
 public:
  /// `directory`, which does not exist yet, is removed with the line.
  [[nodiscard]] static Result<std::shared_ptr<AsOfLine>> from_nothing(const std::filesystem::path& directory,
                                                                      const AsOfSubject& subject);
  /// Errors: kSnapshotDamaged, kViewsDamaged when the snapshot is at fault; kIoError, kDiskFull.
  [[nodiscard]] static Result<std::shared_ptr<AsOfLine>> from_snapshot(const std::filesystem::path& directory,
                                                                       const AsOfSubject& subject,
                                                                       const snapshots::SnapshotSet& snapshots,
                                                                       std::uint64_t id, std::uint32_t instance);
  ~AsOfLine();
  AsOfLine(const AsOfLine&) = delete;
  AsOfLine& operator=(const AsOfLine&) = delete;

  struct Limits {
    std::chrono::steady_clock::time_point deadline;
    const std::atomic<bool>& cancelled;
  };
  /// Folds up to `to`. What was folded stays, also after an error. Errors: kDeadlineExceeded, kShuttingDown;
  /// kProjectionParked when an event cannot be folded; kViewsDamaged, also when the state is not of this log.
  Status fold_to(const Engine& engine, Offset to, const Limits& limits);
  /// The same, event by event, as Instance::after_each_event says; it may end before `to` without an error.
  Status step_to(const Engine& engine, Offset to, const Limits& limits, Instance::AfterEvent after_event);

  /// Everything below it is folded in.
  [[nodiscard]] Offset position() const noexcept { return {position_.load(std::memory_order_acquire)}; }
  /// The state as it is; it stays good when the line goes on, and must not outlive the line.
  [[nodiscard]] std::shared_ptr<const StateView> view() const { return store_->view(fact_.id); }
  /// Whether it is of this read model, and `subject` would have folded it so.
  [[nodiscard]] bool suits(const AsOfSubject& subject) const;
  /// From now on its fold is not given these.
  void pass_over(const std::set<std::uint64_t>& skipped) { subject_.skipped = skipped; }
  [[nodiscard]] std::optional<std::uint64_t> snapshot() const noexcept { return snapshot_; }
  /// Of files that nothing else holds.
  [[nodiscard]] std::uint64_t own_bytes() const;

 private:
  AsOfLine(std::filesystem::path directory, AsOfSubject subject)
      : directory_(std::move(directory)), subject_(std::move(subject)) {}
  Status open_store(bool compacts);
  Status run(const Engine& engine, Offset to, const Limits& limits, Instance::AfterEvent after_event);

  const std::filesystem::path directory_;
  AsOfSubject subject_;
  std::optional<std::uint64_t> snapshot_;  // that it came from
  std::unique_ptr<ViewStore> store_;
  InstanceFact fact_;
  std::atomic<std::uint64_t> position_{0};
};

}  // namespace bahi::projections
