#include "tenant_meter.hpp"

#include <fmt/format.h>

namespace bahi::server {

TenantMeter::TenantMeter(std::string tenant, std::function<std::uint64_t()> stored_bytes)
    : tenant_(std::move(tenant)), stored_bytes_(std::move(stored_bytes)) {}

void TenantMeter::set_limits(const TenantLimits& limits) {
  const std::scoped_lock lock(mutex_);
  connections_max_.store(limits[TenantLimit::kConnections]);
  subscriptions_max_.store(limits[TenantLimit::kSubscriptions]);
  stored_bytes_max_.store(limits[TenantLimit::kStoredBytes]);
  bytes_per_second_ = limits[TenantLimit::kBytesPerSecond];
  events_per_second_ = limits[TenantLimit::kEventsPerSecond];
  bytes_.reset();
  events_.reset();
  has_rates_.store(bytes_per_second_ != 0 || events_per_second_ != 0);
}

Status TenantMeter::admit_append(std::uint64_t body_bytes, std::uint64_t events, TimePoint now) {
  const std::uint64_t stored_max = stored_bytes_max_.load(std::memory_order_relaxed);
  if (stored_max != 0) {
    const std::uint64_t stored = stored_bytes_();
    if (stored + body_bytes > stored_max) {
      return Error{ErrorCode::kTenantFull,
                   fmt::format("tenant '{}' has stored {} bytes and may store {}; this append has {}", tenant_, stored,
                               stored_max, body_bytes)};
    }
  }
  if (!has_rates_.load(std::memory_order_relaxed)) return {};
  return admit_rate(body_bytes, events, now);
}

Status TenantMeter::admit_rate(std::uint64_t body_bytes, std::uint64_t events, TimePoint now) {
  const std::scoped_lock lock(mutex_);
  const auto bucket = [now](std::optional<TokenBucket>& place, std::uint64_t per_second) {
    const auto rate = static_cast<double>(per_second);
    if (per_second != 0 && !place) place.emplace(rate, rate, now);
  };
  bucket(bytes_, bytes_per_second_);
  bucket(events_, events_per_second_);
  const auto refuse = [this](const TokenBucket& full, std::uint64_t rate, std::string_view unit) {
    return Error{ErrorCode::kOverloaded, fmt::format("tenant '{}' may append {} {} per second; retry in {} ms", tenant_,
                                                     rate, unit, full.wait_ms())}
        .set_retry_after_ms(full.wait_ms());
  };
  if (bytes_ && !bytes_->open(now)) return refuse(*bytes_, bytes_per_second_, "bytes");
  if (events_ && !events_->open(now)) return refuse(*events_, events_per_second_, "events");
  if (bytes_) bytes_->take(static_cast<double>(body_bytes));
  if (events_) events_->take(static_cast<double>(events));
  return {};
}

Result<TenantMeter::Ticket> TenantMeter::count(std::atomic<std::uint64_t>& counter,
                                               const std::atomic<std::uint64_t>& most, std::string_view what) {
  const std::uint64_t allowed = most.load(std::memory_order_relaxed);
  const std::uint64_t before = counter.fetch_add(1, std::memory_order_relaxed);
  Ticket ticket(&counter, Release{shared_from_this()});
  if (allowed == 0 || before < allowed) return ticket;
  return Error{ErrorCode::kOverloaded, fmt::format("tenant '{}' has its {} {} already", tenant_, allowed, what)};
}

Result<TenantMeter::Ticket> TenantMeter::open_connection() {
  return count(connections_, connections_max_, "connections");
}
Result<TenantMeter::Ticket> TenantMeter::open_subscription() {
  return count(subscriptions_, subscriptions_max_, "subscriptions");
}

}  // namespace bahi::server
