#include "link.hpp"

#include <algorithm>

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <fmt/format.h>

#include "bahi/base/text.hpp"

namespace bahi::client {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

/// Time is counted in ticks of our own, so that a process that was stopped for a while finds no deadline passed.
constexpr std::chrono::milliseconds kTick{250};
constexpr std::chrono::milliseconds kPauseMin{20};
constexpr std::size_t kScratchBytes = std::size_t{256} << 10U;
constexpr std::size_t kGatherBytes = std::size_t{64} << 10U;
constexpr std::size_t kBuffersPerWrite = 64;
/// Heartbeats that may fail to come before the connection counts as lost.
constexpr int kSilentIntervals = 3;

auto resume(error_code& problem) {
  return asio::redirect_error(asio::use_awaitable, problem);
}

int ticks_of(std::chrono::milliseconds duration) {
  return static_cast<int>(duration / kTick) + 1;
}

Error lost(const ClientOptions& options, std::string_view why) {
  return {ErrorCode::kConnectionLost, fmt::format("{}:{}: {}", options.host, options.port, why)};
}

Error closed_error() {
  return {ErrorCode::kCancelled, "the client was closed"};
}

/// The server will say the same next time.
bool is_final(const Error& error) {
  switch (error.code()) {
    case ErrorCode::kUnauthenticated:
    case ErrorCode::kForbidden:
    case ErrorCode::kCertificateRefused:
    case ErrorCode::kInvalidArgument:
    case ErrorCode::kUnknownTenant:
    case ErrorCode::kUnsupportedProtocol: return true;
    default: return false;
  }
}

/// Whether the refusal of a repeated append tells what became of it the first time: what was decided after the look for
/// an earlier result does, and what depends on the request alone. A full queue or a lost permission does not.
bool speaks_for_earlier(ErrorCode code) {
  const auto group = static_cast<unsigned>(code) / 100;
  return group == 1 || group == 3 || code == ErrorCode::kWriteFailed;
}

}  // namespace

Link::Link(const asio::any_io_executor& executor, ClientOptions options, std::shared_ptr<void> context)
    : context_(std::move(context)),
      options_(std::move(options)),
      producer_(options_.producer.is_nil() ? random_uuid() : options_.producer),
      executor_(executor),
      output_waits_(executor_, asio::steady_timer::time_point::max()),
      pause_(executor_),
      ticker_(executor_) {}

void Link::start() {
  asio::co_spawn(
      executor_, [self = shared_from_this()] { return self->run(); }, asio::detached);
  asio::co_spawn(
      executor_, [self = shared_from_this()] { return self->tick_loop(); }, asio::detached);
}

void Link::close() {
  (void)enqueue([this] {
    if (std::exchange(closed_, true)) return;
    {
      const std::scoped_lock lock(inbox_mutex_);
      ended_ = true;
    }
    give_up(closed_error());
    error_code ignored;
    if (transport_) transport_->socket.close(ignored);
    pause_.cancel();
    ticker_.cancel();
    wake_sender();
  });
}

// --- from the callers' threads

bool Link::enqueue(std::function<void()> work) {
  bool first = false;
  {
    const std::scoped_lock lock(inbox_mutex_);
    if (ended_) return false;
    first = inbox_.empty();
    inbox_.push_back(std::move(work));
  }
  if (first) asio::post(executor_, [self = shared_from_this()] { self->run_inbox(); });
  return true;
}

void Link::run_inbox() {
  std::vector<std::function<void()>> inbox;
  {
    const std::scoped_lock lock(inbox_mutex_);
    inbox.swap(inbox_);
  }
  for (const auto& work : inbox) work();
  send_waiting();
}

