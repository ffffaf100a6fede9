#include "bahi/proofs/note.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include "bahi/base/base64.hpp"
#include "bahi/base/text.hpp"
#include "bahi/proofs/merkle.hpp"
#include "bahi/schemas/bytes.hpp"

namespace bahi::proofs {
namespace {

constexpr char kEd25519 = 1;
constexpr std::size_t kKeyBytes = 32;
constexpr std::size_t kSignatureBytes = 64;
constexpr std::size_t kNameBytesMax = 200;
constexpr std::string_view kPrivate = "PRIVATE+KEY+";
constexpr std::string_view kSignatureLine = "\xe2\x80\x94 ";  // an em dash and a space

using KeyBytes = std::array<unsigned char, kKeyBytes>;
using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using Context = std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)>;

Error malformed(std::string_view what) {
  return {ErrorCode::kMalformedBundle, std::string(what)};
}

const unsigned char* raw(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

bool is_key_name(std::string_view name) {
  return !name.empty() && name.size() <= kNameBytesMax && is_printable_utf8(name) &&
         name.find_first_of("+ ") == std::string_view::npos;
}

std::uint32_t id_of(std::string_view name, const KeyBytes& bytes) {
  const std::string_view key(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const TreeHash hash = sha256({name, "\n\x01", key});
  return bytes::get_be32(reinterpret_cast<const char*>(hash.data()));
}

std::string encoded(std::string_view prefix, std::string_view bytes) {
  std::string text;
  append_base64(std::string(prefix).append(bytes), text);
  return text;
}

struct KeyParts {
  std::string_view name;
  std::uint32_t id = 0;
  KeyBytes bytes{};
};

/// NAME "+" hex "+" base64; the name has no plus sign.
Result<KeyParts> split_key(std::string_view text) {
  const Error wrong = malformed("key: it is not of the form NAME+HEX+BASE64, or not an Ed25519 key");
  const std::size_t first = text.find('+');
  if (first == std::string_view::npos || text.size() < first + 10 || text[first + 9] != '+') return wrong;
  KeyParts parts;
  parts.name = text.substr(0, first);
  const std::string_view hex = text.substr(first + 1, 8);
  const char* const end = hex.data() + hex.size();
  std::string decoded;
  const bool good = std::from_chars(hex.data(), end, parts.id, 16).ptr == end &&
                    hex == fmt::format("{:08x}", parts.id) && is_key_name(parts.name) &&
                    decode_base64(text.substr(first + 10), decoded) && decoded.size() == kKeyBytes + 1 &&
                    decoded.front() == kEd25519;
  if (good) std::memcpy(parts.bytes.data(), decoded.data() + 1, kKeyBytes);
  OPENSSL_cleanse(decoded.data(), decoded.size());
  if (!good) return wrong;
  return parts;
}

Error crypto_failed(std::string_view doing) {
  return {ErrorCode::kInternal, fmt::format("OpenSSL: {} did not work", doing)};
}

}  // namespace

VerifierKey::VerifierKey(std::string name, const KeyBytes& bytes)
    : name_(std::move(name)), bytes_(bytes), id_(id_of(name_, bytes)) {}

Result<VerifierKey> VerifierKey::parse(std::string_view text) {
  if (text.starts_with(kPrivate)) return malformed("key: this is a signing key; give the verifier key (bahi key show)");
  BAHI_ASSIGN(const KeyParts parts, split_key(text));
  VerifierKey key(std::string(parts.name), parts.bytes);
  if (key.id_ != parts.id) return malformed("key: its id does not fit its name and bytes");
  return key;
}

std::string VerifierKey::text() const {
  const std::string_view key(reinterpret_cast<const char*>(bytes_.data()), bytes_.size());
  return fmt::format("{}+{:08x}+{}", name_, id_, encoded("\x01", key));
}

std::string VerifierKey::label() const {
  return fmt::format("{}+{:08x}", name_, id_);
}

bool VerifierKey::verifies(std::string_view message, std::string_view signature) const {
  const Key key(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, bytes_.data(), bytes_.size()), EVP_PKEY_free);
  const Context context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  return key && context && EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key.get()) == 1 &&
         EVP_DigestVerify(context.get(), raw(signature), signature.size(), raw(message), message.size()) == 1;
}

