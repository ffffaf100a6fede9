// Checkpoints (C2SP tlog-checkpoint): what a log says it holds, signed. And hand-overs: by which a key that is to be
// replaced names the next one, so that whoever pinned the old key can follow.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bahi/base/types.hpp"
#include "bahi/proofs/merkle.hpp"
#include "bahi/proofs/note.hpp"

namespace bahi::proofs {

/// Text of the note: origin, size and base64 root, a line each.
struct Checkpoint {
  std::string origin;  ///< which log
  TreeHead tree;
  bool operator==(const Checkpoint&) const = default;
};
/// "bahi/STORE-ID/TENANT"
[[nodiscard]] std::string origin_of(const Uuid& store_id, std::string_view tenant);
[[nodiscard]] Result<std::string> sign_checkpoint(const Checkpoint& checkpoint, const SigningKey& key);
/// What the note says; nothing is verified. kMalformedBundle.
[[nodiscard]] Result<Checkpoint> read_checkpoint(std::string_view note);

/// The note "bahi key hand-over\n" FROM "\n" TO "\n" (verifier keys), signed by FROM.
[[nodiscard]] Result<std::string> sign_hand_over(const SigningKey& from, const VerifierKey& to);

/// A signing key as it is kept in a file, with the hand-overs that led to it, the oldest first: the key on the first
/// line, then each note in base64 on a line.
struct KeyFile {
  SigningKey key;
  std::vector<std::string> hand_overs;
  [[nodiscard]] std::string text() const;
  /// kMalformedBundle, also when the hand-overs do not lead to the key.
  [[nodiscard]] static Result<KeyFile> parse(std::string_view text);
};

/// Whom an auditor trusts: the key pinned and those that it handed over to.
class TrustedKeys {
 public:
  /// Each hand-over must be signed by the key that it names, and begin where the one before it ended.
  /// Errors: kMalformedBundle, kUntrustedKey.
  [[nodiscard]] static Result<TrustedKeys> follow(const VerifierKey& pinned,
                                                  const std::vector<std::string>& hand_overs);
  /// The checkpoint in the note, if one of the keys signed it. Errors: kMalformedBundle, kUntrustedKey.
  [[nodiscard]] Result<Checkpoint> open(std::string_view note) const;

 private:
  explicit TrustedKeys(std::vector<VerifierKey> keys) : keys_(std::move(keys)) {}
  std::vector<VerifierKey> keys_;  // the pinned one first
};

}  // namespace bahi::proofs
