#include "bahi/base/text.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstring>

#include <boost/endian/conversion.hpp>
#include <boost/locale/utf.hpp>
#include <boost/uuid/random_generator.hpp>
#include <boost/uuid/uuid.hpp>
#include <fmt/format.h>

namespace bahi {
namespace {

constexpr std::int64_t kNanosPerSecond = 1'000'000'000;
constexpr std::int64_t kSecondsPerDay = 86'400;
constexpr std::int64_t kFirstSecond = -9'214'560'000;  // 1678-01-01T00:00:00Z
constexpr std::int64_t kLastSecond = 9'214'646'399;    // 2261-12-31T23:59:59Z

/// Reads exactly `digits` decimal digits and moves `text` past them.
bool take_number(std::string_view& text, std::size_t digits, int& value) {
  if (text.size() < digits) return false;
  value = 0;
  for (std::size_t i = 0; i < digits; ++i) {
    if (text[i] < '0' || text[i] > '9') return false;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(digits);
  return true;
}

bool take_char(std::string_view& text, char wanted) {
  if (text.empty() || text.front() != wanted) return false;
  text.remove_prefix(1);
  return true;
}

/// Fraction digits after the '.', scaled to nanoseconds.
bool take_fraction(std::string_view& text, std::int64_t& nanos) {
  std::size_t digits = 0;
  nanos = 0;
  while (digits < text.size() && text[digits] >= '0' && text[digits] <= '9') {
    if (digits == 9) return false;
    nanos = nanos * 10 + (text[digits] - '0');
    ++digits;
  }
  if (digits == 0) return false;
  for (std::size_t i = digits; i < 9; ++i) nanos *= 10;
  text.remove_prefix(digits);
  return true;
}

/// "Z" or "+hh:mm" / "-hh:mm", as seconds east of UTC.
bool take_zone(std::string_view& text, std::int64_t& seconds_east) {
  seconds_east = 0;
  if (take_char(text, 'Z') || take_char(text, 'z')) return true;
  const bool west = !text.empty() && text.front() == '-';
  if (!west && (text.empty() || text.front() != '+')) return false;
  text.remove_prefix(1);
  int hours = 0;
  int minutes = 0;
  if (!take_number(text, 2, hours) || !take_char(text, ':') || !take_number(text, 2, minutes)) return false;
  if (hours > 23 || minutes > 59) return false;
  seconds_east = (west ? -1 : 1) * (hours * 3600L + minutes * 60L);
  return true;
}

Error bad_timestamp(std::string_view text) {
  return {ErrorCode::kInvalidArgument,
          fmt::format("'{}' is not an RFC 3339 time such as 2004-11-15T12:18:00Z", text)};
}

}  // namespace

std::string format_timestamp(Timestamp time) {
  std::int64_t seconds = time.nanos / kNanosPerSecond;
  std::int64_t nanos = time.nanos % kNanosPerSecond;
  if (nanos < 0) {
    nanos += kNanosPerSecond;
    --seconds;
  }
  std::int64_t days = seconds / kSecondsPerDay;
  std::int64_t second_of_day = seconds % kSecondsPerDay;
  if (second_of_day < 0) {
    second_of_day += kSecondsPerDay;
    --days;
  }
  const std::chrono::year_month_day date{std::chrono::sys_days{std::chrono::days{days}}};
  std::string text = fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", static_cast<int>(date.year()),
                                 static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                                 second_of_day / 3600, second_of_day / 60 % 60, second_of_day % 60);
  if (nanos != 0) {
    std::string fraction = fmt::format(".{:09}", nanos);
    fraction.resize(fraction.find_last_not_of('0') + 1);
    text += fraction;
  }
  return text + 'Z';
}

Result<Timestamp> parse_timestamp(std::string_view text) {
  std::string_view rest = text;
  int year = 0;
  int month = 0;
  int day = 0;
  int hour = 0;
  int minute = 0;
  int second = 0;
  if (!take_number(rest, 4, year) || !take_char(rest, '-') || !take_number(rest, 2, month) ||
      !take_char(rest, '-') || !take_number(rest, 2, day) || !(take_char(rest, 'T') || take_char(rest, 't')) ||
      !take_number(rest, 2, hour) || !take_char(rest, ':') || !take_number(rest, 2, minute) ||
      !take_char(rest, ':') || !take_number(rest, 2, second)) {
    return bad_timestamp(text);
  }
  std::int64_t nanos = 0;
  std::int64_t seconds_east = 0;
  if (take_char(rest, '.') && !take_fraction(rest, nanos)) return bad_timestamp(text);
  if (!take_zone(rest, seconds_east) || !rest.empty()) return bad_timestamp(text);
  const std::chrono::year_month_day date{std::chrono::year{year}, std::chrono::month{static_cast<unsigned>(month)},
                                         std::chrono::day{static_cast<unsigned>(day)}};
  if (!date.ok() || hour > 23 || minute > 59 || second > 59) return bad_timestamp(text);
  const std::int64_t days = std::chrono::sys_days{date}.time_since_epoch().count();
  const std::int64_t seconds = days * kSecondsPerDay + hour * 3600L + minute * 60L + second - seconds_east;
  if (seconds < kFirstSecond || seconds > kLastSecond) return bad_timestamp(text);
  return Timestamp{seconds * kNanosPerSecond + nanos};
}

std::optional<std::int32_t> parse_date(std::string_view text) {
  const auto number = [text](std::size_t begin, std::size_t count) -> std::optional<int> {
    int value = 0;
    const auto [end, error] = std::from_chars(text.data() + begin, text.data() + begin + count, value);
    if (error != std::errc() || end != text.data() + begin + count || text[begin] == '-') return std::nullopt;
    return value;
  };
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
  const auto year = number(0, 4);
  const auto month = number(5, 2);
  const auto day = number(8, 2);
  if (!year || !month || !day || *year < 1) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(*year), std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  return static_cast<std::int32_t>(std::chrono::sys_days(date).time_since_epoch().count());
}

std::string format_date(std::int32_t days) {
  const std::chrono::year_month_day date{std::chrono::sys_days(std::chrono::days(days))};
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                     static_cast<unsigned>(date.day()));
}

