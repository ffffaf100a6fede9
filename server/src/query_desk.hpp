// Answers queries and commands on threads of its own, so that one which reads much holds up no connection.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <set>

#include <boost/asio/thread_pool.hpp>

#include "bahi/projections/projections.hpp"
#include "bahi/schemas/wire.hpp"
#include "bahi/server/access.hpp"

namespace bahi::server {

/// Thread-safe. What it is given must outlive it.
class QueryDesk {
 public:
  using Done = std::function<void(wire::Message)>;

  /// `projections`: null when the server has no read models.
  QueryDesk(projections::Projections* projections, std::size_t threads)
      : projections_(projections), threads_(threads), past_threads_(kPastThreads) {}
  ~QueryDesk() { stop(); }
  QueryDesk(const QueryDesk&) = delete;
  QueryDesk& operator=(const QueryDesk&) = delete;

  /// `done` is called once, on any thread, with a QueryAnswer, a CommandAnswer or a Failure.
  void ask(const Credential& credential, wire::Query query, Done done);
  void ask(const Credential& credential, wire::Command command, Done done);
  /// From now on no query waits for its read model to fold on, or for a state of the past.
  void begin_shutdown();
  /// Answers what is under way.
  void stop();

 private:
  /// Questions about the past may take seconds each: they have threads of their own.
  static constexpr std::size_t kPastThreads = 2;
  static constexpr std::size_t kPastQuestionsMax = 64;  ///< waiting or under way; beyond: kOverloaded

  struct Waiting;
  void ask_past(projections::QueryRequest request, Done done, std::chrono::milliseconds longest);
  void answer_or_wait(const std::shared_ptr<Waiting>& waiting);
  void wait(const std::shared_ptr<Waiting>& waiting);
  void go_on(const std::shared_ptr<Waiting>& waiting);

  projections::Projections* const projections_;
  boost::asio::thread_pool threads_;
  boost::asio::thread_pool past_threads_;
  std::atomic<std::size_t> past_questions_{0};
  std::atomic<bool> stopping_{false};
  std::mutex mutex_;
  std::set<std::shared_ptr<Waiting>> waiting_;  // protected by mutex_
};

}  // namespace bahi::server
