// Denied requests and administrative acts, as events in the system tenant's log.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>

#include "bahi/engine/engine.hpp"
#include "bahi/server/access.hpp"
#include "denial_limiter.hpp"

namespace bahi::server {

/// Stream audit-TENANT (audit-system without one); types bahi.request-denied, bahi.denials-left-out and
/// bahi.administered. Thread-safe; the engine must outlive it.
class AuditLog {
 public:
  AuditLog(Engine& engine, const Clock& clock) : engine_(engine), clock_(clock) {}

  /// Recorded soon, unless its source (the token, or without one the address in `peer`) is denied too often, or too
  /// many are on their way. Then it is only counted: the source's next one that is recorded, or a
  /// bahi.denials-left-out, says how many in the field "not_recorded". False: only counted.
  bool denied(const Credential* credential, std::string_view peer, std::string_view request, std::string_view reason);
  /// Records how many denials were left out, of sources that have become quiet, or with `every` of all. To be called
  /// now and then.
  void tell_left_out(bool every);
  /// Durable when it returns. `target` is what the act was about. Errors: those of Engine::append.
  Status administered(const Credential& credential, std::string_view peer, std::string_view request,
                      std::string_view target);

  /// Returns when everything recorded is stored. To be called before the end.
  void settle() const;
  [[nodiscard]] std::uint64_t denials() const noexcept { return denials_.load(std::memory_order_relaxed); }

 private:
  [[nodiscard]] Result<AppendRequest> make_event(const Credential* credential, std::string_view type,
                                                 const std::string& data) const;
  /// False: too many are on their way.
  bool submit(const Credential* credential, std::string_view type, const std::string& data, const std::string& source,
              std::int64_t denials);
  void give_back(const std::string& source, std::int64_t denials);

  Engine& engine_;
  const Clock& clock_;
  std::atomic<std::uint64_t> denials_{0};
  std::mutex limiter_mutex_;
  DenialLimiter limiter_{std::chrono::steady_clock::now()};  // protected by limiter_mutex_
  std::atomic<std::uint32_t> in_flight_{0};
};

}  // namespace bahi::server
