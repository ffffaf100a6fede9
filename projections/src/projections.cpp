#include "projections_impl.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "answer.hpp"
#include "arguments.hpp"
#include "open_views.hpp"

namespace bahi::projections {
namespace {

std::string fact_key(InstanceId instance) {
  std::string key;
  bytes::put_be32(key, instance.value);
  return key;
}

std::string names_of(auto&& named) {
  std::string names;
  for (const auto& each : named) {
    if (!names.empty()) names += ", ";
    names += each.name;
  }
  return names.empty() ? "none" : names;
}

Result<const Projection*> known_projection(std::string_view name) {
  if (const Projection* projection = find_projection(name)) return projection;
  return Error{ErrorCode::kUnknownProjection,
               fmt::format("there is no projection '{}'; there are: {}", name, names_of(all_projections()))};
}

Status check_replay_name(std::string_view name) {
  const auto allowed = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_'; };
  if (!name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), allowed)) return {};
  return Error{ErrorCode::kInvalidArgument, "name: a replay's name is 1 to 64 characters of a-z, 0-9, '_' and '-'"};
}

/// Error: kRefused when `doing` would let a projection stop that must not.
Status check_may_stop(const Projection& projection, std::string_view name, std::string_view doing) {
  if (!projection.permanent || name != projection.name) return {};
  return Error{ErrorCode::kRefused,
               fmt::format("'{}' cannot be told to {}: once started it stays and leaves nothing out; 'rebuild' and "
                           "'retry' are possible",
                           name, doing)};
}

}  // namespace

Result<Projections::Impl::Parts> Projections::Impl::open_parts(const std::filesystem::path& directory,
                                                               const Engine& engine,
                                                               const ProjectionsOptions& options) {
  const std::filesystem::path home = std::filesystem::absolute(directory).parent_path();
  Parts parts;
  BAHI_ASSIGN(parts.snapshots, snapshots::SnapshotSet::open(home / "snapshots", options.log));
  ViewStore::Options settings;
  settings.write_buffer_bytes = options.write_buffer_bytes;
  settings.block_cache_bytes = options.block_cache_bytes;
  BAHI_ASSIGN(parts.store, open_views(directory, settings, *parts.snapshots, options.log));
  AsOf::Settings past{home / "as-of", options.as_of_states_max, options.as_of_bytes_max, options.as_of_folds_max};
  BAHI_ASSIGN(parts.as_of, AsOf::open(engine, *parts.snapshots, std::move(past)));
  return parts;
}

Projections::Impl::Impl(Engine& engine, ProjectionsOptions options, Parts parts)
    : engine_(engine),
      options_(std::move(options)),
      snapshots_(std::move(parts.snapshots)),
      store_(std::move(parts.store)),
      as_of_(std::move(parts.as_of)),
      memory_(options_.fold_memory_bytes) {
  scheduler_ = std::make_unique<FoldScheduler>(
      engine_, options_.fold_threads,
      [this](const std::shared_ptr<Instance>& instance) { return caught_up(instance); });
  workers_ = std::make_unique<WorkerPool>(options_.command_threads, "bahi-command");
  dropper_ = std::make_unique<WorkerPool>(1, "bahi-drop");
}

Projections::Impl::~Impl() {
  close();
}

void Projections::Impl::close() {
  closing_ = true;
  if (snapshot_keeper_) snapshot_keeper_->stop();
  as_of_->cancel();
  scheduler_->stop();
  {
    const std::shared_lock lock(slots_mutex_);
    for (const auto& [key, slot] : slots_) {
      for (const auto& instance : {slot.serving, slot.building}) {
        if (instance) instance->stop();
      }
    }
  }
  // Appends of commands are answered by the engine; then nothing refers to this any more.
  for (std::size_t left = commands_.load(); left != 0; left = commands_.load()) commands_.wait(left);
  workers_->stop();
  dropper_->stop();
  if (const Status flushed = store_->flush(); !flushed) log(LogLevel::kWarning, flushed.error().to_string());
}

