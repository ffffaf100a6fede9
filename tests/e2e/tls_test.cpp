// TLS between client and server: who is trusted, who is not, and what the refused are told.
#include <filesystem>
#include <fstream>

#include "server_fixture.hpp"
#include "support/certificates.hpp"

namespace bahi::test {
namespace {

/// An authority, a server's certificate for 127.0.0.1 and a client's.
struct Certificates {
  TemporaryDirectory directory;
  TestAuthority authority{directory.path(), "authority"};
  CertificateFiles server = authority.sign("server", {"bahi.test", "127.0.0.1"});
  CertificateFiles client = authority.sign("client", {"till-7"});

  [[nodiscard]] server::ServerOptions server_options() const {
    auto options = TestServer::server_options();
    options.tls.emplace();
    options.tls->certificate_file = server.certificate;
    options.tls->key_file = server.key;
    return options;
  }
  [[nodiscard]] server::ServerOptions options_asking_clients(bool required) const {
    auto options = server_options();
    options.tls->client_ca_file = authority.file();
    options.tls->client_certificate_required = required;
    return options;
  }
};

client::ClientOptions with_tls(const TestServer& server, const std::string& ca_file, const CertificateFiles& own = {}) {
  client::ClientOptions options = server.client_options();
  options.tls.emplace();
  options.tls->ca_file = ca_file;
  options.tls->certificate_file = own.certificate;
  options.tls->key_file = own.key;
  return options;
}

Error refusal_of(const client::ClientOptions& options) {
  const auto client = client::Client::connect(options);
  REQUIRE_FALSE(client);
  return client.error();
}

bool mentions(const Error& error, std::string_view text) {
  INFO(error.to_string());
  return error.to_string().find(text) != std::string::npos;
}

TEST_CASE("e2e: over TLS everything works as without", "[e2e][tls]") {
  const Certificates certificates;
  TestServer server(certificates.server_options());
  const auto connected = client::Client::connect(with_tls(server, certificates.authority.file()));
  REQUIRE(connected);
  const auto& client = *connected;
  // Larger than TLS's records and than one receive buffer.
  const std::string large(3'000'000, 'x');
  REQUIRE(client->append(request_of({}, {{"order-1", "placed", large}})));
  const auto subscription = client->subscribe({});
  std::atomic<std::size_t> answered{0};
  constexpr std::size_t kAppends = 300;
  for (std::size_t i = 0; i < kAppends; ++i) {
    client->submit(request_of({}, {{"order-2", "placed", std::to_string(i)}}), [&](const Result<AppendResult>& result) {
      if (result) answered.fetch_add(1);
    });
  }
  const auto events = take(*subscription, kAppends + 1);
  CHECK(events.front().event.data == large);
  for (std::size_t i = 0; i < kAppends; ++i) CHECK(events[i + 1].event.data == std::to_string(i));
  CHECK(drain(*client->read({})).size() == kAppends + 1);
  server.stop();
  server.start();
  REQUIRE(client->append(request_of({}, {{"order-1"}})));
  CHECK(take(*subscription, 1).size() == 1);
}

TEST_CASE("e2e: a client trusts only the right server", "[e2e][tls]") {
  const Certificates certificates;
  const TestAuthority stranger(certificates.directory.path(), "stranger");
  auto server_options = certificates.server_options();
  SECTION("another authority") {
    const TestServer server(server_options);
    const Error error = refusal_of(with_tls(server, stranger.file()));
    CHECK(error.code() == ErrorCode::kCertificateRefused);
    CHECK(mentions(error, "certificate of the server"));
  }
  SECTION("no authority of ours among the system's") {
    const TestServer server(server_options);
    CHECK(refusal_of(with_tls(server, "")).code() == ErrorCode::kCertificateRefused);
  }
  SECTION("another name") {
    const TestServer server(server_options);
    auto options = with_tls(server, certificates.authority.file());
    options.tls->server_name = "other.test";
    const Error error = refusal_of(options);
    CHECK(error.code() == ErrorCode::kCertificateRefused);
    CHECK(mentions(error, "mismatch"));
    options.tls->server_name = "bahi.test";
    CHECK(client::Client::connect(options));
  }
  SECTION("another address") {
    const CertificateFiles elsewhere = certificates.authority.sign("elsewhere", {"bahi.test", "127.0.0.9"});
    server_options.tls->certificate_file = elsewhere.certificate;
    server_options.tls->key_file = elsewhere.key;
    const TestServer server(server_options);
    CHECK(refusal_of(with_tls(server, certificates.authority.file())).code() == ErrorCode::kCertificateRefused);
  }
  SECTION("an expired certificate") {
    const CertificateFiles old = certificates.authority.sign("old", {"bahi.test", "127.0.0.1", -1});
    server_options.tls->certificate_file = old.certificate;
    server_options.tls->key_file = old.key;
    const TestServer server(server_options);
    const Error error = refusal_of(with_tls(server, certificates.authority.file()));
    CHECK(error.code() == ErrorCode::kCertificateRefused);
    CHECK(mentions(error, "expired"));
  }
  SECTION("anybody, when it was told not to look") {
    const TestServer server(server_options);
    auto options = with_tls(server, "");
    options.tls->verify = false;
    CHECK(client::Client::connect(options));
  }
}

TEST_CASE("e2e: a server that asks for certificates lets only the right clients in", "[e2e][tls]") {
  const Certificates certificates;
  const TestAuthority stranger(certificates.directory.path(), "stranger");
  const CertificateFiles forged = stranger.sign("forged", {"till-7"});
  const CertificateFiles old = certificates.authority.sign("old", {"till-7", "", -1});
  const std::string& ca = certificates.authority.file();
  const bool required = GENERATE(true, false);
  TestServer server(certificates.options_asking_clients(required));
  CHECK(client::Client::connect(with_tls(server, ca, certificates.client)));
  std::size_t denials = 0;
  for (const CertificateFiles& wrong : {forged, old}) {
    CHECK(refusal_of(with_tls(server, ca, wrong)).code() == ErrorCode::kCertificateRefused);
    ++denials;
  }
  if (required) {
    CHECK(refusal_of(with_tls(server, ca)).code() == ErrorCode::kCertificateRefused);
    ++denials;
  } else {
    CHECK(client::Client::connect(with_tls(server, ca)));
  }
  wait_for_events(server, "bahi.request-denied", denials);
}

TEST_CASE("e2e: a certificate is no token", "[e2e][tls]") {
  const Certificates certificates;
  auto options = certificates.options_asking_clients(true);
  options.credentials = server::Credentials::kRequired;
  TestServer server(options);
  const std::string token = server.token("shop", Role::kReader);
  server.stop();
  server.start();
  auto wanted = with_tls(server, certificates.authority.file(), certificates.client);
  CHECK(refusal_of(wanted).code() == ErrorCode::kUnauthenticated);
  wanted.token = token;
  CHECK(client::Client::connect(wanted));
}

TEST_CASE("e2e: who speaks TLS to a server without, or the other way round, is told so", "[e2e][tls]") {
  const Certificates certificates;
  SECTION("plaintext to TLS") {
    const TestServer server(certificates.server_options());
    const Error error = refusal_of(server.client_options());
    CHECK(error.code() == ErrorCode::kUnsupportedProtocol);
    CHECK(mentions(error, "--tls"));
  }
  SECTION("TLS to plaintext") {
    const TestServer server;
    const Error error = refusal_of(with_tls(server, certificates.authority.file()));
    CHECK(error.code() == ErrorCode::kUnsupportedProtocol);
    CHECK(mentions(error, "does not speak TLS"));
  }
}

TEST_CASE("e2e: certificates are read anew without a restart", "[e2e][tls]") {
  const Certificates certificates;
  TestServer server(certificates.server_options());
  const auto before = client::Client::connect(with_tls(server, certificates.authority.file()));
  REQUIRE(before);
  const TestAuthority next(certificates.directory.path(), "next");
  const CertificateFiles fresh = next.sign("fresh", {"bahi.test", "127.0.0.1"});
  namespace fs = std::filesystem;
  fs::copy_file(fresh.certificate, certificates.server.certificate, fs::copy_options::overwrite_existing);
  // Half of a change: certificate and key do not belong together.
  const Status half = server.server().reload_certificates();
  REQUIRE_FALSE(half);
  CHECK(half.error().code() == ErrorCode::kInvalidArgument);
  CHECK(client::Client::connect(with_tls(server, certificates.authority.file())));
  fs::copy_file(fresh.key, certificates.server.key, fs::copy_options::overwrite_existing);
  REQUIRE(server.server().reload_certificates());
  CHECK(refusal_of(with_tls(server, certificates.authority.file())).code() == ErrorCode::kCertificateRefused);
  CHECK(client::Client::connect(with_tls(server, next.file())));
  CHECK((*before)->ping());
}

TEST_CASE("e2e: wrong files are named", "[e2e][tls]") {
  const Certificates certificates;
  const CertificateFiles other = certificates.authority.sign("other", {});
  const std::string empty = certificates.directory.path() / "empty.pem";
  const std::string text = certificates.directory.path() / "text.pem";
  std::ofstream(empty).flush();
  std::ofstream(text) << "no certificate\n";
  const auto complaint = [&](auto change) {
    auto options = certificates.options_asking_clients(true);
    change(*options.tls);
    const Status checked = server::check_options(options);
    REQUIRE_FALSE(checked);
    CHECK(checked.error().code() == ErrorCode::kInvalidArgument);
    return checked.error();
  };
  CHECK(mentions(complaint([](auto& tls) { tls.certificate_file = "/nowhere/c.pem"; }),
                 "tls_certificate: '/nowhere/c.pem': No such file"));
  CHECK(mentions(complaint([&](auto& tls) { tls.certificate_file = text; }), "tls_certificate: '" + text));
  CHECK(mentions(complaint([](auto& tls) { tls.key_file.clear(); }), "tls_key: no file is named"));
  CHECK(mentions(complaint([&](auto& tls) { tls.key_file = empty; }), "is empty"));
  CHECK(mentions(complaint([&](auto& tls) { tls.key_file = text; }), "tls_key: '" + text));
  CHECK(mentions(complaint([&](auto& tls) { tls.key_file = other.key; }), "does not belong to the certificate"));
  CHECK(mentions(complaint([&](auto& tls) { tls.client_ca_file = text; }), "tls_client_ca: '" + text));
  const TestServer server(certificates.server_options());
  CHECK(mentions(refusal_of(with_tls(server, "/nowhere/ca.pem")), "tls_ca: '/nowhere/ca.pem'"));
}

TEST_CASE("server: beyond loopback only with TLS", "[server][tls]") {
  const Certificates certificates;
  auto options = TestServer::server_options();
  options.address = "0.0.0.0";
  options.credentials = server::Credentials::kRequired;
  const Status refused = server::check_options(options);
  REQUIRE_FALSE(refused);
  CHECK(mentions(refused.error(), "tls_certificate"));
  options.tls = certificates.server_options().tls;
  CHECK(server::check_options(options));
}

}  // namespace
}  // namespace bahi::test
