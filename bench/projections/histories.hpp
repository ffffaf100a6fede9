// Logs with made-up histories, one tenant for each kind, and the read models that fold them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "bahi/engine/engine.hpp"
#include "bahi/projections/projections.hpp"
#include "bahi/workload/history.hpp"

namespace bahi::bench {

struct ReadModelCase {
  std::string_view name;
  workload::Kind history;
  double target_events_per_second = 0;  ///< of a rebuild; 0: none
};
/// All that there may be; a program without one of them leaves it out.
[[nodiscard]] std::span<const ReadModelCase> read_model_cases();

struct HistorySettings {
  std::uint64_t events = 1'000'000;
  std::uint64_t seed = 1;
  std::size_t batch = 1'000;
  bool flatbuffers = false;
};

/// An engine on disk, and the read models on top of it. Ends the program on any error.
class Histories {
 public:
  Histories(const std::filesystem::path& directory, const HistorySettings& settings);

  [[nodiscard]] Engine& engine() { return *engine_; }
  [[nodiscard]] projections::Projections& projections() { return *projections_; }
  /// Tenants are called like their history. Fills the log of this one when it is asked for first.
  [[nodiscard]] TenantId tenant(workload::Kind kind);
  [[nodiscard]] std::uint64_t events() const { return settings_.events; }
  [[nodiscard]] std::filesystem::path views() const { return directory_ / "views"; }
  /// Gives the views' directory free, so that a server can have it.
  void close_projections() { projections_.reset(); }

 private:
  const std::filesystem::path directory_;
  const HistorySettings settings_;
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<projections::Projections> projections_;
  std::map<workload::Kind, TenantId> tenants_;
};

/// Starts the read model. False: this program has none of that name.
[[nodiscard]] bool start_read_model(projections::Projections& projections, TenantId tenant, std::string_view name);
/// Waits until everything below `end` is folded. Ends the program when it parks.
void wait_for_fold(projections::Projections& projections, TenantId tenant, const std::string& name, Offset end);
/// Of the one read model of that name.
[[nodiscard]] projections::ProjectionStatus status_of(const projections::Projections& projections, TenantId tenant,
                                                      std::string_view name);

}  // namespace bahi::bench