// --- coming up

Status Projections::Impl::load() {
  BAHI_ASSIGN(const WantedProjections wanted, read_acts(engine_));
  BAHI_ASSIGN(const auto facts, store_->facts());
  std::vector<InstanceFact> known;
  std::vector<InstanceId> living;
  for (const auto& [key, row] : facts) {
    InstanceFact fact;
    if (!decode_row(row, fact)) continue;  // of another version of this program
    known.push_back(fact);
    living.push_back(fact.id);
  }
  store_->keep_instances(living);
  for (const InstanceFact& fact : known) BAHI_TRY(resume_instance(fact, wanted));
  for (const auto& [key, skipped] : wanted) {
    const auto& [tenant, name] = key;
    Slot& slot = slots_[key];
    slot.skipped = skipped;
    const Projection* projection = find_projection(name);
    if (slot.serving || projection == nullptr) continue;
    InstanceFact fact;
    fact.tenant = tenant;
    fact.name = fact.projection = name;
    BAHI_ASSIGN(slot.serving, add_instance(std::move(fact), *projection, skipped));
  }
  std::erase_if(slots_, [](const auto& entry) { return !entry.second.serving; });
  for (const auto& [key, slot] : slots_) {
    for (const auto& instance : {slot.serving, slot.building}) {
      if (instance) scheduler_->add(instance);
    }
  }
  const SnapshotKeeper::Schedule schedule{options_.snapshot_events, options_.snapshot_interval,
                                          options_.snapshot_pause};
  const auto take = [this]() -> Status {
    BAHI_TRY(take_snapshot());
    return {};
  };
  snapshot_keeper_ = std::make_unique<SnapshotKeeper>(
      schedule, [this] { return folded_events(); }, take, options_.log);
  return {};
}

/// Takes up an instance of the last time, if it is still wanted and of this version; else its space is given back.
Status Projections::Impl::resume_instance(const InstanceFact& fact, const WantedProjections& wanted) {
  const Projection* projection = find_projection(fact.projection);
  const auto want = wanted.find({fact.tenant, fact.projection});
  const bool is_replay = fact.name != fact.projection;
  if (projection != nullptr && projection->version == fact.version && want != wanted.end()) {
    auto instance = std::make_shared<Instance>(engine_, *store_, memory_, *projection, fact, want->second);
    const Result<bool> resumed = instance->resume();
    if (resumed && *resumed) {
      Slot& slot = slots_[{fact.tenant, fact.name}];
      auto& place = fact.building && !is_replay ? slot.building : slot.serving;
      // Facts come in the order in which instances were added: this one took the other's place before the last end.
      if (place) drop_later(place);
      place = std::move(instance);
      return {};
    }
    log(LogLevel::kWarning, fmt::format("projection '{}' of tenant {} is built anew: {}", fact.name, fact.tenant.value,
                                        resumed ? "its state is not of this log" : resumed.error().to_string()));
  }
  BAHI_TRY(store_->erase_fact(fact_key(fact.id)));
  return store_->drop({fact.id});
}

Result<std::shared_ptr<Instance>> Projections::Impl::add_instance(InstanceFact fact, const Projection& projection,
                                                                  const std::set<std::uint64_t>& skipped) {
  fact.id = store_->add_instance();
  fact.version = projection.version;
  BAHI_TRY(write_fact(fact));
  return std::make_shared<Instance>(engine_, *store_, memory_, projection, std::move(fact), skipped);
}

Status Projections::Impl::write_fact(const InstanceFact& fact) {
  std::string row;
  encode_row(fact, row);
  return store_->put_fact(fact_key(fact.id), row);
}

