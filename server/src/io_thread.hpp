// One thread that moves bytes, and the connections that live on it. A connection never changes threads, so it needs no
// locks.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include "answer_mailbox.hpp"
#include "session.hpp"

namespace bahi::server {

class Connection;

/// The open reads of a thread's connections; lags are in events.
struct ReadGauges {
  std::uint64_t reads = 0;
  std::uint64_t subscriptions = 0;
  std::uint64_t lag_total = 0;  ///< of the subscriptions
  std::uint64_t lag_max = 0;
};

/// Its members but `context`, `answers` and the gauges are used on its thread only, once it runs.
struct IoThread {
  /// What is received goes through here, one connection at a time: an idle connection holds no buffer.
  static constexpr std::size_t kScratchBytes = std::size_t{256} << 10U;

  /// `in_flight`: see AnswerMailbox.
  explicit IoThread(std::atomic<std::uint64_t>& in_flight)
      : answers(std::make_shared<AnswerMailbox>(context, in_flight)) {}

  boost::asio::io_context context{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work{context.get_executor()};
  const std::shared_ptr<AnswerMailbox> answers;
  std::thread thread;
  std::vector<char> scratch = std::vector<char>(kScratchBytes);
  std::string plain;  ///< the same, decrypted
  std::set<std::shared_ptr<Connection>> connections;
  /// The time that sessions know. It does not jump while the process stands still, as on a suspended machine, so that
  /// nobody's deadline passes meanwhile.
  TimePoint now = std::chrono::steady_clock::now();
  TimePoint clock_seen = now;

  std::mutex gauges_mutex;
  ReadGauges gauges;  // as of the last tick; protected by gauges_mutex

  void advance_time() {
    constexpr std::chrono::milliseconds kStepMax{1000};
    const TimePoint clock = std::chrono::steady_clock::now();
    now += std::min<TimePoint::duration>(clock - clock_seen, kStepMax);
    clock_seen = clock;
  }
};

}  // namespace bahi::server
