// OpenSSL's queue of errors, as text and as errors of the catalogue.
#pragma once

#include <string>

#include "bahi/base/result.hpp"

namespace bahi::tls {

/// The reason of the oldest error in the queue, which it empties.
[[nodiscard]] std::string take_openssl_reason();
/// The same, of a handshake or a conversation that failed.
[[nodiscard]] Error take_openssl_error();

}  // namespace bahi::tls
