// Takes the engine's answers to the thread of their connections.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "bahi/engine/append.hpp"

namespace bahi::server {

class Connection;

/// Collects answers on the engine's threads and delivers them on an I/O thread, which is woken once per run of answers:
/// a wake-up per answer costs more than the append.
class AnswerMailbox final : public AnswerWaker, public std::enable_shared_from_this<AnswerMailbox> {
 public:
  /// `in_flight` counts the requests whose answers are still to come, here or elsewhere; nobody waits for the answers
  /// of this mailbox, nor uses `context` for them, once they are counted off.
  AnswerMailbox(boost::asio::io_context& context, std::atomic<std::uint64_t>& in_flight)
      : context_(context), in_flight_(in_flight) {}

  /// From any thread; `wake` must follow.
  void put(std::shared_ptr<Connection> connection, std::uint64_t request, Result<AppendResult> result);
  void wake() override;

 private:
  struct Letter {
    std::shared_ptr<Connection> connection;  // must not die on a thread of the engine
    std::uint64_t request;
    Result<AppendResult> result;
  };
  void deliver();

  boost::asio::io_context& context_;
  std::atomic<std::uint64_t>& in_flight_;
  std::vector<Letter> delivering_;  // of the I/O thread

  std::mutex mutex_;
  std::vector<Letter> letters_;          // protected by mutex_
  std::uint64_t to_be_counted_off_ = 0;  // put since the last wake; protected by mutex_
  bool posted_ = false;                  // a delivery is on its way; protected by mutex_
};

}  // namespace bahi::server
