#include "connection.hpp"

#include <algorithm>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <fmt/format.h>

#include "bahi/base/failpoint.hpp"

namespace bahi::server {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr std::size_t kBuffersPerWrite = 64;
/// What one call of the operating system is given at most, so that progress is seen.
constexpr std::size_t kWriteBytesMax = std::size_t{64} << 10U;
/// What one visit receives at most, so that connections of one thread take turns.
constexpr int kReceivesPerVisit = 4;

std::string name_of_peer(const asio::ip::tcp::socket& socket) {
  error_code problem;
  const auto endpoint = socket.remote_endpoint(problem);
  return problem ? std::string("unknown") : fmt::format("{}:{}", endpoint.address().to_string(), endpoint.port());
}

/// In double quotes, on one line, whatever a peer has put into it.
std::string in_quotes(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? '?' : c;
  }
  return out + '"';
}

}  // namespace

Connection::Connection(asio::ip::tcp::socket socket, std::uint64_t number, IoThread& home, Services& services)
    : socket_(std::move(socket)),
      home_(home),
      services_(services),
      number_(number),
      peer_(name_of_peer(socket_)),
      began_(home.now),
      session_(services.limits, services.doorkeeper, services.clock, home.now, services.metering),
      output_waits_(home.context, asio::steady_timer::time_point::max()),
      input_allowed_(home.context, asio::steady_timer::time_point::max()) {
  services_.traffic.connections.fetch_add(1, std::memory_order_relaxed);
  if (auto context = services_.tls_context()) tls_ = std::make_unique<tls::Channel>(std::move(context));
}

Connection::~Connection() {
  services_.traffic.connections.fetch_sub(1, std::memory_order_relaxed);
}

void Connection::run() {
  error_code ignored;
  socket_.non_blocking(true, ignored);
  socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
  home_.connections.insert(shared_from_this());
  asio::co_spawn(
      home_.context, [self = shared_from_this()] { return self->receive_loop(); }, asio::detached);
  asio::co_spawn(
      home_.context, [self = shared_from_this()] { return self->send_loop(); }, asio::detached);
}

asio::awaitable<void> Connection::receive_loop() {
  error_code problem;
  while (!aborted_) {
    if (!session_.wants_input() && !session_.closing()) {
      co_await input_allowed_.async_wait(asio::redirect_error(asio::use_awaitable, problem));
      continue;
    }
    co_await socket_.async_wait(asio::ip::tcp::socket::wait_read, asio::redirect_error(asio::use_awaitable, problem));
    if (problem || !receive_available()) break;
  }
  abort();
  loop_ended();
}

bool Connection::receive_available() {
  for (int i = 0; i < kReceivesPerVisit && (session_.wants_input() || session_.closing()); ++i) {
    error_code problem;
    const std::size_t count = socket_.read_some(asio::buffer(home_.scratch), problem);
    if (problem == asio::error::would_block || problem == asio::error::try_again) return true;
    if (problem) return false;
    services_.traffic.bytes_received.fetch_add(count, std::memory_order_relaxed);
    take_in({home_.scratch.data(), count});
    proceed();
    if (tls_ && tls_->peer_closed()) return false;
    if (count < home_.scratch.size()) return true;
  }
  return true;
}

void Connection::take_in(std::string_view bytes) {
  // A session that is closing passes over what it is given.
  if (session_.closing()) return;
  if (tls_under_way() && !tls_->begun() && !tls::looks_like_tls(bytes)) {
    tls_.reset();  // so that the answer is understood
    return session_.fail({ErrorCode::kUnsupportedProtocol, "this server speaks TLS only: connect with TLS (--tls)"});
  }
  if (tls_) return take_in_encrypted(bytes);
  session_.receive(bytes, home_.now);
}

void Connection::take_in_encrypted(std::string_view bytes) {
  const bool was_under_way = tls_under_way();
  home_.plain.clear();
  const Status received = tls_->receive(bytes, home_.plain);
  if (was_under_way && tls_->established()) session_.begin(home_.now);
  if (!home_.plain.empty()) session_.receive(home_.plain, home_.now);
  if (received) return;
  if (tls_->refused_peer()) {
    services_.audit.denied(nullptr, peer_, "TLS", received.error().message());
  }
  session_.fail_silently(received.error());
}

std::size_t Connection::take_output(std::vector<std::string>& buffers) {
  session_.take_output(buffers, kBuffersPerWrite);
  std::size_t bytes = 0;
  for (const std::string& buffer : buffers) bytes += buffer.size();
  if (!tls_) return bytes;
  if (buffers.empty() && session_.closing() && !std::exchange(said_goodbye_, true)) tls_->close();
  tls_->encrypt(buffers);
  return bytes;
}

