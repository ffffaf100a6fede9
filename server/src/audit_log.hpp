// Denied requests and administrative acts, as events in the system tenant's log.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

#include "bahi/engine/engine.hpp"
#include "bahi/server/access.hpp"

namespace bahi::server {

/// Stream audit-TENANT (audit-system without one); types bahi.request-denied and bahi.administered. Thread-safe; the
/// engine must outlive it.
class AuditLog {
 public:
  AuditLog(Engine& engine, const Clock& clock) : engine_(engine), clock_(clock) {}

  /// Recorded soon. When denials come faster than they can be stored, some are only counted: the next one that is
  /// stored says how many, in the field "not_recorded".
  void denied(const Credential* credential, std::string_view peer, std::string_view request, std::string_view reason);
  /// Durable when it returns. `target` is what the act was about. Errors: those of Engine::append.
  Status administered(const Credential& credential, std::string_view peer, std::string_view request,
                      std::string_view target);

  /// Returns when everything recorded is stored. To be called before the end.
  void settle() const;
  [[nodiscard]] std::uint64_t denials() const noexcept { return denials_.load(std::memory_order_relaxed); }

 private:
  [[nodiscard]] Result<AppendRequest> make_event(const Credential* credential, std::string_view type,
                                                 const std::string& data) const;

  Engine& engine_;
  const Clock& clock_;
  std::atomic<std::uint64_t> denials_{0};
  std::atomic<std::int64_t> not_recorded_{0};
  std::atomic<std::uint32_t> in_flight_{0};
};

}  // namespace bahi::server
