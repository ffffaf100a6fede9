#include "administration.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "bahi/base/text.hpp"
#include "process_usage.hpp"

namespace bahi::server {
namespace {

/// What a token of `credential` may reach.
TenantId reach_of(const Credential& credential) {
  return credential.whole_store ? kSystemTenant : credential.tenant;
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
    list.tenants.push_back({tenant.id, tenant.name, tenant.durable_offset.value});
  }
  return wire::Message(std::move(list));
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
