// What the writing process of bahi_crash tells the checking one. One message is one write to a pipe, below
// PIPE_BUF, so messages of several threads never mix, and the pipe outlives a `kill -9`.
#pragma once

#include <array>
#include <climits>
#include <cstdint>
#include <type_traits>

namespace bahi::faults {

inline constexpr std::uint32_t kCrashTenants = 3;
inline constexpr std::uint32_t kCrashEventsMax = 40;  ///< per request

/// One append as it was meant; its events follow from `request_id` and `plan_seed`.
struct Intent {
  std::uint64_t request_id = 0;
  std::uint64_t plan_seed = 0;
  std::uint64_t producer_high = 0;  ///< 0 = no producer; the sequence is the request id
  std::uint64_t condition_from = 0;
  std::int64_t expected_version = 0;
  std::uint32_t tenant = 0;           ///< number, not identifier
  std::uint32_t expected_stream = 0;  ///< number of a hot stream
  std::uint32_t condition_tag = 0;
  std::uint8_t expected_kind = 0;  ///< ExpectedVersion::Kind
  bool has_condition = false;
};

struct Answer {
  std::uint64_t request_id = 0;
  std::uint64_t first_offset = 0;
  std::int64_t recorded_at = 0;
  std::int64_t actual_version = 0;
  std::uint64_t conflict_offset = 0;
  std::uint32_t event_count = 0;
  std::uint32_t version_count = 0;
  std::array<std::int64_t, 4> first_versions{};
  std::uint16_t code = 0;  ///< 0 = stored, otherwise an ErrorCode
  bool duplicate = false;
  std::array<char, 64> conflict_stream{};
};

struct Announcement {
  std::uint32_t tenant = 0;
  std::uint32_t tenant_id = 0;
  std::array<char, 400> text{};
};

struct Message {
  enum class Kind : std::uint8_t { kIntent, kAnswer, kTenant, kOpenFailed, kFault };
  Kind kind = Kind::kIntent;
  union {
    Intent intent;
    Answer answer;
    Announcement announcement;
  };
  Message() : intent() {}
};
static_assert(std::is_trivially_copyable_v<Message> && sizeof(Message) < PIPE_BUF);

}  // namespace bahi::faults
