#include "histories.hpp"

#include <array>
#include <atomic>

#include <fmt/format.h>

#include "filler.hpp"
#include "machine.hpp"
#include "scratch.hpp"

namespace bahi::bench {

using projections::Projections;
using projections::ProjectionState;
using projections::ProjectionStatus;

std::span<const ReadModelCase> read_model_cases() {
  using workload::Kind;
  static constexpr std::array<ReadModelCase, 5> kCases{{{"activity", Kind::kChat, 0},
                                                        {"timelines", Kind::kChat, 1'000'000},
                                                        {"stock", Kind::kPharmacy, 1'000'000},
                                                        {"payments", Kind::kPayments, 1'000'000},
                                                        {"audit", Kind::kAudit, 300'000}}};
  return kCases;
}

Histories::Histories(const std::filesystem::path& directory, const HistorySettings& settings)
    : directory_(directory), settings_(settings) {
  EngineOptions options;
  options.create_if_missing = true;
  engine_ = require(Engine::open(directory_ / "store", std::move(options)), "opening the store");
  projections_ = require(Projections::open(views(), *engine_, {}), "opening the views");
}

TenantId Histories::tenant(workload::Kind kind) {
  if (const auto found = tenants_.find(kind); found != tenants_.end()) return found->second;
  const std::string name(to_string(kind));
  const TenantId tenant = require(engine_->create_tenant(name), "creating a tenant");
  tenants_[kind] = tenant;
  workload::HistoryOptions options;
  options.kind = kind;
  options.seed = settings_.seed;
  options.flatbuffers = settings_.flatbuffers;
  const auto history = workload::make_history(options);
  const std::uint64_t start = now_nanos();
  Filler filler(*engine_, tenant, settings_.batch, Codec::kZstd);
  NewEvent event;
  for (std::uint64_t i = 0; i < settings_.events; ++i) {
    history->next(event);
    filler.add(event);
  }
  filler.finish();
  const double seconds = static_cast<double>(now_nanos() - start) / 1e9;
  fmt::print("{}: {} events made and stored in {:.1f} s ({:.0f} k events/s)\n", name, settings_.events, seconds,
             static_cast<double>(settings_.events) / seconds / 1e3);
  std::fflush(stdout);
  return tenant;
}

bool start_read_model(Projections& projections, TenantId tenant, std::string_view name) {
  const Status started = projections.start(tenant, name, "bench");
  if (!started && started.error().code() == ErrorCode::kUnknownProjection) return false;
  require(started, "starting a read model");
  return true;
}

void wait_for_fold(Projections& projections, TenantId tenant, const std::string& name, Offset end) {
  std::atomic<bool> done{false};
  const auto cancel = projections.notify_at(tenant, name, end, [&done] {
    done = true;
    done.notify_all();
  });
  done.wait(false);
  const ProjectionStatus status = status_of(projections, tenant, name);
  if (status.state == ProjectionState::kParked) fail(fmt::format("{}: parked: {}", name, status.parked_because));
}

ProjectionStatus status_of(const Projections& projections, TenantId tenant, std::string_view name) {
  for (ProjectionStatus& status : projections.list(tenant)) {
    if (status.name == name) return std::move(status);
  }
  fail(fmt::format("{}: no such read model runs", name));
}

}  // namespace bahi::bench