void Link::append(AppendRequest request, Answer answer) {
  const std::size_t bytes = request.body.bytes.size();
  if (queued_bytes_.fetch_add(bytes) + bytes > options_.queue_bytes_max && queued_bytes_.load() != bytes) {
    queued_bytes_.fetch_sub(bytes);
    return answer(Error{ErrorCode::kOverloaded, "the appends of this client that wait for an answer fill its queue"});
  }
  // Producer sequence, id and place in the queue are given out together, so that all three are in the same order.
  std::unique_lock ordering(order_mutex_);
  if (!request.producer) request.producer = ProducerPosition{producer_, next_sequence_++};
  const std::uint64_t id = next_id_.fetch_add(1);
  auto pending = std::make_shared<Pending>();
  pending->bytes = bytes;
  pending->repeatable = true;
  pending->answer = std::move(answer);
  wire::put_append(id, request, pending->frame);
  if (enqueue([this, id, pending] { add_pending(id, std::move(*pending)); })) return;
  ordering.unlock();
  queued_bytes_.fetch_sub(pending->bytes);
  pending->answer(closed_error());
}

void Link::request(const wire::Message& message, bool repeatable, Answer answer) {
  std::unique_lock ordering(order_mutex_);
  post(ordering, message, repeatable, std::move(answer));
}

void Link::command(wire::Command command, Answer answer) {
  std::unique_lock ordering(order_mutex_);
  if (!command.producer) command.producer = ProducerPosition{producer_, next_sequence_++};
  post(ordering, std::move(command), true, std::move(answer));
}

void Link::post(std::unique_lock<std::mutex>& ordering, const wire::Message& message, bool repeatable, Answer answer) {
  const std::uint64_t id = next_id_.fetch_add(1);
  auto pending = std::make_shared<Pending>();
  pending->repeatable = repeatable;
  pending->answer = std::move(answer);
  wire::put_frame(id, message, 0, pending->frame);
  if (enqueue([this, id, pending] { add_pending(id, std::move(*pending)); })) return;
  ordering.unlock();
  queued_bytes_.fetch_sub(pending->bytes);
  pending->answer(closed_error());
}

std::shared_ptr<Flow> Link::open_read(ReadRequest request, bool follow) {
  auto flow = std::make_shared<Flow>(std::move(request), follow);
  const bool enqueued = enqueue([this, flow] {
    if (closed_ || refusal_) return flow->finish(refusal_ ? *refusal_ : closed_error());
    const std::uint64_t id = next_id_.fetch_add(1);
    const auto place = flows_.emplace(id, OpenFlow{flow}).first;
    if (greeted_) send_read(id, place->second);
  });
  if (!enqueued) flow->finish(closed_error());
  return flow;
}

void Link::taken(const std::shared_ptr<Flow>& flow, std::size_t bytes) {
  (void)enqueue([this, flow, bytes] {
    for (auto& [id, open] : flows_) {
      if (open.flow != flow) continue;
      open.owed += bytes;
      if (open.owed < options_.read_credit_bytes / 4 || !greeted_) return;
      put(id, wire::Credit{std::exchange(open.owed, 0)});
      return;
    }
  });
}

void Link::close_read(const std::shared_ptr<Flow>& flow) {
  (void)enqueue([this, flow] {
    const auto found = std::find_if(flows_.begin(), flows_.end(), [&](const auto& f) { return f.second.flow == flow; });
    if (found == flows_.end()) return;
    if (greeted_) put(found->first, wire::Cancel{});
    flows_.erase(found);
  });
}

void Link::when_ready(std::function<void(Result<wire::Welcome>)> ready) {
  const bool enqueued = enqueue([this, ready] {
    if (closed_) return ready(closed_error());
    if (refusal_) return ready(*refusal_);
    if (greeted_) return ready(welcome_);
    ready_.push_back(ready);
  });
  if (!enqueued) ready(closed_error());
}

// --- on the executor: requests

void Link::add_pending(std::uint64_t id, Pending pending) {
  if (closed_ || refusal_) {
    queued_bytes_.fetch_sub(pending.bytes);
    return pending.answer(refusal_ ? *refusal_ : closed_error());
  }
  pending_.emplace(id, std::move(pending));
  unsent_.push_back(id);
}

