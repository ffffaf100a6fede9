// What TLS needs to know. Files are PEM.
#pragma once

#include <string>

namespace bahi::tls {

struct ServerSettings {
  std::string certificate_file;  ///< the certificate, then those of the authorities between it and the root
  std::string key_file;          ///< of the certificate; not encrypted
  /// Clients are asked for a certificate that one of these authorities has signed. Empty: they are not asked.
  std::string client_ca_file;
  /// With `client_ca_file`: whoever has no certificate is refused. Otherwise only a wrong one is refused.
  bool client_certificate_required = true;
};

struct ClientSettings {
  std::string ca_file;           ///< authorities to trust; empty: those of the operating system
  std::string certificate_file;  ///< shown to servers that ask; empty: none
  std::string key_file;          ///< of the certificate; not encrypted
  std::string server_name;       ///< must be in the server's certificate; empty: the host connected to
  /// Without, whoever answers at the address is taken for the server: for tests only.
  bool verify = true;
};

}  // namespace bahi::tls
