#include "connection.hpp"

#include <algorithm>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <fmt/format.h>

namespace bahi::server {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr std::size_t kBuffersPerWrite = 64;
/// What one visit receives at most, so that connections of one thread take turns.
constexpr int kReceivesPerVisit = 4;

std::string name_of_peer(const asio::ip::tcp::socket& socket) {
  error_code problem;
  const auto endpoint = socket.remote_endpoint(problem);
  return problem ? std::string("unknown") : fmt::format("{}:{}", endpoint.address().to_string(), endpoint.port());
}

}  // namespace

Connection::Connection(asio::ip::tcp::socket socket, IoThread& home, Services& services)
    : socket_(std::move(socket)),
      home_(home),
      services_(services),
      peer_(name_of_peer(socket_)),
      session_(services.limits, services.doorkeeper, services.clock, home.now),
      output_waits_(home.context, asio::steady_timer::time_point::max()),
      input_allowed_(home.context, asio::steady_timer::time_point::max()) {
  services_.traffic.connections.fetch_add(1, std::memory_order_relaxed);
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
    // A session that is closing passes over what it is given.
    session_.receive({home_.scratch.data(), count}, home_.now);
    proceed();
    if (count < home_.scratch.size()) return true;
  }
  return true;
}

asio::awaitable<void> Connection::send_loop() {
  std::vector<std::string> buffers;
  std::vector<asio::const_buffer> views;
  error_code problem;
  for (;;) {
    session_.take_output(buffers, kBuffersPerWrite);
    if (buffers.empty() || aborted_) {
      if (session_.closing()) break;
      // Whatever is ready on this thread by now runs before the cancelled wait does, so its answers leave together.
      co_await output_waits_.async_wait(asio::redirect_error(asio::use_awaitable, problem));
      continue;
    }
    views.clear();
    for (const std::string& buffer : buffers) views.push_back(asio::buffer(buffer));
    const std::size_t count =
        co_await asio::async_write(socket_, views, asio::redirect_error(asio::use_awaitable, problem));
    if (problem) break;
    services_.traffic.bytes_sent.fetch_add(count, std::memory_order_relaxed);
    session_.sent(count, home_.now);
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
  if (!session_.failure().empty() && services_.log) {
    services_.log(LogLevel::kInfo, fmt::format("connection of {} closed: {}", peer_, session_.failure()));
  }
  while (!readings_.empty()) forget(readings_.begin()->first);
  error_code ignored;
  socket_.close(ignored);
  home_.connections.erase(shared_from_this());
}

void Connection::abort() {
  aborted_ = true;
  session_.end();
  error_code ignored;
  socket_.cancel(ignored);
  wake_loops();
}

void Connection::wake_loops() {
  if (session_.has_output() || session_.closing()) output_waits_.cancel();
  if (session_.wants_input() || session_.closing()) input_allowed_.cancel();
}

void Connection::tick() {
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
  services_.traffic.appends_in_flight.fetch_add(1, std::memory_order_relaxed);
  services_.engine.submit(std::move(action.append),
                          [self = shared_from_this(), request = action.request,
                           &traffic = services_.traffic](Result<AppendResult> result) mutable {
                            // The connection must not die on this thread, so it moves.
                            auto& home = self->home_.context;
                            asio::post(home, [self = std::move(self), request, result = std::move(result)] {
                              self->session_.answer_append(request, result);
                              self->proceed();
                            });
                            if (traffic.appends_in_flight.fetch_sub(1, std::memory_order_acq_rel) == 1)
                              traffic.appends_in_flight.notify_all();
                          });
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
    auto& home = self->home_.context;
    asio::post(home, [self = std::move(self), request, answer = std::move(answer)] {
      self->session_.answer(request, answer);
      self->proceed();
    });
  });
}

void Connection::perform(RecordDenial& action) {
  services_.audit.denied(session_.credential().get(), peer_, action.request, action.reason);
}

bool Connection::give_turn() {
  const std::optional<ReadTurn> turn = session_.next_turn();
  if (!turn) return false;
  const auto found = readings_.find(turn->request);
  if (found == readings_.end()) return false;
  Result<Slice> slice = found->second.feed.next(turn->bytes_max);
  const bool waits = slice && slice->then == Slice::Then::kWait;
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
