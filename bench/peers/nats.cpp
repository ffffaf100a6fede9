// The client's side of the NATS protocol, as far as JetStream needs it:
// https://docs.nats.io/reference/reference-protocols
#include <algorithm>
#include <array>
#include <charconv>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fmt/format.h>

#include "bahi/base/text.hpp"
#include "peer.hpp"
#include "scratch.hpp"

namespace bahi::bench {
namespace {

constexpr std::string_view kStream =
    R"({"name":"events","subjects":["events.>"],"storage":"file","retention":"limits"})";

/// "events.STREAM.TYPE": a subject's words hold no dots of their own.
std::string subject_of(const PeerEvent& event) {
  std::string stream = event.stream;
  for (char& c : stream) {
    if (c == '.') c = '_';
  }
  return fmt::format("events.{}.{}", stream, event.type);
}

class Nats final : public Peer {
 public:
  explicit Nats(const PeerAddress& address) : inbox_("_INBOX." + format_uuid(random_uuid())) {
    socket_ = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in place{};
    place.sin_family = AF_INET;
    place.sin_port = htons(address.port);
    ::inet_pton(AF_INET, address.host.c_str(), &place.sin_addr);
    if (::connect(socket_, reinterpret_cast<const sockaddr*>(&place), sizeof place) != 0) complain("connecting");
    const int on = 1;
    ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    send("CONNECT {\"verbose\":false,\"pedantic\":false,\"headers\":true,\"no_responders\":true}\r\n");
    send(fmt::format("SUB {} 1\r\nPING\r\n", inbox_));
    while (next().kind != Kind::kPong) {
    }
  }
  ~Nats() override { ::close(socket_); }

  void create() override { ask("$JS.API.STREAM.CREATE.events", kStream); }

  void append(std::span<const PeerEvent> events) override {
    output_.clear();
    for (const PeerEvent& event : events) {
      output_ += fmt::format("PUB {} {} {}\r\n", subject_of(event), inbox_, event.data.size());
      output_ += event.data;
      output_ += "\r\n";
    }
    send(output_);
    for (std::size_t acknowledged = 0; acknowledged < events.size();) {
      const Message message = next();
      if (message.kind == Kind::kHeaders) complain(message.payload);  // nobody listens to the subject
      if (message.kind != Kind::kMessage) continue;
      if (message.payload.find("\"seq\"") == std::string_view::npos) complain(message.payload);
      ++acknowledged;
    }
  }

  Replayed replay() override {
    const std::string info = ask("$JS.API.STREAM.INFO.events", "");
    const std::size_t at = info.find("\"messages\":");
    std::uint64_t expected = 0;
    if (at != std::string::npos) std::from_chars(info.data() + at + 11, info.data() + info.size(), expected);
    const std::string deliver = inbox_ + ".replay";
    send(fmt::format("SUB {} 2\r\n", deliver));
    ask("$JS.API.CONSUMER.CREATE.events",
        fmt::format(R"({{"stream_name":"events","config":{{"deliver_subject":"{}","deliver_policy":"all",)"
                    R"("ack_policy":"none","flow_control":true,"idle_heartbeat":5000000000}}}})",
                    deliver),
        &early_);
    Replayed replayed;
    std::swap(replayed, early_);
    while (replayed.events < expected) take_delivery(next(), replayed);
    return replayed;
  }

 private:
  enum class Kind : std::uint8_t { kMessage, kHeaders, kPong, kOther };
  struct Message {
    Kind kind = Kind::kOther;
    std::string_view subscription;
    std::string_view reply;
    std::string_view payload;  // of kHeaders: headers included
  };

  [[noreturn]] static void complain(std::string_view why) { fail(fmt::format("NATS: {}", why)); }

  void send(std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t count = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count <= 0) complain("the connection broke");
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
  }

  std::string ask(std::string_view subject, std::string_view body, Replayed* deliveries = nullptr) {
    send(fmt::format("PUB {} {} {}\r\n{}\r\n", subject, inbox_, body.size(), body));
    for (;;) {
      const Message message = next();
      if (message.subscription == "2" && deliveries != nullptr) take_delivery(message, *deliveries);
      if (message.kind != Kind::kMessage || message.subscription != "1") continue;
      if (message.payload.find("\"error\"") != std::string_view::npos) complain(message.payload);
      return std::string(message.payload);
    }
  }

  void take_delivery(const Message& message, Replayed& replayed) const {
    if (message.kind == Kind::kMessage && message.subscription == "2") {
      ++replayed.events;
      replayed.data_bytes += message.payload.size();
    } else if (message.kind == Kind::kHeaders && !message.reply.empty()) {
      send(fmt::format("PUB {} 0\r\n\r\n", message.reply));  // flow control wants to hear that we have come so far
    }
  }

  /// Receives until `size` bytes from `begin_` on are there.
  void need(std::size_t size) {
    if (input_.size() - begin_ >= size) return;
    input_.erase(0, begin_);
    begin_ = 0;
    while (input_.size() < size) {
      const std::size_t old = input_.size();
      input_.resize(old + kReceiveBytes);
      const ssize_t count = ::recv(socket_, input_.data() + old, kReceiveBytes, 0);
      if (count <= 0) complain("the connection broke");
      input_.resize(old + static_cast<std::size_t>(count));
    }
  }

  std::string_view line() {
    for (std::size_t looked = 0;;) {
      const std::size_t end = input_.find("\r\n", begin_ + looked);
      if (end != std::string::npos) {
        const std::string_view text(input_.data() + begin_, end - begin_);
        begin_ = end + 2;
        return text;
      }
      looked = input_.size() - begin_ == 0 ? 0 : input_.size() - begin_ - 1;
      need(input_.size() - begin_ + 1);
    }
  }

  Message next() {
    const std::string_view text = line();
    const bool headers = text.starts_with("HMSG ");
    if (!headers && !text.starts_with("MSG ")) {
      if (text == "PING") send("PONG\r\n");
      if (text.starts_with("-ERR")) complain(text);
      return {text == "PONG" ? Kind::kPong : Kind::kOther, {}, {}, {}};
    }
    words_.assign(text);  // what follows may move the input
    std::array<std::string_view, 6> words{};
    std::size_t count = 0;
    for (std::string_view rest = words_; !rest.empty() && count < words.size();) {
      const std::size_t blank = std::min(rest.find(' '), rest.size());
      words[count++] = rest.substr(0, blank);
      rest.remove_prefix(std::min(blank + 1, rest.size()));
    }
    std::size_t size = 0;
    const std::string_view last = words[count - 1];
    std::from_chars(last.data(), last.data() + last.size(), size);
    const std::size_t without_reply = headers ? 5 : 4;
    need(size + 2);
    const std::string_view payload(input_.data() + begin_, size);
    begin_ += size + 2;
    return {headers ? Kind::kHeaders : Kind::kMessage, words[2], count > without_reply ? words[3] : std::string_view(),
            payload};
  }

  static constexpr std::size_t kReceiveBytes = std::size_t{256} << 10U;
  const std::string inbox_;
  int socket_ = -1;
  std::string output_;
  std::string input_;
  std::string words_;
  std::size_t begin_ = 0;  // of what is not used up in input_
  Replayed early_;         // deliveries that came before the answer to the request for them
};

}  // namespace

std::unique_ptr<Peer> connect_nats(const PeerAddress& address) {
  return std::make_unique<Nats>(address);
}

}  // namespace bahi::bench
