#include "bahi/engine/engine.hpp"

#include <charconv>
#include <future>

#include <fmt/format.h>

#include "engine_impl.hpp"

namespace bahi {
namespace {

constexpr std::string_view kSystemTenantName = "system";
constexpr std::string_view kTenantCreated = "bahi.tenant-created";
constexpr std::size_t kTenantNameBytesMax = 64;
/// A reader that wants more than this is reading the log, not a part of it.
constexpr std::size_t kPartBytesMax = std::size_t{512} << 10U;

Status check_tenant_name(std::string_view name) {
  const auto allowed = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-'; };
  const bool good = !name.empty() && name.size() <= kTenantNameBytesMax && name.front() >= 'a' && name.front() <= 'z' &&
                    std::all_of(name.begin(), name.end(), allowed) && name != kSystemTenantName;
  if (good) return {};
  return Error{ErrorCode::kInvalidTenantName,
               fmt::format("tenant name: '{}' is not 1 to {} characters of a-z, 0-9, '_' and '-' beginning with a letter{}",
                           name.substr(0, kTenantNameBytesMax), kTenantNameBytesMax,
                           name == kSystemTenantName ? "; 'system' is reserved" : "")};
}

}  // namespace

Engine::Impl::Impl(EngineOptions options) : options_(std::move(options)), heads_(options_.stream_cache_entries_max) {}
Engine::Impl::~Impl() { (void)close(); }

Engine::Engine(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Engine::~Engine() = default;
Status Engine::close() { return impl_->close(); }

Result<std::unique_ptr<Engine>> Engine::open(const std::filesystem::path& directory, EngineOptions options) {
  auto impl = std::make_unique<Impl>(std::move(options));
  BAHI_TRY(impl->open_directory(directory));
  return std::unique_ptr<Engine>(new Engine(std::move(impl)));
}

Result<std::unique_ptr<Engine>> Engine::open(std::unique_ptr<LogStore> store, EngineOptions options) {
  auto impl = std::make_unique<Impl>(std::move(options));
  BAHI_TRY(impl->open_store(std::move(store)));
  return std::unique_ptr<Engine>(new Engine(std::move(impl)));
}

Result<RecoverReport> Engine::recover(const std::filesystem::path& directory, const RecoverOptions& options) {
  return Impl(options.engine).recover(directory, options);
}

// --- tenants

TenantState& Engine::Impl::state(TenantId tenant) const {
  const std::shared_lock lock(tenants_mutex_);
  return *states_.at(tenant.value);
}

Result<TenantState*> Engine::Impl::find_state(TenantId tenant) const {
  const std::shared_lock lock(tenants_mutex_);
  if (tenant.value < states_.size()) return states_[tenant.value].get();
  return Error{ErrorCode::kUnknownTenant, fmt::format("tenant {}: there is no tenant of this number", tenant.value)};
}

Status Engine::Impl::load_tenant_names() {
  TenantState& system = state(kSystemTenant);
  BAHI_ASSIGN(const Offset end, readable_end(system));
  ReadRequest request;
  request.tenant = kSystemTenant;
  request.filter.category = std::string(kTenantCategory);
  BAHI_ASSIGN(const auto cursor, reader_->events(std::move(request), end));
  std::map<std::string, TenantId, std::less<>> names{{std::string(kSystemTenantName), kSystemTenant}};
  std::vector<std::pair<std::string, TenantId>> created;
  EventView event;
  for (;;) {
    BAHI_ASSIGN(const bool more, cursor->next(event));
    if (!more) break;
    if (event.type != kTenantCreated) continue;
    TenantId id;
    const char* last = event.data.data() + event.data.size();
    if (std::from_chars(event.data.data(), last, id.value).ptr != last || event.data.empty()) {
      return Error{ErrorCode::kCorruptLog, fmt::format("the tenant created at offset {} has no number", event.offset.value)};
    }
    const std::string name(event.stream.substr(kTenantCategory.size() + 1));
    names.emplace(name, id);
    created.emplace_back(name, id);
  }
  for (const auto& [name, id] : created) {
    if (id.value >= states_.size()) ensure_states(id.value + 1);
  }
  const std::unique_lock lock(tenants_mutex_);
  names_ = std::move(names);
  created_ = std::move(created);
  return {};
}

Result<TenantId> Engine::Impl::create_tenant(std::string_view name) {
  BAHI_TRY(check_tenant_name(name));
  if (!pipeline_) return Error{ErrorCode::kReadOnly, "the store is open read-only"};
  const std::scoped_lock creating(create_mutex_);
  TenantId id;
  {
    const std::shared_lock lock(tenants_mutex_);
    if (names_.contains(name)) {
      return Error{ErrorCode::kTenantExists, fmt::format("tenant '{}' exists already", name)};
    }
    id.value = static_cast<std::uint32_t>(states_.size());
  }
  if (anchor_) BAHI_TRY(anchor_->ensure_tenants(id.value + 1));
  ensure_states(id.value + 1);
  const std::string stream = fmt::format("{}-{}", kTenantCategory, name);
  const std::string data = std::to_string(id.value);
  BatchBuilder builder({Codec::kNone, 0});
  NewEvent event;
  event.stream = stream;
  event.type = kTenantCreated;
  event.data = data;
  event.occurred_at = options_.clock->now();
  BAHI_TRY(builder.add(event));
  AppendRequest request;
  request.tenant = kSystemTenant;
  BAHI_ASSIGN(request.body, builder.finish());
  request.expectations.push_back({stream, ExpectedVersion::no_stream()});
  std::promise<Result<AppendResult>> answer;
  pipeline_->submit(state(kSystemTenant), std::move(request),
                    [&answer](Result<AppendResult> result) { answer.set_value(std::move(result)); });
  BAHI_TRY(answer.get_future().get());
  const std::unique_lock lock(tenants_mutex_);
  names_.emplace(name, id);
  created_.emplace_back(name, id);
  return id;
}

Result<TenantId> Engine::create_tenant(std::string_view name) { return impl_->create_tenant(name); }

Result<TenantId> Engine::find_tenant(std::string_view name) const {
  const std::shared_lock lock(impl_->tenants_mutex_);
  const auto found = impl_->names_.find(name);
  if (found != impl_->names_.end()) return found->second;
  return Error{ErrorCode::kUnknownTenant,
               fmt::format("tenant '{}' does not exist; `bahi tenant list` shows those that do", name)};
}

std::vector<TenantInfo> Engine::tenants() const {
  const std::shared_lock lock(impl_->tenants_mutex_);
  std::vector<TenantInfo> infos;
  for (const auto& [name, id] : impl_->created_) {
    infos.push_back({id, name, {impl_->states_.at(id.value)->durable.load(std::memory_order_acquire)}});
  }
  return infos;
}

// --- writing

void Engine::submit(AppendRequest request, AppendCallback done, std::shared_ptr<AnswerWaker> waker) {
  const auto refuse = [&](const Error& error) {
    done(error);
    if (waker) waker->wake();
  };
  if (!impl_->pipeline_) return refuse({ErrorCode::kReadOnly, "the store is open read-only; nothing was stored"});
  const auto tenant = impl_->find_state(request.tenant);
  if (!tenant) return refuse(tenant.error());
  impl_->pipeline_->submit(**tenant, std::move(request), std::move(done), std::move(waker));
}

Result<AppendResult> Engine::append(AppendRequest request) {
  if (!impl_->pipeline_) return Error{ErrorCode::kReadOnly, "the store is open read-only; nothing was stored"};
  BAHI_ASSIGN(TenantState* tenant, impl_->find_state(request.tenant));
  return impl_->pipeline_->append(*tenant, std::move(request));
}

Result<std::optional<AppendResult>> Engine::find_append(TenantId tenant, const ProducerPosition& producer) const {
  BAHI_ASSIGN(const TenantState* state, impl_->find_state(tenant));
  {
    HeadCache::Session heads(impl_->heads_);
    const auto head = heads.find(producer_identity(tenant, producer.id));
    const bool certainly_new = head && head->value < (std::int64_t{1} << 62U) &&
                               (head->value < 0 || producer.sequence > static_cast<std::uint64_t>(head->value));
    if (certainly_new) return std::optional<AppendResult>();
  }
  BAHI_ASSIGN(const Offset end, impl_->readable_end(*state));
  BAHI_ASSIGN(auto earlier, impl_->reader_->earlier_result(tenant, producer));
  // One that is not durable yet has not been answered to anybody.
  if (earlier && earlier->first_offset + earlier->event_count > end) earlier.reset();
  return earlier;
}

// --- reading

Result<Offset> Engine::Impl::readable_end(const TenantState& tenant) const {
  const Offset end{tenant.durable.load(std::memory_order_acquire)};
  if (index_ && pipeline_) BAHI_TRY(pipeline_->wait_indexed(tenant, end));
  return end;
}

Offset Engine::durable_offset(TenantId tenant) const {
  const auto state = impl_->find_state(tenant);
  return state ? Offset{(*state)->durable.load(std::memory_order_acquire)} : Offset{0};
}

Result<std::uint64_t> Engine::stored_bytes(TenantId tenant) const {
  BAHI_ASSIGN(const TenantState* state, impl_->find_state(tenant));
  if (impl_->pipeline_) return state->stored_bytes.load(std::memory_order_relaxed);
  return impl_->stored_bytes_below(tenant, {state->durable.load(std::memory_order_acquire)});
}

Result<Version> Engine::stream_version(TenantId tenant, std::string_view stream) const {
  BAHI_ASSIGN(const TenantState* state, impl_->find_state(tenant));
  BAHI_ASSIGN(const Offset end, impl_->readable_end(*state));
  BAHI_ASSIGN(const Head head, impl_->reader_->stream_head(tenant, stream, end));
  return Version{head.value};
}

Result<std::unique_ptr<EventCursor>> Engine::read(ReadRequest request) const {
  BAHI_ASSIGN(const TenantState* state, impl_->find_state(request.tenant));
  const bool filtered = !request.filter.empty();
  Offset end{state->durable.load(std::memory_order_acquire)};
  if (filtered) {
    BAHI_ASSIGN(end, impl_->readable_end(*state));
  }
  if (request.from > end) {
    return Error{ErrorCode::kOffsetOutOfRange,
                 fmt::format("from: offset {} lies beyond the end of the log at {}", request.from.value, end.value)};
  }
  return impl_->reader_->events(std::move(request), end);
}

Result<std::shared_ptr<const DecodedBatch>> Engine::batch_at(TenantId tenant, Offset offset) const {
  BAHI_ASSIGN(const TenantState* state, impl_->find_state(tenant));
  const Offset end{state->durable.load(std::memory_order_acquire)};
  if (offset < end) return impl_->reader_->batch_at(tenant, offset);
  return Error{ErrorCode::kOffsetOutOfRange,
               fmt::format("there is no durable event at offset {}; the next one will be {}", offset.value, end.value)};
}

Result<std::unique_ptr<BatchCursor>> Engine::read_batches(TenantId tenant, Offset from, Offset to,
                                                          Direction direction, std::size_t bytes_wanted) const {
  BAHI_ASSIGN(const TenantState* state, impl_->find_state(tenant));
  const Offset end{state->durable.load(std::memory_order_acquire)};
  const CacheUse use = bytes_wanted <= kPartBytesMax ? CacheUse::kPart : CacheUse::kScan;
  return impl_->reader_->batches(tenant, from, std::min(to, end), direction, use);
}

Status Engine::wait_for(TenantId tenant, Offset offset, std::chrono::nanoseconds timeout) const {
  BAHI_ASSIGN(const TenantState* state, impl_->find_state(tenant));
  return impl_->signal_.wait([state] { return Offset{state->durable.load(std::memory_order_acquire)}; }, offset, timeout);
}

std::uint64_t Engine::notify_after(TenantId tenant, Offset offset, std::function<void()> notify) {
  const auto state = impl_->find_state(tenant);
  const TenantState* known = state ? *state : nullptr;
  return impl_->signal_.notify(
      tenant, [known] { return Offset{known == nullptr ? 0 : known->durable.load(std::memory_order_acquire)}; }, offset,
      std::move(notify));
}

void Engine::cancel_notify(std::uint64_t handle) { impl_->signal_.cancel(handle); }

// --- care

Result<VerifyReport> Engine::verify(const Progress& progress, std::optional<TenantId> only) const {
  return impl_->verify(progress, only);
}
Result<Hash128> Engine::index_fingerprint(TenantId tenant) const { return impl_->index_fingerprint(tenant); }
Result<bool> Engine::refresh() { return impl_->refresh(); }

Status Engine::flush() {
  if (!impl_->pipeline_) return Error{ErrorCode::kReadOnly, "the store is open read-only"};
  for (const TenantInfo& tenant : tenants()) BAHI_TRY(impl_->readable_end(impl_->state(tenant.id)));
  BAHI_TRY(impl_->readable_end(impl_->state(kSystemTenant)));
  BAHI_TRY(impl_->pipeline_->flush_index());
  return impl_->store_->flush();
}

EngineStats Engine::stats() const {
  EngineStats stats;
  if (impl_->pipeline_) impl_->pipeline_->add_stats(stats);
  stats.read_only = stats.read_only || impl_->options_.read_only;
  const LogStoreStats log = impl_->store_->stats();
  stats.log_bytes_on_disk = log.file_bytes;
  stats.wal_bytes_on_disk = log.wal_bytes;
  stats.disk_bytes_written = log.written_bytes;
  if (impl_->index_) {
    stats.index_postings_in_memory = impl_->index_->postings_in_memory();
    stats.index_bytes_on_disk = impl_->index_->file_bytes();
    stats.disk_bytes_written += impl_->index_->written_bytes();
  }
  if (impl_->on_disk_) stats.free_bytes = DiskGuard(impl_->paths_.root, impl_->options_).free_bytes();
  return stats;
}

}  // namespace bahi
