// One connection's TLS as a state machine: bytes of the network on one side, bytes of the conversation on the other. It
// knows no socket and never waits.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "bahi/base/result.hpp"
#include "bahi/tls/context.hpp"

namespace bahi::tls {

/// Whether a peer that begins with these bytes speaks TLS. The first three bytes decide; no frame of Bahi's protocol
/// that may open a conversation begins like this.
[[nodiscard]] bool looks_like_tls(std::string_view bytes) noexcept;

/// Not thread-safe.
class Channel {
 public:
  /// A client's begins the handshake: there is output at once. `host`: what it connects to; a server's does not use it.
  explicit Channel(std::shared_ptr<const Context> context, const std::string& host = "");
  ~Channel();
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  /// Takes what came from the network and appends what it says to `plain`. After an error the connection is to be
  /// closed once the output, which says why, is sent. Errors: kCertificateRefused, kUnsupportedProtocol (no TLS, or
  /// an old version), kMalformedFrame.
  Status receive(std::string_view bytes, std::string& plain);
  /// Something was received.
  [[nodiscard]] bool begun() const noexcept { return begun_; }
  /// The handshake is done; the peer is who it should be.
  [[nodiscard]] bool established() const noexcept { return established_; }
  /// The handshake failed because of the peer's certificate, or because it has none.
  [[nodiscard]] bool refused_peer() const noexcept { return refused_peer_; }
  /// The peer has said that nothing more will come.
  [[nodiscard]] bool peer_closed() const noexcept { return peer_closed_; }

  /// Replaces what is to be said by what is to be sent to the network: this, and what TLS itself has to say. Before the
  /// handshake is done the former must be empty, or is dropped.
  void encrypt(std::vector<std::string>& buffers);
  /// Says that nothing more will come.
  void close();
  /// TLS itself has something to say.
  [[nodiscard]] bool has_output() const noexcept { return !output_.empty(); }

  /// Name in the peer's certificate; empty when it has shown none.
  [[nodiscard]] std::string peer_name() const;

 private:
  struct Handle;
  struct Pipe;
  [[nodiscard]] Error failure();
  [[nodiscard]] bool advance_handshake(Status& outcome);

  std::shared_ptr<const Context> context_;
  std::string_view input_;  // what `receive` was given and OpenSSL has not taken yet
  std::string output_;
  std::unique_ptr<Handle> handle_;
  bool begun_ = false;
  bool established_ = false;
  bool peer_closed_ = false;
  bool refused_peer_ = false;
};

}  // namespace bahi::tls
