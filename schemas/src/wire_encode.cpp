#include <array>
#include <type_traits>

#include <flatbuffers/flatbuffers.h>

#include "bahi/schemas/frame.hpp"
#include "bahi/schemas/wire.hpp"
#include "wire_generated.h"

namespace bahi {

std::string_view to_string(Role role) noexcept {
  switch (role) {
    case Role::kAdmin: return "admin";
    case Role::kWriter: return "writer";
    case Role::kReader: return "reader";
    case Role::kAuditor: return "auditor";
  }
  return "unknown";
}

std::string_view to_string(TenantLimit limit) noexcept {
  switch (limit) {
    case TenantLimit::kBytesPerSecond: return "bytes_per_second";
    case TenantLimit::kEventsPerSecond: return "events_per_second";
    case TenantLimit::kConnections: return "connections_max";
    case TenantLimit::kSubscriptions: return "subscriptions_max";
    case TenantLimit::kStoredBytes: return "stored_bytes_max";
  }
  return "unknown";
}

Result<Role> parse_role(std::string_view text) {
  for (const Role role : {Role::kAdmin, Role::kWriter, Role::kReader, Role::kAuditor}) {
    if (text == to_string(role)) return role;
  }
  return Error{ErrorCode::kInvalidArgument,
               "role: '" + std::string(text.substr(0, 64)) + "' is not admin, writer, reader or auditor"};
}

}  // namespace bahi

