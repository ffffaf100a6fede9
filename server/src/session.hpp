// The server's side of one connection's conversation, as a state machine: bytes go in, bytes and actions come out. It
// knows neither sockets nor the engine, and its time is what it is told.
//
//   handshake -- Hello accepted --> open -- begin_shutdown --> draining --> closing
//        \___________ refused, deadline ___/_______ broken frame, silence ______/
//
// After `closing` only the output that is left goes out.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "bahi/base/clock.hpp"
#include "bahi/schemas/frame.hpp"
#include "bahi/schemas/wire.hpp"
#include "bahi/server/access.hpp"
#include "bahi/server/options.hpp"
#include "batch_feed.hpp"
#include "tenant_meter.hpp"

namespace bahi::server {

/// Monotonic; only differences matter.
using TimePoint = std::chrono::steady_clock::time_point;

// What the session wants done. Each but CloseRead and RecordDenial is answered, sooner or later.
struct SubmitAppend {
  std::uint64_t request = 0;
  AppendRequest append;
};
struct OpenRead {
  std::uint64_t request = 0;
  ReadRequest read;
  bool follow = false;
};
struct CloseRead {
  std::uint64_t request = 0;
};
struct Administer {
  std::uint64_t request = 0;
  wire::Message message;
};
/// A query, a command, or the wish for a checkpoint or a proof.
struct Ask {
  std::uint64_t request = 0;
  wire::Message message;
};
struct RecordDenial {
  std::uint64_t request_id = 0;
  std::string request;  ///< the message's name
  std::string reason;
};
using Action = std::variant<SubmitAppend, OpenRead, CloseRead, Administer, Ask, RecordDenial>;

/// Who the sender of this Hello is, or why it may not come in.
using Doorkeeper = std::function<Result<CredentialPtr>(const wire::Hello&)>;

/// The meter of the credential's tenant; may be null.
using Metering = std::function<std::shared_ptr<TenantMeter>(const Credential&)>;

/// Which read may go on, and with how many bytes.
struct ReadTurn {
  std::uint64_t request = 0;
  std::size_t bytes_max = 0;
};

/// Not thread-safe.
class Session {
 public:
  Session(const Limits& limits, Doorkeeper doorkeeper, const Clock& clock, TimePoint now, Metering metering = {});

  // --- from the peer
  /// What lies below the conversation is ready only now: its deadlines begin here.
  void begin(TimePoint now);
  void receive(std::string_view bytes, TimePoint now);
  /// Whether more may be received now; otherwise the peer has to wait until its work is done and its answers are taken.
  [[nodiscard]] bool wants_input() const noexcept;

  // --- to the engine and back
  [[nodiscard]] std::optional<Action> next_action();
  void answer_append(std::uint64_t request, const Result<AppendResult>& result);
  void answer(std::uint64_t request, const wire::Message& message);
  void read_opened(std::uint64_t request, const Status& status);
  /// The read whose turn it is, if any has credit, something to read, and room for it in the output.
  [[nodiscard]] std::optional<ReadTurn> next_turn();
  /// What the turn gave. False: the read is finished.
  bool deliver(std::uint64_t request, Result<Slice> slice);
  /// A read that waited has something to read again.
  void read_ready(std::uint64_t request);

  // --- to the peer
  [[nodiscard]] bool has_output() const noexcept { return !output_.empty(); }
  /// Moves what waits into `buffers` (replaced): at most `count_max` of them.
  void take_output(std::vector<std::string>& buffers, std::size_t count_max);
  /// So many of the bytes taken have been sent.
  void sent(std::size_t bytes, TimePoint now);

  // --- time and end
  /// To be called now and then: deadlines, heartbeats, ended credentials.
  void tick(TimePoint now);
  /// Answers what is in flight and nothing else.
  void begin_shutdown();
  /// Ends the conversation, telling the peer why.
  void fail(const Error& error);
  /// Ends it without a word: what lies below the conversation is broken. `why` is for the log.
  void fail_silently(const Error& why);
  /// Part of what was taken has been sent; `sent` follows with all of it.
  void progress(TimePoint now) noexcept { progressed_ = now; }
  /// The peer has gone.
  void end();
  /// What is received is passed over; close the connection when the output is sent.
  [[nodiscard]] bool closing() const noexcept { return phase_ == Phase::kClosing; }
  /// The peer does not take its output: close at once.
  [[nodiscard]] bool stuck() const noexcept { return stuck_; }
  /// Why it is closing, for the log; empty when the peer or a shutdown ended it.
  [[nodiscard]] const std::string& failure() const noexcept { return failure_; }
  /// Null before the handshake is done.
  [[nodiscard]] const CredentialPtr& credential() const noexcept { return credential_; }
  /// As the peer calls itself; any bytes.
  [[nodiscard]] const std::string& client_name() const noexcept { return client_name_; }
  [[nodiscard]] std::size_t reads_open() const noexcept { return reads_.size(); }
  [[nodiscard]] std::uint64_t requests_received() const noexcept { return requests_received_; }

 private:
  enum class Phase : std::uint8_t { kHandshake, kOpen, kDraining, kClosing };
  struct HeldAppend {
    SubmitAppend append;
    TimePoint since;
  };
  struct ReadState {
    std::int64_t credit = 0;     // may fall below 0 by one batch
    bool waiting = true;         // for the feed to be opened, or for new events
    bool caught_up = false;      // the peer has been told
    TenantMeter::Ticket ticket;  // of a subscription
  };

  void handle(const FrameView& frame);
  void greet(const wire::Envelope& envelope);
  [[nodiscard]] Status enter(const wire::Hello& hello);
  void dispatch(wire::Envelope envelope, std::string_view payload);
  [[nodiscard]] bool handle_conversation(const wire::Envelope& envelope);
  [[nodiscard]] Status check_request(const wire::Message& message) const;
  void start_append(std::uint64_t request, AppendRequest append, std::string_view payload);
  void admit_held(TimePoint now);
  void refuse_held(const Error& error);
  void start_read(std::uint64_t request, wire::Read read);
  void grant(std::uint64_t request, std::uint64_t bytes);
  void cancel(std::uint64_t request);
  void refuse(std::uint64_t request, const Error& error);
  void put(std::uint64_t request, const wire::Message& message, std::size_t payload_bytes = 0);
  void finish_if_drained();

  const Limits limits_;
  const Doorkeeper doorkeeper_;
  const Metering metering_;
  const Clock& clock_;
  Phase phase_ = Phase::kHandshake;
  bool stuck_ = false;
  std::string failure_;
  CredentialPtr credential_;
  std::string client_name_;
  std::shared_ptr<TenantMeter> meter_;  // null: nothing is metered
  TenantMeter::Ticket ticket_;          // of the connection
  FrameSplitter splitter_{kHandshakeBytesMax};
  std::deque<Action> actions_;

  std::map<std::uint64_t, std::size_t> in_flight_;  // request to bytes of its body
  std::size_t in_flight_bytes_ = 0;
  std::deque<HeldAppend> held_;  // until the tenant's rate allows them; in_flight_ has them too
  std::map<std::uint64_t, ReadState> reads_;
  std::uint64_t last_turn_ = 0;  // the read that went on last
  std::uint64_t requests_received_ = 0;

  std::deque<std::string> output_;
  std::size_t output_bytes_ = 0;  // of output_ and of what was taken and not yet sent

  TimePoint began_;
  TimePoint received_;     // last
  TimePoint frame_began_;  // of the frame under way
  TimePoint progressed_;   // when output last was sent, or began to wait
  TimePoint pinged_;
};

}  // namespace bahi::server
