#include "administration.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "bahi/base/text.hpp"
#include "json.hpp"
#include "process_usage.hpp"
#include "tenant_meter.hpp"

namespace bahi::server {
namespace {

/// What a token of `credential` may reach.
TenantId reach_of(const Credential& credential) {
  return credential.whole_store ? kSystemTenant : credential.tenant;
}

Error no_read_models() {
  return {ErrorCode::kUnknownProjection, "this server has no read models"};
}

}  // namespace

wire::Message Administration::carry_out(const Credential& credential, std::string_view peer,
                                        const wire::Message& request) {
  Outcome outcome = std::visit([&](const auto& r) { return run(credential, peer, r); }, request);
  return outcome ? std::move(*outcome) : wire::Message(wire::Failure{outcome.error()});
}

template <class Other>
Administration::Outcome Administration::run(const Credential&, std::string_view, const Other&) {
  return Error{ErrorCode::kInternal, "not an administrative request"};
}

Administration::Outcome Administration::run(const Credential& credential, std::string_view peer,
                                            const wire::CreateTenant& request) {
  BAHI_TRY(engine_.create_tenant(request.name));
  BAHI_TRY(audit_.administered(credential, peer, "CreateTenant", request.name));
  return wire::Message(wire::Done{});
}

Administration::Outcome Administration::run(const Credential&, std::string_view, const wire::ListTenants&) {
  wire::TenantList list;
  for (const TenantInfo& tenant : engine_.tenants()) {
    BAHI_ASSIGN(const std::uint64_t stored, engine_.stored_bytes(tenant.id));
    const auto meter = quotas_.meter(tenant.id, tenant.name);
    const auto [limits, own] = quotas_.of(tenant.name);
    list.tenants.push_back({tenant.id, tenant.name, tenant.durable_offset.value, stored, meter->connections(),
                            meter->subscriptions(), limits, own});
  }
  return wire::Message(std::move(list));
}

Administration::Outcome Administration::run(const Credential& credential, std::string_view peer,
                                            const wire::SetTenantLimits& request) {
  BAHI_TRY(quotas_.set(request, credential.label(), clock_.now()));
  std::string target = request.tenant;
  for (const auto& [limit, value] : request.entries) {
    target += fmt::format(" {}={}", to_string(limit),
                          value == wire::SetTenantLimits::kDefault ? "default" : std::to_string(value));
  }
  BAHI_TRY(audit_.administered(credential, peer, "SetTenantLimits", target));
  return wire::Message(wire::Done{});
}

Administration::Outcome Administration::run(const Credential& credential, std::string_view peer,
                                            const wire::CreateToken& request) {
  const std::string& tenant = request.tenant.empty() ? credential.tenant_name : request.tenant;
  BAHI_ASSIGN(wire::TokenCreated created, access_.create({tenant, request.role, request.name, request.expires_at},
                                                         credential.label(), clock_.now()));
  BAHI_TRY(audit_.administered(credential, peer, "CreateToken",
                               fmt::format("{} ({} of {})", format_uuid(created.id), to_string(request.role), tenant)));
  return wire::Message(std::move(created));
}

Administration::Outcome Administration::run(const Credential& credential, std::string_view, const wire::ListTokens&) {
  return wire::Message(wire::TokenList{access_.list(reach_of(credential), clock_.now())});
}

Administration::Outcome Administration::run(const Credential& credential, std::string_view peer,
                                            const wire::RevokeToken& request) {
  BAHI_TRY(access_.revoke(request.id, reach_of(credential), credential.label(), clock_.now()));
  BAHI_TRY(audit_.administered(credential, peer, "RevokeToken", format_uuid(request.id)));
  return wire::Message(wire::Done{});
}

Administration::Outcome Administration::run(const Credential&, std::string_view, const wire::GetStatus&) {
  const EngineStats stats = engine_.stats();
  wire::Status status;
  status.version = BAHI_VERSION;
  if (stats.read_only) {
    status.read_only_reason = stats.read_only_reason.empty() ? "opened read-only" : stats.read_only_reason;
  }
  status.counters = counters_();
  const std::initializer_list<std::pair<std::string_view, std::uint64_t>> engine{
      {"engine.appended_events", stats.appended_events},
      {"engine.appended_batches", stats.appended_batches},
      {"engine.appended_stored_bytes", stats.appended_stored_bytes},
      {"engine.appended_raw_bytes", stats.appended_raw_bytes},
      {"engine.commit_groups", stats.commit_groups},
      {"engine.syncs", stats.syncs},
      {"engine.sync_nanos", stats.sync_nanos},
      {"engine.duplicates", stats.duplicates},
      {"engine.conflicts", stats.conflicts},
      {"engine.overloads", stats.overloads},
      {"engine.queued_bytes", stats.queued_bytes},
      {"engine.index_postings_in_memory", stats.index_postings_in_memory},
      {"engine.log_bytes", stats.log_bytes_on_disk},
      {"engine.wal_bytes", stats.wal_bytes_on_disk},
      {"engine.index_bytes", stats.index_bytes_on_disk},
      {"engine.disk_bytes_written", stats.disk_bytes_written},
      {"engine.free_bytes", stats.free_bytes},
  };
  for (const auto& [name, value] : engine) status.counters.emplace_back(name, value);
  const ProcessUsage process = ProcessUsage::now();
  status.counters.emplace_back("process.resident_bytes", process.resident_bytes);
  status.counters.emplace_back("process.cpu_nanos", process.cpu_nanos);
  return wire::Message(std::move(status));
}

// The read models record these acts themselves, before they take effect.
Administration::Outcome Administration::run(const Credential& credential, std::string_view,
                                            const wire::ManageProjection& request) {
  using Act = wire::ManageProjection::Act;
  if (projections_ == nullptr) return no_read_models();
  const TenantId tenant = credential.tenant;
  const std::string actor = credential.label();
  const auto act = [&]() -> Status {
    switch (request.act) {
      case Act::kStart: return projections_->start(tenant, request.projection, actor);
      case Act::kDrop: return projections_->drop(tenant, request.projection, actor);
      case Act::kRebuild: return projections_->rebuild(tenant, request.projection, actor);
      case Act::kReplay:
        return projections_->replay(tenant, request.projection, request.name, request.from, request.to, actor);
      case Act::kSkip: return projections_->skip(tenant, request.projection, actor);
      case Act::kRetry: return projections_->retry(tenant, request.projection, actor);
    }
    return Error{ErrorCode::kInvalidArgument, "act: not one that this server knows"};
  };
  BAHI_TRY(act());
  return wire::Message(wire::Done{});
}

Administration::Outcome Administration::run(const Credential& credential, std::string_view,
                                            const wire::ListProjections&) {
  if (projections_ == nullptr) return no_read_models();
  const bool everything = credential.whole_store && credential.tenant == kSystemTenant;
  const auto tenants = engine_.tenants();
  const auto name_of = [&](TenantId id) {
    const auto found =
        std::find_if(tenants.begin(), tenants.end(), [id](const TenantInfo& each) { return each.id == id; });
    return found == tenants.end() ? std::string("system") : found->name;
  };
  std::string json;
  const auto only = everything ? std::nullopt : std::optional(credential.tenant);
  for (const projections::ProjectionStatus& status : projections_->list(only)) {
    JsonObject row;
    row.add("tenant", name_of(status.tenant)).add("name", status.name).add("version", status.version);
    row.add("state", to_string(status.state)).add("next", static_cast<std::int64_t>(status.next.value));
    row.add("lag", static_cast<std::int64_t>(status.lag)).add("events", static_cast<std::int64_t>(status.events));
    row.add("events_per_second", static_cast<std::int64_t>(status.events_per_second));
    row.add("bytes_on_disk", static_cast<std::int64_t>(status.bytes_on_disk));
    row.add("skipped", static_cast<std::int64_t>(status.skipped));
    if (status.rebuilt_to) row.add("rebuilt_to", static_cast<std::int64_t>(status.rebuilt_to->value));
    if (status.parked_at) {
      row.add("parked_at", static_cast<std::int64_t>(status.parked_at->value))
          .add("parked_because", status.parked_because);
    }
    json += (json.empty() ? "" : ",") + row.finish();
  }
  return wire::Message(wire::QueryAnswer{{}, "{\"projections\":[" + json + "]}"});
}

Administration::Outcome Administration::run(const Credential& credential, std::string_view peer,
                                            const wire::CreateBackup& request) {
  BAHI_TRY(audit_.administered(credential, peer, "CreateBackup", "the whole store"));
  BAHI_ASSIGN(wire::BackupCreated created, backups_.create(request.bytes_per_second_max));
  return wire::Message(std::move(created));
}

Administration::Outcome Administration::run(const Credential& credential, std::string_view peer,
                                            const wire::ManageSnapshots& request) {
  using Act = wire::ManageSnapshots::Act;
  if (projections_ == nullptr) return no_read_models();
  std::vector<snapshots::Snapshot> shown = projections_->snapshots();
  if (request.act == Act::kCreate) {
    BAHI_TRY(audit_.administered(credential, peer, "ManageSnapshots", "create"));
    BAHI_ASSIGN(snapshots::Snapshot taken, projections_->take_snapshot());
    shown.assign(1, std::move(taken));
  } else if (request.act == Act::kDelete) {
    BAHI_TRY(audit_.administered(credential, peer, "ManageSnapshots", fmt::format("delete {}", request.id)));
    BAHI_TRY(projections_->delete_snapshot(request.id));
    std::erase_if(shown, [&](const snapshots::Snapshot& each) { return each.id != request.id; });
  }
  std::string json;
  for (const snapshots::Snapshot& snapshot : shown) {
    JsonObject row;
    row.add("id", static_cast<std::int64_t>(snapshot.id)).add("taken_at", format_timestamp(snapshot.taken_at));
    row.add("read_models", static_cast<std::int64_t>(snapshot.states.size()));
    std::uint64_t bytes = 0;
    for (const snapshots::SnapshotFile& file : snapshot.files) bytes += file.bytes;
    row.add("bytes", static_cast<std::int64_t>(bytes));
    json += (json.empty() ? "" : ",") + row.finish();
  }
  return wire::Message(wire::QueryAnswer{{}, "{\"snapshots\":[" + json + "]}"});
}

Administration::Outcome Administration::run(const Credential& credential, std::string_view peer,
                                            const wire::VerifyStore&) {
  if (verifying_.exchange(true)) return Error{ErrorCode::kOverloaded, "a verification is under way already"};
  const Status recorded = audit_.administered(credential, peer, "VerifyStore", "the whole store");
  Result<VerifyReport> verified = recorded ? engine_.verify() : Result<VerifyReport>(recorded.error());
  verifying_.store(false);
  if (!verified) return verified.error();
  wire::VerifyReport report{verified->tenants,      verified->batches,  verified->events,
                            verified->stored_bytes, verified->postings, {}};
  const std::vector<TenantInfo> tenants = engine_.tenants();
  for (Finding& finding : verified->findings) {
    const auto found =
        std::find_if(tenants.begin(), tenants.end(), [&](const auto& t) { return t.id == finding.tenant; });
    report.findings.push_back(
        {found == tenants.end() ? "system" : found->name, finding.offset, std::move(finding.error)});
  }
  return wire::Message(std::move(report));
}

}  // namespace bahi::server
