// The messages between client and server as plain values; schemas/wire.fbs is their form on the wire.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "bahi/base/result.hpp"
#include "bahi/base/types.hpp"
#include "bahi/schemas/append_request.hpp"
#include "bahi/schemas/event_filter.hpp"

namespace bahi {

/// What a credential allows in its tenant. Numbers are on the wire and stored; never reused.
enum class Role : std::uint8_t { kAdmin = 1, kWriter = 2, kReader = 3, kAuditor = 4 };
[[nodiscard]] std::string_view to_string(Role role) noexcept;
/// "admin", "writer", "reader" or "auditor".
[[nodiscard]] Result<Role> parse_role(std::string_view text);

/// What a tenant may use, of the server as a whole. Numbers are on the wire; never reused.
enum class TenantLimit : std::uint8_t {
  kBytesPerSecond = 0,   ///< bodies of appends, as sent
  kEventsPerSecond = 1,  ///< appended
  kConnections = 2,      ///< at a time
  kSubscriptions = 3,    ///< at a time
  kStoredBytes = 4,      ///< of its log
};
inline constexpr std::size_t kTenantLimitCount = 5;
/// As in settings and in events: "bytes_per_second", "events_per_second", "connections_max", "subscriptions_max",
/// "stored_bytes_max".
[[nodiscard]] std::string_view to_string(TenantLimit limit) noexcept;

/// A value for every limit; 0: no limit.
class TenantLimits {
 public:
  [[nodiscard]] std::uint64_t& operator[](TenantLimit limit) noexcept {
    return values_[static_cast<std::size_t>(limit)];
  }
  [[nodiscard]] std::uint64_t operator[](TenantLimit limit) const noexcept {
    return values_[static_cast<std::size_t>(limit)];
  }
  bool operator==(const TenantLimits&) const = default;

 private:
  std::array<std::uint64_t, kTenantLimitCount> values_{};
};

}  // namespace bahi

