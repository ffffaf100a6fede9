#include "idle_connections.hpp"

#include <latch>

#include <boost/asio/connect.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <fmt/format.h>
#include <sys/resource.h>

#include "bahi/schemas/frame.hpp"
#include "bahi/schemas/wire.hpp"
#include "machine.hpp"

namespace bahi::bench {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

struct IdleConnections::Member {
  explicit Member(asio::io_context& context) : socket(context) {}
  tcp::socket socket;
  FrameSplitter splitter{kHandshakeBytesMax};
};

namespace {

Error closed(const std::string& why) {
  return {ErrorCode::kConnectionLost, "an idle connection: " + why};
}

Status allow_descriptors(unsigned count) {
  rlimit limit{};
  constexpr unsigned kOthers = 64;
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
  }
  if (limit.rlim_cur >= count + kOthers) return {};
  return Error{ErrorCode::kTooManyOpenFiles,
               fmt::format("{} connections need as many descriptors, and this process may have {}: raise ulimit -n",
                           count, limit.rlim_cur)};
}

}  // namespace

asio::awaitable<void> IdleConnections::greet(Member& member, tcp::endpoint server, std::string hello, RunState& state) {
  error_code problem;
  co_await member.socket.async_connect(server, asio::redirect_error(asio::use_awaitable, problem));
  if (problem) co_return state.fail(closed(problem.message()));
  co_await asio::async_write(member.socket, asio::buffer(hello), asio::redirect_error(asio::use_awaitable, problem));
  while (!problem) {
    co_await member.socket.async_wait(tcp::socket::wait_read, asio::redirect_error(asio::use_awaitable, problem));
    if (problem) break;
    const std::size_t count = member.socket.read_some(asio::buffer(scratch_), problem);
    if (problem) break;
    member.splitter.push({scratch_.data(), count});
    FrameView frame;
    const Result<bool> more = member.splitter.next(frame);
    if (!more) co_return state.fail(more.error());
    if (!*more) continue;
    const Result<wire::Envelope> envelope = wire::decode_head(frame.head);
    if (!envelope) co_return state.fail(envelope.error());
    if (const auto* failure = std::get_if<wire::Failure>(&envelope->message)) co_return state.fail(failure->error);
    if (std::holds_alternative<wire::Welcome>(envelope->message)) co_return;
  }
  state.fail(closed(problem.message()));
}

asio::awaitable<void> IdleConnections::answer_heartbeats(Member& member) {
  error_code problem;
  std::string answer;
  for (;;) {
    co_await member.socket.async_wait(tcp::socket::wait_read, asio::redirect_error(asio::use_awaitable, problem));
    if (problem) break;
    const std::size_t count = member.socket.read_some(asio::buffer(scratch_), problem);
    if (problem) break;
    member.splitter.push({scratch_.data(), count});
    FrameView frame;
    answer.clear();
    for (Result<bool> more = member.splitter.next(frame); more && *more; more = member.splitter.next(frame)) {
      const Result<wire::Envelope> envelope = wire::decode_head(frame.head);
      if (envelope && std::holds_alternative<wire::Ping>(envelope->message))
        wire::put_frame(0, wire::Pong{}, 0, answer);
    }
    co_await asio::async_write(member.socket, asio::buffer(answer), asio::redirect_error(asio::use_awaitable, problem));
    if (problem) break;
  }
  if (!closing_) lost_.fetch_add(1);
}

Result<std::unique_ptr<IdleConnections>> IdleConnections::open(const client::ClientOptions& options, unsigned count) {
  if (options.tls) return Error{ErrorCode::kInvalidArgument, "idle: the idle connections do not speak TLS"};
  BAHI_TRY(allow_descriptors(count));
  std::unique_ptr<IdleConnections> all(new IdleConnections);
  all->lane_ = std::make_unique<Lane>();
  error_code problem;
  tcp::resolver resolver(all->lane_->context());
  const auto found = resolver.resolve(options.host, std::to_string(options.port), problem);
  if (problem) return closed(problem.message());
  const tcp::endpoint server = *found.begin();
  wire::Hello hello;
  hello.token = options.token;
  hello.tenant = options.tenant;
  hello.client = "bahi bench idle";
  std::string greeting;
  wire::put_frame(0, hello, 0, greeting);
  RunState state([] { return false; });
  const std::uint64_t began = now_nanos();
  // In portions, so that neither the listener's queue nor its handshake deadline is what is measured.
  constexpr unsigned kPortion = 256;
  while (all->members_.size() < count && !state.over()) {
    for (unsigned i = 0; i < kPortion && all->members_.size() < count; ++i) {
      all->members_.push_back(std::make_unique<Member>(all->lane_->context()));
      all->lane_->spawn(all->greet(*all->members_.back(), server, greeting, state));
    }
    all->lane_->wait();
  }
  BAHI_TRY(state.outcome());
  all->seconds_to_open_ = static_cast<double>(now_nanos() - began) / 1e9;
  for (const auto& member : all->members_) all->lane_->spawn(all->answer_heartbeats(*member));
  return all;
}

IdleConnections::~IdleConnections() {
  std::latch closed(1);
  asio::post(lane_->context(), [this, &closed] {
    closing_ = true;
    error_code ignored;
    for (const auto& member : members_) member->socket.close(ignored);
    closed.count_down();
  });
  closed.wait();
  lane_->wait();
  lane_.reset();
}

}  // namespace bahi::bench
