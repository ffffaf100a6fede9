// Read models as they were: states of the past, folded from the nearest base, and kept for the next question.
//
// A base is a line that was folded before and is not yet past the offset, a snapshot, or nothing. Which one it was
// changes no answer.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "as_of_line.hpp"

namespace bahi::projections {

/// Thread-safe.
class AsOf {
 public:
  struct Settings {
    std::filesystem::path directory;
    std::size_t lines_max = 8;
    std::uint64_t bytes_max = 0;  ///< that the lines share with nothing
    std::size_t folds_max = 2;    ///< at a time; others wait
  };
  using Deadline = std::chrono::steady_clock::time_point;

  /// A state of all events below an offset; good as long as this lives.
  struct State {
    std::shared_ptr<AsOfLine> line;
    std::shared_ptr<const StateView> view;
  };

  /// Removes what the last process left in the directory. What it is given must outlive it.
  [[nodiscard]] static Result<std::unique_ptr<AsOf>> open(const Engine& engine, snapshots::SnapshotSet& snapshots,
                                                          Settings settings);
  AsOf(const AsOf&) = delete;
  AsOf& operator=(const AsOf&) = delete;

  /// `at` must be durable. Errors: kDeadlineExceeded, kShuttingDown, kProjectionParked, kIoError, kDiskFull.
  [[nodiscard]] Result<State> state_at(const AsOfSubject& subject, Offset at, Deadline deadline);
  /// Calls `after_event` as Instance::after_each_event says, from `at` to `to`, and before that with the state at `at`.
  /// Gives the offset up to which it came.
  using AfterEvent = std::function<bool(const StateView& state, Offset next)>;
  [[nodiscard]] Result<Offset> step(const AsOfSubject& subject, Offset at, Offset to, Deadline deadline,
                                    const AfterEvent& after_event);
  /// The state could not be read: neither it nor the snapshot that it came from is used again.
  void distrust(const State& state, const Error& because);
  /// Folds that are under way end with kShuttingDown.
  void cancel();

 private:
  using Key = std::pair<TenantId, std::string>;
  struct Entry {
    std::shared_ptr<AsOfLine> line;
    std::map<Offset, std::shared_ptr<const StateView>> views;  // of offsets that were asked for
    std::uint64_t used = 0;                                    // when, last
  };
  struct Base {
    std::shared_ptr<AsOfLine> line;
    std::optional<std::pair<std::uint64_t, std::uint32_t>> snapshot;  // id, instance
    Offset next;
  };
  AsOf(const Engine& engine, snapshots::SnapshotSet& snapshots, Settings settings);

  [[nodiscard]] std::optional<State> find(const AsOfSubject& subject, Offset at);
  /// With the right to fold it, a line of the read model that stands at `at`.
  [[nodiscard]] Result<std::shared_ptr<AsOfLine>> line_at(const AsOfSubject& subject, Offset at, Deadline deadline);
  [[nodiscard]] Base nearest_base(const AsOfSubject& subject, Offset at);
  [[nodiscard]] Result<std::shared_ptr<AsOfLine>> make_line(const AsOfSubject& subject, const Base& base);
  void keep(const std::shared_ptr<AsOfLine>& line);
  void forget(const std::shared_ptr<AsOfLine>& line);
  void make_room(const std::shared_ptr<AsOfLine>& newest);

  /// One read model is folded by one thread at a time, so that a second question finds what the first one made; and
  /// only so many at all.
  class Turn;

  const Engine& engine_;
  snapshots::SnapshotSet& snapshots_;
  const Settings settings_;
  std::atomic<bool> cancelled_{false};
  std::mutex mutex_;
  std::condition_variable turn_ended_;
  std::vector<Entry> entries_;        // protected by mutex_
  std::set<Key> folding_;             // protected by mutex_
  std::uint64_t last_use_ = 0;        // protected by mutex_
  std::uint64_t last_directory_ = 0;  // protected by mutex_
};

}  // namespace bahi::projections