Status Projections::Impl::drop_instances(const std::vector<std::shared_ptr<Instance>>& instances) {
  std::vector<InstanceId> ids;
  for (const auto& instance : instances) {
    scheduler_->remove(instance);
    BAHI_TRY(store_->erase_fact(fact_key(instance->fact().id)));
    ids.push_back(instance->fact().id);
  }
  return store_->drop(ids);
}

void Projections::Impl::drop_later(std::shared_ptr<Instance> instance) {
  {
    const std::scoped_lock lock(superseded_mutex_);
    superseded_.push_back(std::move(instance));
  }
  dropper_->post([this] {
    if (closing_) return;
    std::vector<std::shared_ptr<Instance>> instances;
    {
      const std::scoped_lock lock(superseded_mutex_);
      instances.swap(superseded_);
    }
    if (const Status dropped = drop_instances(instances); !dropped) {
      log(LogLevel::kWarning, dropped.error().to_string());
    }
  });
}

/// On a fold thread. False: the instance has nothing left to do.
bool Projections::Impl::caught_up(const std::shared_ptr<Instance>& instance) {
  if (!instance->fact().kept) {
    InstanceFact fact = instance->fact();
    fact.kept = true;
    fact.building = false;
    if (const Status written = write_fact(fact); !written) {
      log(LogLevel::kError, written.error().to_string());
      return true;  // is built on, and tried again when it has caught up the next time
    }
    instance->keep();
  }
  take_over(instance);
  return true;
}

void Projections::Impl::take_over(const std::shared_ptr<Instance>& instance) {
  std::shared_ptr<Instance> old;
  {
    const std::unique_lock lock(slots_mutex_);
    const auto found = slots_.find({instance->fact().tenant, instance->fact().name});
    if (found == slots_.end() || found->second.building != instance) return;
    old = std::exchange(found->second.serving, std::exchange(found->second.building, nullptr));
  }
  drop_later(std::move(old));  // not here: it may be running on the thread that would wait for it
}

// --- care

Error Projections::Impl::unknown(TenantId tenant, std::string_view name) const {
  std::string names;
  for (const auto& [key, slot] : slots_) {
    if (key.first != tenant) continue;
    if (!names.empty()) names += ", ";
    names += key.second;
  }
  return {ErrorCode::kUnknownProjection,
          fmt::format("the tenant has no projection '{}'; it has: {}", name, names.empty() ? "none" : names)};
}

Status Projections::Impl::start(TenantId tenant, std::string_view name, std::string_view actor) {
  BAHI_ASSIGN(const Projection* projection, known_projection(name));
  const std::scoped_lock care(care_mutex_);
  {
    const std::shared_lock lock(slots_mutex_);
    if (slots_.contains({tenant, std::string(name)})) {
      return Error{ErrorCode::kProjectionExists, fmt::format("the tenant has the projection '{}' already", name)};
    }
  }
  BAHI_TRY(record_act(engine_, ProjectionAct::kStarted, tenant, name, actor));
  InstanceFact fact;
  fact.tenant = tenant;
  fact.name = fact.projection = name;
  BAHI_ASSIGN(auto instance, add_instance(std::move(fact), *projection, {}));
  {
    const std::unique_lock lock(slots_mutex_);
    slots_[{tenant, std::string(name)}].serving = instance;
  }
  scheduler_->add(instance);
  return {};
}

Status Projections::Impl::drop(TenantId tenant, std::string_view name, std::string_view actor) {
  const std::scoped_lock care(care_mutex_);
  Slot slot;
  {
    const std::shared_lock lock(slots_mutex_);
    const auto found = slots_.find({tenant, std::string(name)});
    if (found == slots_.end()) return unknown(tenant, name);
    BAHI_TRY(check_may_stop(found->second.serving->projection(), name, "end"));
  }
  BAHI_TRY(record_act(engine_, ProjectionAct::kDropped, tenant, name, actor));
  {
    const std::unique_lock lock(slots_mutex_);
    const auto found = slots_.find({tenant, std::string(name)});
    slot = std::move(found->second);
    slots_.erase(found);
  }
  std::vector<std::shared_ptr<Instance>> instances;
  for (const auto& instance : {slot.serving, slot.building}) {
    if (instance) instances.push_back(instance);
  }
  return drop_instances(instances);
}

