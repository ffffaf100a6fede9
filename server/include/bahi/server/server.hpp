// The log server: an engine, offered to clients over TCP. docs/wire_protocol.md describes the conversation.
#pragma once

#include <cstdint>
#include <memory>

#include "bahi/base/result.hpp"
#include "bahi/engine/engine.hpp"
#include "bahi/server/options.hpp"

namespace bahi::server {

/// Checks the settings, and the files that they name, without using them. kInvalidArgument names the one that is
/// wrong.
Status check_options(const ServerOptions& options);

/// Serves from `start` to `stop`. Its methods are thread-safe, except for the destructor.
class Server {
 public:
  /// Listens; the engine must outlive the server. What is listened to, and whether credentials are asked for, goes to
  /// `options.log`. Errors: kInvalidArgument, kIoError (the address cannot be used), those of Access::load.
  [[nodiscard]] static Result<std::unique_ptr<Server>> start(Engine& engine, ServerOptions options);

  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  /// Stops.
  ~Server();
  /// Takes no new connections and no new requests, answers what is in flight, then closes the connections, at the
  /// latest after the shutdown deadline. Returns when everything has ended, and the engine has answered whatever was
  /// submitted to it. Idempotent.
  void stop();

  /// Reads the files of ServerOptions::tls anew, for connections that come from now on. After an error those read
  /// before stay in use. Errors: kInvalidArgument, also without TLS.
  Status reload_certificates();

  /// The one listened to.
  [[nodiscard]] std::uint16_t port() const noexcept;
  [[nodiscard]] bool asks_for_credentials() const noexcept;

 private:
  class Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace bahi::server
