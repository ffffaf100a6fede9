#include "bahi/server/quotas.hpp"

#include <limits>

#include <fmt/format.h>

#include "json.hpp"
#include "tenant_meter.hpp"

namespace bahi::server {
namespace {

constexpr std::string_view kCategory = "limits";
constexpr std::string_view kSet = "bahi.tenant-limits-set";
constexpr std::string_view kSystem = "system";

constexpr TenantLimit limit_of(std::size_t i) {
  return static_cast<TenantLimit>(i);
}

}  // namespace

Quotas::Quotas(Engine& engine, const TenantLimits& defaults) : engine_(engine), defaults_(defaults) {}
Quotas::~Quotas() = default;

Result<std::unique_ptr<Quotas>> Quotas::load(Engine& engine, const TenantLimits& defaults) {
  std::unique_ptr<Quotas> quotas(new Quotas(engine, defaults));
  ReadRequest request;
  request.tenant = kSystemTenant;
  request.filter.category = std::string(kCategory);
  BAHI_ASSIGN(const auto cursor, engine.read(std::move(request)));
  EventView event;
  for (;;) {
    BAHI_ASSIGN(const bool more, cursor->next(event));
    if (!more) return quotas;
    if (event.type != kSet) continue;
    const auto fields = parse_json_object(event.data);
    if (!fields) {
      return Error{ErrorCode::kCorruptLog,
                   fmt::format("system tenant, offset {}: limits: {}", event.offset.value, fields.error().message())};
    }
    Own own;
    for (std::size_t i = 0; i < own.size(); ++i) {
      const std::string name(to_string(limit_of(i)));
      if (fields->has_number(name)) own[i] = static_cast<std::uint64_t>(fields->number(name));
    }
    quotas->own_.insert_or_assign(std::string(event.stream.substr(kCategory.size() + 1)), own);
  }
}

Status Quotas::set(const wire::SetTenantLimits& change, std::string_view actor, Timestamp now) {
  if (change.tenant == kSystem) return Error{ErrorCode::kInvalidArgument, "tenant: 'system' has no limits"};
  BAHI_TRY(engine_.find_tenant(change.tenant));
  if (change.entries.empty()) return Error{ErrorCode::kInvalidArgument, "limits: none is named"};
  const std::scoped_lock changing(change_mutex_);
  Own own;
  {
    const std::scoped_lock lock(mutex_);
    const auto known = own_.find(change.tenant);
    if (known != own_.end()) own = known->second;
  }
  for (const auto& [limit, value] : change.entries) {
    std::optional<std::uint64_t>& place = own[static_cast<std::size_t>(limit)];
    if (value == wire::SetTenantLimits::kDefault) {
      place.reset();
    } else if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
      return Error{ErrorCode::kInvalidArgument,
                   fmt::format("{}: {} is more than can be stored", to_string(limit), value)};
    } else {
      place = value;
    }
  }
  BAHI_TRY(record(change.tenant, own, actor, now));
  const std::scoped_lock lock(mutex_);
  own_.insert_or_assign(change.tenant, own);
  const auto meter = meters_.find(change.tenant);
  if (meter != meters_.end()) meter->second->set_limits(in_force(own).limits);
  return {};
}

Status Quotas::record(const std::string& tenant, const Own& own, std::string_view actor, Timestamp now) {
  JsonObject data;
  for (std::size_t i = 0; i < own.size(); ++i) {
    if (own[i]) data.add(to_string(limit_of(i)), static_cast<std::int64_t>(*own[i]));
  }
  const std::string stream = fmt::format("{}-{}", kCategory, tenant);
  const std::string tag = "tenant:" + tenant;
  const std::string text = data.finish();
  NewEvent event;
  event.stream = stream;
  event.type = kSet;
  event.data = text;
  event.occurred_at = now;
  event.tags = {tag};
  event.metadata.actor = actor;
  BatchBuilder builder({Codec::kNone, 0});
  BAHI_TRY(builder.add(event));
  AppendRequest request;
  request.tenant = kSystemTenant;
  BAHI_ASSIGN(request.body, builder.finish());
  BAHI_TRY(engine_.append(std::move(request)));
  return {};
}

Quotas::InForce Quotas::in_force(const Own& own) const {
  InForce result{defaults_, 0};
  for (std::size_t i = 0; i < own.size(); ++i) {
    if (!own[i]) continue;
    result.limits[limit_of(i)] = *own[i];
    result.own |= static_cast<std::uint8_t>(1U << i);
  }
  return result;
}

Quotas::InForce Quotas::of(std::string_view tenant) const {
  if (tenant == kSystem) return {};
  const std::scoped_lock lock(mutex_);
  const auto known = own_.find(tenant);
  return in_force(known == own_.end() ? Own{} : known->second);
}

std::shared_ptr<TenantMeter> Quotas::meter(TenantId id, const std::string& tenant) {
  const std::scoped_lock lock(mutex_);
  std::shared_ptr<TenantMeter>& meter = meters_[tenant];
  if (!meter) {
    meter = std::make_shared<TenantMeter>(tenant, [this, id] {
      const Result<std::uint64_t> stored = engine_.stored_bytes(id);
      return stored ? *stored : 0;
    });
    const auto known = own_.find(tenant);
    if (tenant != kSystem) meter->set_limits(in_force(known == own_.end() ? Own{} : known->second).limits);
  }
  return meter;
}

}  // namespace bahi::server
