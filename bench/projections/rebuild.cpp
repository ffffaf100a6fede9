#include "rebuild.hpp"

#include <chrono>
#include <thread>

#include <fmt/format.h>

#include "machine.hpp"
#include "scratch.hpp"

namespace bahi::bench {
namespace {

using projections::ProjectionState;

/// Until the new instance has taken the place of the old one.
void wait_for_rebuild(projections::Projections& projections, TenantId tenant, std::string_view name) {
  for (;;) {
    const auto status = status_of(projections, tenant, name);
    if (status.state == ProjectionState::kParked) fail(fmt::format("{}: parked: {}", name, status.parked_because));
    if (status.state == ProjectionState::kLive && !status.rebuilt_to) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

}  // namespace

bool run_rebuild(Histories& histories, const ReadModelCase& read_model, int repetitions, Report& report) {
  projections::Projections& projections = histories.projections();
  const std::string name(read_model.name);
  const TenantId tenant = histories.tenant(read_model.history);
  const auto events = static_cast<double>(histories.events());
  std::vector<double> rates;
  std::vector<double> cpu_nanos;
  for (int i = 0; i < repetitions; ++i) {
    const Usage start = Usage::now();
    if (i == 0) {
      if (!start_read_model(projections, tenant, name)) {
        fmt::print("{}: not in this program\n", name);
        return false;
      }
      wait_for_fold(projections, tenant, name, Offset{histories.events()});
    } else {
      require(projections.rebuild(tenant, name, "bench"), "rebuilding");
      wait_for_rebuild(projections, tenant, name);
    }
    const Usage used = Usage::now() - start;
    rates.push_back(events / used.wall_seconds);
    cpu_nanos.push_back(used.cpu_seconds * 1e9 / events);
  }
  const Spread rate = Spread::of(rates);
  const Spread cpu = Spread::of(cpu_nanos);
  const double bytes = static_cast<double>(status_of(projections, tenant, name).bytes_on_disk) / events;
  fmt::print("{:10}  {} k events/s  {} ns of processor time and {:.0f} bytes of state per event\n", name,
             rate.to_string(1e-3, 0), cpu.to_string(1, 0), bytes);
  std::fflush(stdout);
  report.add_result({{"kind", "rebuild"},
                     {"read_model", name},
                     {"events", histories.events()},
                     {"events_per_second", rate.to_json()},
                     {"cpu_nanos_per_event", cpu.to_json()},
                     {"state_bytes_per_event", bytes}});
  if (read_model.target_events_per_second > 0) {
    report.target(name + ": rebuild", rate.median / 1e3, true, read_model.target_events_per_second / 1e3, "k events/s",
                  0);
  }
  return true;
}

}  // namespace bahi::bench
