#include "bahi/tls/channel.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <fmt/format.h>

#include "handles.hpp"
#include "openssl_error.hpp"

namespace bahi::tls {
namespace {

constexpr std::size_t kRecordBytesMax = std::size_t{16} << 10U;

}  // namespace

bool looks_like_tls(std::string_view bytes) noexcept {
  // A record of the handshake, of version 3.x. As the length of a frame the third byte would mean 64 KiB or more.
  constexpr std::array<char, 2> kBegin{0x16, 0x03};
  for (std::size_t i = 0; i < std::min(bytes.size(), kBegin.size()); ++i) {
    if (bytes[i] != kBegin[i]) return false;
  }
  return bytes.size() < 3 || bytes[2] != 0;
}

/// Where OpenSSL reads from and writes to: the channel's own members, so that nothing is copied into a queue between.
struct Channel::Pipe {
  static Channel& channel(BIO* bio) { return *static_cast<Channel*>(BIO_get_data(bio)); }

  static int read(BIO* bio, char* to, std::size_t wanted, std::size_t* count) {
    std::string_view& input = channel(bio).input_;
    BIO_clear_retry_flags(bio);
    *count = std::min(wanted, input.size());
    if (*count == 0) {
      BIO_set_retry_read(bio);
      return 0;
    }
    std::memcpy(to, input.data(), *count);
    input.remove_prefix(*count);
    return 1;
  }
  static int write(BIO* bio, const char* from, std::size_t size, std::size_t* count) {
    channel(bio).output_.append(from, size);
    *count = size;
    return 1;
  }
  static long control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

  static BIO_METHOD* method() {
    static BIO_METHOD* const made = [] {
      BIO_METHOD* fresh = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "bahi");
      BIO_meth_set_read_ex(fresh, read);
      BIO_meth_set_write_ex(fresh, write);
      BIO_meth_set_ctrl(fresh, control);
      return fresh;
    }();
    return made;
  }
};

Channel::Channel(std::shared_ptr<const Context> context, const std::string& host)
    : context_(std::move(context)), handle_(std::make_unique<Handle>()) {
  handle_->ssl.reset(SSL_new(context_->handle_->context.get()));
  SSL* const ssl = handle_->ssl.get();
  BIO* const bio = BIO_new(Pipe::method());
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl, bio, bio);
  if (context_->server_) {
    SSL_set_accept_state(ssl);
    return;
  }
  SSL_set_connect_state(ssl);
  const std::string& name = context_->server_name_.empty() ? host : context_->server_name_;
  X509_VERIFY_PARAM* const rules = SSL_get0_param(ssl);
  const bool is_address = X509_VERIFY_PARAM_set1_ip_asc(rules, name.c_str()) == 1;
  if (!is_address) {
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    SSL_set1_host(ssl, name.c_str());
    SSL_set_tlsext_host_name(ssl, name.c_str());
  }
  ERR_clear_error();
  SSL_do_handshake(ssl);  // writes the first message
}

Channel::~Channel() = default;

Error Channel::failure() {
  const long verified = SSL_get_verify_result(handle_->ssl.get());
  const bool wrong = context_->verify_ && verified != X509_V_OK;
  refused_peer_ = wrong || ERR_GET_REASON(ERR_peek_error()) == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE;
  if (wrong) {
    ERR_clear_error();
    return {ErrorCode::kCertificateRefused,
            fmt::format("TLS: the certificate of the {} is refused: {}", context_->server_ ? "client" : "server",
                        X509_verify_cert_error_string(verified))};
  }
  return take_openssl_error();
}

/// False: more has to come first, or it failed.
bool Channel::advance_handshake(Status& outcome) {
  const int done = SSL_do_handshake(handle_->ssl.get());
  if (done == 1) {
    established_ = true;
    return true;
  }
  if (SSL_get_error(handle_->ssl.get(), done) != SSL_ERROR_WANT_READ) outcome = failure();
  return false;
}

Status Channel::receive(std::string_view bytes, std::string& plain) {
  if (!std::exchange(begun_, true) && !context_->server_ && bytes.front() != SSL3_RT_HANDSHAKE &&
      bytes.front() != SSL3_RT_ALERT) {
    return Error{ErrorCode::kUnsupportedProtocol, "TLS: the server does not speak TLS; connect without it"};
  }
  input_ = bytes;
  ERR_clear_error();
  Status outcome;
  if (!established_ && !advance_handshake(outcome)) return outcome;
  for (;;) {
    const std::size_t before = plain.size();
    plain.resize(before + kRecordBytesMax);
    std::size_t count = 0;
    const int got = SSL_read_ex(handle_->ssl.get(), plain.data() + before, kRecordBytesMax, &count);
    plain.resize(before + (got == 1 ? count : 0));
    if (got == 1) continue;
    const int why = SSL_get_error(handle_->ssl.get(), got);
    if (why == SSL_ERROR_WANT_READ) return {};
    if (why == SSL_ERROR_ZERO_RETURN) {
      peer_closed_ = true;
      return {};
    }
    return failure();
  }
}

void Channel::encrypt(std::vector<std::string>& buffers) {
  if (established_) {
    ERR_clear_error();
    for (const std::string& plain : buffers) {
      std::size_t count = 0;
      if (!plain.empty()) SSL_write_ex(handle_->ssl.get(), plain.data(), plain.size(), &count);
    }
  }
  buffers.clear();
  if (!output_.empty()) buffers.push_back(std::exchange(output_, {}));
}

void Channel::close() {
  if (established_) SSL_shutdown(handle_->ssl.get());
  ERR_clear_error();
}

std::string Channel::peer_name() const {
  const std::unique_ptr<X509, FreeOpenSsl> certificate(SSL_get1_peer_certificate(handle_->ssl.get()));
  if (!certificate) return {};
  std::array<char, 256> name{};
  const int length = X509_NAME_get_text_by_NID(X509_get_subject_name(certificate.get()), NID_commonName, name.data(),
                                               static_cast<int>(name.size()));
  return {name.data(), static_cast<std::size_t>(std::max(length, 0))};
}

}  // namespace bahi::tls