asio::awaitable<void> Connection::send_loop() {
  std::vector<std::string> buffers;
  std::vector<asio::const_buffer> views;
  error_code problem;
  std::size_t written = 0;  // of the write under way
  const auto note_progress = [this, &written](const error_code& ended, std::size_t so_far) -> std::size_t {
    if (so_far != written) session_.progress(home_.now);
    written = so_far;
    return ended ? 0 : kWriteBytesMax;
  };
  for (;;) {
    const std::size_t bytes = take_output(buffers);
    if (buffers.empty() || aborted_) {
      if (session_.closing()) break;
      // Whatever is ready on this thread by now runs before the cancelled wait does, so its answers leave together.
      co_await output_waits_.async_wait(asio::redirect_error(asio::use_awaitable, problem));
      continue;
    }
    views.clear();
    for (const std::string& buffer : buffers) views.push_back(asio::buffer(buffer));
    const std::size_t count =
        co_await asio::async_write(socket_, views, note_progress, asio::redirect_error(asio::use_awaitable, problem));
    if (problem) break;
    (void)failpoint::hit("output_sent");
    services_.traffic.bytes_sent.fetch_add(count, std::memory_order_relaxed);
    session_.sent(bytes, home_.now);
    proceed();
  }
  // Were the socket closed while the peer is still sending, the peer would be told so at once, and lose what it has
  // not read yet. So the receive loop goes on for a while, until the peer closes its side.
  error_code ignored;
  socket_.shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
  sent_all_ = true;
  if (problem) abort();
  loop_ended();
}

void Connection::loop_ended() {
  if (--loops_ != 0) return;
  if (!session_.failure().empty()) {
    log(LogLevel::kInfo,
        fmt::format("event=closed requests={} reason={}", session_.requests_received(), in_quotes(session_.failure())));
  } else if (entrance_logged_) {
    log(LogLevel::kInfo, fmt::format("event=closed requests={}", session_.requests_received()));
  }
  while (!readings_.empty()) forget(readings_.begin()->first);
  error_code ignored;
  socket_.close(ignored);
  home_.connections.erase(shared_from_this());
}

void Connection::log(LogLevel level, std::string_view text) const {
  if (services_.log) services_.log(level, fmt::format("connection={} peer={} {}", number_, peer_, text));
}

void Connection::log_entrance() {
  if (!session_.credential() || std::exchange(entrance_logged_, true)) return;
  const Credential& credential = *session_.credential();
  const std::string certificate = tls_ ? tls_->peer_name() : std::string();
  log(LogLevel::kInfo,
      fmt::format("event=entered tenant={} role={} credential={} client={}{}", credential.tenant_name,
                  to_string(credential.role), in_quotes(credential.label()), in_quotes(session_.client_name()),
                  certificate.empty() ? "" : " certificate=" + in_quotes(certificate)));
}

void Connection::abort() {
  aborted_ = true;
  session_.end();
  error_code ignored;
  socket_.cancel(ignored);
  wake_loops();
}

void Connection::wake_loops() {
  if (session_.has_output() || session_.closing() || (tls_ && tls_->has_output())) output_waits_.cancel();
  if (session_.wants_input() || session_.closing()) input_allowed_.cancel();
}

void Connection::tick() {
  if (tls_under_way() && !session_.closing()) {
    if (home_.now - began_ <= services_.limits.tls_deadline) return;
    session_.fail_silently({ErrorCode::kDeadlineExceeded, "the TLS handshake took too long"});
  }
  session_.tick(home_.now);
  if (session_.stuck() || (sent_all_ && --ticks_left_ <= 0)) return abort();
  proceed();
}

void Connection::measure(ReadGauges& gauges) const {
  for (const auto& [request, reading] : readings_) {
    ++gauges.reads;
    if (!reading.feed.follows()) continue;
    const std::uint64_t lag = reading.feed.lag();
    ++gauges.subscriptions;
    gauges.lag_total += lag;
    gauges.lag_max = std::max(gauges.lag_max, lag);
  }
}

void Connection::begin_shutdown() {
  session_.begin_shutdown();
  proceed();
}

void Connection::proceed() {
  log_entrance();
  while (auto action = session_.next_action()) {
    std::visit([this](auto& wanted) { perform(wanted); }, *action);
  }
  if (give_turn() && !std::exchange(turn_posted_, true)) {
    asio::post(home_.context, [self = shared_from_this()] {
      self->turn_posted_ = false;
      self->proceed();
    });
  }
  services_.traffic.requests.fetch_add(session_.requests_received() - requests_counted_, std::memory_order_relaxed);
  requests_counted_ = session_.requests_received();
  wake_loops();
}

