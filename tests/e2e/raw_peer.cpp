#include "raw_peer.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace bahi::test {
namespace {

constexpr std::size_t kReceiveBytes = std::size_t{64} << 10U;

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

int make_socket(int receive_buffer_bytes = 0) {
  const int made = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (made < 0) throw std::runtime_error("no socket");
  if (receive_buffer_bytes != 0) {
    ::setsockopt(made, SOL_SOCKET, SO_RCVBUF, &receive_buffer_bytes, sizeof receive_buffer_bytes);
  }
  return made;
}

void connect_to(int socket, std::uint16_t port) {
  const sockaddr_in address = loopback(port);
  if (::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    throw std::runtime_error("cannot connect");
  }
}

}  // namespace

RawPeer::RawPeer(std::uint16_t port, int receive_buffer_bytes) : socket_(make_socket(receive_buffer_bytes)) {
  connect_to(socket_, port);
}

RawPeer::RawPeer() : socket_(make_socket()) {}

void RawPeer::connect(std::uint16_t port) const {
  connect_to(socket_, port);
}

RawPeer::RawPeer(RawPeer&& other) noexcept
    : socket_(std::exchange(other.socket_, -1)), buffer_(std::move(other.buffer_)) {}

RawPeer::~RawPeer() {
  close();
}

void RawPeer::close() {
  if (socket_ >= 0) ::close(std::exchange(socket_, -1));
}

bool RawPeer::send(std::string_view bytes) const {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

bool RawPeer::send(std::uint64_t request, const wire::Message& message, std::string_view payload) const {
  std::string frame;
  wire::put_frame(request, message, payload.size(), frame);
  frame += payload;
  return send(frame);
}

std::size_t RawPeer::send_without_waiting(std::string_view bytes) const {
  const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  return sent < 0 ? 0 : static_cast<std::size_t>(sent);
}

void RawPeer::half_close() const {
  ::shutdown(socket_, SHUT_WR);
}

std::optional<wire::Envelope> RawPeer::hear() {
  for (;;) {
    FrameSplitter splitter(kFrameBytesMax);
    splitter.push(buffer_);
    FrameView frame;
    if (splitter.next(frame).value()) {
      wire::Envelope envelope = wire::decode_head(frame.head).value();
      buffer_.erase(0, kFramePrefixBytes + frame.head.size() + frame.payload.size());
      return envelope;
    }
    std::array<char, kReceiveBytes> bytes{};
    const ssize_t count = ::recv(socket_, bytes.data(), bytes.size(), 0);
    if (count <= 0) return std::nullopt;
    buffer_.append(bytes.data(), static_cast<std::size_t>(count));
  }
}

std::optional<Error> RawPeer::hear_the_end() {
  std::optional<Error> last;
  while (const auto envelope = hear()) {
    if (const auto* failure = std::get_if<wire::Failure>(&envelope->message)) last = failure->error;
  }
  return last;
}

void RawPeer::enter(const std::string& tenant) {
  wire::Hello hello;
  hello.tenant = tenant;
  send(0, hello);
  const auto answer = hear();
  if (!answer || !std::holds_alternative<wire::Welcome>(answer->message)) throw std::runtime_error("not welcome");
}

// --- the relay

Relay::Relay(std::uint16_t server_port) : server_port_(server_port), listener_(make_socket()) {
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  if (::bind(listener_, reinterpret_cast<const sockaddr*>(&address), size) != 0 || ::listen(listener_, 8) != 0 ||
      ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    throw std::runtime_error("cannot listen");
  }
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { run(); });
}

Relay::~Relay() {
  stopping_.store(true);
  thread_.join();
  for (const Pair& pair : pairs_) {
    ::close(pair.client);
    ::close(pair.server);
  }
  ::close(listener_);
}

void Relay::accept() {
  const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
  if (client < 0) return;
  const int server = make_socket();
  connect_to(server, server_port_);
  pairs_.push_back({client, server});
}

bool Relay::carry(int from, int to) {
  std::array<char, kReceiveBytes> bytes{};
  const ssize_t count = ::recv(from, bytes.data(), bytes.size(), 0);
  if (count <= 0) return false;
  for (ssize_t done = 0; done < count;) {
    const ssize_t sent = ::send(to, bytes.data() + done, static_cast<std::size_t>(count - done), MSG_NOSIGNAL);
    if (sent < 0) return false;
    done += sent;
  }
  return true;
}

void Relay::run() {
  while (!stopping_.load()) {
    std::vector<pollfd> states{{listener_, POLLIN, 0}};
    const bool silent = silent_.load();
    for (const Pair& pair : pairs_) {
      // In silence only the server's hanging up is looked at; what it says stays where it is.
      states.push_back({silent ? -1 : pair.client, POLLIN, 0});
      states.push_back({pair.server, static_cast<short>(silent ? POLLRDHUP : POLLIN), 0});
    }
    ::poll(states.data(), states.size(), 20);
    if (silent) {
      if (!pairs_.empty() && (states[2].revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0) server_hung_up_.store(true);
      if (server_hung_up_.load()) std::this_thread::sleep_for(std::chrono::milliseconds(20));
      continue;
    }
    const std::vector<Pair> before = pairs_;
    pairs_.clear();
    for (std::size_t i = 0; i < before.size(); ++i) {
      const auto& [client, server] = before[i];
      const bool lives = (states[1 + 2 * i].revents == 0 || carry(client, server)) &&
                         (states[2 + 2 * i].revents == 0 || carry(server, client));
      if (lives) {
        pairs_.push_back(before[i]);
      } else {
        ::close(client);
        ::close(server);
      }
    }
    if (states[0].revents != 0) accept();
  }
}

}  // namespace bahi::test
