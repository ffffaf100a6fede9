// The threads that a load runs on: each has an event loop, and what is measured on it.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include "bahi/client/async_client.hpp"
#include "histogram.hpp"
#include "options.hpp"

namespace bahi::bench {

/// The part of a run that counts: [begin, end).
struct Window {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  [[nodiscard]] bool holds(std::uint64_t nanos) const noexcept { return nanos >= begin && nanos < end; }
};

/// What one kind of request did within the window. Requests, events and bytes count when they are answered, latencies
/// when the request began (or, with a rate, was due) within it, however late the answer came.
struct Tally {
  Histogram latency;
  std::uint64_t requests = 0;
  std::uint64_t events = 0;
  std::uint64_t data_bytes = 0;  ///< of the events, before compression
  std::uint64_t wire_bytes = 0;  ///< of the bodies, as sent
  std::uint64_t rejected = 0;    ///< answered "overloaded"
  std::uint64_t unsent = 0;      ///< due within the window, and given up because the server was too far behind

  void merge(const Tally& other) noexcept;
};

/// What all threads of a run share. Thread-safe.
class RunState {
 public:
  explicit RunState(std::function<bool()> stopped) : stopped_(std::move(stopped)) {}
  void fail(const Error& error);
  [[nodiscard]] bool over() const { return failed_.load(std::memory_order_relaxed) || stopped_(); }
  [[nodiscard]] Status outcome() const;
  /// Set once, before the work begins.
  Window window;

 private:
  const std::function<bool()> stopped_;
  std::atomic<bool> failed_{false};
  mutable std::mutex mutex_;
  std::optional<Error> error_;  // the first; protected by mutex_
};

/// Hands out the moments at which requests are due: every thread takes its share of an even sequence.
class Pacer {
 public:
  Pacer(double per_second, std::uint64_t begin, unsigned share, unsigned shares);
  /// When the next request is due; must have a rate.
  [[nodiscard]] std::uint64_t next() noexcept;

 private:
  const double interval_;
  const std::uint64_t begin_;
  const unsigned shares_;
  std::uint64_t number_;
};

/// One thread with an event loop. What is spawned on it runs there only, so that it may use the tallies without locks.
class Lane {
 public:
  Lane();
  ~Lane();  ///< waits until nothing is left to do
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;

  /// Runs the coroutine; `wait` waits for it.
  void spawn(boost::asio::awaitable<void> work);
  /// Until all that was spawned has ended.
  void wait();
  [[nodiscard]] boost::asio::io_context& context() noexcept { return context_; }

  Tally appends;
  Tally reads;
  Tally deliveries;

 private:
  boost::asio::io_context context_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{context_.get_executor()};
  std::atomic<unsigned> running_{0};
  std::thread thread_;
};

/// Lanes with `count` connections each dealt out in turn.
class Connections {
 public:
  /// Returns when the server has let all of them in. Errors: those of AsyncClient::connected.
  [[nodiscard]] static Result<std::unique_ptr<Connections>> open(const client::ClientOptions& options, unsigned count,
                                                                 unsigned threads);
  ~Connections();
  Connections(const Connections&) = delete;
  Connections& operator=(const Connections&) = delete;

  struct Member {
    Lane* lane = nullptr;
    std::unique_ptr<client::AsyncClient> client;
  };
  [[nodiscard]] std::vector<Member>& members() noexcept { return members_; }
  [[nodiscard]] std::vector<std::unique_ptr<Lane>>& lanes() noexcept { return lanes_; }
  void wait();

 private:
  Connections() = default;
  std::vector<std::unique_ptr<Lane>> lanes_;
  std::vector<Member> members_;  // after the lanes, so that the clients go first
};

/// Resumes at `nanos`; at once when that has passed.
boost::asio::awaitable<void> sleep_until(std::uint64_t nanos);

}  // namespace bahi::bench
