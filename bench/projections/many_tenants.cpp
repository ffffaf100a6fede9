#include "many_tenants.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <unistd.h>

#include <fmt/format.h>

#include "bahi/schemas/batch_builder.hpp"
#include "bahi/workload/random.hpp"
#include "histories.hpp"
#include "machine.hpp"
#include "scratch.hpp"

namespace bahi::bench {
namespace {

using projections::Projections;
using workload::Kind;

constexpr std::array<std::string_view, 4> kModels{"timelines", "stock", "payments", "audit"};
constexpr std::array<Kind, 4> kKinds{Kind::kChat, Kind::kPharmacy, Kind::kPayments, Kind::kAudit};
constexpr std::uint64_t kBatch = 20;
constexpr double kMemoryMiBMax = 512;

/// Of the process, in bytes.
std::uint64_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::uint64_t all = 0;
  std::uint64_t resident = 0;
  file >> all >> resident;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

/// The settings of a machine with little memory.
EngineOptions small_engine() {
  EngineOptions options;
  options.create_if_missing = true;
  options.write_buffer_bytes = std::size_t{16} << 20U;
  options.block_cache_bytes = std::size_t{32} << 20U;
  options.batch_cache_bytes = std::size_t{32} << 20U;
  options.condition_window_bytes = std::size_t{16} << 20U;
  options.stream_cache_entries_max = 200'000;
  options.index_delta_postings_max = 200'000;
  return options;
}
projections::ProjectionsOptions small_views() {
  projections::ProjectionsOptions options;
  options.write_buffer_bytes = std::size_t{16} << 20U;
  options.block_cache_bytes = std::size_t{32} << 20U;
  options.fold_memory_bytes = std::size_t{64} << 20U;
  return options;
}

std::unique_ptr<workload::History> small_history(Kind kind, std::uint64_t seed) {
  workload::HistoryOptions options;
  options.kind = kind;
  options.seed = seed;
  options.members = 1'000;
  options.rooms = 20;
  options.shops = 5;
  options.items = 200;
  options.customers = 1'000;
  options.administrators = 20;
  options.accounts = 1'000;
  return workload::make_history(options);
}

struct Tenant {
  TenantId id;
  std::unique_ptr<workload::History> history;
  std::uint64_t events = 0;
  std::atomic<std::uint64_t> slowest{0};  // nanoseconds from an append to the last read model that folded it
};

class Crowd {
 public:
  Crowd(const std::filesystem::path& directory, const ManyTenantsSettings& settings)
      : settings_(settings),
        engine_(require(Engine::open(directory / "store", small_engine()), "opening the store")),
        views_(require(Projections::open(directory / "views", *engine_, small_views()), "opening the views")),
        tenants_(settings.tenants) {
    for (std::size_t i = 0; i < tenants_.size(); ++i) {
      Tenant& tenant = tenants_[i];
      tenant.id = require(engine_->create_tenant(fmt::format("tenant-{:04}", i)), "creating a tenant");
      tenant.history = small_history(kKinds[i % kKinds.size()], settings.seed + i);
      for (const std::string_view model : kModels) {
        require(views_->start(tenant.id, model, "bench"), "starting a read model");
      }
    }
    begun_with_ = resident_bytes();
  }

  void run() {
    workload::Random random(settings_.seed);
    const std::uint64_t begin = now_nanos();
    const auto length = static_cast<std::uint64_t>(settings_.seconds * 1e9);
    std::uint64_t written = 0;
    for (std::uint64_t now = begin; now - begin < length; now = now_nanos()) {
      const auto due = static_cast<std::uint64_t>(static_cast<double>(now - begin) / 1e9 *
                                                  static_cast<double>(settings_.events_per_second));
      if (written >= due) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
        continue;
      }
      append(tenants_[random.below(2) == 0 ? 0 : random.below(tenants_.size())]);
      written += kBatch;
      if (written % (kBatch * 100) == 0) peak_ = std::max(peak_, resident_bytes());
    }
    seconds_ = static_cast<double>(now_nanos() - begin) / 1e9;
    for (std::uint64_t left = waiting_.load(); left != 0; left = waiting_.load()) waiting_.wait(left);
    peak_ = std::max(peak_, resident_bytes());
    written_ = written;
  }

