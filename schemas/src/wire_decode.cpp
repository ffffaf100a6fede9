// Reads heads of frames from peers that nobody vouches for.
//
// The verifier bounds offsets and depth, but lets many references share one string, or one list of strings. So a
// message may hold few tables, and what is copied out of a head may not exceed the head's size: a message without
// shared parts, as every encoder of ours writes it, never does.

#include <cstring>

#include <fmt/format.h>
#include <boost/endian/conversion.hpp>

#include <flatbuffers/flatbuffers.h>

#include "bahi/schemas/frame.hpp"
#include "bahi/schemas/wire.hpp"
#include "wire_generated.h"

namespace bahi::wire {
namespace {

constexpr flatbuffers::uoffset_t kDepthMax = 8;
constexpr flatbuffers::uoffset_t kTablesMax = 64;

Error malformed(std::string_view what) {
  return {ErrorCode::kMalformedFrame, fmt::format("frame: {}", what)};
}

/// Copies values out of a verified head; anything wrong is remembered until the end.
class Reader {
 public:
  explicit Reader(std::size_t head_bytes) : bytes_left_(head_bytes) {}

  [[nodiscard]] bool good() const noexcept { return good_; }
  void fail() noexcept { good_ = false; }

  std::string text(const flatbuffers::String* value) {
    if (value == nullptr || !take(value->size())) return {};
    return value->str();
  }
  std::optional<std::string> optional_text(const flatbuffers::String* value) {
    if (value == nullptr) return std::nullopt;
    return text(value);
  }
  std::vector<std::string> texts(const flatbuffers::Vector<flatbuffers::Offset<flatbuffers::String>>* values) {
    std::vector<std::string> out;
    if (values == nullptr || !take(values->size() * sizeof(flatbuffers::uoffset_t))) return out;
    out.reserve(values->size());
    for (const flatbuffers::String* value : *values) out.push_back(text(value));
    return out;
  }
  template <class T>
  std::vector<T> numbers(const flatbuffers::Vector<T>* values) {
    if (values == nullptr || !take(values->size() * sizeof(T))) return {};
    std::vector<T> out(values->size());
    // The verifier does not check that the elements are aligned.
    if (!out.empty()) std::memcpy(out.data(), values->Data(), out.size() * sizeof(T));
    for (T& value : out) boost::endian::little_to_native_inplace(value);
    return out;
  }
  std::vector<Uuid> uuids(const flatbuffers::Vector<const fb::Uuid*>* values) {
    std::vector<Uuid> out;
    if (values == nullptr || !take(values->size() * sizeof(fb::Uuid))) return out;
    out.reserve(values->size());
    for (flatbuffers::uoffset_t i = 0; i < values->size(); ++i) {
      fb::Uuid id;
      std::memcpy(static_cast<void*>(&id), values->Data() + i * sizeof id, sizeof id);
      out.push_back({id.high(), id.low()});
    }
    return out;
  }
  Uuid uuid(const fb::Uuid* value) {
    if (value == nullptr) return {};
    return {value->high(), value->low()};
  }
  Role role(std::uint8_t value) {
    if (value < static_cast<std::uint8_t>(Role::kAdmin) || value > static_cast<std::uint8_t>(Role::kAuditor)) fail();
    return static_cast<Role>(value);
  }
  ExpectedVersion::Kind expected_kind(std::uint8_t value) {
    if (value > static_cast<std::uint8_t>(ExpectedVersion::Kind::kExactly)) fail();
    return static_cast<ExpectedVersion::Kind>(value);
  }
  /// Columns of one list must have the same length.
  template <class First, class... Others>
  std::size_t rows(const First& first, const Others&... others) {
    if (((others.size() != first.size()) || ...)) {
      fail();
      return 0;
    }
    return first.size();
  }

 private:
  bool take(std::size_t bytes) noexcept {
    good_ = good_ && bytes <= bytes_left_;
    if (good_) bytes_left_ -= bytes;
    return good_;
  }

