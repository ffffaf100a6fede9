#include "session.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace bahi::server {
namespace {

/// Small answers are gathered into buffers of this size.
constexpr std::size_t kGatherBytes = std::size_t{16} << 10U;
/// What one turn of a read may give, so that reads of one connection take turns.
constexpr std::size_t kTurnBytes = std::size_t{256} << 10U;
/// An append that is above its tenant's rate waits at most this long.
constexpr std::chrono::milliseconds kHoldMax{10'000};

template <class T>
bool is(const wire::Message& message) {
  return std::holds_alternative<T>(message);
}

bool is_administration(const wire::Message& message) {
  return is<wire::CreateTenant>(message) || is<wire::ListTenants>(message) || is<wire::CreateToken>(message) ||
         is<wire::SetTenantLimits>(message) || is<wire::ListTokens>(message) || is<wire::RevokeToken>(message) ||
         is<wire::GetStatus>(message) || is<wire::VerifyStore>(message) || is<wire::ManageProjection>(message) ||
         is<wire::ListProjections>(message) || is<wire::CreateBackup>(message) ||
         is<wire::ManageSnapshots>(message);
}

bool is_question(const wire::Message& message) {
  return is<wire::Query>(message) || is<wire::Command>(message) || is<wire::GetCheckpoint>(message) ||
         is<wire::GetProof>(message);
}

bool is_request(const wire::Message& message) {
  return is<wire::Append>(message) || is<wire::Read>(message) || is_question(message) || is_administration(message);
}

}  // namespace

Session::Session(const Limits& limits, Doorkeeper doorkeeper, const Clock& clock, TimePoint now, Metering metering)
    : limits_(limits),
      doorkeeper_(std::move(doorkeeper)),
      metering_(std::move(metering)),
      clock_(clock),
      began_(now),
      received_(now),
      frame_began_(now),
      progressed_(now),
      pinged_(now) {}

// --- from the peer

void Session::begin(TimePoint now) {
  began_ = received_ = frame_began_ = progressed_ = pinged_ = now;
}

bool Session::wants_input() const noexcept {
  return phase_ != Phase::kClosing && held_.empty() && output_bytes_ < limits_.write_queue_bytes_max &&
         in_flight_bytes_ < limits_.in_flight_bytes_max;
}

void Session::receive(std::string_view bytes, TimePoint now) {
  received_ = now;
  if (!splitter_.mid_frame()) frame_began_ = now;
  splitter_.push(bytes);
  FrameView frame;
  while (phase_ != Phase::kClosing) {
    const Result<bool> more = splitter_.next(frame);
    if (!more) return fail(more.error());
    if (!*more) return;
    frame_began_ = now;
    handle(frame);
  }
}

void Session::handle(const FrameView& frame) {
  Result<wire::Envelope> envelope = wire::decode_head(frame.head);
  if (!envelope) return fail(envelope.error());
  if (phase_ == Phase::kHandshake) return greet(*envelope);
  dispatch(std::move(*envelope), frame.payload);
}

void Session::greet(const wire::Envelope& envelope) {
  const auto* hello = std::get_if<wire::Hello>(&envelope.message);
  if (hello == nullptr || hello->magic != wire::kMagic) {
    return fail({ErrorCode::kUnsupportedProtocol, "the first message must be a Hello of Bahi's protocol"});
  }
  if (hello->major != wire::kMajor) {
    return fail({ErrorCode::kUnsupportedProtocol, fmt::format("protocol version {}.{}; this server speaks {}.{}",
                                                              hello->major, hello->minor, wire::kMajor, wire::kMinor)});
  }
  if (const Status entered = enter(*hello); !entered) return fail(entered.error());
  phase_ = Phase::kOpen;
  splitter_.set_frame_bytes_max(kFrameBytesMax);
  wire::Welcome welcome;
  welcome.minor = std::min(hello->minor, wire::kMinor);
  welcome.features = hello->features & wire::kFeatures;
  welcome.server = "bahi";
  welcome.tenant = credential_->tenant_name;
  welcome.role = credential_->role;
  welcome.frame_bytes_max = static_cast<std::uint32_t>(kFrameBytesMax);
  welcome.in_flight_max = limits_.in_flight_max;
  welcome.reads_max = limits_.reads_max;
  welcome.credit_bytes_max = limits_.credit_bytes_max;
  welcome.heartbeat_interval_ms = static_cast<std::uint32_t>(limits_.heartbeat_interval.count());
  put(envelope.request, welcome);
}

Status Session::enter(const wire::Hello& hello) {
  Result<CredentialPtr> admitted = doorkeeper_(hello);
  if (!admitted) {
    actions_.emplace_back(RecordDenial{0, "Hello", admitted.error().message()});
    return admitted.error();
  }
  if (metering_) meter_ = metering_(**admitted);
  if (meter_) {
    BAHI_ASSIGN(ticket_, meter_->open_connection());
  }
  credential_ = std::move(*admitted);
  client_name_ = hello.client;
  return {};
}

void Session::dispatch(wire::Envelope envelope, std::string_view payload) {
  if (handle_conversation(envelope)) return;
  ++requests_received_;
  const std::uint64_t request = envelope.request;
  if (request == 0) return fail({ErrorCode::kMalformedFrame, "a request needs an id other than 0"});
  if (in_flight_.contains(request) || reads_.contains(request)) {
    return fail({ErrorCode::kMalformedFrame, fmt::format("the request id {} is in use", request)});
  }
  if (const Status checked = check_request(envelope.message); !checked) {
    const ErrorCode code = checked.error().code();
    if (code == ErrorCode::kForbidden || code == ErrorCode::kUnauthenticated) {
      actions_.emplace_back(
          RecordDenial{request, std::string(wire::name_of(envelope.message)), checked.error().message()});
    }
    return refuse(request, checked.error());
  }
  if (auto* append = std::get_if<wire::Append>(&envelope.message)) {
    return start_append(request, std::move(append->request), payload);
  }
  if (auto* read = std::get_if<wire::Read>(&envelope.message)) return start_read(request, std::move(*read));
  in_flight_.emplace(request, 0);
  if (is_question(envelope.message)) {
    actions_.emplace_back(Ask{request, std::move(envelope.message)});
  } else {
    actions_.emplace_back(Administer{request, std::move(envelope.message)});
  }
}

/// True: the message was part of the conversation, not a request.
bool Session::handle_conversation(const wire::Envelope& envelope) {
  if (is<wire::Ping>(envelope.message)) {
    put(envelope.request, wire::Pong{});
  } else if (const auto* credit = std::get_if<wire::Credit>(&envelope.message)) {
    grant(envelope.request, credit->bytes);
  } else if (is<wire::Cancel>(envelope.message)) {
    cancel(envelope.request);
  } else {
    return is<wire::Pong>(envelope.message);
  }
  return true;
}

Status Session::check_request(const wire::Message& message) const {
  if (!is_request(message)) {
    return Error{ErrorCode::kUnknownRequest,
                 fmt::format("{}: not a request that this server knows", wire::name_of(message))};
  }
  if (!credential_->live(clock_.now())) {
    return Error{ErrorCode::kUnauthenticated, "the token has expired or was revoked"};
  }
  if (phase_ == Phase::kDraining) return Error{ErrorCode::kShuttingDown, "the server is stopping; nothing was done"};
  BAHI_TRY(check_permission(*credential_, message));
  if (in_flight_.size() >= limits_.in_flight_max) {
    return Error{ErrorCode::kOverloaded,
                 fmt::format("{} requests are in flight on this connection already", in_flight_.size())};
  }
  if (is<wire::Read>(message) && reads_.size() >= limits_.reads_max) {
    return Error{ErrorCode::kOverloaded, fmt::format("{} reads are open on this connection already", reads_.size())};
  }
  return {};
}

void Session::start_append(std::uint64_t request, AppendRequest append, std::string_view payload) {
  append.tenant = credential_->tenant;
  append.body.bytes.assign(payload);
  in_flight_.emplace(request, payload.size());
  in_flight_bytes_ += payload.size();
  if (!meter_) {
    actions_.emplace_back(SubmitAppend{request, std::move(append)});
    return;
  }
  held_.push_back({{request, std::move(append)}, received_});
  if (held_.size() == 1) admit_held(received_);
}

/// Lets go what the tenant may append now, in the order in which it came.
void Session::admit_held(TimePoint now) {
  while (!held_.empty()) {
    SubmitAppend& next = held_.front().append;
    const Status admitted = meter_->admit_append(next.append.body.bytes.size(), next.append.body.event_count, now);
    if (admitted) {
      actions_.emplace_back(std::move(next));
    } else if (admitted.error().code() != ErrorCode::kOverloaded) {
      answer(next.request, wire::Failure{admitted.error()});
    } else {
      const bool hopeless = std::chrono::milliseconds(admitted.error().retry_after_ms()) > kHoldMax ||
                            now - held_.front().since > kHoldMax;
      // Those behind it too: what comes later must not be stored before it.
      if (hopeless) refuse_held(admitted.error());
      return;
    }
    held_.pop_front();
  }
}

void Session::refuse_held(const Error& error) {
  for (const HeldAppend& held : std::exchange(held_, {})) answer(held.append.request, wire::Failure{error});
}

void Session::start_read(std::uint64_t request, wire::Read read) {
  read.request.tenant = credential_->tenant;
  ReadState state;
  if (meter_ && read.follow) {
    Result<TenantMeter::Ticket> ticket = meter_->open_subscription();
    if (!ticket) return refuse(request, ticket.error());
    state.ticket = std::move(*ticket);
  }
  reads_.emplace(request, std::move(state));
  actions_.emplace_back(OpenRead{request, std::move(read.request), read.follow});
  grant(request, read.credit);
}

void Session::grant(std::uint64_t request, std::uint64_t bytes) {
  const auto found = reads_.find(request);
  if (found == reads_.end()) return;  // it ended while the credit was on its way
  const std::int64_t most = limits_.credit_bytes_max;
  const auto more = static_cast<std::int64_t>(std::min<std::uint64_t>(bytes, limits_.credit_bytes_max));
  found->second.credit = std::min(most, found->second.credit + more);
}

void Session::cancel(std::uint64_t request) {
  if (reads_.erase(request) == 0) return;
  actions_.emplace_back(CloseRead{request});
  put(request, wire::ReadEnd{});
}

// --- to the engine and back

std::optional<Action> Session::next_action() {
  if (actions_.empty()) return std::nullopt;
  std::optional<Action> action(std::move(actions_.front()));
  actions_.pop_front();
  return action;
}

void Session::answer_append(std::uint64_t request, const Result<AppendResult>& result) {
  answer(request, result ? wire::Message(wire::Appended{*result}) : wire::Message(wire::Failure{result.error()}));
}

void Session::answer(std::uint64_t request, const wire::Message& message) {
  const auto found = in_flight_.find(request);
  if (found == in_flight_.end()) return;
  in_flight_bytes_ -= found->second;
  in_flight_.erase(found);
  if (phase_ != Phase::kClosing) {
    const std::string_view payload = wire::payload_of(message);
    put(request, message, payload.size());
    output_.back().append(payload);
    output_bytes_ += payload.size();
  }
  finish_if_drained();
}

void Session::read_opened(std::uint64_t request, const Status& status) {
  const auto found = reads_.find(request);
  if (found == reads_.end()) return;
  found->second.waiting = false;
  if (status) return;
  reads_.erase(found);
  refuse(request, status.error());
}

std::optional<ReadTurn> Session::next_turn() {
  if (phase_ != Phase::kOpen || output_bytes_ >= limits_.write_queue_bytes_max || reads_.empty()) return std::nullopt;
  if (!credential_->live(clock_.now())) {
    fail({ErrorCode::kUnauthenticated, "the token has expired or was revoked"});
    return std::nullopt;
  }
  auto candidate = reads_.upper_bound(last_turn_);
  for (std::size_t i = 0; i < reads_.size(); ++i, ++candidate) {
    if (candidate == reads_.end()) candidate = reads_.begin();
    const auto& [request, read] = *candidate;
    if (read.waiting || read.credit <= 0) continue;
    last_turn_ = request;
    return ReadTurn{request, std::min(kTurnBytes, static_cast<std::size_t>(read.credit))};
  }
  return std::nullopt;
}

bool Session::deliver(std::uint64_t request, Result<Slice> slice) {
  const auto found = reads_.find(request);
  if (found == reads_.end()) return false;
  if (!slice) {
    reads_.erase(found);
    refuse(request, slice.error());
    return false;
  }
  ReadState& read = found->second;
  if (!slice->sizes.empty()) {
    read.credit -= static_cast<std::int64_t>(slice->batches.size());
    put(request, wire::Batches{std::move(slice->sizes), slice->next}, slice->batches.size());
    output_bytes_ += slice->batches.size();
    output_.push_back(std::move(slice->batches));
  }
  if (slice->then == Slice::Then::kEnd) {
    reads_.erase(found);
    put(request, wire::ReadEnd{slice->next});
    return false;
  }
  read.waiting = slice->then == Slice::Then::kWait;
  if (read.waiting && !std::exchange(read.caught_up, true)) put(request, wire::CaughtUp{slice->next});
  return true;
}

void Session::read_ready(std::uint64_t request) {
  const auto found = reads_.find(request);
  if (found != reads_.end()) found->second.waiting = false;
}

// --- to the peer

void Session::refuse(std::uint64_t request, const Error& error) {
  put(request, wire::Failure{error});
}

/// The caller appends the payload to the output by itself.
void Session::put(std::uint64_t request, const wire::Message& message, std::size_t payload_bytes) {
  if (output_.empty() || output_.back().size() >= kGatherBytes) output_.emplace_back();
  const std::size_t before = output_.back().size();
  wire::put_frame(request, message, payload_bytes, output_.back());
  output_bytes_ += output_.back().size() - before;
}

void Session::take_output(std::vector<std::string>& buffers, std::size_t count_max) {
  buffers.clear();
  while (!output_.empty() && buffers.size() < count_max) {
    buffers.push_back(std::move(output_.front()));
    output_.pop_front();
  }
}

void Session::sent(std::size_t bytes, TimePoint now) {
  output_bytes_ -= bytes;
  progressed_ = now;
}

// --- time and end

void Session::tick(TimePoint now) {
  if (!held_.empty() && credential_->live(clock_.now())) admit_held(now);
  if (output_bytes_ == 0) progressed_ = now;
  if (now - progressed_ > limits_.write_deadline) {
    stuck_ = true;
    failure_ = "the peer takes nothing of what waits for it";
    phase_ = Phase::kClosing;
  }
  if (phase_ == Phase::kClosing) return;
  const auto late = [](std::string_view what) {
    return Error{ErrorCode::kDeadlineExceeded, fmt::format("{} took too long", what)};
  };
  if (phase_ == Phase::kHandshake) {
    if (now - began_ > limits_.handshake_deadline) fail(late("the handshake"));
    return;
  }
  // While nothing is taken from the peer, its silence is not its fault; but it must see that the server lives.
  const bool waits = !wants_input();
  if (waits) received_ = frame_began_ = now;
  if (splitter_.mid_frame() && now - frame_began_ > limits_.frame_deadline) return fail(late("a frame"));
  if (now - received_ > limits_.idle_deadline) return fail(late("an answer to a heartbeat"));
  if (!credential_->live(clock_.now())) {
    return fail({ErrorCode::kUnauthenticated, "the token has expired or was revoked"});
  }
  if ((waits || now - received_ >= limits_.heartbeat_interval) && now - pinged_ >= limits_.heartbeat_interval) {
    pinged_ = now;
    put(0, wire::Ping{});
  }
}

void Session::begin_shutdown() {
  if (phase_ == Phase::kHandshake) return fail({ErrorCode::kShuttingDown, "the server is stopping"});
  if (phase_ != Phase::kOpen) return;
  phase_ = Phase::kDraining;
  put(0, wire::GoingAway{});
  refuse_held({ErrorCode::kShuttingDown, "the server is stopping; nothing was stored"});
  for (const auto& [request, read] : reads_) {
    actions_.emplace_back(CloseRead{request});
    refuse(request, {ErrorCode::kShuttingDown, "the server is stopping; the read can go on where it was"});
  }
  reads_.clear();
  finish_if_drained();
}

void Session::finish_if_drained() {
  if (phase_ == Phase::kDraining && in_flight_.empty()) phase_ = Phase::kClosing;
}

void Session::fail(const Error& error) {
  if (phase_ == Phase::kClosing) return;
  put(0, wire::Failure{error});
  failure_ = error.to_string();
  end();
}

void Session::fail_silently(const Error& why) {
  if (phase_ == Phase::kClosing) return;
  failure_ = why.to_string();
  end();
}

void Session::end() {
  phase_ = Phase::kClosing;
  for (const auto& [request, read] : reads_) actions_.emplace_back(CloseRead{request});
  reads_.clear();
  held_.clear();
  ticket_.reset();
}

}  // namespace bahi::server
