#include "fold_crash_child.hpp"

#include <chrono>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>

#include "bahi/engine/engine.hpp"
#include "bahi/projections/projections.hpp"
#include "bahi/schemas/batch_builder.hpp"
#include "workload.hpp"

namespace bahi::faults {
namespace {

using std::chrono::milliseconds;

constexpr std::uint64_t kBatchEventsMax = 400;

/// Ends the process with what went wrong: here that is a finding, not a fault.
template <class T>
T must(Result<T> result, std::string_view what) {
  if (!result) {
    fmt::print(stderr, "{}: {}\n", what, result.error().to_string());
    std::_Exit(4);  // other threads are at work
  }
  return std::move(*result);
}

/// Writes one tenant's history, batch by batch.
class Writer {
 public:
  Writer(Engine& engine, const FoldTenant& tenant)
      : engine_(engine), projections_{tenant.projection, "activity", "audit"} {
    const auto found = engine.find_tenant(tenant.name);
    tenant_ = found ? *found : must(engine.create_tenant(tenant.name), "creating a tenant");
    workload::HistoryOptions options;
    options.kind = tenant.kind;
    options.members = 500;
    options.shops = 5;
    options.items = 50;
    options.customers = 300;
    options.accounts = 300;
    history_ = workload::make_history(options);
    NewEvent event;
    for (written_ = 0; written_ < engine.durable_offset(tenant_).value; ++written_) history_->next(event);
  }
  [[nodiscard]] TenantId tenant() const { return tenant_; }
  [[nodiscard]] std::string_view any_projection(Random& random) const {
    return projections_.at(random.below(projections_.size()));
  }
  [[nodiscard]] bool done() const { return written_ >= kFoldEventsMax; }
  void write(std::uint64_t count) {
    BatchBuilder builder;
    NewEvent event;
    for (std::uint64_t i = 0; i < count; ++i, ++written_) {
      history_->next(event);
      if (const Status added = builder.add(event); !added) must(Result<int>(added.error()), "building a batch");
    }
    AppendRequest request;
    request.tenant = tenant_;
    request.body = must(builder.finish(), "building a batch");
    must(engine_.append(std::move(request)), "appending");
  }

 private:
  Engine& engine_;
  const std::array<std::string_view, 3> projections_;
  TenantId tenant_;
  std::unique_ptr<workload::History> history_;
  std::uint64_t written_ = 0;
};

void act(projections::Projections& views, TenantId tenant, std::string_view projection, Random& random) {
  const auto accepted = [](const Status& status) {
    if (!status && status.error().code() != ErrorCode::kProjectionExists)
      must(Result<int>(status.error()), "an act of care");
  };
  accepted(views.start(tenant, projection, "crash"));
  if (random.one_in(3)) accepted(views.rebuild(tenant, projection, "crash"));  // which may be under way already
}

/// Takes, deletes and uses snapshots, as a server does of itself and its operators.
void look_back(projections::Projections& views, const Engine& engine, TenantId tenant, Random& random) {
  if (random.one_in(12)) must(views.take_snapshot(), "taking a snapshot");
  const auto all = views.snapshots();
  if (!all.empty() && random.one_in(25)) {
    const Status removed = views.delete_snapshot(all[random.below(all.size())].id);
    if (!removed && removed.error().code() != ErrorCode::kUnknownSnapshot) {
      must(Result<int>(removed.error()), "deleting a snapshot");
    }
  }
  if (!random.one_in(6)) return;
  projections::QueryRequest request{tenant, "activity", "types", "", {}};
  request.at_offset = Offset{random.below(engine.durable_offset(tenant).value + 1)};
  const auto answer = views.query(request);
  if (!answer && answer.error().code() != ErrorCode::kUnknownProjection) must(answer, "a question about the past");
}

}  // namespace

std::filesystem::path log_of(const std::filesystem::path& directory) {
  return directory / "log";
}
std::filesystem::path views_of(const std::filesystem::path& directory) {
  return directory / "views";
}
std::filesystem::path snapshots_of(const std::filesystem::path& directory) {
  return directory / "snapshots";
}
std::filesystem::path past_of(const std::filesystem::path& directory) {
  return directory / "as-of";
}

int run_folder(const FolderOptions& options) {
  Random random(options.seed);
  EngineOptions settings;
  settings.create_if_missing = true;
  settings.write_buffer_bytes = std::size_t{4} << 20U;
  settings.reserve_bytes = 0;
  settings.free_bytes_min = 0;
  const auto engine = must(Engine::open(log_of(options.directory), settings), "opening the store");
  std::vector<Writer> writers;
  writers.reserve(kFoldTenants.size());
  for (const FoldTenant& tenant : kFoldTenants) writers.emplace_back(*engine, tenant);
  projections::ProjectionsOptions view_settings;
  // Small, so that what was folded live reaches the disk now and then: a kill loses the rest.
  view_settings.write_buffer_bytes = std::size_t{256} << 10U;
  // They come and go all the time.
  view_settings.snapshot_events = 2'000;
  view_settings.snapshot_pause = {};
  view_settings.retention.all_for = view_settings.retention.minutely_for = std::chrono::seconds(-1);
  view_settings.as_of_states_max = 2;
  // Now and then folds keep nothing between their turns.
  if (random.one_in(4)) view_settings.fold_memory_bytes = 0;
  const auto views =
      must(projections::Projections::open(views_of(options.directory), *engine, view_settings), "opening the views");

  const auto end = std::chrono::steady_clock::now() + milliseconds(options.run_ms);
  while (options.run_ms == 0 || std::chrono::steady_clock::now() < end) {
    Writer& writer = writers[random.below(writers.size())];
    if (!writer.done()) writer.write(random.between(1, kBatchEventsMax));
    act(*views, writer.tenant(), writer.any_projection(random), random);
    look_back(*views, *engine, writer.tenant(), random);
    if (writer.done() || random.one_in(8)) std::this_thread::sleep_for(milliseconds(random.between(1, 20)));
  }
  views->close();
  return 0;
}

}  // namespace bahi::faults
