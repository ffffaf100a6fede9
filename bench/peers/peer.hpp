// Other stores of events, each behind the same three operations.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace bahi::bench {

struct PeerEvent {
  std::string stream;
  std::int64_t version = 0;  ///< in its stream, from 0
  std::string_view type;
  std::string_view data;
};

struct PeerAddress {
  std::string host = "127.0.0.1";
  std::uint16_t port = 0;
};

struct Replayed {
  std::uint64_t events = 0;
  std::uint64_t data_bytes = 0;
};

/// One connection; used by one thread. Whatever goes wrong ends the program, with a message.
class Peer {
 public:
  Peer() = default;
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;
  virtual ~Peer() = default;

  /// Makes the table or stream; once, before any other connection.
  virtual void create() = 0;
  /// Returns when the peer has acknowledged all of them: one transaction, or one pipeline.
  virtual void append(std::span<const PeerEvent> events) = 0;
  /// Every event in the order in which it was stored, each taken apart into its fields.
  virtual Replayed replay() = 0;
};

/// PostgreSQL: a table with the log's order as its key, unique (stream, version); COPY for many events, a prepared
/// INSERT for one.
[[nodiscard]] std::unique_ptr<Peer> connect_postgres(const PeerAddress& address);
/// Redis: one stream; XADD, pipelined.
[[nodiscard]] std::unique_ptr<Peer> connect_redis(const PeerAddress& address);
/// NATS JetStream: one stream in files; publishes in flight, an acknowledgement for each.
[[nodiscard]] std::unique_ptr<Peer> connect_nats(const PeerAddress& address);

}  // namespace bahi::bench