/// Moves what waits to the connection, as far as the server lets us have requests in flight.
void Link::send_waiting() {
  if (!greeted_ || leaving_) return;
  while (!unsent_.empty() && in_flight_ < welcome_.in_flight_max) {
    const auto found = pending_.find(unsent_.front());
    unsent_.pop_front();
    if (found == pending_.end()) continue;
    Pending& pending = found->second;
    pending.sent = true;
    ++in_flight_;
    if (!outbox_.empty() && outbox_.back().size() + pending.frame.size() <= kGatherBytes) {
      outbox_.back().append(pending.frame);
    } else {
      outbox_.push_back(pending.frame);
    }
    if (!pending.repeatable) pending.frame.clear();
  }
  wake_sender();
}

void Link::handle_answer(std::uint64_t id, wire::Message message) {
  const auto found = pending_.find(id);
  if (found == pending_.end() || !found->second.sent) return;
  --in_flight_;
  auto* failure = std::get_if<wire::Failure>(&message);
  if (failure != nullptr && failure->error.code() == ErrorCode::kShuttingDown && found->second.repeatable) {
    found->second.sent = false;  // for the next connection
    unsent_.push_back(id);
    return;
  }
  const Pending pending = std::move(found->second);
  pending_.erase(found);
  queued_bytes_.fetch_sub(pending.bytes);
  if (failure != nullptr && pending.doubtful && !speaks_for_earlier(failure->error.code())) {
    return pending.answer(lost(options_, fmt::format("the connection broke before the answer came, and the repeat was "
                                                     "refused ({}); whether it was stored is unknown",
                                                     failure->error.to_string())));
  }
  pending.answer(failure != nullptr ? Result<wire::Message>(std::move(failure->error))
                                    : Result<wire::Message>(std::move(message)));
}

// --- on the executor: reads

void Link::send_read(std::uint64_t id, const OpenFlow& open) {
  put(id, wire::Read{open.flow->request(), open.flow->follows(), options_.read_credit_bytes});
}

void Link::handle_read(std::uint64_t id, wire::Message& message, std::string_view payload, Status& outcome) {
  const auto found = flows_.find(id);
  if (found == flows_.end()) return;  // closed while this was on its way
  const std::shared_ptr<Flow> flow = found->second.flow;
  if (auto* batches = std::get_if<wire::Batches>(&message)) {
    const auto split = wire::split_batches(*batches, payload);
    if (!split) {
      outcome = split.error();
      return;
    }
    flow->put(std::string(payload), std::move(batches->sizes), batches->next);
  } else if (std::holds_alternative<wire::CaughtUp>(message)) {
    flow->note_caught_up();
  } else if (std::holds_alternative<wire::ReadEnd>(message)) {
    flows_.erase(found);
    flow->finish(std::nullopt);
  } else if (const auto* failure = std::get_if<wire::Failure>(&message)) {
    if (failure->error.code() == ErrorCode::kShuttingDown) return;  // goes on with the next connection
    flows_.erase(found);
    flow->finish(failure->error);
  }
}

// --- on the executor: the connection

Status Link::prepare_tls() {
  if (!options_.tls || tls_context_) return {};
  BAHI_ASSIGN(tls_context_, tls::Context::for_client(*options_.tls));
  return {};
}

asio::awaitable<void> Link::run() {
  std::chrono::milliseconds wait = kPauseMin;
  while (!closed_) {
    Status status = prepare_tls();
    if (status) status = co_await connect();
    if (status) {
      wait = kPauseMin;
      while (status && !closed_) status = co_await receive_once();
    }
    connection_lost();
    if (closed_) break;
    if (!status && is_final(status.error())) {
      refusal_ = status.error();
      give_up(*refusal_);
      break;
    }
    if (!status) last_failure_ = status.error();
    co_await pause(std::min(wait, options_.reconnect_pause_max));
    wait = std::min(wait * 2, options_.reconnect_pause_max);
  }
}

