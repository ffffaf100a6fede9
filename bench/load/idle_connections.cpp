#include "idle_connections.hpp"

#include <latch>
#include <utility>

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
  bool settled = false;
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

void IdleConnections::settle(Member& member) {
  if (std::exchange(member.settled, true)) return;
  settled_.fetch_add(1);
  settled_.notify_one();
}

Status IdleConnections::take_frames(Member& member, std::string_view bytes, std::string& answer) {
  member.splitter.push(bytes);
  for (;;) {
    FrameView frame;
    BAHI_ASSIGN(const bool more, member.splitter.next(frame));
    if (!more) return {};
    BAHI_ASSIGN(const wire::Envelope envelope, wire::decode_head(frame.head));
    if (const auto* failure = std::get_if<wire::Failure>(&envelope.message)) return failure->error;
    if (std::holds_alternative<wire::Welcome>(envelope.message)) settle(member);
    if (std::holds_alternative<wire::Ping>(envelope.message)) wire::put_frame(0, wire::Pong{}, 0, answer);
  }
}

asio::awaitable<void> IdleConnections::live(Member& member, tcp::endpoint server, std::string hello, RunState& state) {
  error_code problem;
  Status status;
  std::string answer = std::move(hello);
  co_await member.socket.async_connect(server, asio::redirect_error(asio::use_awaitable, problem));
  while (!problem && status) {
    if (!answer.empty()) {
      co_await asio::async_write(member.socket, asio::buffer(answer),
                                 asio::redirect_error(asio::use_awaitable, problem));
      answer.clear();
    }
    if (!problem) {
      co_await member.socket.async_wait(tcp::socket::wait_read, asio::redirect_error(asio::use_awaitable, problem));
    }
    const std::size_t count = problem ? 0 : member.socket.read_some(asio::buffer(scratch_), problem);
    if (!problem) status = take_frames(member, {scratch_.data(), count}, answer);
  }
  if (!member.settled) {
    state.fail(status ? closed(problem.message()) : status.error());
  } else if (!closing_) {
    lost_.fetch_add(1);
  }
  settle(member);
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
      all->lane_->spawn(all->live(*all->members_.back(), server, greeting, state));
    }
    for (unsigned settled = all->settled_; settled != all->members_.size(); settled = all->settled_) {
      all->settled_.wait(settled);
    }
  }
  BAHI_TRY(state.outcome());
  all->seconds_to_open_ = static_cast<double>(now_nanos() - began) / 1e9;
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
