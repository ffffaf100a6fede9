// Two channels face to face, without a network: the test carries the bytes.
#include "bahi/tls/channel.hpp"

#include <filesystem>
#include <random>

#include <catch2/catch.hpp>

#include "support/catch_result.hpp"
#include "support/certificates.hpp"

namespace bahi::tls {
namespace {

namespace fs = std::filesystem;

class Directory {
 public:
  Directory() {
    std::string pattern = fs::temp_directory_path() / "bahi-tls-XXXXXX";
    path_ = ::mkdtemp(pattern.data());
  }
  ~Directory() { fs::remove_all(path_); }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;
  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

struct Ends {
  Directory directory;
  test::TestAuthority authority{directory.path(), "authority"};
  test::CertificateFiles files = authority.sign("server", {"bahi.test", "127.0.0.1"});
  std::shared_ptr<const Context> server_context =
      Context::for_server({files.certificate, files.key, authority.file(), false}).value();
  test::CertificateFiles own = authority.sign("client", {"till-7"});
  std::shared_ptr<const Context> client_context =
      Context::for_client({authority.file(), own.certificate, own.key, "", true}).value();
  Channel server{server_context};
  Channel client{client_context, "127.0.0.1"};
  std::string heard_by_server;
  std::string heard_by_client;

  static std::string output_of(Channel& channel, const std::string& say = "") {
    std::vector<std::string> buffers;
    if (!say.empty()) buffers.push_back(say);
    channel.encrypt(buffers);
    std::string bytes;
    for (const std::string& buffer : buffers) bytes += buffer;
    return bytes;
  }
  /// Carries bytes in pieces until nobody has anything to say.
  void settle(std::size_t piece = 1 << 20) {
    for (;;) {
      const std::string to_server = output_of(client);
      const std::string to_client = output_of(server);
      if (to_server.empty() && to_client.empty()) return;
      for (std::size_t i = 0; i < to_server.size(); i += piece) {
        REQUIRE(server.receive(std::string_view(to_server).substr(i, piece), heard_by_server));
      }
      for (std::size_t i = 0; i < to_client.size(); i += piece) {
        REQUIRE(client.receive(std::string_view(to_client).substr(i, piece), heard_by_client));
      }
    }
  }
};

TEST_CASE("channel: whatever the pieces, what is said is heard", "[tls]") {
  Ends ends;
  CHECK(ends.client.has_output());
  CHECK_FALSE(ends.server.has_output());
  const std::size_t piece = GENERATE(1, 7, 1000, 1 << 20);
  ends.settle(piece);
  REQUIRE(ends.client.established());
  REQUIRE(ends.server.established());
  CHECK(ends.server.peer_name() == "till-7");
  CHECK(ends.client.peer_name() == "bahi.test");
  const std::string large(100'000, 'x');
  std::string bytes = Ends::output_of(ends.client, large);
  bytes += Ends::output_of(ends.client, "end");
  CHECK(bytes.find("xxxx") == std::string::npos);
  for (std::size_t i = 0; i < bytes.size(); i += piece) {
    REQUIRE(ends.server.receive(std::string_view(bytes).substr(i, piece), ends.heard_by_server));
  }
  CHECK(ends.heard_by_server == large + "end");
  ends.server.close();
  ends.settle(piece);
  CHECK(ends.client.peer_closed());
  CHECK_FALSE(ends.server.peer_closed());
}

TEST_CASE("channel: before the handshake is done nothing is said", "[tls]") {
  Ends ends;
  (void)Ends::output_of(ends.client);
  CHECK(Ends::output_of(ends.client, "too early").empty());
  CHECK(Ends::output_of(ends.server, "too early").empty());
}

TEST_CASE("channel: a changed byte is noticed", "[tls]") {
  Ends ends;
  ends.settle();
  std::string bytes = Ends::output_of(ends.client, "ten thousand rupees");
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  CHECK_FALSE(ends.server.receive(bytes, ends.heard_by_server));
  CHECK(ends.heard_by_server.empty());
}

TEST_CASE("channel: garbage is an error, never more", "[tls]") {
  std::mt19937_64 random(20261121);
  INFO("seed 20261121");
  Ends seed;
  const std::string hello = Ends::output_of(seed.client);
  for (int i = 0; i < 300; ++i) {
    Channel server(seed.server_context);
    std::string bytes = hello;
    for (std::uint64_t k = 1 + random() % 8; k > 0; --k) bytes[random() % bytes.size()] = static_cast<char>(random());
    std::string plain;
    (void)server.receive(bytes, plain);
    CHECK_FALSE(server.established());
    CHECK(plain.empty());
  }
}

TEST_CASE("channel: TLS 1.2 is refused", "[tls]") {
  Ends ends;
  // A hello of TLS 1.2: no supported_versions extension.
  std::string hello = {0x16, 0x03, 0x01, 0x00, 0x31, 0x01, 0x00, 0x00, 0x2d, 0x03, 0x03};
  hello += std::string(32, 'r');
  const std::string rest = {0x00, 0x00, 0x02, static_cast<char>(0xc0), 0x2b, 0x01, 0x00, 0x00, 0x02, 0x00, 0x00};
  hello += rest.substr(0, 7);
  hello[4] = static_cast<char>(hello.size() - 5);
  hello[8] = static_cast<char>(hello.size() - 9);
  const Status refused = ends.server.receive(hello, ends.heard_by_server);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == ErrorCode::kUnsupportedProtocol);
  CHECK(ends.server.has_output());
}

TEST_CASE("channel: what begins like TLS", "[tls]") {
  Ends ends;
  CHECK(looks_like_tls(Ends::output_of(ends.client)));
  CHECK(looks_like_tls("\x16"));
  CHECK_FALSE(looks_like_tls("GET / HTTP/1.1"));
  CHECK_FALSE(looks_like_tls(std::string("\x16\x03\x00\x00", 4)));
}

}  // namespace
}  // namespace bahi::tls