Status Projections::Impl::rebuild(TenantId tenant, std::string_view name, std::string_view actor) {
  const std::scoped_lock care(care_mutex_);
  BAHI_ASSIGN(const auto old, serving(tenant, name));
  if (old->fact().name != old->fact().projection) {
    return Error{ErrorCode::kInvalidArgument, fmt::format("'{}' is a replay; drop it and replay again", name)};
  }
  std::set<std::uint64_t> skipped;
  {
    const std::shared_lock lock(slots_mutex_);
    const Slot& slot = slots_.at({tenant, std::string(name)});
    if (slot.building) {
      return Error{ErrorCode::kProjectionExists, fmt::format("the projection '{}' is being rebuilt already", name)};
    }
    skipped = slot.skipped;
  }
  BAHI_TRY(record_act(engine_, ProjectionAct::kRebuilt, tenant, name, actor));
  InstanceFact fact;
  fact.tenant = tenant;
  fact.name = fact.projection = name;
  fact.building = true;
  BAHI_ASSIGN(auto instance, add_instance(std::move(fact), old->projection(), skipped));
  {
    const std::unique_lock lock(slots_mutex_);
    slots_.at({tenant, std::string(name)}).building = instance;
  }
  scheduler_->add(instance);
  return {};
}

Status Projections::Impl::replay(TenantId tenant, std::string_view name, std::string_view replay_name, Offset from,
                                 Offset to, std::string_view actor) {
  BAHI_TRY(check_replay_name(replay_name));
  const std::scoped_lock care(care_mutex_);
  BAHI_ASSIGN(const auto live, serving(tenant, name));
  const Offset durable = engine_.durable_offset(tenant);
  if (to > durable) to = durable;
  if (from >= to) {
    return Error{ErrorCode::kOffsetOutOfRange,
                 fmt::format("from: offset {} is not below {}, the end of the range", from.value, to.value)};
  }
  InstanceFact fact;
  fact.tenant = tenant;
  fact.projection = live->fact().projection;
  fact.name = fmt::format("{}@{}", fact.projection, replay_name);
  fact.from = from;
  fact.to = to;
  const SlotKey key{tenant, fact.name};
  std::set<std::uint64_t> skipped;
  {
    const std::shared_lock lock(slots_mutex_);
    if (slots_.contains(key)) {
      return Error{ErrorCode::kProjectionExists,
                   fmt::format("there is a replay '{}' already; drop it first", fact.name)};
    }
    skipped = slots_.at({tenant, fact.projection}).skipped;
  }
  BAHI_TRY(record_act(engine_, ProjectionAct::kReplayed, tenant, fact.name, actor, from));
  BAHI_ASSIGN(auto instance, add_instance(std::move(fact), live->projection(), skipped));
  {
    const std::unique_lock lock(slots_mutex_);
    slots_[key].serving = instance;
  }
  scheduler_->add(instance);
  return {};
}

Status Projections::Impl::unpark(TenantId tenant, std::string_view name, bool skip, std::string_view actor) {
  const std::scoped_lock care(care_mutex_);
  std::vector<std::shared_ptr<Instance>> parked;
  {
    const std::shared_lock lock(slots_mutex_);
    const auto found = slots_.find({tenant, std::string(name)});
    if (found == slots_.end()) return unknown(tenant, name);
    if (skip) BAHI_TRY(check_may_stop(found->second.serving->projection(), name, "pass over an event"));
    for (const auto& instance : {found->second.serving, found->second.building}) {
      if (instance && instance->status().parked_at) parked.push_back(instance);
    }
  }
  if (parked.empty()) return Error{ErrorCode::kInvalidArgument, fmt::format("the projection '{}' is not parked", name)};
  for (const auto& instance : parked) {
    const Offset offset = *instance->status().parked_at;
    BAHI_TRY(
        record_act(engine_, skip ? ProjectionAct::kSkipped : ProjectionAct::kRetried, tenant, name, actor, offset));
    BAHI_TRY(instance->unpark(skip));
    if (skip) {
      const std::unique_lock lock(slots_mutex_);
      slots_.at({tenant, std::string(name)}).skipped.insert(offset.value);
    }
    scheduler_->add(instance);
  }
  return {};
}

