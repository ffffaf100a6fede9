// A client of the worst kind: whatever bytes, whenever, over a plain socket. And a relay that can fall silent.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "bahi/schemas/frame.hpp"
#include "bahi/schemas/wire.hpp"

namespace bahi::test {

/// A blocking socket, connected to 127.0.0.1. One thread at a time.
class RawPeer {
 public:
  /// `receive_buffer_bytes`: of the operating system; 0: its default.
  explicit RawPeer(std::uint16_t port, int receive_buffer_bytes = 0);
  /// Not connected yet.
  RawPeer();
  void connect(std::uint16_t port) const;
  ~RawPeer();
  RawPeer(RawPeer&& other) noexcept;
  RawPeer& operator=(RawPeer&&) = delete;

  /// False: the other side has closed.
  bool send(std::string_view bytes) const;
  bool send(std::uint64_t request, const wire::Message& message, std::string_view payload = "") const;
  /// As much as the other side takes at once without being read from; returns how much.
  std::size_t send_without_waiting(std::string_view bytes) const;
  /// Says that nothing more will be sent.
  void half_close() const;
  void close();

  /// The next message; none: the other side has closed.
  [[nodiscard]] std::optional<wire::Envelope> hear();
  /// Reads until the other side closes; returns the error it gave last, if any.
  [[nodiscard]] std::optional<Error> hear_the_end();
  /// Says Hello and waits for the Welcome.
  void enter(const std::string& tenant = "shop");

 private:
  int socket_ = -1;
  std::string buffer_;  // received, not yet heard
};

/// Carries bytes between clients and a server until it is told to stop; then connections stay open and nothing comes
/// through, as behind a broken network.
class Relay {
 public:
  explicit Relay(std::uint16_t server_port);
  ~Relay();
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;

  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
  void fall_silent() { silent_.store(true); }
  /// The first of the connections to the server has been closed by the server.
  [[nodiscard]] bool server_hung_up() const { return server_hung_up_.load(); }

 private:
  struct Pair {
    int client = -1;
    int server = -1;
  };
  void run();
  void accept();
  static bool carry(int from, int to);

  const std::uint16_t server_port_;
  std::uint16_t port_ = 0;
  int listener_ = -1;
  std::vector<Pair> pairs_;  // of the thread
  std::atomic<bool> silent_{false};
  std::atomic<bool> stopping_{false};
  std::atomic<bool> server_hung_up_{false};
  std::thread thread_;
};

}  // namespace bahi::test
