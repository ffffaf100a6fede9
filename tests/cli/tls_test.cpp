// `bahi serve` with TLS, and the commands that connect to it.
#include <filesystem>

#include "serving.hpp"
#include "support/certificates.hpp"

namespace bahi::test {
namespace {

struct Pki {
  TempDirectory directory;
  TestAuthority authority{directory.path(), "authority"};
  CertificateFiles server = authority.sign("server", {"bahi.test", "127.0.0.1"});
  CertificateFiles client = authority.sign("client", {"till-7"});

  [[nodiscard]] Arguments serve() const { return {"--tls-certificate", server.certificate, "--tls-key", server.key}; }
};

TEST_CASE("serve: commands over TLS, with a certificate of the client", "[cli][server][tls]") {
  const Store store;
  const Pki pki;
  Arguments words = pki.serve();
  words.insert(words.end(), {"--tls-client-ca", pki.authority.file()});
  Serving server(store, words);
  const Arguments identity{"--ca", pki.authority.file(), "--cert", pki.client.certificate, "--key", pki.client.key};
  const auto bahi = [&](Arguments arguments, const Arguments& more, std::string_view input = "") {
    arguments.insert(arguments.end(), more.begin(), more.end());
    return server.bahi(arguments, "", input);
  };
  CHECK(bahi({"ping", "--count", "1"}, identity).exit_code == 0);
  CHECK(bahi({"import", "-t", "shop"}, identity, event_lines(0, 300)).exit_code == 0);
  CHECK(numbers_of(split_lines(bahi({"read", "-t", "shop"}, identity).out)) == range(0, 300));
  const Outcome by_variables = run({"ping", "--count", "1"}, "",
                                   {"BAHI_SERVER=" + server.address(), "BAHI_CA=" + pki.authority.file(),
                                    "BAHI_CERT=" + pki.client.certificate, "BAHI_KEY=" + pki.client.key});
  CHECK(by_variables.exit_code == 0);
  const Outcome without = bahi({"ping"}, {"--ca", pki.authority.file()});
  CHECK(without.exit_code == 8);
  CHECK(without.err.find("certificate_refused") != std::string::npos);
  const Outcome stranger = bahi({"ping"}, {"--tls"});
  CHECK(stranger.exit_code == 8);
  const Outcome plaintext = bahi({"ping"}, {});
  CHECK(plaintext.exit_code == 1);
  CHECK(plaintext.err.find("--tls") != std::string::npos);
  const Outcome stopped = server.stop();
  CHECK(stopped.err.find("certificate=\"till-7\"") != std::string::npos);
  CHECK(stopped.err.find("is valid until") != std::string::npos);
}

TEST_CASE("serve: SIGHUP reads the certificates anew", "[cli][server][tls]") {
  namespace fs = std::filesystem;
  const Store store;
  const Pki pki;
  Serving server(store, pki.serve());
  const TestAuthority next(pki.directory.path(), "next");
  const CertificateFiles fresh = next.sign("fresh", {"bahi.test", "127.0.0.1"});
  const auto reaches = [&](const TestAuthority& authority) {
    return server.bahi({"ping", "--count", "1", "--ca", authority.file()}).exit_code == 0;
  };
  CHECK(reaches(pki.authority));
  fs::copy_file(fresh.certificate, pki.server.certificate, fs::copy_options::overwrite_existing);
  fs::copy_file(fresh.key, pki.server.key, fs::copy_options::overwrite_existing);
  CHECK_FALSE(reaches(next));
  server.signal(SIGHUP);
  bool reached = false;
  for (int i = 0; i < 500 && !reached; ++i) reached = reaches(next);
  CHECK(reached);
  CHECK(server.stop().exit_code == 0);
}

TEST_CASE("serve: --check-config looks into the files", "[cli][server][tls]") {
  const Pki pki;
  const CertificateFiles other = pki.authority.sign("other", {});
  const auto check = [](const Arguments& more) {
    Arguments words{"serve", "--check-config"};
    words.insert(words.end(), more.begin(), more.end());
    return run(words);
  };
  Arguments good = pki.serve();
  good.insert(good.end(), {"--listen", "0.0.0.0:7440"});
  const Outcome checked = check(good);
  CHECK(checked.exit_code == 0);
  CHECK(checked.out.find("tls_key = \"" + pki.server.key) != std::string::npos);
  const Outcome mismatch = check({"--tls-certificate", pki.server.certificate, "--tls-key", other.key});
  CHECK(mismatch.exit_code == 3);
  CHECK(mismatch.err.find("does not belong to the certificate") != std::string::npos);
  const Outcome missing = check({"--tls-certificate", "/nowhere.pem", "--tls-key", other.key});
  CHECK(missing.exit_code == 3);
  CHECK(missing.err.find("'/nowhere.pem': No such file") != std::string::npos);
}

}  // namespace
}  // namespace bahi::test