asio::awaitable<Status> Link::connect() {
  error_code problem;
  tcp::resolver resolver(executor_);
  const auto endpoints = co_await resolver.async_resolve(options_.host, std::to_string(options_.port), resume(problem));
  if (problem) co_return lost(options_, problem.message());
  transport_ = std::make_shared<Transport>(executor_);
  asio::steady_timer deadline(executor_, options_.connect_deadline);
  deadline.async_wait([transport = transport_](const error_code& ended) {
    error_code ignored;
    if (!ended) transport->socket.close(ignored);
  });
  co_await asio::async_connect(transport_->socket, endpoints, resume(problem));
  if (problem || closed_) co_return lost(options_, problem ? problem.message() : "closed");
  transport_->socket.set_option(tcp::no_delay(true), problem);
  transport_->socket.non_blocking(true, problem);
  if (tls_context_) transport_->tls = std::make_unique<tls::Channel>(tls_context_, options_.host);
  splitter_ = FrameSplitter(kFrameBytesMax);
  outbox_.clear();
  asio::co_spawn(
      executor_, [self = shared_from_this(), transport = transport_] { return self->send_loop(transport); },
      asio::detached);
  wire::Hello hello;
  hello.token = options_.token;
  hello.tenant = options_.tenant;
  hello.client = options_.name;
  put(0, hello);
  wake_sender();
  Status status;
  while (status && !greeted_ && !closed_) status = co_await receive_once();
  co_return status;
}

asio::awaitable<Status> Link::receive_once() {
  error_code problem;
  const std::shared_ptr<Transport> transport = transport_;
  co_await transport->socket.async_wait(tcp::socket::wait_read, resume(problem));
  // What is received is used up before anything is awaited, so all links of a thread can share the place for it: one
  // that has nothing to receive holds none.
  static thread_local std::vector<char> scratch(kScratchBytes);
  const std::size_t count = problem ? 0 : transport->socket.read_some(asio::buffer(scratch), problem);
  if (problem == asio::error::would_block) co_return Status{};
  if (problem)
    co_return lost(options_, problem == asio::error::eof ? "the server closed the connection" : problem.message());
  silent_ticks_ = 0;
  std::string_view bytes(scratch.data(), count);
  if (transport->tls) {
    plain_.clear();
    const Status received = transport->tls->receive(bytes, plain_);
    wake_sender();
    if (!received) co_return received;
    bytes = plain_;
  }
  splitter_.push(bytes);
  FrameView frame;
  Status outcome;
  for (;;) {
    const Result<bool> more = splitter_.next(frame);
    if (!more) co_return more.error();
    if (!*more) break;
    handle(frame, outcome);
    if (!outcome) co_return outcome;
  }
  send_waiting();
  co_return Status{};
}

void Link::handle(const FrameView& frame, Status& outcome) {
  Result<wire::Envelope> envelope = wire::decode_head(frame.head);
  if (!envelope) {
    outcome = envelope.error();
    return;
  }
  wire::Message& message = envelope->message;
  if (flows_.contains(envelope->request)) return handle_read(envelope->request, message, frame.payload, outcome);
  wire::set_payload(message, frame.payload);
  if (envelope->request != 0) return handle_answer(envelope->request, std::move(message));
  if (const auto* failure = std::get_if<wire::Failure>(&message)) {
    outcome = failure->error;
  } else if (std::holds_alternative<wire::Ping>(message)) {
    put(0, wire::Pong{});
  } else if (std::holds_alternative<wire::GoingAway>(message)) {
    leaving_ = true;
  } else if (auto* welcome = std::get_if<wire::Welcome>(&message)) {
    welcome_ = std::move(*welcome);
    greeted_ = true;
    for (const auto& [id, open] : flows_) send_read(id, open);
    tell_ready(welcome_);
  }
}

