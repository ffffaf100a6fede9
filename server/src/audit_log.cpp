#include "audit_log.hpp"

#include <optional>
#include <vector>

#include "json.hpp"

namespace bahi::server {
namespace {

/// Denials on their way into the log; a flood of them must not crowd out the writers.
constexpr std::uint32_t kInFlightMax = 64;
/// Sources that are told one by one of which denials were left out.
constexpr std::size_t kSourcesTold = 16;

std::string source_of(const Credential* credential, std::string_view peer) {
  if (credential != nullptr && !credential->token_id.is_nil()) return credential->label();
  return "address " + std::string(peer.substr(0, peer.rfind(':')));
}

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

bool AuditLog::denied(const Credential* credential, std::string_view peer, std::string_view request,
                      std::string_view reason) {
  denials_.fetch_add(1, std::memory_order_relaxed);
  const std::string source = source_of(credential, peer);
  std::optional<std::int64_t> missed;
  {
    const std::scoped_lock lock(limiter_mutex_);
    missed = limiter_.admit(source, std::chrono::steady_clock::now());
  }
  if (!missed) return false;
  JsonObject data;
  data.add("request", request).add("reason", reason).add("peer", peer);
  if (*missed != 0) data.add("not_recorded", *missed);
  return submit(credential, "bahi.request-denied", data.finish(), source, *missed + 1);
}

bool AuditLog::submit(const Credential* credential, std::string_view type, const std::string& data,
                      const std::string& source, std::int64_t denials) {
  const bool room = in_flight_.fetch_add(1, std::memory_order_acq_rel) < kInFlightMax;
  auto event = room ? make_event(credential, type, data) : Result<AppendRequest>(AppendRequest{});
  const auto done = [this, source, denials](bool stored) {
    if (!stored) give_back(source, denials);
    if (in_flight_.fetch_sub(1, std::memory_order_acq_rel) == 1) in_flight_.notify_all();
  };
  if (!room || !event) {
    done(false);
    return false;
  }
  engine_.submit(std::move(*event), [done](const Result<AppendResult>& stored) { done(stored.has_value()); });
  return true;
}

void AuditLog::give_back(const std::string& source, std::int64_t denials) {
  const std::scoped_lock lock(limiter_mutex_);
  limiter_.give_back(source, denials, std::chrono::steady_clock::now());
}

void AuditLog::tell_left_out(bool every) {
  std::vector<DenialLimiter::LeftOut> left_out;
  {
    const std::scoped_lock lock(limiter_mutex_);
    left_out = limiter_.take_left_out(std::chrono::steady_clock::now(), every);
  }
  for (std::size_t i = kSourcesTold; i < left_out.size(); ++i) left_out[kSourcesTold - 1].count += left_out[i].count;
  if (left_out.size() > kSourcesTold) {
    left_out.resize(kSourcesTold);
    left_out.back().source = "others";
  }
  for (const auto& [source, count] : left_out) {
    const std::string data = JsonObject().add("source", source).add("not_recorded", count).finish();
    (void)submit(nullptr, "bahi.denials-left-out", data, source, count);
  }
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
