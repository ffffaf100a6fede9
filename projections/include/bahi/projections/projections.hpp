// Read models: projections of each tenant's log, kept up to date, asked and decided on.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bahi/base/result.hpp"
#include "bahi/engine/engine.hpp"
#include "bahi/snapshots/snapshot_set.hpp"

namespace bahi::projections {

enum class ProjectionState : std::uint8_t {
  kCatchingUp,  ///< folds what is behind
  kLive,        ///< has folded everything that is durable
  kRebuilding,  ///< serves, while another instance is built to replace it
  kParked,      ///< stands in front of an event that it cannot fold; an operator must act
  kFinished,    ///< a replay that has reached the end of its range
};
[[nodiscard]] std::string_view to_string(ProjectionState state) noexcept;

struct ProjectionStatus {
  TenantId tenant;
  std::string name;  ///< of the projection; of a replay, `projection@name`
  std::uint32_t version = 0;
  ProjectionState state = ProjectionState::kCatchingUp;
  Offset next;                   ///< everything below is folded in
  std::uint64_t lag = 0;         ///< events that are durable and not folded in
  std::uint64_t events = 0;      ///< that the fold was given so far
  double events_per_second = 0;  ///< looked at since the last second or so
  std::uint64_t bytes_on_disk = 0;
  std::optional<Offset> rebuilt_to;  ///< kRebuilding: how far the new instance has come
  std::optional<Offset> parked_at;
  std::string parked_because;
  std::uint64_t skipped = 0;  ///< events that an operator told it to pass over
};

struct ProjectionsOptions {
  std::uint32_t fold_threads = 2;
  std::uint32_t command_threads = 2;
  std::size_t write_buffer_bytes = std::size_t{32} << 20U;
  std::size_t block_cache_bytes = std::size_t{128} << 20U;
  /// Of rows that the folds of all tenants keep between their turns; approximate, at most twice this for a moment.
  std::size_t fold_memory_bytes = std::size_t{192} << 20U;
  std::size_t commands_max = 4096;  ///< waiting or under way; beyond: kOverloaded
  // Snapshots of all state and states of the past lie beside the directory of views, in `snapshots` and `as-of`.
  std::uint64_t snapshot_events = 500'000;      ///< folded, after which one is taken; 0: never by events
  std::chrono::seconds snapshot_interval{300};  ///< after which one is taken when there is news; 0: never by time
  std::chrono::seconds snapshot_pause{2};       ///< at least, between two that are taken by events
  snapshots::Retention retention;
  std::size_t as_of_states_max = 8;                         ///< kept for the next question about the past
  std::uint64_t as_of_bytes_max = std::uint64_t{8} << 30U;  ///< that they share with nothing
  std::size_t as_of_folds_max = 2;                          ///< at a time; others wait
  LogSink log;
};

struct QueryRequest {
  TenantId tenant;
  std::string projection;  ///< or `projection@name` for a replay
  std::string query;
  std::string arguments;  ///< a JSON object, or empty
  /// Answer only from a state that has everything below this folded in; otherwise kProjectionBehind.
  Offset min_offset;
  // At most one of the next two; not with `min_offset`.
  std::optional<Offset> at_offset = {};   ///< answer from the events below it, as a fresh fold would
  std::optional<Timestamp> at_time = {};  ///< answer from the events recorded up to then
  /// With one of the two: `before`, the answer there, and `changes`, each with the `offset` of the event that changed
  /// the answer and what it is `after` it. It ends below `trace_to`, or below `next`, from where one may ask on.
  std::optional<Offset> trace_to = {};
  /// Of questions about the past; a later one goes on where this one stopped.
  std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max();
};
struct QueryAnswer {
  Offset offset;     ///< true of the log up to, not including, this offset
  std::string json;  ///< an object
};

struct CommandRequest {
  TenantId tenant;
  std::string projection;
  std::string command;
  std::string arguments;  ///< a JSON object, or empty
  std::string actor;      ///< who the events say did it
  /// Names the command: the same position again is answered as the first time, and stores nothing.
  std::optional<ProducerPosition> producer;
  std::chrono::steady_clock::time_point deadline;
};
struct CommandAnswer {
  AppendResult appended;
  std::string json;  ///< an object: the events that were stored
};
using CommandCallback = std::function<void(Result<CommandAnswer>)>;

/// Runs the read models of all tenants of an engine. Which tenant has which is recorded in the system tenant's log, so
/// that the directory of views can be deleted at any time: everything in it is built anew. Thread-safe, except `close`
/// and the destructor.
class Projections {
 public:
  /// `directory` holds derived state only. The engine must outlive the result. Errors: kIoError, kDiskFull,
  /// kViewsDamaged.
  [[nodiscard]] static Result<std::unique_ptr<Projections>> open(const std::filesystem::path& directory, Engine& engine,
                                                                 ProjectionsOptions options);
  Projections(const Projections&) = delete;
  Projections& operator=(const Projections&) = delete;
  ~Projections();
  /// Ends the folds after their current commit. Commands that wait are answered with kShuttingDown.
  void close();

