// What bahi_crash learns about a store from the outside, in the order in which it happened: what its writers ask and
// are answered, what its readers see. A writing process sends it through a pipe: one message is one write, below
// PIPE_BUF, so messages of several threads never mix, and the pipe outlives a `kill -9`. Clients over TCP live in the
// checking process, and keep it in a Recorder.
#pragma once

#include <array>
#include <climits>
#include <cstdint>
#include <limits>
#include <string>
#include <type_traits>

namespace bahi::faults {

inline constexpr std::uint32_t kCrashTenants = 3;
inline constexpr std::uint32_t kCrashEventsMax = 40;  ///< per request
inline constexpr std::uint64_t kNoBound = std::numeric_limits<std::uint64_t>::max();

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

/// Where and when a request is stored.
struct Placement {
  std::uint64_t first_offset = 0;
  std::int64_t recorded_at = 0;
  std::uint32_t event_count = 0;
  std::uint32_t version_count = 0;
  std::array<std::int64_t, 4> first_versions{};
  bool operator==(const Placement&) const = default;
};

/// The placement counts when `code` is 0.
struct Answer : Placement {
  std::uint64_t request_id = 0;
  std::int64_t actual_version = 0;
  std::uint64_t conflict_offset = 0;
  std::uint16_t code = 0;  ///< 0 = stored, otherwise an ErrorCode
  bool duplicate = false;
  std::array<char, 64> conflict_stream{};
};

struct Announcement {
  std::uint32_t tenant = 0;
  std::uint32_t tenant_id = 0;
  std::array<char, 400> text{};
};

/// Which events a reader wants.
struct Selection {
  enum class Kind : std::uint8_t { kAll, kStream, kTag, kType, kCategory };
  Kind kind = Kind::kAll;
  std::uint32_t number = 0;
};

/// A read is about to begin.
struct ReadStart {
  std::uint64_t reader = 0;  ///< a number of its own
  std::uint64_t from = 0;
  std::uint64_t to = kNoBound;
  std::uint64_t limit = kNoBound;
  std::uint32_t tenant = 0;
  Selection selection;
  bool backward = false;
  bool follow = false;  ///< a subscription; goes on under this number when it is resumed
};

/// One event, as a reader saw it.
struct Sighting {
  std::uint64_t offset = 0;
  std::uint64_t digest = 0;  ///< of all that can be seen of it
};
struct Seen {
  std::uint64_t reader = 0;
  std::uint64_t count = 0;
  std::array<Sighting, 24> sightings{};
};

struct ReadEnd {
  std::uint64_t reader = 0;
  bool abandoned = false;  ///< by whoever read; says nothing about what there was
  std::uint16_t code = 0;  ///< an ErrorCode
  std::array<char, 200> text{};
};

struct Message {
  enum class Kind : std::uint8_t {
    kIntent,
    kAnswer,
    kTenant,
    kListening,
    kOpenFailed,
    kFault,
    kReadStart,
    kSeen,
    kReadEnd
  };
  Kind kind = Kind::kIntent;
  union {
    Intent intent;
    Answer answer;
    Announcement announcement;
    ReadStart read_start;
    Seen seen;
    ReadEnd read_end;
  };
  Message() : intent() {}
  Message(const Intent& what) : intent(what) {}
  Message(const Answer& what) : kind(Kind::kAnswer), answer(what) {}
  Message(const ReadStart& what) : kind(Kind::kReadStart), read_start(what) {}
  Message(const Seen& what) : kind(Kind::kSeen), seen(what) {}
  Message(const ReadEnd& what) : kind(Kind::kReadEnd), read_end(what) {}
  Message(Kind of, std::uint32_t tenant, std::uint32_t tenant_id, const std::string& text)
      : kind(of), announcement{tenant, tenant_id, {}} {
    text.copy(announcement.text.data(), announcement.text.size() - 1);
  }
};
static_assert(std::is_trivially_copyable_v<Message> && sizeof(Message) < PIPE_BUF);

}  // namespace bahi::faults