namespace bahi::wire {
namespace {

using Builder = flatbuffers::FlatBufferBuilder;
using Strings = std::vector<std::string>;

auto text(Builder& builder, std::string_view value) {
  return value.empty() ? flatbuffers::Offset<flatbuffers::String>{} : builder.CreateString(value.data(), value.size());
}

template <class T>
auto list(Builder& builder, const std::vector<T>& values) {
  return values.empty() ? flatbuffers::Offset<flatbuffers::Vector<T>>{} : builder.CreateVector(values);
}

auto list(Builder& builder, const Strings& values) {
  using Result = flatbuffers::Offset<flatbuffers::Vector<flatbuffers::Offset<flatbuffers::String>>>;
  return values.empty() ? Result{} : builder.CreateVectorOfStrings(values);
}

/// A column of `rows`, as `value` takes it from each.
template <class Rows, class Value>
auto column(const Rows& rows, Value value) {
  std::vector<std::decay_t<decltype(value(rows.front()))>> values;
  values.reserve(rows.size());
  for (const auto& row : rows) values.push_back(value(row));
  return values;
}

fb::Uuid uuid(const Uuid& id) {
  return {id.high, id.low};
}

flatbuffers::Offset<fb::Append> encode(Builder& builder, const AppendRequest& request) {
  const auto streams = list(builder, column(request.expectations, [](const StreamExpectation& e) { return e.stream; }));
  const auto kinds = list(builder, column(request.expectations, [](const StreamExpectation& e) {
                            return static_cast<std::uint8_t>(e.expected.kind);
                          }));
  const auto versions = list(builder, column(request.expectations, [](const StreamExpectation& e) {
                               return std::int64_t{e.expected.version.value};
                             }));
  flatbuffers::Offset<flatbuffers::Vector<flatbuffers::Offset<fb::QueryItem>>> condition;
  if (request.condition) {
    condition = builder.CreateVector(column(request.condition->query.items, [&builder](const QueryItem& item) {
      const auto types = list(builder, item.types);
      return fb::CreateQueryItem(builder, types, list(builder, item.tags));
    }));
  }
  const fb::Uuid producer = request.producer ? uuid(request.producer->id) : fb::Uuid{};
  return fb::CreateAppend(builder, static_cast<std::uint8_t>(request.body.codec), request.body.raw_size,
                          request.body.event_count, streams, kinds, versions, request.producer ? &producer : nullptr,
                          request.producer ? request.producer->sequence : 0, condition,
                          request.condition ? request.condition->from.value : 0);
}

flatbuffers::Offset<void> encode(Builder&, const Unknown&) {
  return {};
}

auto encode(Builder& builder, const Hello& m) {
  const auto token = text(builder, m.token);
  const auto tenant = text(builder, m.tenant);
  return fb::CreateHello(builder, m.magic, m.major, m.minor, m.features, token, tenant, text(builder, m.client));
}

auto encode(Builder& builder, const Welcome& m) {
  const auto server = text(builder, m.server);
  return fb::CreateWelcome(builder, m.major, m.minor, m.features, server, text(builder, m.tenant),
                           static_cast<std::uint8_t>(m.role), m.frame_bytes_max, m.in_flight_max, m.reads_max,
                           m.credit_bytes_max, m.heartbeat_interval_ms);
}

auto encode(Builder& builder, const Append& m) {
  return encode(builder, m.request);
}

auto encode(Builder& builder, const Appended& m) {
  return fb::CreateAppended(builder, m.result.first_offset.value, m.result.event_count, m.result.recorded_at.nanos,
                            list(builder, m.result.first_versions), m.result.duplicate);
}

auto encode(Builder& builder, const Failure& m) {
  const Conflict* conflict = m.error.conflict();
  const auto name = text(builder, m.error.info().name);
  const auto message = text(builder, m.error.message());
  const auto stream = text(builder, conflict == nullptr ? std::string_view{} : conflict->stream);
  return fb::CreateFailure(builder, static_cast<std::uint16_t>(m.error.code()), name, message, stream,
                           conflict == nullptr ? 0 : conflict->actual_version,
                           conflict == nullptr ? 0 : conflict->offset, m.error.retry_after_ms());
}

auto encode(Builder& builder, const Read& m) {
  const EventFilter& filter = m.request.filter;
  const auto stream = filter.stream ? builder.CreateString(*filter.stream) : 0;
  const auto category = filter.category ? builder.CreateString(*filter.category) : 0;
  const auto types = list(builder, filter.types);
  return fb::CreateRead(builder, m.request.from.value, m.request.to.value_or(kOffsetMax).value,
                        m.request.direction == Direction::kBackward, m.follow, stream, category, types,
                        list(builder, filter.tags), m.request.limit.value_or(~std::uint64_t{0}), m.credit);
}

auto encode(Builder& builder, const Credit& m) {
  return fb::CreateCredit(builder, m.bytes);
}
auto encode(Builder& builder, const Cancel&) {
  return fb::CreateCancel(builder);
}
auto encode(Builder& builder, const Batches& m) {
  return fb::CreateBatches(builder, list(builder, m.sizes), m.next.value);
}
auto encode(Builder& builder, const CaughtUp& m) {
  return fb::CreateCaughtUp(builder, m.next.value);
}
auto encode(Builder& builder, const ReadEnd& m) {
  return fb::CreateReadEnd(builder, m.next.value);
}
auto encode(Builder& builder, const Ping&) {
  return fb::CreatePing(builder);
}
auto encode(Builder& builder, const Pong&) {
  return fb::CreatePong(builder);
}
auto encode(Builder& builder, const GoingAway&) {
  return fb::CreateGoingAway(builder);
}
auto encode(Builder& builder, const Done&) {
  return fb::CreateDone(builder);
}
auto encode(Builder& builder, const CreateTenant& m) {
  return fb::CreateCreateTenant(builder, text(builder, m.name));
}
auto encode(Builder& builder, const ListTenants&) {
  return fb::CreateListTenants(builder);
}

auto encode(Builder& builder, const TenantList& m) {
  using Entry = TenantList::Entry;
  const auto ids = list(builder, column(m.tenants, [](const Entry& e) { return e.id.value; }));
  const auto names = list(builder, column(m.tenants, [](const Entry& e) { return e.name; }));
  const auto events = list(builder, column(m.tenants, [](const Entry& e) { return e.events; }));
  const auto stored = list(builder, column(m.tenants, [](const Entry& e) { return e.stored_bytes; }));
  const auto connections = list(builder, column(m.tenants, [](const Entry& e) { return e.connections; }));
  const auto subscriptions = list(builder, column(m.tenants, [](const Entry& e) { return e.subscriptions; }));
  std::vector<std::uint64_t> limits;
  for (const Entry& entry : m.tenants) {
    for (std::size_t i = 0; i < kTenantLimitCount; ++i) limits.push_back(entry.limits[static_cast<TenantLimit>(i)]);
  }
  const auto limits_list = list(builder, limits);
  return fb::CreateTenantList(builder, ids, names, events, stored, connections, subscriptions, limits_list,
                              list(builder, column(m.tenants, [](const Entry& e) { return e.limits_own; })));
}

auto encode(Builder& builder, const SetTenantLimits& m) {
  using Entry = SetTenantLimits::Entry;
  const auto tenant = text(builder, m.tenant);
  const auto limits =
      list(builder, column(m.entries, [](const Entry& e) { return static_cast<std::uint8_t>(e.limit); }));
  return fb::CreateSetTenantLimits(builder, tenant, limits,
                                   list(builder, column(m.entries, [](const Entry& e) { return e.value; })));
}

auto encode(Builder& builder, const CreateToken& m) {
  const auto tenant = text(builder, m.tenant);
  return fb::CreateCreateToken(builder, tenant, static_cast<std::uint8_t>(m.role), text(builder, m.name),
                               m.expires_at.nanos);
}

auto encode(Builder& builder, const TokenCreated& m) {
  const fb::Uuid id = uuid(m.id);
  return fb::CreateTokenCreated(builder, &id, text(builder, m.secret));
}

auto encode(Builder& builder, const ListTokens&) {
  return fb::CreateListTokens(builder);
}

auto encode(Builder& builder, const TokenList& m) {
  using Entry = TokenList::Entry;
  const auto id_values = column(m.tokens, [](const Entry& e) { return uuid(e.id); });
  const auto ids = builder.CreateVectorOfStructs(id_values);
  const auto tenants = list(builder, column(m.tokens, [](const Entry& e) { return e.tenant; }));
  const auto roles = list(builder, column(m.tokens, [](const Entry& e) { return static_cast<std::uint8_t>(e.role); }));
  const auto names = list(builder, column(m.tokens, [](const Entry& e) { return e.name; }));
  const auto created = list(builder, column(m.tokens, [](const Entry& e) { return e.created_at.nanos; }));
  return fb::CreateTokenList(builder, ids, tenants, roles, names, created,
                             list(builder, column(m.tokens, [](const Entry& e) { return e.expires_at.nanos; })));
}

auto encode(Builder& builder, const RevokeToken& m) {
  const fb::Uuid id = uuid(m.id);
  return fb::CreateRevokeToken(builder, &id);
}

auto encode(Builder& builder, const GetStatus&) {
  return fb::CreateGetStatus(builder);
}

auto encode(Builder& builder, const Status& m) {
  const auto version = text(builder, m.version);
  const auto reason = text(builder, m.read_only_reason);
  const auto names = list(builder, column(m.counters, [](const auto& counter) { return counter.first; }));
  return fb::CreateStatus(builder, version, reason, names,
                          list(builder, column(m.counters, [](const auto& counter) { return counter.second; })));
}

auto encode(Builder& builder, const VerifyStore&) {
  return fb::CreateVerifyStore(builder);
}

auto encode(Builder& builder, const VerifyReport& m) {
  using Finding = VerifyReport::Finding;
  const auto tenants = list(builder, column(m.findings, [](const Finding& f) { return f.tenant; }));
  const auto offsets = list(builder, column(m.findings, [](const Finding& f) { return f.offset.value; }));
  const auto codes =
      list(builder, column(m.findings, [](const Finding& f) { return static_cast<std::uint16_t>(f.error.code()); }));
  const auto messages = list(builder, column(m.findings, [](const Finding& f) { return f.error.message(); }));
  return fb::CreateVerifyReport(builder, m.tenants, m.batches, m.events, m.stored_bytes, m.postings, tenants, offsets,
                                codes, messages);
}

auto encode(Builder& builder, const Query& m) {
  const auto projection = text(builder, m.projection);
  const auto query = text(builder, m.query);
  // 0 stands for no time; nothing was recorded in 1970.
  const std::int64_t at_time = m.at_time == Timestamp{0} ? -1 : m.at_time.value_or(Timestamp{0}).nanos;
  return fb::CreateQuery(builder, projection, query, text(builder, m.arguments), m.min_offset.value, m.timeout_ms,
                         m.at_offset.value_or(kOffsetMax).value, at_time, m.trace_to.value_or(kOffsetMax).value);
}

auto encode(Builder& builder, const QueryAnswer& m) {
  return fb::CreateQueryAnswer(builder, m.offset.value);
}

auto encode(Builder& builder, const Command& m) {
  const auto projection = text(builder, m.projection);
  const auto command = text(builder, m.command);
  const fb::Uuid producer = m.producer ? uuid(m.producer->id) : fb::Uuid{};
  return fb::CreateCommand(builder, projection, command, text(builder, m.arguments), m.producer ? &producer : nullptr,
                           m.producer ? m.producer->sequence : 0, m.timeout_ms);
}

auto encode(Builder& builder, const CommandAnswer& m) {
  return fb::CreateCommandAnswer(builder, m.first_offset.value, m.event_count, m.recorded_at.nanos, m.duplicate);
}

auto encode(Builder& builder, const ManageProjection& m) {
  const auto projection = text(builder, m.projection);
  return fb::CreateManageProjection(builder, static_cast<std::uint8_t>(m.act), projection, text(builder, m.name),
                                    m.from.value, m.to.value);
}

auto encode(Builder& builder, const ListProjections&) {
  return fb::CreateListProjections(builder);
}

auto encode(Builder& builder, const GetCheckpoint& m) {
  return fb::CreateGetCheckpoint(builder, m.min_size, m.without_signature, m.timeout_ms);
}

auto encode(Builder& builder, const Checkpoint& m) {
  const auto origin = text(builder, m.origin);
  const auto root = list(builder, std::vector<std::uint8_t>(m.root.begin(), m.root.end()));
  return fb::CreateCheckpoint(builder, origin, m.size, root, list(builder, m.hand_overs));
}

auto encode(Builder& builder, const GetProof& m) {
  const auto begins = list(builder, column(m.ranges, [](const auto& range) { return range.first; }));
  const auto ends = list(builder, column(m.ranges, [](const auto& range) { return range.second; }));
  return fb::CreateGetProof(builder, static_cast<std::uint8_t>(m.kind), m.size, m.from, begins, ends);
}

auto encode(Builder& builder, const Proof&) {
  return fb::CreateProof(builder);
}

auto encode(Builder& builder, const CreateBackup& m) {
  return fb::CreateCreateBackup(builder, m.bytes_per_second_max);
}

auto encode(Builder& builder, const BackupCreated& m) {
  return fb::CreateBackupCreated(builder, m.news, m.number, text(builder, m.directory), m.batches, m.events, m.bytes);
}

auto encode(Builder& builder, const ManageSnapshots& m) {
  return fb::CreateManageSnapshots(builder, static_cast<std::uint8_t>(m.act), m.id);
}

/// The union member that stands for a variant's alternative; both are in the same order.
template <class T>
fb::Message type_of() {
  constexpr auto place = []<class... Ts>(std::variant<Ts...>*) {
    constexpr std::array<bool, sizeof...(Ts)> same{std::is_same_v<T, Ts>...};
    std::uint8_t index = 0;
    while (!same[index]) ++index;
    return index;
  }(static_cast<Message*>(nullptr));
  return static_cast<fb::Message>(place);
}

Builder& scratch() {
  static thread_local Builder builder;
  builder.Clear();
  return builder;
}

template <class T>
void put(std::uint64_t request, const T& message, fb::Message type, std::size_t payload_bytes, std::string& out) {
  Builder& builder = scratch();
  const auto offset = encode(builder, message);
  builder.Finish(fb::CreateFrame(builder, request, type, offset.Union()));
  put_frame_prefix(builder.GetSize(), payload_bytes, out);
  out.append(reinterpret_cast<const char*>(builder.GetBufferPointer()), builder.GetSize());
}

}  // namespace

std::string_view name_of(const Message& message) noexcept {
  if (message.index() == 0) return "Unknown";
  return fb::EnumNameMessage(static_cast<fb::Message>(message.index()));
}

std::string_view payload_of(const Message& message) noexcept {
  if (const auto* answer = std::get_if<QueryAnswer>(&message)) return answer->json;
  if (const auto* answer = std::get_if<CommandAnswer>(&message)) return answer->json;
  if (const auto* checkpoint = std::get_if<Checkpoint>(&message)) return checkpoint->note;
  if (const auto* proof = std::get_if<Proof>(&message)) return proof->hashes;
  return {};
}

void set_payload(Message& message, std::string_view payload) {
  if (auto* query = std::get_if<QueryAnswer>(&message)) query->json = payload;
  if (auto* command = std::get_if<CommandAnswer>(&message)) command->json = payload;
  if (auto* checkpoint = std::get_if<Checkpoint>(&message)) checkpoint->note = payload;
  if (auto* proof = std::get_if<Proof>(&message)) proof->hashes = payload;
}

void put_frame(std::uint64_t request, const Message& message, std::size_t payload_bytes, std::string& out) {
  std::visit([&]<class T>(const T& m) { put(request, m, type_of<T>(), payload_bytes, out); }, message);
}

void put_append(std::uint64_t request, const AppendRequest& append, std::string& out) {
  put(request, append, fb::Message::Append, append.body.bytes.size(), out);
  out.append(append.body.bytes);
}

}  // namespace bahi::wire
