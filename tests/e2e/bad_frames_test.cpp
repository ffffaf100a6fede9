// Bytes that are no conversation: each gets its error or is closed, and nobody else notices.
#include <random>

#include "raw_peer.hpp"
#include "server_fixture.hpp"

namespace bahi::test {
namespace {

server::ServerOptions hasty() {
  auto options = TestServer::server_options();
  options.limits.handshake_deadline = std::chrono::milliseconds(300);
  options.limits.frame_deadline = std::chrono::milliseconds(300);
  return options;
}

/// Another client, whose work must go on whatever happens beside it.
class Bystander {
 public:
  explicit Bystander(const TestServer& server) : client_(server.client()) {}
  void works() {
    CHECK(client_->append(request_of({}, {{"bystander-1"}})));
    CHECK(client_->ping());
  }

 private:
  std::unique_ptr<client::Client> client_;
};

std::string frame_of(std::uint64_t request, const wire::Message& message) {
  std::string bytes;
  wire::put_frame(request, message, 0, bytes);
  return bytes;
}

std::string le32(std::uint32_t value) {
  std::string bytes;
  for (int shift = 0; shift < 32; shift += 8) bytes += static_cast<char>(value >> shift);
  return bytes;
}

struct BadBytes {
  std::string name;
  std::string bytes;
  ErrorCode code;
};

TEST_CASE("e2e: what is no Hello is answered and closed", "[e2e][bad-input]") {
  TestServer server(hasty());
  Bystander bystander(server);
  const std::vector<BadBytes> all{
      {"HTTP", "GET / HTTP/1.1\r\n\r\n", ErrorCode::kFrameTooLarge},
      {"the largest length", le32(0xFFFFFFFF) + le32(0), ErrorCode::kFrameTooLarge},
      {"a length without room for the head's size", le32(3) + le32(0), ErrorCode::kMalformedFrame},
      {"a head larger than its frame", le32(64) + le32(61), ErrorCode::kMalformedFrame},
      {"an empty head", le32(4) + le32(0), ErrorCode::kMalformedFrame},
      {"a head of zeros", le32(68) + le32(64) + std::string(64, '\0'), ErrorCode::kMalformedFrame},
      {"a request before the Hello", frame_of(1, wire::ListTenants{}), ErrorCode::kUnsupportedProtocol},
      {"an answer", frame_of(0, wire::Welcome{}), ErrorCode::kUnsupportedProtocol},
      {"half a Hello, and then nothing", frame_of(0, wire::Hello{}).substr(0, 30), ErrorCode::kDeadlineExceeded},
      {"nothing", "", ErrorCode::kDeadlineExceeded},
  };
  for (const BadBytes& bad : all) {
    INFO(bad.name);
    RawPeer peer(server.port());
    peer.send(bad.bytes);
    const auto error = peer.hear_the_end();
    REQUIRE(error);
    CHECK(error->code() == bad.code);
    bystander.works();
  }
}

TEST_CASE("e2e: what breaks a conversation ends it", "[e2e][bad-input]") {
  TestServer server(hasty());
  Bystander bystander(server);
  std::string append;
  wire::put_append(7, request_of({}, {{"order-1"}}), append);
  const std::vector<BadBytes> all{
      {"a second Hello", frame_of(0, wire::Hello{}), ErrorCode::kMalformedFrame},
      {"a request without an id", frame_of(0, wire::ListTenants{}), ErrorCode::kMalformedFrame},
      {"an id twice", frame_of(5, wire::Read{{}, true, 1}) + frame_of(5, wire::ListTenants{}),
       ErrorCode::kMalformedFrame},
      {"a frame larger than announced", le32(0x7FFFFFFF) + le32(8), ErrorCode::kFrameTooLarge},
      {"garbage behind a request", frame_of(6, wire::Ping{}) + le32(40) + le32(32) + std::string(36, '\x5A'),
       ErrorCode::kMalformedFrame},
      {"half an append, and then nothing", append.substr(0, append.size() - 3), ErrorCode::kDeadlineExceeded},
  };
  for (const BadBytes& bad : all) {
    INFO(bad.name);
    RawPeer peer(server.port());
    peer.enter();
    peer.send(bad.bytes);
    const auto error = peer.hear_the_end();
    REQUIRE(error);
    CHECK(error->code() == bad.code);
    bystander.works();
  }
  ReadRequest request;
  request.filter.stream = "order-1";
  CHECK(drain(*server.client()->read(request)).empty());
}

TEST_CASE("e2e: what is wrong in one request leaves the others alone", "[e2e][bad-input]") {
  TestServer server;
  RawPeer peer(server.port());
  peer.enter();
  const auto refused = [&](std::uint64_t id, ErrorCode code) {
    const auto answer = peer.hear();
    REQUIRE(answer);
    CHECK(answer->request == id);
    const auto* failure = std::get_if<wire::Failure>(&answer->message);
    REQUIRE(failure != nullptr);
    CHECK(failure->error.code() == code);
  };
  // Nobody reads these; they may have crossed the end of their read.
  peer.send(90, wire::Credit{1000});
  peer.send(91, wire::Cancel{});
  peer.send(0, wire::Pong{});
  peer.send(1, wire::Welcome{});
  refused(1, ErrorCode::kUnknownRequest);
  peer.send(2, wire::Batches{{1, 2}, {}}, "abc");
  refused(2, ErrorCode::kUnknownRequest);
  AppendRequest append;
  append.body = {Codec::kNone, 100, 1, std::string(100, 'x')};
  std::string frame;
  wire::put_append(3, append, frame);
  peer.send(frame);
  refused(3, ErrorCode::kMalformedBatch);
  append.body.codec = static_cast<Codec>(77);
  frame.clear();
  wire::put_append(4, append, frame);
  peer.send(frame);
  refused(4, ErrorCode::kUnsupportedCodec);
  wire::Read beyond;
  beyond.request.from = Offset{1'000'000};
  peer.send(5, beyond);
  refused(5, ErrorCode::kOffsetOutOfRange);
  frame.clear();
  wire::put_append(6, request_of({}, {{"order-1"}}), frame);
  for (const char& byte : frame) peer.send({&byte, 1});
  const auto stored = peer.hear();
  REQUIRE(stored);
  CHECK(std::holds_alternative<wire::Appended>(stored->message));
}

TEST_CASE("e2e: a client that goes away in the middle leaves nothing behind", "[e2e][bad-input]") {
  TestServer server;
  Bystander bystander(server);
  std::string append;
  wire::put_append(7, request_of({}, {{"order-1", "placed", std::string(100'000, 'x')}}), append);
  std::mt19937_64 random(20261121);
  for (int i = 0; i < 100; ++i) {
    RawPeer peer(server.port());
    if (i % 2 == 0) {
      wire::Hello hello;
      hello.tenant = "shop";
      peer.send(0, hello);
    }
    peer.send(1, wire::Read{{}, true, 1 << 20});
    peer.send(std::string_view(append).substr(0, random() % append.size()));
    if (i % 3 == 0) peer.half_close();
  }
  bystander.works();
  ReadRequest request;
  request.filter.stream = "order-1";
  CHECK(drain(*server.client()->read(request)).empty());
  // A stop waits for nobody who is gone.
  server.stop();
  server.start();
}

TEST_CASE("e2e: random bytes", "[e2e][bad-input]") {
  TestServer server(hasty());
  Bystander bystander(server);
  std::mt19937_64 random(20261122);
  INFO("seed 20261122");
  const std::string valid = frame_of(9, wire::Read{{}, false, 100}) + frame_of(10, wire::GetStatus{});
  std::vector<RawPeer> peers;
  for (int i = 0; i < 200; ++i) {
    RawPeer peer(server.port());
    if (i % 2 == 0) peer.enter();
    std::string bytes = valid;
    for (std::uint64_t k = random() % 6; k > 0; --k) bytes[random() % bytes.size()] = static_cast<char>(random());
    if (i % 5 == 0) {
      for (char& byte : bytes) byte = static_cast<char>(random());
    }
    peer.send(bytes);
    peer.half_close();
    peers.push_back(std::move(peer));
  }
  bystander.works();
  for (RawPeer& peer : peers) (void)peer.hear_the_end();
  bystander.works();
}

}  // namespace
}  // namespace bahi::test