std::string format_uuid(const Uuid& id) {
  return fmt::format("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", id.high >> 32U, id.high >> 16U & 0xFFFFU,
                     id.high & 0xFFFFU, id.low >> 48U, id.low & 0xFFFF'FFFF'FFFFU);
}

Result<Uuid> parse_uuid(std::string_view text) {
  std::string digits;
  digits.reserve(32);
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool dash_place = i == 8 || i == 13 || i == 18 || i == 23;
    if (text.size() == 36 && dash_place && text[i] == '-') continue;
    digits += text[i];
  }
  Uuid id;
  const auto parse_half = [&](std::size_t begin, std::uint64_t& half) {
    const char* first = digits.data() + begin;
    const auto [end, error] = std::from_chars(first, first + 16, half, 16);
    return error == std::errc{} && end == first + 16;
  };
  if (digits.size() != 32 || !parse_half(0, id.high) || !parse_half(16, id.low)) {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("'{}' is not an identifier of 32 hex digits (UUID)", text)};
  }
  return id;
}

Uuid random_uuid() {
  thread_local boost::uuids::random_generator_mt19937 generator;
  const boost::uuids::uuid bytes = generator();
  return {boost::endian::load_big_u64(bytes.data), boost::endian::load_big_u64(bytes.data + 8)};
}

std::string format_hash(const Hash128& hash) { return fmt::format("{:016x}{:016x}", hash.high, hash.low); }

namespace {

/// True when all eight bytes are ASCII without control characters.
bool is_plain_ascii(const char* bytes) noexcept {
  constexpr std::uint64_t kHighBits = 0x8080808080808080ULL;
  constexpr std::uint64_t kOnes = 0x0101010101010101ULL;
  std::uint64_t word = 0;
  std::memcpy(&word, bytes, sizeof word);
  // With no high bit set: subtracting 0x20 borrows exactly for control characters; 0x7F turns into 0 by the xor.
  const std::uint64_t control = (word | kHighBits) - kOnes * 0x20;
  const std::uint64_t del = ((word ^ (kOnes * 0x7F)) | kHighBits) - kOnes;
  return (word & kHighBits) == 0 && (control & del & kHighBits) == kHighBits;
}

/// Walks `text`; `accept(code_point)` says whether a code point is allowed.
template <class Accept>
bool all_code_points(std::string_view text, Accept accept) noexcept {
  namespace utf = boost::locale::utf;
  const char* place = text.data();
  const char* end = text.data() + text.size();
  if (end - place >= 8) {
    while (end - place >= 8 && is_plain_ascii(place)) place += 8;
    // The rest together with bytes that were looked at before.
    if (end - place < 8 && is_plain_ascii(end - 8)) return true;
  }
  while (place != end) {
    const auto byte = static_cast<unsigned char>(*place);
    if (byte < 0x80) {
      if (!accept(byte)) return false;
      ++place;
      continue;
    }
    const utf::code_point point = utf::utf_traits<char>::decode(place, end);
    if (point == utf::illegal || point == utf::incomplete || !accept(point)) return false;
  }
  return true;
}

}  // namespace

bool is_printable_utf8(std::string_view text) noexcept {
  return all_code_points(text, [](std::uint32_t point) { return point >= 0x20 && point != 0x7F; });
}

bool is_utf8(std::string_view text) noexcept {
  return all_code_points(text, [](std::uint32_t) { return true; });
}

}  // namespace bahi
