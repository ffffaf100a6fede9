// The client's side of the conversation: one connection at a time, made anew when it breaks, with every request that is
// waiting for its answer and every read that is open.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include "bahi/client/options.hpp"
#include "bahi/schemas/frame.hpp"
#include "bahi/schemas/wire.hpp"
#include "bahi/tls/channel.hpp"
#include "flow.hpp"

namespace bahi::client {

/// Its public methods are thread-safe; its work runs on the executor it was given, which must run one thing at a time:
/// an io_context with one thread, or a strand.
class Link : public std::enable_shared_from_this<Link> {
 public:
  using Executor = boost::asio::any_io_executor;
  /// Called once, on the executor. A Failure of the server comes as an error.
  using Answer = std::function<void(Result<wire::Message>)>;

  /// `context`, if given, is what the executor belongs to; the link then keeps it alive.
  Link(const boost::asio::any_io_executor& executor, ClientOptions options, std::shared_ptr<void> context = nullptr);
  /// Begins to connect.
  void start();
  /// Fails whatever is waiting with kCancelled and closes the connection. Idempotent.
  void close();

  /// An append without a producer position gets one.
  void append(AppendRequest request, Answer answer);
  /// `repeatable`: may be sent again on a new connection.
  void request(const wire::Message& message, bool repeatable, Answer answer);
  /// A command without a producer position gets one.
  void command(wire::Command command, Answer answer);
  [[nodiscard]] std::shared_ptr<Flow> open_read(ReadRequest request, bool follow);
  /// The reader has taken so many bytes of the flow.
  void taken(const std::shared_ptr<Flow>& flow, std::size_t bytes);
  void close_read(const std::shared_ptr<Flow>& flow);
  /// Calls `ready` once the first handshake is done, or has failed for good.
  void when_ready(std::function<void(Result<wire::Welcome>)> ready);

 private:
  /// `ordering` holds order_mutex_.
  void post(std::unique_lock<std::mutex>& ordering, const wire::Message& message, bool repeatable, Answer answer);
  struct Pending {
    std::string frame;
    std::size_t bytes = 0;
    bool repeatable = false;
    bool sent = false;
    bool doubtful = false;  // an append that was sent on a connection that broke: it may be stored
    int ticks_waited = 0;   // without a connection
    Answer answer;
  };
  struct OpenFlow {
    std::shared_ptr<Flow> flow;
    std::uint64_t owed = 0;  // credit not yet given back
    int ticks_waited = 0;
  };

  /// Runs `work` on the executor, soon, and in order. False: the link is closed, and it will not run.
  [[nodiscard]] bool enqueue(std::function<void()> work);
  void run_inbox();
  void add_pending(std::uint64_t id, Pending pending);

  struct Transport {
    explicit Transport(const Executor& executor) : socket(executor) {}
    /// Words may be sent.
    [[nodiscard]] bool ready() const { return !tls || tls->established(); }

    boost::asio::ip::tcp::socket socket;
    std::unique_ptr<tls::Channel> tls;  // null: plaintext
  };

  boost::asio::awaitable<void> run();
  Status prepare_tls();
  boost::asio::awaitable<Status> connect();
  boost::asio::awaitable<Status> greet();
  boost::asio::awaitable<Status> receive_once();
  boost::asio::awaitable<void> send_loop(std::shared_ptr<Transport> transport);
  boost::asio::awaitable<void> tick_loop();
  boost::asio::awaitable<void> pause(std::chrono::milliseconds duration);

  void handle(const FrameView& frame, Status& outcome);
  void handle_answer(std::uint64_t id, wire::Message message);
  void handle_read(std::uint64_t id, wire::Message& message, std::string_view payload, Status& outcome);
  void tick();
  void connection_lost();
  void give_up(const Error& error);
  void send_read(std::uint64_t id, const OpenFlow& open);
  void send_waiting();
  void put(std::uint64_t id, const wire::Message& message);
  void wake_sender();
  void tell_ready(const Result<wire::Welcome>& outcome);

  const std::shared_ptr<void> context_;  // first, so that it goes last
  const ClientOptions options_;
  Uuid producer_;
  Executor executor_;
  std::atomic<std::uint64_t> next_id_{1};
  std::atomic<std::size_t> queued_bytes_{0};

  std::mutex order_mutex_;
  std::uint64_t next_sequence_ = 0;  // protected by order_mutex_
  std::mutex inbox_mutex_;
  std::vector<std::function<void()>> inbox_;  // protected by inbox_mutex_
  bool ended_ = false;                        // nothing more may be enqueued; protected by inbox_mutex_

  // On the executor only.
  std::shared_ptr<const tls::Context> tls_context_;  // null: plaintext
  std::shared_ptr<Transport> transport_;             // null: not connected
  std::optional<Error> last_failure_;                // why the last connection ended, or could not be made
  bool greeted_ = false;
  bool leaving_ = false;  // the server stops: new requests are for the next connection
  bool closed_ = false;
  std::optional<Error> refusal_;  // the server does not let us in
  wire::Welcome welcome_;
  FrameSplitter splitter_{kFrameBytesMax};
  std::string plain_;                         // what was received, decrypted
  std::map<std::uint64_t, Pending> pending_;  // in the order of submission
  std::deque<std::uint64_t> unsent_;
  std::size_t in_flight_ = 0;
  std::map<std::uint64_t, OpenFlow> flows_;
  std::deque<std::string> outbox_;
  boost::asio::steady_timer output_waits_;
  boost::asio::steady_timer pause_;
  boost::asio::steady_timer ticker_;
  int silent_ticks_ = 0;   // since anything was received
  int unready_ticks_ = 0;  // without a connection, in all
  std::vector<std::function<void(Result<wire::Welcome>)>> ready_;
};

}  // namespace bahi::client
