#include "audit_log.hpp"

#include "json.hpp"

namespace bahi::server {
namespace {

/// Denials on their way into the log; a flood of them must not crowd out the writers.
constexpr std::uint32_t kInFlightMax = 64;

}  // namespace

Result<AppendRequest> AuditLog::make_event(const Credential* credential, std::string_view type,
                                           const std::string& data) const {
  const std::string stream = "audit-" + (credential == nullptr ? std::string("system") : credential->tenant_name);
  const std::string actor = credential == nullptr ? std::string() : credential->label();
  NewEvent event;
  event.stream = stream;
  event.type = type;
  event.data = data;
  event.occurred_at = clock_.now();
  event.metadata.actor = actor;
  BatchBuilder builder({Codec::kNone, 0});
  BAHI_TRY(builder.add(event));
  AppendRequest request;
  request.tenant = kSystemTenant;
  BAHI_ASSIGN(request.body, builder.finish());
  return request;
}

void AuditLog::denied(const Credential* credential, std::string_view peer, std::string_view request,
                      std::string_view reason) {
  denials_.fetch_add(1, std::memory_order_relaxed);
  if (in_flight_.fetch_add(1, std::memory_order_acq_rel) >= kInFlightMax) {
    in_flight_.fetch_sub(1, std::memory_order_acq_rel);
    not_recorded_.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  const std::int64_t missed = not_recorded_.exchange(0, std::memory_order_relaxed);
  JsonObject data;
  data.add("request", request).add("reason", reason).add("peer", peer);
  if (missed != 0) data.add("not_recorded", missed);
  auto event = make_event(credential, "bahi.request-denied", data.finish());
  if (!event) {
    in_flight_.fetch_sub(1, std::memory_order_acq_rel);
    not_recorded_.fetch_add(missed + 1, std::memory_order_relaxed);
    return;
  }
  engine_.submit(std::move(*event), [this, missed](const Result<AppendResult>& stored) {
    if (!stored) not_recorded_.fetch_add(missed + 1, std::memory_order_relaxed);
    if (in_flight_.fetch_sub(1, std::memory_order_acq_rel) == 1) in_flight_.notify_all();
  });
}

void AuditLog::settle() const {
  for (auto left = in_flight_.load(); left != 0; left = in_flight_.load()) in_flight_.wait(left);
}

Status AuditLog::administered(const Credential& credential, std::string_view peer, std::string_view request,
                              std::string_view target) {
  const std::string data = JsonObject().add("request", request).add("target", target).add("peer", peer).finish();
  BAHI_ASSIGN(AppendRequest event, make_event(&credential, "bahi.administered", data));
  BAHI_TRY(engine_.append(std::move(event)));
  return {};
}

}  // namespace bahi::server
