#include "bahi/tls/context.hpp"

#include <cerrno>
#include <ctime>
#include <fstream>
#include <system_error>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <fmt/format.h>

#include "handles.hpp"
#include "openssl_error.hpp"

namespace bahi::tls {
namespace {

Error wrong(std::string_view setting, const std::string& file, std::string_view what) {
  return {ErrorCode::kInvalidArgument, fmt::format("{}: '{}': {}", setting, file, what)};
}

/// OpenSSL's own words for a file that cannot be opened are of no help.
Status check_readable(std::string_view setting, const std::string& file) {
  if (file.empty()) return Error{ErrorCode::kInvalidArgument, fmt::format("{}: no file is named", setting)};
  errno = 0;
  std::ifstream in(file, std::ios::binary);
  if (in && in.peek() != std::ifstream::traits_type::eof()) return {};
  return wrong(setting, file, errno == 0 ? "is empty" : std::generic_category().message(errno));
}

/// A key with a passphrase must not make a server ask on the terminal.
int no_passphrase(char*, int, int, void*) {
  return -1;
}

Timestamp end_of(const X509* certificate) {
  std::tm time{};
  if (certificate == nullptr || ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &time) != 1) return {};
  return Timestamp{std::int64_t{timegm(&time)} * 1'000'000'000};
}

}  // namespace

Context::Context() : handle_(std::make_unique<Handle>()) {
  handle_->context.reset(SSL_CTX_new(TLS_method()));
}
Context::~Context() = default;

Result<std::shared_ptr<const Context>> Context::for_server(const ServerSettings& settings) {
  std::shared_ptr<Context> made(new Context);
  SSL_CTX* const context = made->handle_->context.get();
  if (context == nullptr) return Error{ErrorCode::kInternal, "TLS: " + take_openssl_reason()};
  SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);  // an idle connection holds none
  // No resumption: certificates are looked at on every connection, and a session leaves nothing behind.
  SSL_CTX_set_num_tickets(context, 0);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  made->server_ = true;
  made->verify_ = !settings.client_ca_file.empty();
  BAHI_TRY(made->load_identity(settings.certificate_file, settings.key_file));
  if (made->verify_) {
    BAHI_TRY(check_readable("tls_client_ca", settings.client_ca_file));
    auto* const names = SSL_load_client_CA_file(settings.client_ca_file.c_str());
    if (names == nullptr || SSL_CTX_load_verify_file(context, settings.client_ca_file.c_str()) != 1) {
      return wrong("tls_client_ca", settings.client_ca_file, take_openssl_reason());
    }
    SSL_CTX_set_client_CA_list(context, names);
    const int required = settings.client_certificate_required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0;
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | required, nullptr);
  }
  return std::shared_ptr<const Context>(std::move(made));
}

Result<std::shared_ptr<const Context>> Context::for_client(const ClientSettings& settings) {
  std::shared_ptr<Context> made(new Context);
  SSL_CTX* const context = made->handle_->context.get();
  if (context == nullptr) return Error{ErrorCode::kInternal, "TLS: " + take_openssl_reason()};
  SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
  made->verify_ = settings.verify;
  made->server_name_ = settings.server_name;
  if (!settings.certificate_file.empty() || !settings.key_file.empty()) {
    BAHI_TRY(made->load_identity(settings.certificate_file, settings.key_file));
  }
  if (!settings.ca_file.empty()) {
    BAHI_TRY(check_readable("tls_ca", settings.ca_file));
    if (SSL_CTX_load_verify_file(context, settings.ca_file.c_str()) != 1) {
      return wrong("tls_ca", settings.ca_file, take_openssl_reason());
    }
  } else {
    SSL_CTX_set_default_verify_paths(context);
  }
  SSL_CTX_set_verify(context, settings.verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
  return std::shared_ptr<const Context>(std::move(made));
}

Status Context::load_identity(const std::string& certificate_file, const std::string& key_file) {
  SSL_CTX* const context = handle_->context.get();
  BAHI_TRY(check_readable("tls_certificate", certificate_file));
  BAHI_TRY(check_readable("tls_key", key_file));
  ERR_clear_error();
  if (SSL_CTX_use_certificate_chain_file(context, certificate_file.c_str()) != 1) {
    return wrong("tls_certificate", certificate_file, "is no certificate in PEM form: " + take_openssl_reason());
  }
  SSL_CTX_set_default_passwd_cb(context, no_passphrase);
  if (SSL_CTX_use_PrivateKey_file(context, key_file.c_str(), SSL_FILETYPE_PEM) != 1) {
    // OpenSSL compares the key with the certificate as soon as it has both.
    const bool mismatch = ERR_GET_REASON(ERR_peek_error()) == X509_R_KEY_VALUES_MISMATCH ||
                          ERR_GET_REASON(ERR_peek_error()) == X509_R_KEY_TYPE_MISMATCH;
    const std::string reason = take_openssl_reason();
    return wrong("tls_key", key_file,
                 mismatch ? fmt::format("does not belong to the certificate '{}'", certificate_file)
                          : "is no private key in PEM form, or has a passphrase: " + reason);
  }
  if (SSL_CTX_check_private_key(context) != 1) {
    ERR_clear_error();
    return wrong("tls_key", key_file, fmt::format("does not belong to the certificate '{}'", certificate_file));
  }
  expires_at_ = end_of(SSL_CTX_get0_certificate(context));
  return {};
}

}  // namespace bahi::tls
