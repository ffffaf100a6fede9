// Signed notes and their keys, in the text forms of C2SP (signed-note) and of golang.org/x/mod/sumdb/note:
//
//   verifier key  NAME "+" id:8 hex "+" base64(0x01 | public key:32)
//   signing key   "PRIVATE+KEY+" NAME "+" id:8 hex "+" base64(0x01 | seed:32)
//   id            first four bytes of SHA-256(NAME | 0x0A | 0x01 | public key)
//   note          TEXT "\n" "— " NAME " " base64(id:4 | signature:64) "\n"; TEXT ends with a line break
//
// 0x01 stands for Ed25519; the signature is over TEXT.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "bahi/base/result.hpp"

namespace bahi::proofs {

/// A public key with its name. Immutable.
class VerifierKey {
 public:
  /// kMalformedBundle.
  [[nodiscard]] static Result<VerifierKey> parse(std::string_view text);
  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] std::string text() const;
  /// "NAME+id", for messages.
  [[nodiscard]] std::string label() const;
  [[nodiscard]] std::uint32_t id() const noexcept { return id_; }
  [[nodiscard]] bool verifies(std::string_view message, std::string_view signature) const;
  bool operator==(const VerifierKey&) const = default;

 private:
  friend class SigningKey;
  VerifierKey(std::string name, const std::array<unsigned char, 32>& bytes);

  std::string name_;
  std::array<unsigned char, 32> bytes_{};
  std::uint32_t id_ = 0;
};

/// A private key; copies share it. Thread-safe.
class SigningKey {
 public:
  /// Errors: kInvalidArgument for the name, kInternal.
  [[nodiscard]] static Result<SigningKey> generate(std::string_view name);
  /// kMalformedBundle.
  [[nodiscard]] static Result<SigningKey> parse(std::string_view text);
  /// The secret.
  [[nodiscard]] std::string text() const;
  [[nodiscard]] const VerifierKey& verifier() const noexcept { return verifier_; }
  /// The note of `text`, which must end with a line break.
  [[nodiscard]] Result<std::string> sign(std::string_view text) const;

 private:
  struct Secret;
  SigningKey(VerifierKey verifier, std::shared_ptr<const Secret> secret)
      : verifier_(std::move(verifier)), secret_(std::move(secret)) {}
  static Result<SigningKey> make(std::string_view name, const std::array<unsigned char, 32>& seed);

  VerifierKey verifier_;
  std::shared_ptr<const Secret> secret_;
};

/// A note with exactly one signature, taken apart; nothing is verified. Views into the note.
struct NoteParts {
  std::string_view text;
  std::string_view name;
  std::uint32_t id = 0;
  std::string signature;
  [[nodiscard]] std::string label() const;
};
/// kMalformedBundle.
[[nodiscard]] Result<NoteParts> split_note(std::string_view note);

}  // namespace bahi::proofs