namespace bahi::wire {

inline constexpr std::uint32_t kMagic = 0x49484142;  // "BAHI"
inline constexpr std::uint16_t kMajor = 1;           ///< both sides must have the same
inline constexpr std::uint16_t kMinor = 0;           ///< differs by what the other side may ignore
inline constexpr std::uint64_t kFeatures = 0;        ///< bits of optional features; none yet

struct Hello {
  std::uint32_t magic = kMagic;
  std::uint16_t major = kMajor;
  std::uint16_t minor = kMinor;
  std::uint64_t features = kFeatures;
  std::string token;
  std::string tenant;
  std::string client;
};

struct Welcome {
  std::uint16_t major = kMajor;
  std::uint16_t minor = kMinor;
  std::uint64_t features = 0;
  std::string server;
  std::string tenant;
  Role role = Role::kReader;
  std::uint32_t frame_bytes_max = 0;
  std::uint32_t in_flight_max = 0;
  std::uint32_t reads_max = 0;
  std::uint32_t credit_bytes_max = 0;
  std::uint32_t heartbeat_interval_ms = 0;
};

/// `request.tenant` is not on the wire; `request.body.bytes` is the frame's payload.
struct Append {
  AppendRequest request;
};
struct Appended {
  AppendResult result;
};
struct Failure {
  Error error;
};
/// `request.tenant` is not on the wire.
struct Read {
  ReadRequest request;
  bool follow = false;
  std::uint64_t credit = 0;  ///< bytes
};
struct Credit {
  std::uint64_t bytes = 0;
};
struct Cancel {};
struct Batches {
  std::vector<std::uint32_t> sizes;
  Offset next;
};
struct CaughtUp {
  Offset next;
};
struct ReadEnd {
  Offset next;
};
struct Ping {};
struct Pong {};
struct GoingAway {};
struct Done {};

struct CreateTenant {
  std::string name;
};
struct ListTenants {};
struct TenantList {
  struct Entry {
    TenantId id;
    std::string name;
    std::uint64_t events = 0;
    std::uint64_t stored_bytes = 0;
    std::uint64_t connections = 0;    ///< now
    std::uint64_t subscriptions = 0;  ///< now
    TenantLimits limits = {};         ///< in force
    std::uint8_t limits_own = 0;      ///< bit n: TenantLimit n was set for this tenant; else it is the server's default
  };
  std::vector<Entry> tenants;
};

struct CreateToken {
  std::string tenant;
  Role role = Role::kReader;
  std::string name;
  Timestamp expires_at;  ///< 0 = never
};
struct TokenCreated {
  Uuid id;
  std::string secret;
};
struct ListTokens {};
struct TokenList {
  struct Entry {
    Uuid id;
    std::string tenant;
    Role role = Role::kReader;
    std::string name;
    Timestamp created_at;
    Timestamp expires_at;  ///< 0 = never
  };
  std::vector<Entry> tokens;
};
struct RevokeToken {
  Uuid id;
};

struct GetStatus {};
struct Status {
  std::string version;
  std::string read_only_reason;
  std::vector<std::pair<std::string, std::uint64_t>> counters;
};

struct VerifyStore {};
struct VerifyReport {
  struct Finding {
    std::string tenant;
    Offset offset;
    Error error;
  };
  std::uint64_t tenants = 0;
  std::uint64_t batches = 0;
  std::uint64_t events = 0;
  std::uint64_t stored_bytes = 0;
  std::uint64_t postings = 0;
  std::vector<Finding> findings;
};

struct SetTenantLimits {
  static constexpr std::uint64_t kDefault = ~std::uint64_t{0};  ///< back to the server's default
  struct Entry {
    TenantLimit limit = TenantLimit::kBytesPerSecond;
    std::uint64_t value = 0;  ///< 0: no limit
  };
  std::string tenant;
  std::vector<Entry> entries;  ///< what is not named stays
};

struct Query {
  std::string projection;
  std::string query;
  std::string arguments;  ///< a JSON object, or empty
  Offset min_offset;
  std::uint32_t timeout_ms = 0;
  // At most one of the next two.
  std::optional<Offset> at_offset = {};   ///< answer from the events below it
  std::optional<Timestamp> at_time = {};  ///< answer from the events recorded up to then
  /// With one of the two: how the answer changed from there up to this offset.
  std::optional<Offset> trace_to = {};
};
/// `json` is the frame's payload.
struct QueryAnswer {
  Offset offset;
  std::string json;
};
struct Command {
  std::string projection;
  std::string command;
  std::string arguments;  ///< a JSON object, or empty
  std::optional<ProducerPosition> producer;
  std::uint32_t timeout_ms = 0;
};
/// `json` is the frame's payload.
struct CommandAnswer {
  Offset first_offset;
  std::uint32_t event_count = 0;
  Timestamp recorded_at;
  bool duplicate = false;
  std::string json;
};
struct ManageProjection {
  enum class Act : std::uint8_t { kStart = 1, kDrop, kRebuild, kReplay, kSkip, kRetry };
  Act act = Act::kStart;
  std::string projection;
  std::string name;
  Offset from;
  Offset to = kOffsetMax;
};
struct ListProjections {};
struct GetCheckpoint {
  std::uint64_t min_size = 0;  ///< events that it must cover at least
  bool without_signature = false;
  std::uint32_t timeout_ms = 0;
};
/// `note` is the frame's payload; empty without signature.
struct Checkpoint {
  std::string origin;
  std::uint64_t size = 0;
  std::string root;  ///< 32 bytes
  std::vector<std::string> hand_overs;
  std::string note;
};
struct GetProof {
  enum class Kind : std::uint8_t { kInclusion = 1, kConsistency, kRanges };
  static constexpr std::size_t kRangesMax = 256;
  Kind kind = Kind::kInclusion;
  std::uint64_t size = 0;
  std::uint64_t from = 0;                                       ///< kInclusion: offset; kConsistency: size
  std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges;  ///< kRanges
};
/// `hashes`, 32 bytes each, is the frame's payload.
struct Proof {
  std::string hashes;
};

struct CreateBackup {
  std::uint64_t bytes_per_second_max = 0;  ///< 0: no limit
};
struct BackupCreated {
  bool news = true;
  std::uint64_t number = 0;
  std::string directory;
  std::uint64_t batches = 0;
  std::uint64_t events = 0;
  std::uint64_t bytes = 0;
};
struct ManageSnapshots {
  enum class Act : std::uint8_t { kCreate = 1, kList, kDelete };
  Act act = Act::kList;
  std::uint64_t id = 0;
};

/// A message of a newer peer.
struct Unknown {
  std::uint8_t type = 0;
};

using Message =
    std::variant<Unknown, Hello, Welcome, Append, Appended, Failure, Read, Credit, Cancel, Batches, CaughtUp, ReadEnd,
                 Ping, Pong, GoingAway, Done, CreateTenant, ListTenants, TenantList, CreateToken, TokenCreated,
                 ListTokens, TokenList, RevokeToken, GetStatus, Status, VerifyStore, VerifyReport, SetTenantLimits,
                 Query, QueryAnswer, Command, CommandAnswer, ManageProjection, ListProjections, GetCheckpoint, Checkpoint,
                 GetProof, Proof, CreateBackup, BackupCreated,
                 ManageSnapshots>;

/// The name of the message's kind as in wire.fbs; "Unknown" for a newer peer's.
[[nodiscard]] std::string_view name_of(const Message& message) noexcept;

struct Envelope {
  std::uint64_t request = 0;
  Message message;
};

/// Appends a frame to `out`, whose last `payload_bytes` bytes the caller has yet to append. Unknown is not for sending.
void put_frame(std::uint64_t request, const Message& message, std::size_t payload_bytes, std::string& out);
/// The payload that the message itself holds; empty for all but QueryAnswer, CommandAnswer, Checkpoint and Proof.
[[nodiscard]] std::string_view payload_of(const Message& message) noexcept;
/// Takes over what came behind the head of one of these.
void set_payload(Message& message, std::string_view payload);
/// Appends the frame of an append to `out`, payload and all.
void put_append(std::uint64_t request, const AppendRequest& append, std::string& out);

/// Reads the head of a frame. Costs time and memory in proportion to its size, whatever it holds. Values are checked
/// only as far as their types need it. Errors: kMalformedFrame.
[[nodiscard]] Result<Envelope> decode_head(std::string_view head);

/// The stored batches in the payload of `batches`, as views into it. kMalformedFrame when the sizes do not add up.
[[nodiscard]] Result<std::vector<std::string_view>> split_batches(const Batches& batches, std::string_view payload);

}  // namespace bahi::wire