void Link::connection_lost() {
  greeted_ = leaving_ = false;
  silent_ticks_ = 0;
  error_code ignored;
  if (transport_) transport_->socket.close(ignored);
  transport_.reset();
  wake_sender();
  in_flight_ = 0;
  unsent_.clear();
  std::vector<Answer> failed;
  for (auto place = pending_.begin(); place != pending_.end();) {
    Pending& pending = place->second;
    if (pending.sent && !pending.repeatable) {
      failed.push_back(std::move(pending.answer));
      place = pending_.erase(place);
      continue;
    }
    pending.doubtful = pending.doubtful || (pending.sent && pending.bytes > 0);
    pending.sent = false;
    unsent_.push_back(place->first);
    ++place;
  }
  for (auto& [id, open] : flows_) open.owed = 0;
  for (const Answer& answer : failed) answer(lost(options_, "the connection broke before the answer came"));
}

void Link::give_up(const Error& error) {
  tell_ready(error);
  const auto pending = std::exchange(pending_, {});
  unsent_.clear();
  const auto flows = std::exchange(flows_, {});
  for (const auto& [id, request] : pending) {
    queued_bytes_.fetch_sub(request.bytes);
    request.answer(error);
  }
  for (const auto& [id, open] : flows) open.flow->finish(error);
}

void Link::tell_ready(const Result<wire::Welcome>& outcome) {
  for (const auto& ready : std::exchange(ready_, {})) ready(outcome);
}

asio::awaitable<void> Link::send_loop(std::shared_ptr<Transport> transport) {
  error_code problem;
  std::vector<std::string> buffers;
  std::vector<asio::const_buffer> views;
  while (transport == transport_) {
    buffers.clear();
    views.clear();
    while (transport->ready() && !outbox_.empty() && buffers.size() < kBuffersPerWrite) {
      buffers.push_back(std::move(outbox_.front()));
      outbox_.pop_front();
    }
    if (transport->tls) transport->tls->encrypt(buffers);
    if (buffers.empty()) {
      co_await output_waits_.async_wait(resume(problem));
      continue;
    }
    for (const std::string& buffer : buffers) views.push_back(asio::buffer(buffer));
    co_await asio::async_write(transport->socket, views, resume(problem));
    if (problem) break;  // the receiving side notices too
  }
}

asio::awaitable<void> Link::pause(std::chrono::milliseconds duration) {
  error_code ignored;
  pause_.expires_after(duration);
  co_await pause_.async_wait(resume(ignored));
}

asio::awaitable<void> Link::tick_loop() {
  error_code problem;
  while (!closed_) {
    ticker_.expires_after(kTick);
    co_await ticker_.async_wait(resume(problem));
    if (!closed_) tick();
  }
}

void Link::tick() {
  if (greeted_) {
    ++silent_ticks_;
    const int interval = ticks_of(std::chrono::milliseconds(welcome_.heartbeat_interval_ms));
    error_code ignored;
    if (silent_ticks_ > kSilentIntervals * interval) {
      transport_->socket.close(ignored);
    } else if (silent_ticks_ % interval == 0) {
      put(0, wire::Ping{});
      wake_sender();
    }
    return;
  }
  const int most = ticks_of(options_.retry_for);
  std::vector<Answer> failed;
  for (auto place = pending_.begin(); place != pending_.end();) {
    if (++place->second.ticks_waited <= most) {
      ++place;
      continue;
    }
    queued_bytes_.fetch_sub(place->second.bytes);
    failed.push_back(std::move(place->second.answer));
    place = pending_.erase(place);
  }
  const Error error =
      lost(options_, last_failure_ ? "no connection could be made for too long; at last: " + last_failure_->message()
                                   : "no connection could be made for too long");
  for (auto place = flows_.begin(); place != flows_.end();) {
    if (++place->second.ticks_waited <= most) {
      ++place;
      continue;
    }
    place->second.flow->finish(error);
    place = flows_.erase(place);
  }
  for (const Answer& answer : failed) answer(error);
  if (++unready_ticks_ > most) tell_ready(error);
}

void Link::put(std::uint64_t id, const wire::Message& message) {
  if (outbox_.empty() || outbox_.back().size() >= kGatherBytes) outbox_.emplace_back();
  wire::put_frame(id, message, 0, outbox_.back());
}

void Link::wake_sender() {
  output_waits_.cancel();
}

}  // namespace bahi::client
