// The limits that administrators have set for tenants.
//
// They are kept in the system tenant's log: stream limits-TENANT, type bahi.tenant-limits-set, whose data names the
// limits that the tenant has of its own. The last event counts.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "bahi/base/result.hpp"
#include "bahi/engine/engine.hpp"
#include "bahi/schemas/wire.hpp"

namespace bahi::server {

class TenantMeter;

/// Thread-safe; the engine must outlive it.
class Quotas {
 public:
  /// `defaults` are for what a tenant has not of its own. Errors: those of Engine::read; kCorruptLog.
  [[nodiscard]] static Result<std::unique_ptr<Quotas>> load(Engine& engine, const TenantLimits& defaults = {});
  ~Quotas();
  Quotas(const Quotas&) = delete;
  Quotas& operator=(const Quotas&) = delete;

  /// Durable when it returns, and in force. `actor` is recorded as who did it. Errors: kUnknownTenant;
  /// kInvalidArgument (the tenant "system" has no limits); those of Engine::append.
  Status set(const wire::SetTenantLimits& change, std::string_view actor, Timestamp now);

  struct InForce {
    TenantLimits limits;
    std::uint8_t own = 0;  ///< bit n: TenantLimit n was set for the tenant; else it is the default
  };
  [[nodiscard]] InForce of(std::string_view tenant) const;

  /// The one of this tenant; made when it is first asked for.
  [[nodiscard]] std::shared_ptr<TenantMeter> meter(TenantId id, const std::string& tenant);

 private:
  using Own = std::array<std::optional<std::uint64_t>, kTenantLimitCount>;

  Quotas(Engine& engine, const TenantLimits& defaults);
  Status record(const std::string& tenant, const Own& own, std::string_view actor, Timestamp now);
  [[nodiscard]] InForce in_force(const Own& own) const;

  Engine& engine_;
  const TenantLimits defaults_;
  std::mutex change_mutex_;  // one change at a time
  mutable std::mutex mutex_;
  std::map<std::string, Own, std::less<>> own_;                              // protected by mutex_
  std::map<std::string, std::shared_ptr<TenantMeter>, std::less<>> meters_;  // protected by mutex_
};

}  // namespace bahi::server
