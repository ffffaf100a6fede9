// Everything behind Projections.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <utility>

#include "as_of.hpp"
#include "bahi/projections/projections.hpp"
#include "fold_scheduler.hpp"
#include "instance.hpp"
#include "projection_log.hpp"
#include "snapshot_keeper.hpp"
#include "view_store.hpp"
#include "worker_pool.hpp"

namespace bahi::projections {

class Projections::Impl {
 public:
  /// What a Projections works on.
  struct Parts {
    std::unique_ptr<snapshots::SnapshotSet> snapshots;
    std::unique_ptr<ViewStore> store;
    std::unique_ptr<AsOf> as_of;
  };
  [[nodiscard]] static Result<Parts> open_parts(const std::filesystem::path& directory, const Engine& engine,
                                                const ProjectionsOptions& options);
  Impl(Engine& engine, ProjectionsOptions options, Parts parts);
  ~Impl();
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  Status load();
  void close();

  Status start(TenantId tenant, std::string_view projection, std::string_view actor);
  Status drop(TenantId tenant, std::string_view name, std::string_view actor);
  Status rebuild(TenantId tenant, std::string_view projection, std::string_view actor);
  Status replay(TenantId tenant, std::string_view projection, std::string_view name, Offset from, Offset to,
                std::string_view actor);
  Status unpark(TenantId tenant, std::string_view projection, bool skip, std::string_view actor);
  [[nodiscard]] std::vector<ProjectionStatus> list(std::optional<TenantId> tenant) const;

  [[nodiscard]] Result<std::shared_ptr<Instance>> serving(TenantId tenant, std::string_view name) const;
  [[nodiscard]] Result<QueryAnswer> query(const QueryRequest& request) const;
  [[nodiscard]] std::function<void()> notify_at(TenantId tenant, std::string_view name, Offset offset,
                                                std::function<void()> notify);
  void command(CommandRequest request, CommandCallback done);
  [[nodiscard]] Result<Hash128> fingerprint(TenantId tenant, std::string_view name) const;
  [[nodiscard]] Result<snapshots::Snapshot> take_snapshot();
  void end_past_questions() { as_of_->cancel(); }
  [[nodiscard]] snapshots::SnapshotSet& snapshots() const { return *snapshots_; }

 private:
  friend class CommandRun;
  using SlotKey = std::pair<TenantId, std::string>;
  struct Slot {
    std::shared_ptr<Instance> serving;
    std::shared_ptr<Instance> building;  // takes over when it has caught up
    std::set<std::uint64_t> skipped;
    std::chrono::steady_clock::time_point measured_at;
    std::uint64_t measured_next = 0;
    double events_per_second = 0;
  };
  /// An instance with its fact written, not yet folding.
  [[nodiscard]] Result<std::shared_ptr<Instance>> add_instance(InstanceFact fact, const Projection& projection,
                                                               const std::set<std::uint64_t>& skipped);
  Status write_fact(const InstanceFact& fact);
  Status drop_instances(const std::vector<std::shared_ptr<Instance>>& instances);
  /// On a thread of its own, with others that wait for it. When it does not come to that, `load` sees to it.
  void drop_later(std::shared_ptr<Instance> instance);
  Status resume_instance(const InstanceFact& fact, const WantedProjections& wanted);
  [[nodiscard]] bool caught_up(const std::shared_ptr<Instance>& instance);
  void take_over(const std::shared_ptr<Instance>& instance);
  [[nodiscard]] Result<QueryAnswer> query_as_of(const QueryRequest& request, const Instance& live,
                                                const QueryEntry& entry) const;
  [[nodiscard]] Result<QueryAnswer> trace(const QueryRequest& request, const AsOfSubject& subject, Offset from,
                                          const QueryEntry& entry) const;
  /// The offset that the request means.
  [[nodiscard]] Result<Offset> resolve(const QueryRequest& request) const;
  [[nodiscard]] Result<std::vector<snapshots::SnapshotState>> describe(const std::filesystem::path& state) const;
  [[nodiscard]] std::uint64_t folded_events() const;
  [[nodiscard]] Error unknown(TenantId tenant, std::string_view name) const;
  void measure(Slot& slot, ProjectionStatus& status) const;
  void log(LogLevel level, const std::string& line) const {
    if (options_.log) options_.log(level, line);
  }

  Engine& engine_;
  const ProjectionsOptions options_;
  const std::unique_ptr<snapshots::SnapshotSet> snapshots_;
  const std::unique_ptr<ViewStore> store_;
  const std::unique_ptr<AsOf> as_of_;
  FoldMemory memory_;
  std::mutex care_mutex_;  // one act of an operator at a time
  mutable std::shared_mutex slots_mutex_;
  mutable std::map<SlotKey, Slot> slots_;
  mutable std::mutex measure_mutex_;
  std::atomic<std::size_t> commands_{0};  // waiting or under way
  std::atomic<bool> closing_{false};
  std::unique_ptr<FoldScheduler> scheduler_;
  std::unique_ptr<WorkerPool> workers_;
  std::mutex superseded_mutex_;
  std::vector<std::shared_ptr<Instance>> superseded_;  // wait to be dropped
  std::unique_ptr<WorkerPool> dropper_;
  std::unique_ptr<SnapshotKeeper> snapshot_keeper_;
};

}  // namespace bahi::projections