// --- looking

void Projections::Impl::measure(Slot& slot, ProjectionStatus& status) const {
  const std::scoped_lock lock(measure_mutex_);
  const auto now = std::chrono::steady_clock::now();
  const std::chrono::duration<double> passed = now - slot.measured_at;
  if (passed.count() > 1 || slot.measured_at == std::chrono::steady_clock::time_point()) {
    const bool first = slot.measured_at == std::chrono::steady_clock::time_point();
    slot.events_per_second = first ? 0 : static_cast<double>(status.next.value - slot.measured_next) / passed.count();
    slot.measured_at = now;
    slot.measured_next = status.next.value;
  }
  status.events_per_second = slot.events_per_second;
}

std::vector<ProjectionStatus> Projections::Impl::list(std::optional<TenantId> tenant) const {
  std::vector<ProjectionStatus> all;
  const std::shared_lock lock(slots_mutex_);
  for (auto& [key, slot] : slots_) {
    if (tenant && key.first != *tenant) continue;
    ProjectionStatus status = slot.serving->status();
    status.bytes_on_disk = store_->bytes_on_disk(slot.serving->fact().id);
    measure(slot, status);
    if (slot.building) {
      const ProjectionStatus next = slot.building->status();
      if (status.state != ProjectionState::kParked) status.state = ProjectionState::kRebuilding;
      status.rebuilt_to = next.next;
      if (next.parked_at && !status.parked_at) {
        status.state = ProjectionState::kParked;
        status.parked_at = next.parked_at;
        status.parked_because = "while it was rebuilt: " + next.parked_because;
      }
    }
    all.push_back(std::move(status));
  }
  return all;
}

Result<std::shared_ptr<Instance>> Projections::Impl::serving(TenantId tenant, std::string_view name) const {
  const std::shared_lock lock(slots_mutex_);
  const auto found = slots_.find({tenant, std::string(name)});
  if (found == slots_.end()) return unknown(tenant, name);
  return found->second.serving;
}

Result<QueryAnswer> Projections::Impl::query(const QueryRequest& request) const {
  BAHI_ASSIGN(const auto instance, serving(request.tenant, request.projection));
  const auto& queries = instance->projection().queries;
  const auto entry =
      std::find_if(queries.begin(), queries.end(), [&](const QueryEntry& each) { return each.name == request.query; });
  if (entry == queries.end()) {
    return Error{ErrorCode::kUnknownQuery, fmt::format("'{}' has no query '{}'; it has: {}", request.projection,
                                                       request.query, names_of(queries))};
  }
  if (request.at_offset || request.at_time) return query_as_of(request, *instance, *entry);
  if (request.trace_to) return Error{ErrorCode::kInvalidArgument, "trace_to: say where it begins with at_offset"};
  BAHI_ASSIGN(Arguments arguments, Arguments::parse(request.arguments));
  const auto view = store_->view(instance->fact().id);
  BAHI_ASSIGN(const Checkpoint checkpoint, view->checkpoint());
  const Offset offset = std::max(checkpoint.next, instance->fact().from);
  if (offset < request.min_offset) {
    const ProjectionStatus status = instance->status();
    if (status.parked_at) {
      return Error{ErrorCode::kProjectionParked, fmt::format("'{}' stands at offset {}: {}", request.projection,
                                                             status.parked_at->value, status.parked_because)};
    }
    return Error{ErrorCode::kProjectionBehind, fmt::format("'{}' has folded up to offset {}, not yet to {}",
                                                           request.projection, offset.value, request.min_offset.value)};
  }
  Answer answer;
  BAHI_TRY(entry->run({engine_, request.tenant, *view, offset}, arguments, answer));
  return QueryAnswer{offset, answer.finish()};
}

