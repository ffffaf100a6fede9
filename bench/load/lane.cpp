#include "lane.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "machine.hpp"

namespace bahi::bench {

namespace asio = boost::asio;

void Tally::merge(const Tally& other) noexcept {
  latency.merge(other.latency);
  requests += other.requests;
  events += other.events;
  data_bytes += other.data_bytes;
  wire_bytes += other.wire_bytes;
  rejected += other.rejected;
  unsent += other.unsent;
}

void RunState::fail(const Error& error) {
  const std::scoped_lock lock(mutex_);
  if (!error_) error_ = error;
  failed_.store(true);
}

Status RunState::outcome() const {
  const std::scoped_lock lock(mutex_);
  return error_ ? Status(*error_) : Status();
}

Pacer::Pacer(double per_second, std::uint64_t begin, unsigned share, unsigned shares)
    : interval_(per_second > 0 ? 1e9 / per_second : 0), begin_(begin), shares_(shares), number_(share) {}

std::uint64_t Pacer::next() noexcept {
  const auto due = begin_ + static_cast<std::uint64_t>(static_cast<double>(number_) * interval_);
  number_ += shares_;
  return due;
}

Lane::Lane() : thread_([this] { context_.run(); }) {}

Lane::~Lane() {
  work_.reset();
  thread_.join();
}

void Lane::spawn(asio::awaitable<void> work) {
  running_.fetch_add(1);
  asio::co_spawn(context_, std::move(work), [this](const std::exception_ptr& problem) {
    if (problem) std::terminate();  // nothing here throws; a bug must not pass as a fast run
    if (running_.fetch_sub(1) == 1) running_.notify_all();
  });
}

void Lane::wait() {
  for (auto left = running_.load(); left != 0; left = running_.load()) running_.wait(left);
}

Connections::~Connections() {
  members_.clear();
  lanes_.clear();
}

void Connections::wait() {
  for (const auto& lane : lanes_) lane->wait();
}

namespace {

asio::awaitable<void> await_connection(client::AsyncClient& client, RunState& state) {
  const Result<wire::Welcome> welcome = co_await client.connected();
  if (!welcome) state.fail(welcome.error());
}

}  // namespace

Result<std::unique_ptr<Connections>> Connections::open(const client::ClientOptions& options, unsigned count,
                                                       unsigned threads) {
  std::unique_ptr<Connections> result(new Connections);
  RunState state([] { return false; });
  for (unsigned i = 0; i < std::min(threads, count); ++i) result->lanes_.push_back(std::make_unique<Lane>());
  for (unsigned i = 0; i < count; ++i) {
    Lane& lane = *result->lanes_[i % result->lanes_.size()];
    result->members_.push_back({&lane, std::make_unique<client::AsyncClient>(lane.context().get_executor(), options)});
    lane.spawn(await_connection(*result->members_.back().client, state));
  }
  result->wait();
  BAHI_TRY(state.outcome());
  return result;
}

asio::awaitable<void> sleep_until(std::uint64_t nanos) {
  if (nanos <= now_nanos()) co_return;
  asio::steady_timer timer(co_await asio::this_coro::executor);
  timer.expires_at(std::chrono::steady_clock::time_point(std::chrono::nanoseconds(nanos)));
  boost::system::error_code ignored;
  co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
}

}  // namespace bahi::bench