void Connection::perform(SubmitAppend& action) {
  (void)failpoint::hit("append_received");
  services_.traffic.appends_in_flight.fetch_add(1, std::memory_order_relaxed);
  services_.engine.submit(
      std::move(action.append),
      [self = shared_from_this(), request = action.request](Result<AppendResult> result) mutable {
        AnswerMailbox& answers = *self->home_.answers;
        answers.put(std::move(self), request, std::move(result));
      },
      home_.answers);
}

void Connection::take_answer(std::uint64_t request, const Result<AppendResult>& result) {
  session_.answer_append(request, result);
  answers_untold_ = true;
}

void Connection::answers_taken() {
  if (std::exchange(answers_untold_, false)) proceed();
}

void Connection::perform(OpenRead& action) {
  Result<BatchFeed> feed = BatchFeed::open(services_.engine, std::move(action.read), action.follow);
  session_.read_opened(action.request, feed ? Status{} : Status{feed.error()});
  if (feed) readings_.emplace(action.request, Reading{std::move(*feed)});
}

void Connection::perform(CloseRead& action) {
  forget(action.request);
}

void Connection::perform(Administer& action) {
  asio::post(services_.workers, [self = shared_from_this(), credential = session_.credential(),
                                 request = action.request, message = std::move(action.message)]() mutable {
    wire::Message answer = self->services_.administration.carry_out(*credential, self->peer_, message);
    const auto* const failure = std::get_if<wire::Failure>(&answer);
    self->log(LogLevel::kInfo, fmt::format("event=administered request={} name={} outcome={}", request,
                                           wire::name_of(message), failure ? failure->error.info().name : "done"));
    auto& home = self->home_.context;
    asio::post(home, [self = std::move(self), request, answer = std::move(answer)] {
      self->session_.answer(request, answer);
      self->proceed();
    });
  });
}

void Connection::perform(Ask& action) {
  services_.traffic.appends_in_flight.fetch_add(1, std::memory_order_relaxed);
  auto done = [self = shared_from_this(), request = action.request,
               &traffic = services_.traffic](wire::Message answer) mutable {
    // The connection must not die on this thread, so it moves.
    auto& home = self->home_.context;
    asio::post(home, [self = std::move(self), request, answer = std::move(answer)] {
      self->session_.answer(request, answer);
      self->proceed();
    });
    if (traffic.appends_in_flight.fetch_sub(1, std::memory_order_acq_rel) == 1) traffic.appends_in_flight.notify_all();
  };
  if (auto* query = std::get_if<wire::Query>(&action.message)) {
    services_.queries.ask(*session_.credential(), std::move(*query), std::move(done));
  } else if (auto* command = std::get_if<wire::Command>(&action.message)) {
    services_.queries.ask(*session_.credential(), std::move(*command), std::move(done));
  } else if (auto* checkpoint = std::get_if<wire::GetCheckpoint>(&action.message)) {
    services_.proofs.ask(*session_.credential(), *checkpoint, std::move(done));
  } else if (auto* proof = std::get_if<wire::GetProof>(&action.message)) {
    services_.proofs.ask(*session_.credential(), std::move(*proof), std::move(done));
  }
}

void Connection::perform(RecordDenial& action) {
  const bool recorded = services_.audit.denied(session_.credential().get(), peer_, action.request, action.reason);
  if (!recorded) return;  // a flood must not fill the log either
  log(LogLevel::kWarning, fmt::format("event=denied request={} name={} reason={}", action.request_id, action.request,
                                      in_quotes(action.reason)));
}

bool Connection::give_turn() {
  const std::optional<ReadTurn> turn = session_.next_turn();
  if (!turn) return false;
  const auto found = readings_.find(turn->request);
  if (found == readings_.end()) return false;
  Result<Slice> slice = found->second.feed.next(turn->bytes_max);
  const bool waits = slice && slice->then == Slice::Then::kWait;
  (void)failpoint::hit("batches_read");
  if (!session_.deliver(turn->request, std::move(slice))) {
    forget(turn->request);
  } else if (waits) {
    wait_for_events(turn->request, found->second);
  }
  return true;
}

void Connection::wait_for_events(std::uint64_t request, Reading& reading) {
  const auto wake = [weak = weak_from_this(), request, &home = home_] {
    auto self = weak.lock();
    if (!self) return;
    asio::post(home.context, [self = std::move(self), request] {
      const auto found = self->readings_.find(request);
      if (found != self->readings_.end()) found->second.notify_handle = 0;
      (void)failpoint::hit("reader_woken");
      self->session_.read_ready(request);
      self->proceed();
    });
  };
  reading.notify_handle = services_.engine.notify_after(reading.feed.tenant(), reading.feed.position(), wake);
}

void Connection::forget(std::uint64_t request) {
  const auto found = readings_.find(request);
  if (found == readings_.end()) return;
  if (found->second.notify_handle != 0) services_.engine.cancel_notify(found->second.notify_handle);
  readings_.erase(found);
}

}  // namespace bahi::server
