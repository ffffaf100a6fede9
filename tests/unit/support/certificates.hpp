// Keys and certificates made for a test, as PEM files.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

namespace bahi::test {

/// What the certificate of a server or a client says.
struct CertificateWish {
  std::string name = "localhost";  ///< common name, and the DNS name that it is good for
  std::string address = {};        ///< the IP address that it is good for; empty: none
  int days = 2;                    ///< from now on; negative: it has expired
};

struct CertificateFiles {
  std::string certificate;
  std::string key;
};

/// An authority, and what it signs. Files go into the directory given, which must outlive it.
class TestAuthority {
 public:
  TestAuthority(std::filesystem::path directory, const std::string& name);
  ~TestAuthority();
  TestAuthority(const TestAuthority&) = delete;
  TestAuthority& operator=(const TestAuthority&) = delete;

  /// Its own certificate.
  [[nodiscard]] const std::string& file() const { return file_; }
  /// `file_name` without extension. Throws when OpenSSL fails.
  [[nodiscard]] CertificateFiles sign(const std::string& file_name, const CertificateWish& wish) const;

 private:
  struct Identity;
  std::filesystem::path directory_;
  std::unique_ptr<Identity> identity_;
  std::string file_;
};

}  // namespace bahi::test
