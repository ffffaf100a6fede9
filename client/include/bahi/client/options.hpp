// Settings of a client. Sizes are bytes.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "bahi/base/types.hpp"
#include "bahi/tls/settings.hpp"

namespace bahi::client {

struct ClientOptions {
  std::string host = "127.0.0.1";  ///< name or numeric address
  std::uint16_t port = 7440;
  /// Speak TLS 1.3. Without, nothing is encrypted and the server is not checked: for loopback.
  std::optional<tls::ClientSettings> tls;
  std::string token;                 ///< empty: the server must not ask for one
  std::string tenant;                ///< empty: the token's; without a token: "system"
  std::string name = "bahi-client";  ///< for the server's log
  std::chrono::milliseconds connect_deadline{5'000};
  /// Longest pause between two tries to connect: the first lasts 20 ms, each the double of the one before.
  std::chrono::milliseconds reconnect_pause_max{1'000};
  /// How long a request or a read waits, in all, for a connection that is lost or cannot be made, before it fails with
  /// kConnectionLost. What may be repeated without harm is sent again on the new connection.
  std::chrono::milliseconds retry_for{30'000};
  /// Appends without a producer position get this producer and a sequence of the client's own, so that they can be
  /// sent again: never use one id in two clients. Nil: a random one.
  Uuid producer;
  /// Of appends not yet answered; an append beyond it fails with kOverloaded.
  std::size_t queue_bytes_max = std::size_t{64} << 20U;
  /// What the server may send of one read before it was looked at.
  std::uint32_t read_credit_bytes = std::uint32_t{4} << 20U;
};

}  // namespace bahi::client
