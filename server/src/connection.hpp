// Moves bytes between a socket and its session, and carries the session's actions to the engine and back.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>

#include "administration.hpp"
#include "audit_log.hpp"
#include "bahi/tls/channel.hpp"
#include "batch_feed.hpp"
#include "io_thread.hpp"
#include "proof_desk.hpp"
#include "query_desk.hpp"
#include "session.hpp"

namespace bahi::server {

/// Counters of the whole server.
struct Traffic {
  std::atomic<std::uint64_t> connections{0};  ///< now
  std::atomic<std::uint64_t> accepted{0};     ///< also the number of the last one
  std::atomic<std::uint64_t> refused{0};
  std::atomic<std::uint64_t> requests{0};
  std::atomic<std::uint64_t> bytes_received{0};
  std::atomic<std::uint64_t> bytes_sent{0};
  std::atomic<std::uint64_t> appends_in_flight{0};  ///< now; commands too
};

/// What all connections share.
struct Services {
  Engine& engine;
  Administration& administration;
  QueryDesk& queries;
  ProofDesk& proofs;
  AuditLog& audit;
  const Clock& clock;
  const Limits& limits;
  Doorkeeper doorkeeper;
  Metering metering;
  /// What a new connection speaks TLS with; null: none does.
  std::function<std::shared_ptr<const tls::Context>()> tls_context;
  boost::asio::thread_pool& workers;  ///< for what waits for the disk
  Traffic& traffic;
  LogSink log;
};

/// Lives on its IoThread from `run` to the end of both of its loops.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  /// `number` names it in the log.
  Connection(boost::asio::ip::tcp::socket socket, std::uint64_t number, IoThread& home, Services& services);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // On its thread only.
  void run();
  void tick();
  void begin_shutdown();
  /// Hands the session one answer; `answers_taken` must follow, which sends what is there to be sent.
  void take_answer(std::uint64_t request, const Result<AppendResult>& result);
  void answers_taken();
  /// Closes at once, whatever is in flight.
  void abort();
  /// Adds this connection's reads to the gauges.
  void measure(ReadGauges& gauges) const;

 private:
  static constexpr int kTicksToLinger = 4;

  struct Reading {
    BatchFeed feed;
    std::uint64_t notify_handle = 0;  // 0: not waiting
  };

  boost::asio::awaitable<void> receive_loop();
  boost::asio::awaitable<void> send_loop();
  /// Receives what is there; false: the connection has ended.
  [[nodiscard]] bool receive_available();
  void take_in(std::string_view bytes);
  void take_in_encrypted(std::string_view bytes);
  /// Fills `buffers` with what is to be sent; returns how many bytes of the session's output that is.
  std::size_t take_output(std::vector<std::string>& buffers);
  [[nodiscard]] bool tls_under_way() const { return tls_ && !tls_->established(); }
  void loop_ended();
  /// One line of key=value about this connection; `text` is the rest of it.
  void log(LogLevel level, std::string_view text) const;
  void log_entrance();
  void wake_loops();

  /// Does what the session wants done, as far as possible now.
  void proceed();
  void perform(SubmitAppend& action);
  void perform(OpenRead& action);
  void perform(CloseRead& action);
  void perform(Administer& action);
  void perform(Ask& action);
  void perform(RecordDenial& action);
  /// One turn of one read; true: there may be another one.
  [[nodiscard]] bool give_turn();
  void wait_for_events(std::uint64_t request, Reading& reading);
  void forget(std::uint64_t request);

  boost::asio::ip::tcp::socket socket_;
  IoThread& home_;
  Services& services_;
  const std::uint64_t number_;
  const std::string peer_;
  std::unique_ptr<tls::Channel> tls_;  // null: plaintext
  const TimePoint began_;
  Session session_;
  std::map<std::uint64_t, Reading> readings_;
  boost::asio::steady_timer output_waits_;   // cancelled: there is output, or the end has come
  boost::asio::steady_timer input_allowed_;  // cancelled: more may be received, or the end has come
  bool turn_posted_ = false;
  bool answers_untold_ = false;  // the session has answers that proceed() has not seen
  bool sent_all_ = false;      // the send loop has ended
  bool said_goodbye_ = false;  // of TLS
  bool aborted_ = false;
  int ticks_left_ = kTicksToLinger;
  int loops_ = 2;
  bool entrance_logged_ = false;
  std::uint64_t requests_counted_ = 0;
};

}  // namespace bahi::server
