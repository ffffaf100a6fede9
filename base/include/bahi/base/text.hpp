// Text forms of the base types: RFC 3339 times, RFC 4122 identifiers, hex.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "bahi/base/result.hpp"
#include "bahi/base/types.hpp"

namespace bahi {

/// RFC 3339 with nanoseconds, trailing zeros of the fraction dropped:
/// "2004-11-15T12:18:00Z", "…:00.25Z".
[[nodiscard]] std::string format_timestamp(Timestamp time);
/// Accepts RFC 3339 ("Z" or a numeric offset, up to nine fraction digits) between the
/// years 1678 and 2261 in UTC.
[[nodiscard]] Result<Timestamp> parse_timestamp(std::string_view text);
/// "YYYY-MM-DD" of the days since 1970-01-01.
[[nodiscard]] std::string format_date(std::int32_t days);
/// Between the years 1 and 9999. Nothing: not a date.
[[nodiscard]] std::optional<std::int32_t> parse_date(std::string_view text);

/// "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx", lower case.
[[nodiscard]] std::string format_uuid(const Uuid& id);
/// Accepts 32 hex digits with or without the four dashes.
[[nodiscard]] Result<Uuid> parse_uuid(std::string_view text);
/// A random (version 4) identifier from the operating system's generator. Thread-safe.
[[nodiscard]] Uuid random_uuid();

[[nodiscard]] std::string format_hash(const Hash128& hash);

/// True when `text` is well-formed UTF-8 (RFC 3629) without C0 controls or DEL.
[[nodiscard]] bool is_printable_utf8(std::string_view text) noexcept;
/// True when `text` is well-formed UTF-8 (RFC 3629).
[[nodiscard]] bool is_utf8(std::string_view text) noexcept;

}  // namespace bahi
