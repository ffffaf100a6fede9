// Strong types for the words of the architecture: tenant, offset, version.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <limits>

namespace bahi {

/// Identifies a tenant inside one store; dense from 0. 0 is the system tenant.
struct TenantId {
  std::uint32_t value = 0;
  constexpr auto operator<=>(const TenantId&) const = default;
};
inline constexpr TenantId kSystemTenant{0};

/// Place of an event in its tenant's log: dense from 0, never reused.
struct Offset {
  std::uint64_t value = 0;
  constexpr auto operator<=>(const Offset&) const = default;
  constexpr Offset operator+(std::uint64_t count) const { return {value + count}; }
  constexpr Offset operator-(std::uint64_t count) const { return {value - count}; }
  constexpr std::uint64_t operator-(Offset other) const { return value - other.value; }
  constexpr Offset& operator++() {
    ++value;
    return *this;
  }
};
inline constexpr Offset kOffsetMax{std::numeric_limits<std::uint64_t>::max()};

/// Place of an event in its stream: dense from 0. As a stream's state, the
/// version of its last event, with kNoStream for a stream without events.
struct Version {
  std::int64_t value = 0;
  constexpr auto operator<=>(const Version&) const = default;
};
inline constexpr Version kNoStream{-1};

/// 128-bit identifier (RFC 4122 layout; `high` holds the first eight bytes,
/// big-endian).
struct Uuid {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  constexpr auto operator<=>(const Uuid&) const = default;
  [[nodiscard]] constexpr bool is_nil() const { return high == 0 && low == 0; }
};

/// XXH3-128, as two halves.
struct Hash128 {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  constexpr auto operator<=>(const Hash128&) const = default;
};

/// UTC nanoseconds since 1970-01-01T00:00:00Z (leap seconds not counted).
struct Timestamp {
  std::int64_t nanos = 0;
  constexpr auto operator<=>(const Timestamp&) const = default;
};

}  // namespace bahi

template <>
struct std::hash<bahi::TenantId> {
  std::size_t operator()(bahi::TenantId id) const noexcept { return id.value; }
};
template <>
struct std::hash<bahi::Uuid> {
  std::size_t operator()(const bahi::Uuid& id) const noexcept {
    return id.high ^ (id.low * 0x9E3779B97F4A7C15ULL);
  }
};