struct SigningKey::Secret {
  explicit Secret(const KeyBytes& bytes)
      : seed(bytes),
        key(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, bytes.data(), bytes.size()), EVP_PKEY_free) {}
  ~Secret() { OPENSSL_cleanse(seed.data(), seed.size()); }
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;

  KeyBytes seed;
  Key key;
};

Result<SigningKey> SigningKey::make(std::string_view name, const KeyBytes& seed) {
  auto secret = std::make_shared<const Secret>(seed);
  KeyBytes bytes;
  std::size_t size = bytes.size();
  if (!secret->key || EVP_PKEY_get_raw_public_key(secret->key.get(), bytes.data(), &size) != 1) {
    return crypto_failed("making an Ed25519 key");
  }
  return SigningKey(VerifierKey(std::string(name), bytes), std::move(secret));
}

Result<SigningKey> SigningKey::generate(std::string_view name) {
  if (!is_key_name(name)) {
    return Error{ErrorCode::kInvalidArgument, fmt::format("name: '{}' is not 1 to {} bytes without spaces and '+'",
                                                          name.substr(0, kNameBytesMax), kNameBytesMax)};
  }
  KeyBytes seed;
  if (RAND_priv_bytes(seed.data(), static_cast<int>(seed.size())) != 1) return crypto_failed("its random generator");
  auto key = make(name, seed);
  OPENSSL_cleanse(seed.data(), seed.size());
  return key;
}

Result<SigningKey> SigningKey::parse(std::string_view text) {
  if (!text.starts_with(kPrivate)) return malformed("key: this is not a signing key; one begins with PRIVATE+KEY+");
  BAHI_ASSIGN(KeyParts parts, split_key(text.substr(kPrivate.size())));
  auto key = make(parts.name, parts.bytes);
  OPENSSL_cleanse(parts.bytes.data(), parts.bytes.size());
  if (key && key->verifier().id() != parts.id) return malformed("key: its id does not fit its name and bytes");
  return key;
}

std::string SigningKey::text() const {
  const std::string_view seed(reinterpret_cast<const char*>(secret_->seed.data()), secret_->seed.size());
  return fmt::format("{}{}+{:08x}+{}", kPrivate, verifier_.name(), verifier_.id(), encoded("\x01", seed));
}

Result<std::string> SigningKey::sign(std::string_view text) const {
  const Context context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  std::array<unsigned char, kSignatureBytes> signature;
  std::size_t size = signature.size();
  if (!context || EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, secret_->key.get()) != 1 ||
      EVP_DigestSign(context.get(), signature.data(), &size, raw(text), text.size()) != 1 || size != signature.size()) {
    return crypto_failed("signing");
  }
  std::string id;
  bytes::put_be32(id, verifier_.id());
  const std::string_view bytes(reinterpret_cast<const char*>(signature.data()), signature.size());
  return fmt::format("{}\n{}{} {}\n", text, kSignatureLine, verifier_.name(), encoded(id, bytes));
}

std::string NoteParts::label() const {
  return fmt::format("{}+{:08x}", name, id);
}

Result<NoteParts> split_note(std::string_view note) {
  const std::size_t gap = note.rfind("\n\n");
  if (gap == std::string_view::npos || note.back() != '\n') return malformed("note: it has no signature");
  NoteParts parts;
  parts.text = note.substr(0, gap + 1);
  std::string_view line = note.substr(gap + 2);
  if (line.find('\n') != line.size() - 1) return malformed("note: it has more than one signature");
  line.remove_suffix(1);
  const std::size_t space = line.rfind(' ');
  std::string decoded;
  if (!line.starts_with(kSignatureLine) || space < kSignatureLine.size() ||
      !decode_base64(line.substr(space + 1), decoded) || decoded.size() != 4 + kSignatureBytes) {
    return malformed("note: its signature is malformed");
  }
  parts.name = line.substr(kSignatureLine.size(), space - kSignatureLine.size());
  parts.id = bytes::get_be32(decoded.data());
  parts.signature = decoded.substr(4);
  if (!is_key_name(parts.name)) return malformed("note: the name of its key is malformed");
  return parts;
}

}  // namespace bahi::proofs
