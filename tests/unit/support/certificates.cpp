#include "support/certificates.hpp"

#include <cstdio>
#include <stdexcept>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

namespace bahi::test {
namespace {

constexpr long kSecondsPerDay = 86'400;

void require(bool good, const char* what) {
  if (!good) throw std::runtime_error(std::string("making a certificate: ") + what);
}

struct Free {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(X509_EXTENSION* extension) const { X509_EXTENSION_free(extension); }
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using Key = std::unique_ptr<EVP_PKEY, Free>;
using Certificate = std::unique_ptr<X509, Free>;

void extend(X509* certificate, X509* issuer, int what, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const std::unique_ptr<X509_EXTENSION, Free> extension(X509V3_EXT_conf_nid(nullptr, &context, what, value.c_str()));
  require(extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1, "an extension");
}

Certificate begin(const std::string& name, EVP_PKEY* key, int days) {
  Certificate made(X509_new());
  X509_set_version(made.get(), X509_VERSION_3);
  std::uint64_t serial = 0;
  require(RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial) == 1, "a serial number");
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(made.get()), serial >> 1U);
  X509_gmtime_adj(X509_getm_notBefore(made.get()), -10 * kSecondsPerDay);
  X509_gmtime_adj(X509_getm_notAfter(made.get()), days * kSecondsPerDay);
  X509_NAME* const subject = X509_get_subject_name(made.get());
  require(X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(name.c_str()),
                                     -1, -1, 0) == 1,
          "a name");
  X509_set_pubkey(made.get(), key);
  return made;
}

std::unique_ptr<std::FILE, Free> open(const std::filesystem::path& path) {
  std::unique_ptr<std::FILE, Free> file(std::fopen(path.c_str(), "w"));
  require(file != nullptr, "a file");
  return file;
}

void write(const std::filesystem::path& path, X509* certificate) {
  require(PEM_write_X509(open(path).get(), certificate) == 1, "writing a certificate");
}

}  // namespace

struct TestAuthority::Identity {
  Key key;
  Certificate certificate;
};

TestAuthority::TestAuthority(std::filesystem::path directory, const std::string& name)
    : directory_(std::move(directory)), identity_(std::make_unique<Identity>()), file_(directory_ / (name + ".pem")) {
  identity_->key.reset(EVP_EC_gen("P-256"));
  require(identity_->key != nullptr, "a key");
  identity_->certificate = begin(name, identity_->key.get(), 2);
  X509* const own = identity_->certificate.get();
  X509_set_issuer_name(own, X509_get_subject_name(own));
  extend(own, own, NID_basic_constraints, "critical,CA:TRUE");
  extend(own, own, NID_key_usage, "critical,keyCertSign");
  require(X509_sign(own, identity_->key.get(), EVP_sha256()) != 0, "a signature");
  write(file_, own);
}

TestAuthority::~TestAuthority() = default;

CertificateFiles TestAuthority::sign(const std::string& file_name, const CertificateWish& wish) const {
  const Key key(EVP_EC_gen("P-256"));
  require(key != nullptr, "a key");
  const Certificate made = begin(wish.name, key.get(), wish.days);
  X509_set_issuer_name(made.get(), X509_get_subject_name(identity_->certificate.get()));
  const std::string names = "DNS:" + wish.name + (wish.address.empty() ? "" : ",IP:" + wish.address);
  extend(made.get(), identity_->certificate.get(), NID_subject_alt_name, names);
  require(X509_sign(made.get(), identity_->key.get(), EVP_sha256()) != 0, "a signature");
  CertificateFiles files{directory_ / (file_name + ".pem"), directory_ / (file_name + ".key")};
  write(files.certificate, made.get());
  require(PEM_write_PrivateKey(open(files.key).get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1,
          "writing a key");
  return files;
}

}  // namespace bahi::test