std::function<void()> Projections::Impl::notify_at(TenantId tenant, std::string_view name, Offset offset,
                                                   std::function<void()> notify) {
  const auto instance = serving(tenant, name);
  if (!instance) {
    notify();
    return [] {};
  }
  const std::uint64_t handle = (*instance)->notify_at(offset, std::move(notify));
  return [weak = std::weak_ptr<Instance>(*instance), handle] {
    if (const auto strong = weak.lock()) strong->cancel_notify(handle);
  };
}

Result<Hash128> Projections::Impl::fingerprint(TenantId tenant, std::string_view name) const {
  BAHI_ASSIGN(const auto instance, serving(tenant, name));
  return store_->fingerprint(instance->fact().id);
}

// --- the public face

Projections::Projections(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Projections::~Projections() = default;

Result<std::unique_ptr<Projections>> Projections::open(const std::filesystem::path& directory, Engine& engine,
                                                       ProjectionsOptions options) {
  BAHI_ASSIGN(auto parts, Impl::open_parts(directory, engine, options));
  std::unique_ptr<Projections> projections(
      new Projections(std::make_unique<Impl>(engine, std::move(options), std::move(parts))));
  BAHI_TRY(projections->impl_->load());
  return projections;
}

void Projections::close() {
  impl_->close();
}
Status Projections::start(TenantId tenant, std::string_view projection, std::string_view actor) {
  return impl_->start(tenant, projection, actor);
}
Status Projections::drop(TenantId tenant, std::string_view name, std::string_view actor) {
  return impl_->drop(tenant, name, actor);
}
Status Projections::rebuild(TenantId tenant, std::string_view projection, std::string_view actor) {
  return impl_->rebuild(tenant, projection, actor);
}
Status Projections::replay(TenantId tenant, std::string_view projection, std::string_view name, Offset from, Offset to,
                           std::string_view actor) {
  return impl_->replay(tenant, projection, name, from, to, actor);
}
Status Projections::skip(TenantId tenant, std::string_view projection, std::string_view actor) {
  return impl_->unpark(tenant, projection, true, actor);
}
Status Projections::retry(TenantId tenant, std::string_view projection, std::string_view actor) {
  return impl_->unpark(tenant, projection, false, actor);
}
std::vector<ProjectionStatus> Projections::list(std::optional<TenantId> tenant) const {
  return impl_->list(tenant);
}
Result<Hash128> Projections::fingerprint(TenantId tenant, std::string_view name) const {
  return impl_->fingerprint(tenant, name);
}
Result<QueryAnswer> Projections::query(const QueryRequest& request) const {
  return impl_->query(request);
}
std::function<void()> Projections::notify_at(TenantId tenant, std::string_view name, Offset offset,
                                             std::function<void()> notify) {
  return impl_->notify_at(tenant, name, offset, std::move(notify));
}
void Projections::end_past_questions() {
  impl_->end_past_questions();
}
Result<snapshots::Snapshot> Projections::take_snapshot() {
  return impl_->take_snapshot();
}
std::vector<snapshots::Snapshot> Projections::snapshots() const {
  return impl_->snapshots().list();
}
Status Projections::delete_snapshot(std::uint64_t id) {
  return impl_->snapshots().remove(id);
}
void Projections::command(CommandRequest request, CommandCallback done) {
  impl_->command(std::move(request), std::move(done));
}

}  // namespace bahi::projections