  // --- care. Each is an event in the system tenant's log before it takes effect; `actor` is who did it.
  /// Errors: kUnknownProjection, kProjectionExists, and those of an append.
  Status start(TenantId tenant, std::string_view projection, std::string_view actor);
  /// Ends it, or a replay, and gives its space back. Errors: kUnknownProjection; kRefused when it is one that stays.
  Status drop(TenantId tenant, std::string_view name, std::string_view actor);
  /// Builds it anew beside the instance that serves, and switches when the new one has caught up.
  Status rebuild(TenantId tenant, std::string_view projection, std::string_view actor);
  /// Folds the events of [from, to) into an instance of its own, `projection@name`, until it is dropped.
  /// It does not survive the loss of the views' directory.
  Status replay(TenantId tenant, std::string_view projection, std::string_view name, Offset from, Offset to,
                std::string_view actor);
  /// A parked projection goes on behind the event (for ever, also when it is rebuilt), or tries it again. Errors:
  /// kInvalidArgument when it is not parked; kRefused for a skip by one that leaves nothing out.
  Status skip(TenantId tenant, std::string_view projection, std::string_view actor);
  Status retry(TenantId tenant, std::string_view projection, std::string_view actor);

  [[nodiscard]] std::vector<ProjectionStatus> list(std::optional<TenantId> tenant) const;
  /// Hash of the state, for comparing two instances. Errors: kUnknownProjection.
  [[nodiscard]] Result<Hash128> fingerprint(TenantId tenant, std::string_view name) const;

  // --- use
  /// Errors: kUnknownProjection, kUnknownQuery, kProjectionBehind, kProjectionParked (only when `min_offset` cannot be
  /// reached), kInvalidArgument, and those of the query. About the past also kOffsetOutOfRange, kDeadlineExceeded,
  /// kShuttingDown; such an answer may take seconds, on the caller's thread.
  [[nodiscard]] Result<QueryAnswer> query(const QueryRequest& request) const;
  /// Calls `notify` once, on any thread, when the read model has folded in everything below `offset` or will not for
  /// now (parked, dropped, closing); `query` then says which. The result, called, cancels it; `notify` may still be
  /// under way.
  [[nodiscard]] std::function<void()> notify_at(TenantId tenant, std::string_view name, Offset offset,
                                                std::function<void()> notify);
  /// Decides on the read model as it is, appends under the condition that nothing relevant was appended since, and
  /// decides again on a conflict. `done` is called once, on any thread, when the events are durable or nothing was
  /// stored. Errors: kRefused, kDeadlineExceeded, kOverloaded, those of `query` and of an append.
  void command(CommandRequest request, CommandCallback done);

  /// Questions about the past that are not answered yet, and later ones that need a fold, end with kShuttingDown.
  void end_past_questions();

  // --- snapshots of the state of all read models
  /// Errors: kIoError, kDiskFull.
  [[nodiscard]] Result<snapshots::Snapshot> take_snapshot();
  [[nodiscard]] std::vector<snapshots::Snapshot> snapshots() const;
  /// Errors: kUnknownSnapshot, kIoError.
  Status delete_snapshot(std::uint64_t id);

  class Impl;

 private:
  explicit Projections(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace bahi::projections
