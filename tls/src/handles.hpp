// Owners of OpenSSL's objects.
#pragma once

#include <memory>

#include <openssl/ssl.h>

#include "bahi/tls/channel.hpp"
#include "bahi/tls/context.hpp"

namespace bahi::tls {

struct FreeOpenSsl {
  void operator()(SSL_CTX* context) const noexcept { SSL_CTX_free(context); }
  void operator()(SSL* ssl) const noexcept { SSL_free(ssl); }
  void operator()(X509* certificate) const noexcept { X509_free(certificate); }
};

struct Context::Handle {
  std::unique_ptr<SSL_CTX, FreeOpenSsl> context;
};

struct Channel::Handle {
  std::unique_ptr<SSL, FreeOpenSsl> ssl;
};

}  // namespace bahi::tls
