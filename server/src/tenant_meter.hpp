// What one tenant uses of the server, and whether it may use more.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "bahi/base/result.hpp"
#include "bahi/schemas/wire.hpp"
#include "token_bucket.hpp"

namespace bahi::server {

/// Thread-safe.
class TenantMeter : public std::enable_shared_from_this<TenantMeter> {
 public:
  using TimePoint = TokenBucket::TimePoint;
  /// Counts as long as it lives.
  struct Release {
    std::shared_ptr<TenantMeter> meter;
    void operator()(std::atomic<std::uint64_t>* count) const { count->fetch_sub(1, std::memory_order_relaxed); }
  };
  using Ticket = std::unique_ptr<std::atomic<std::uint64_t>, Release>;

  /// `stored_bytes` tells how much the tenant has stored; called on any thread.
  TenantMeter(std::string tenant, std::function<std::uint64_t()> stored_bytes);

  /// From now on; rates begin with their burst, which is what they allow in a second.
  void set_limits(const TenantLimits& limits);

  /// Errors: kOverloaded by a rate, with the pause to make; kTenantFull.
  Status admit_append(std::uint64_t body_bytes, std::uint64_t events, TimePoint now);
  /// Errors: kOverloaded.
  [[nodiscard]] Result<Ticket> open_connection();
  [[nodiscard]] Result<Ticket> open_subscription();

  [[nodiscard]] std::uint64_t connections() const noexcept { return connections_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t subscriptions() const noexcept { return subscriptions_.load(std::memory_order_relaxed); }

 private:
  Status admit_rate(std::uint64_t body_bytes, std::uint64_t events, TimePoint now);
  [[nodiscard]] Result<Ticket> count(std::atomic<std::uint64_t>& counter, const std::atomic<std::uint64_t>& most,
                                     std::string_view what);

  const std::string tenant_;
  const std::function<std::uint64_t()> stored_bytes_;
  std::atomic<std::uint64_t> connections_{0};
  std::atomic<std::uint64_t> subscriptions_{0};
  // Limits; 0: none.
  std::atomic<std::uint64_t> connections_max_{0};
  std::atomic<std::uint64_t> subscriptions_max_{0};
  std::atomic<std::uint64_t> stored_bytes_max_{0};
  std::atomic<bool> has_rates_{false};
  std::mutex mutex_;
  std::uint64_t bytes_per_second_ = 0;  // protected by mutex_, as the rest
  std::uint64_t events_per_second_ = 0;
  std::optional<TokenBucket> bytes_;  // empty: no limit, or not used yet
  std::optional<TokenBucket> events_;
};

}  // namespace bahi::server