  void tell(Report& report) {
    std::vector<std::uint64_t> slowest;
    for (const Tenant& tenant : tenants_) {
      if (tenant.events != 0) slowest.push_back(tenant.slowest.load());
    }
    std::sort(slowest.begin(), slowest.end());
    for (const auto& status : views_->list(std::nullopt)) {
      if (status.parked_at) fail(fmt::format("{} is parked: {}", status.name, status.parked_because));
      if (status.lag != 0) fail(fmt::format("{} is {} events behind at the end", status.name, status.lag));
    }
    const auto median = static_cast<double>(slowest[slowest.size() / 2]);
    const auto worst = static_cast<double>(slowest.back());
    const auto mib = [](std::uint64_t bytes) { return static_cast<double>(bytes) / (1U << 20U); };
    fmt::print(
        "{} tenants with {} read models each: {:.0f} events/s appended; from append to folded by all four {}; the "
        "slowest of a tenant: median tenant {}, worst {}\nmemory of the whole process: {:.0f} MiB before, {:.0f} MiB "
        "at most\n",
        tenants_.size(), kModels.size(), static_cast<double>(written_) / seconds_, format_latency(latency_),
        format_nanos(median), format_nanos(worst), mib(begun_with_), mib(peak_));
    report.add_result({{"kind", "many_tenants"},
                       {"tenants", tenants_.size()},
                       {"events_per_second", static_cast<double>(written_) / seconds_},
                       {"latency", latency_json(latency_)},
                       {"slowest_of_median_tenant_nanos", median},
                       {"slowest_of_worst_tenant_nanos", worst},
                       {"resident_bytes_at_start", begun_with_},
                       {"resident_bytes_max", peak_}});
    report.target(fmt::format("{} tenants: memory", tenants_.size()), mib(peak_), false, kMemoryMiBMax, "MiB", 0);
  }

 private:
  void append(Tenant& tenant) {
    BatchBuilder builder({Codec::kLz4, 1});
    NewEvent event;
    for (std::uint64_t i = 0; i < kBatch; ++i) {
      tenant.history->next(event);
      require(builder.add(event), "building a batch");
    }
    AppendRequest request;
    request.tenant = tenant.id;
    request.body = require(builder.finish(), "building a batch");
    const AppendResult result = require(engine_->append(std::move(request)), "appending");
    tenant.events += kBatch;
    const std::uint64_t appended = now_nanos();
    auto left = std::make_shared<std::atomic<std::size_t>>(kModels.size());
    ++waiting_;
    for (const std::string_view model : kModels) {
      (void)views_->notify_at(tenant.id, model, result.first_offset + kBatch, [this, &tenant, appended, left] {
        if (--*left == 0) folded(tenant, now_nanos() - appended);
      });
    }
  }

  void folded(Tenant& tenant, std::uint64_t nanos) {
    latency_.record(nanos);
    std::uint64_t slowest = tenant.slowest.load();
    while (nanos > slowest && !tenant.slowest.compare_exchange_weak(slowest, nanos)) {
    }
    if (--waiting_ == 0) waiting_.notify_all();
  }

  const ManyTenantsSettings settings_;
  const std::unique_ptr<Engine> engine_;
  std::atomic<std::uint64_t> waiting_{0};
  Histogram latency_;
  const std::unique_ptr<Projections> views_;
  std::vector<Tenant> tenants_;
  std::uint64_t begun_with_ = 0;
  std::uint64_t peak_ = 0;
  std::uint64_t written_ = 0;
  double seconds_ = 0;
};

}  // namespace

void run_many_tenants(const std::filesystem::path& directory, const ManyTenantsSettings& settings, Report& report) {
  Crowd crowd(directory, settings);
  crowd.run();
  crowd.tell(report);
  std::fflush(stdout);
}

}  // namespace bahi::bench
