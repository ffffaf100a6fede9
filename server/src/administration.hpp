// Carries out administrative requests. They wait for the disk, so they run on a thread of their own.
#pragma once

#include <atomic>
#include <functional>
#include <string_view>
#include <utility>
#include <vector>

#include "audit_log.hpp"
#include "backup_desk.hpp"
#include "bahi/engine/engine.hpp"
#include "bahi/projections/projections.hpp"
#include "bahi/schemas/wire.hpp"
#include "bahi/server/access.hpp"
#include "bahi/server/quotas.hpp"

namespace bahi::server {

/// Thread-safe. What it is given must outlive it.
class Administration {
 public:
  using Counters = std::vector<std::pair<std::string, std::uint64_t>>;

  /// `counters` gives the server's own figures for a status.
  /// `projections`: null when the server has no read models.
  Administration(Engine& engine, Access& access, Quotas& quotas, AuditLog& audit, projections::Projections* projections,
                 BackupDesk& backups, const Clock& clock, std::function<Counters()> counters)
      : engine_(engine),
        access_(access),
        quotas_(quotas),
        audit_(audit),
        projections_(projections),
        backups_(backups),
        clock_(clock),
        counters_(std::move(counters)) {}

  /// The answer to a request that check_permission allowed; a Failure when it did not work.
  [[nodiscard]] wire::Message carry_out(const Credential& credential, std::string_view peer,
                                        const wire::Message& request);

 private:
  using Outcome = Result<wire::Message>;
  Outcome run(const Credential& credential, std::string_view peer, const wire::CreateTenant& request);
  Outcome run(const Credential& credential, std::string_view peer, const wire::ListTenants& request);
  Outcome run(const Credential& credential, std::string_view peer, const wire::SetTenantLimits& request);
  Outcome run(const Credential& credential, std::string_view peer, const wire::CreateToken& request);
  Outcome run(const Credential& credential, std::string_view peer, const wire::ListTokens& request);
  Outcome run(const Credential& credential, std::string_view peer, const wire::RevokeToken& request);
  Outcome run(const Credential& credential, std::string_view peer, const wire::GetStatus& request);
  Outcome run(const Credential& credential, std::string_view peer, const wire::VerifyStore& request);
  Outcome run(const Credential& credential, std::string_view peer, const wire::ManageProjection& request);
  Outcome run(const Credential& credential, std::string_view peer, const wire::ListProjections& request);
  Outcome run(const Credential& credential, std::string_view peer, const wire::CreateBackup& request);
  Outcome run(const Credential& credential, std::string_view peer, const wire::ManageSnapshots& request);
  template <class Other>
  Outcome run(const Credential& credential, std::string_view peer, const Other& request);

  Engine& engine_;
  Access& access_;
  Quotas& quotas_;
  AuditLog& audit_;
  projections::Projections* const projections_;
  BackupDesk& backups_;
  const Clock& clock_;
  const std::function<Counters()> counters_;
  std::atomic<bool> verifying_{false};
};

}  // namespace bahi::server