  std::size_t bytes_left_;
  bool good_ = true;
};

Message decode(Reader& in, const fb::Hello& m) {
  return Hello{m.magic(),          m.major(),           m.minor(),          m.features(),
               in.text(m.token()), in.text(m.tenant()), in.text(m.client())};
}

Message decode(Reader& in, const fb::Welcome& m) {
  return Welcome{m.major(),
                 m.minor(),
                 m.features(),
                 in.text(m.server()),
                 in.text(m.tenant()),
                 in.role(m.role()),
                 m.frame_bytes_max(),
                 m.in_flight_max(),
                 m.reads_max(),
                 m.credit_bytes_max(),
                 m.heartbeat_interval_ms()};
}

Message decode(Reader& in, const fb::Append& m) {
  AppendRequest request;
  request.body.codec = static_cast<Codec>(m.codec());  // an unknown one is for the codec to refuse
  request.body.raw_size = m.raw_size();
  request.body.event_count = m.event_count();
  auto streams = in.texts(m.expected_stream());
  const auto kinds = in.numbers(m.expected_kind());
  const auto versions = in.numbers(m.expected_version());
  const std::size_t count = in.rows(streams, kinds, versions);
  request.expectations.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    request.expectations.push_back({std::move(streams[i]), {in.expected_kind(kinds[i]), Version{versions[i]}}});
  }
  if (m.producer() != nullptr) request.producer = ProducerPosition{in.uuid(m.producer()), m.sequence()};
  if (m.condition() != nullptr) {
    request.condition.emplace();
    request.condition->from = Offset{m.condition_from()};
    for (const fb::QueryItem* item : *m.condition()) {
      auto types = in.texts(item->types());
      request.condition->query.items.push_back({std::move(types), in.texts(item->tags())});
    }
  }
  return Append{std::move(request)};
}

Message decode(Reader& in, const fb::Appended& m) {
  return Appended{{Offset{m.first_offset()}, m.event_count(), Timestamp{m.recorded_at()},
                   in.numbers(m.first_versions()), m.duplicate()}};
}

Message decode(Reader& in, const fb::Failure& m) {
  // Of a newer peer's code only the name means something here.
  auto code = static_cast<ErrorCode>(m.code());
  std::string message = in.text(m.message());
  if (error_info(code).code != code) {
    message = fmt::format("{} ({}): {}", in.text(m.name()), m.code(), message);
    code = ErrorCode::kInternal;
  }
  if (code != ErrorCode::kWrongExpectedVersion && code != ErrorCode::kConditionFailed) {
    return Failure{Error{code, std::move(message)}.set_retry_after_ms(m.retry_after_ms())};
  }
  return Failure{Error{code, std::move(message), Conflict{in.text(m.stream()), m.actual_version(), m.offset()}}};
}

Message decode(Reader& in, const fb::Read& m) {
  Read read;
  read.request.from = Offset{m.from()};
  if (m.to() != kOffsetMax.value) read.request.to = Offset{m.to()};
  read.request.direction = m.backward() ? Direction::kBackward : Direction::kForward;
  read.request.filter.stream = in.optional_text(m.stream());
  read.request.filter.category = in.optional_text(m.category());
  read.request.filter.types = in.texts(m.types());
  read.request.filter.tags = in.texts(m.tags());
  if (m.limit() != ~std::uint64_t{0}) read.request.limit = m.limit();
  read.follow = m.follow();
  read.credit = m.credit();
  return read;
}

Message decode(Reader&, const fb::Credit& m) {
  return Credit{m.bytes()};
}
Message decode(Reader&, const fb::Cancel&) {
  return Cancel{};
}
Message decode(Reader& in, const fb::Batches& m) {
  return Batches{in.numbers(m.sizes()), Offset{m.next()}};
}
Message decode(Reader&, const fb::CaughtUp& m) {
  return CaughtUp{Offset{m.next()}};
}
Message decode(Reader&, const fb::ReadEnd& m) {
  return ReadEnd{Offset{m.next()}};
}
Message decode(Reader&, const fb::Ping&) {
  return Ping{};
}
Message decode(Reader&, const fb::Pong&) {
  return Pong{};
}
Message decode(Reader&, const fb::GoingAway&) {
  return GoingAway{};
}
Message decode(Reader&, const fb::Done&) {
  return Done{};
}
Message decode(Reader& in, const fb::CreateTenant& m) {
  return CreateTenant{in.text(m.name())};
}
Message decode(Reader&, const fb::ListTenants&) {
  return ListTenants{};
}

Message decode(Reader& in, const fb::TenantList& m) {
  TenantList list;
  const auto ids = in.numbers(m.ids());
  auto names = in.texts(m.names());
  const auto events = in.numbers(m.events());
  auto stored = in.numbers(m.stored_bytes());
  auto connections = in.numbers(m.connections());
  auto subscriptions = in.numbers(m.subscriptions());
  auto limits = in.numbers(m.limits());
  auto own = in.numbers(m.limits_own());
  // An older server does not send these columns.
  if (stored.empty()) stored.resize(ids.size());
  if (connections.empty()) connections.resize(ids.size());
  if (subscriptions.empty()) subscriptions.resize(ids.size());
  if (limits.empty()) limits.resize(ids.size() * kTenantLimitCount);
  if (own.empty()) own.resize(ids.size());
  const std::size_t count = in.rows(ids, names, events, stored, connections, subscriptions, own);
  if (limits.size() != count * kTenantLimitCount) {
    in.fail();
    return list;
  }
  for (std::size_t i = 0; i < count; ++i) {
    TenantList::Entry entry{TenantId{ids[i]}, std::move(names[i]), events[i], stored[i], connections[i],
                            subscriptions[i], {},                  own[i]};
    for (std::size_t k = 0; k < kTenantLimitCount; ++k) {
      entry.limits[static_cast<TenantLimit>(k)] = limits[i * kTenantLimitCount + k];
    }
    list.tenants.push_back(std::move(entry));
  }
  return list;
}

Message decode(Reader& in, const fb::SetTenantLimits& m) {
  SetTenantLimits set;
  set.tenant = in.text(m.tenant());
  const auto limits = in.numbers(m.limits());
  const auto values = in.numbers(m.values());
  const std::size_t count = in.rows(limits, values);
  for (std::size_t i = 0; i < count; ++i) {
    if (limits[i] >= kTenantLimitCount) in.fail();
    set.entries.push_back({static_cast<TenantLimit>(limits[i]), values[i]});
  }
  return set;
}

Message decode(Reader& in, const fb::CreateToken& m) {
  auto tenant = in.text(m.tenant());
  return CreateToken{std::move(tenant), in.role(m.role()), in.text(m.name()), Timestamp{m.expires_at()}};
}

Message decode(Reader& in, const fb::TokenCreated& m) {
  return TokenCreated{in.uuid(m.id()), in.text(m.secret())};
}
Message decode(Reader&, const fb::ListTokens&) {
  return ListTokens{};
}

Message decode(Reader& in, const fb::TokenList& m) {
  TokenList list;
  const auto ids = in.uuids(m.ids());
  auto tenants = in.texts(m.tenants());
  const auto roles = in.numbers(m.roles());
  auto names = in.texts(m.names());
  const auto created = in.numbers(m.created_at());
  const auto expires = in.numbers(m.expires_at());
  const std::size_t count = in.rows(ids, tenants, roles, names, created, expires);
  for (std::size_t i = 0; i < count; ++i) {
    list.tokens.push_back({ids[i], std::move(tenants[i]), in.role(roles[i]), std::move(names[i]), Timestamp{created[i]},
                           Timestamp{expires[i]}});
  }
  return list;
}

Message decode(Reader& in, const fb::RevokeToken& m) {
  return RevokeToken{in.uuid(m.id())};
}
Message decode(Reader&, const fb::GetStatus&) {
  return GetStatus{};
}

Message decode(Reader& in, const fb::Status& m) {
  Status status;
  status.version = in.text(m.version());
  status.read_only_reason = in.text(m.read_only_reason());
  auto names = in.texts(m.names());
  const auto values = in.numbers(m.values());
  const std::size_t count = in.rows(names, values);
  for (std::size_t i = 0; i < count; ++i) status.counters.emplace_back(std::move(names[i]), values[i]);
  return status;
}

Message decode(Reader&, const fb::VerifyStore&) {
  return VerifyStore{};
}

Message decode(Reader& in, const fb::VerifyReport& m) {
  VerifyReport report{m.tenants(), m.batches(), m.events(), m.stored_bytes(), m.postings(), {}};
  auto tenants = in.texts(m.finding_tenant());
  const auto offsets = in.numbers(m.finding_offset());
  const auto codes = in.numbers(m.finding_code());
  auto messages = in.texts(m.finding_message());
  const std::size_t count = in.rows(tenants, offsets, codes, messages);
  for (std::size_t i = 0; i < count; ++i) {
    report.findings.push_back(
        {std::move(tenants[i]), Offset{offsets[i]}, Error{static_cast<ErrorCode>(codes[i]), std::move(messages[i])}});
  }
  return report;
}

Message decode(Reader& in, const fb::Query& m) {
  auto projection = in.text(m.projection());
  auto query = in.text(m.query());
  Query wanted{std::move(projection), std::move(query), in.text(m.arguments()), Offset{m.min_offset()},
               m.timeout_ms()};
  if (m.at_offset() != kOffsetMax.value) wanted.at_offset = Offset{m.at_offset()};
  if (m.at_time() != 0) wanted.at_time = Timestamp{m.at_time()};
  if (m.trace_to() != kOffsetMax.value) wanted.trace_to = Offset{m.trace_to()};
  return wanted;
}

Message decode(Reader&, const fb::QueryAnswer& m) {
  return QueryAnswer{Offset{m.offset()}, {}};
}

Message decode(Reader& in, const fb::Command& m) {
  Command command;
  command.projection = in.text(m.projection());
  command.command = in.text(m.command());
  command.arguments = in.text(m.arguments());
  if (m.producer() != nullptr) command.producer = ProducerPosition{in.uuid(m.producer()), m.sequence()};
  command.timeout_ms = m.timeout_ms();
  return command;
}

Message decode(Reader&, const fb::CommandAnswer& m) {
  return CommandAnswer{Offset{m.first_offset()}, m.event_count(), Timestamp{m.recorded_at()}, m.duplicate(), {}};
}

Message decode(Reader& in, const fb::ManageProjection& m) {
  using Act = ManageProjection::Act;
  if (m.act() < static_cast<std::uint8_t>(Act::kStart) || m.act() > static_cast<std::uint8_t>(Act::kRetry)) in.fail();
  auto projection = in.text(m.projection());
  return ManageProjection{static_cast<Act>(m.act()), std::move(projection), in.text(m.name()), Offset{m.from()},
                          Offset{m.to()}};
}

Message decode(Reader&, const fb::ListProjections&) {
  return ListProjections{};
}

Message decode(Reader&, const fb::GetCheckpoint& m) {
  return GetCheckpoint{m.min_size(), m.without_signature(), m.timeout_ms()};
}

Message decode(Reader& in, const fb::Checkpoint& m) {
  auto origin = in.text(m.origin());
  const auto root = in.numbers(m.root());
  if (root.size() != 32) in.fail();
  return Checkpoint{std::move(origin), m.size(), std::string(root.begin(), root.end()), in.texts(m.hand_overs()), {}};
}

Message decode(Reader& in, const fb::GetProof& m) {
  using Kind = GetProof::Kind;
  if (m.kind() < static_cast<std::uint8_t>(Kind::kInclusion) || m.kind() > static_cast<std::uint8_t>(Kind::kRanges)) {
    in.fail();
  }
  GetProof wanted{static_cast<Kind>(m.kind()), m.size(), m.from(), {}};
  const auto begins = in.numbers(m.begins());
  const auto ends = in.numbers(m.ends());
  const std::size_t count = in.rows(begins, ends);
  if (count > GetProof::kRangesMax) in.fail();
  for (std::size_t i = 0; i < count; ++i) wanted.ranges.emplace_back(begins[i], ends[i]);
  return wanted;
}

Message decode(Reader&, const fb::Proof&) {
  return Proof{};
}

Message decode(Reader&, const fb::CreateBackup& m) {
  return CreateBackup{m.bytes_per_second_max()};
}

Message decode(Reader& in, const fb::BackupCreated& m) {
  return BackupCreated{m.news(), m.number(), in.text(m.directory()), m.batches(), m.events(), m.bytes()};
}

Message decode(Reader& in, const fb::ManageSnapshots& m) {
  using Act = ManageSnapshots::Act;
  if (m.act() < static_cast<std::uint8_t>(Act::kCreate) || m.act() > static_cast<std::uint8_t>(Act::kDelete)) in.fail();
  return ManageSnapshots{static_cast<Act>(m.act()), m.id()};
}

Message decode_message(Reader& in, const fb::Frame& frame) {
  switch (frame.message_type()) {
#define BAHI_CASE(name) \
  case fb::Message::name: return decode(in, *frame.message_as_##name());
    BAHI_CASE(Hello)
    BAHI_CASE(Welcome)
    BAHI_CASE(Append)
    BAHI_CASE(Appended)
    BAHI_CASE(Failure)
    BAHI_CASE(Read)
    BAHI_CASE(Credit)
    BAHI_CASE(Cancel)
    BAHI_CASE(Batches)
    BAHI_CASE(CaughtUp)
    BAHI_CASE(ReadEnd)
    BAHI_CASE(Ping)
    BAHI_CASE(Pong)
    BAHI_CASE(GoingAway)
    BAHI_CASE(Done)
    BAHI_CASE(CreateTenant)
    BAHI_CASE(ListTenants)
    BAHI_CASE(TenantList)
    BAHI_CASE(CreateToken)
    BAHI_CASE(TokenCreated)
    BAHI_CASE(ListTokens)
    BAHI_CASE(TokenList)
    BAHI_CASE(RevokeToken)
    BAHI_CASE(GetStatus)
    BAHI_CASE(Status)
    BAHI_CASE(VerifyStore)
    BAHI_CASE(VerifyReport)
    BAHI_CASE(SetTenantLimits)
    BAHI_CASE(Query)
    BAHI_CASE(QueryAnswer)
    BAHI_CASE(Command)
    BAHI_CASE(CommandAnswer)
    BAHI_CASE(ManageProjection)
    BAHI_CASE(ListProjections)
    BAHI_CASE(GetCheckpoint)
    BAHI_CASE(Checkpoint)
    BAHI_CASE(GetProof)
    BAHI_CASE(Proof)
    BAHI_CASE(CreateBackup)
    BAHI_CASE(BackupCreated)
    BAHI_CASE(ManageSnapshots)
#undef BAHI_CASE
    case fb::Message::NONE: in.fail(); break;
  }
  return Unknown{static_cast<std::uint8_t>(frame.message_type())};
}

/// FlatBuffers reads numbers in place, so the bytes must be aligned to 8.
std::string_view aligned(std::string_view head) {
  if (reinterpret_cast<std::uintptr_t>(head.data()) % alignof(std::uint64_t) == 0) return head;
  static thread_local std::vector<std::uint64_t> copy;
  copy.resize((head.size() + 7) / 8);
  std::memcpy(copy.data(), head.data(), head.size());
  return {reinterpret_cast<const char*>(copy.data()), head.size()};
}

}  // namespace

Result<Envelope> decode_head(std::string_view head) {
  if (head.size() > kFrameHeadBytesMax) return malformed("the head is too large");
  head = aligned(head);
  flatbuffers::Verifier verifier(reinterpret_cast<const std::uint8_t*>(head.data()), head.size(), kDepthMax,
                                 kTablesMax);
  if (!fb::VerifyFrameBuffer(verifier)) return malformed("the head is not a valid message");
  const fb::Frame* frame = fb::GetFrame(head.data());
  if (frame->message_type() != fb::Message::NONE && frame->message() == nullptr) return malformed("no message");
  Reader in(head.size());
  Envelope envelope{frame->request(), decode_message(in, *frame)};
  if (!in.good()) return malformed("a value of the message is outside the limits");
  return envelope;
}

Result<std::vector<std::string_view>> split_batches(const Batches& batches, std::string_view payload) {
  std::vector<std::string_view> views;
  views.reserve(batches.sizes.size());
  for (const std::uint32_t size : batches.sizes) {
    if (size > payload.size()) return malformed("the batches are longer than the payload");
    views.push_back(payload.substr(0, size));
    payload.remove_prefix(size);
  }
  if (!payload.empty()) return malformed("the payload is longer than its batches");
  return views;
}

}  // namespace bahi::wire
