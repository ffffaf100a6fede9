#include "bahi/proofs/note.hpp"

#include <catch2/catch.hpp>

#include "bahi/proofs/checkpoint.hpp"
#include "catch_result.hpp"

namespace bahi::proofs {
namespace {

// The example of golang.org/x/mod/sumdb/note: its keys, its text and its signature.
constexpr const char* kGoVerifier = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
constexpr const char* kGoSigner = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
constexpr const char* kGoNote =
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "\xe2\x80\x94 PeterNeumann "
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

TEST_CASE("note: keys, text and signature of Go's sumdb/note", "[proofs][note]") {
  const auto verifier = VerifierKey::parse(kGoVerifier);
  REQUIRE(verifier);
  CHECK(verifier->text() == kGoVerifier);
  CHECK(verifier->name() == "PeterNeumann");
  const auto parts = split_note(kGoNote);
  REQUIRE(parts);
  CHECK(parts->id == verifier->id());
  CHECK(verifier->verifies(parts->text, parts->signature));
  const auto signer = SigningKey::parse(kGoSigner);
  REQUIRE(signer);
  CHECK(signer->text() == kGoSigner);
  CHECK(signer->verifier() == *verifier);
  CHECK(signer->sign(parts->text).value() == kGoNote);
}

TEST_CASE("note: one changed bit anywhere is noticed", "[proofs][note]") {
  const VerifierKey verifier = VerifierKey::parse(kGoVerifier).value();
  const std::string note = kGoNote;
  std::size_t missed = 0;
  for (std::size_t bit = 0; bit < note.size() * 8; ++bit) {
    std::string changed = note;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << bit % 8));
    const auto parts = split_note(changed);
    const bool passes = parts && parts->name == verifier.name() && parts->id == verifier.id() &&
                        verifier.verifies(parts->text, parts->signature);
    missed += passes ? 1 : 0;
  }
  CHECK(missed == 0);
}

TEST_CASE("note: malformed keys are refused", "[proofs][note]") {
  CHECK_FALSE(VerifierKey::parse(""));
  CHECK_FALSE(VerifierKey::parse("PeterNeumann"));
  CHECK_FALSE(VerifierKey::parse(kGoSigner));
  CHECK_FALSE(SigningKey::parse(kGoVerifier));
  CHECK_FALSE(VerifierKey::parse("PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"));
  CHECK_FALSE(VerifierKey::parse("PeterNeumann+c74f20a3+AhpC2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"));
  CHECK_FALSE(VerifierKey::parse("+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"));
  CHECK_FALSE(SigningKey::generate("two words"));
  CHECK_FALSE(SigningKey::generate("a+b"));
  CHECK_FALSE(SigningKey::generate(""));
}

TEST_CASE("checkpoint: the form of C2SP, and back", "[proofs][checkpoint]") {
  const SigningKey key = SigningKey::generate("example.org/log").value();
  const Checkpoint checkpoint{origin_of({0x0102030405060708, 0x090a0b0c0d0e0f10}, "shop"), {17, leaf_hash("root")}};
  const std::string note = sign_checkpoint(checkpoint, key).value();
  CHECK(note.starts_with("bahi/01020304-0506-0708-090a-0b0c0d0e0f10/shop\n17\n" + to_base64(leaf_hash("root")) +
                         "\n\n\xe2\x80\x94 example.org/log "));
  CHECK(read_checkpoint(note).value() == checkpoint);
  const TrustedKeys keys = TrustedKeys::follow(key.verifier(), {}).value();
  CHECK(keys.open(note).value() == checkpoint);
  const SigningKey same_name = SigningKey::generate("example.org/log").value();
  const auto refused = TrustedKeys::follow(same_name.verifier(), {}).value().open(note);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == ErrorCode::kUntrustedKey);
  CHECK_FALSE(read_checkpoint("log\n017\n" + to_base64(leaf_hash("root")) + "\n\n" + note.substr(note.find("\xe2"))));
  CHECK_FALSE(read_checkpoint(note + note.substr(note.find("\xe2"))));
}

TEST_CASE("checkpoint: a key's successors are trusted, others are not", "[proofs][checkpoint]") {
  const SigningKey first = SigningKey::generate("log").value();
  const SigningKey second = SigningKey::generate("log").value();
  const SigningKey third = SigningKey::generate("log-2").value();
  const std::vector<std::string> chain{sign_hand_over(first, second.verifier()).value(),
                                       sign_hand_over(second, third.verifier()).value()};
  const std::string note = sign_checkpoint({"bahi/x/y", {1, {}}}, third).value();
  CHECK(TrustedKeys::follow(first.verifier(), chain).value().open(note));
  CHECK(TrustedKeys::follow(second.verifier(), chain).value().open(note));
  CHECK(TrustedKeys::follow(third.verifier(), chain).value().open(note));
  CHECK(TrustedKeys::follow(first.verifier(), chain).value().open(sign_checkpoint({"o", {}}, first).value()));
  CHECK_FALSE(TrustedKeys::follow(first.verifier(), {chain[0]}).value().open(note));
  CHECK_FALSE(TrustedKeys::follow(first.verifier(), {chain[1], chain[0]}));
  // Who has only the new key can not name themselves the successor of the pinned one.
  const SigningKey thief = SigningKey::generate("log").value();
  std::string forged = sign_hand_over(thief, third.verifier()).value();
  CHECK_FALSE(TrustedKeys::follow(first.verifier(), {forged}).value().open(note));
  forged.replace(forged.find(thief.verifier().text()), thief.verifier().text().size(), first.verifier().text());
  CHECK(TrustedKeys::follow(first.verifier(), {forged}).error().code() == ErrorCode::kUntrustedKey);
  // Later keys say nothing about what was signed before them.
  CHECK_FALSE(TrustedKeys::follow(third.verifier(), chain).value().open(sign_checkpoint({"o", {}}, first).value()));

  const KeyFile file{third, chain};
  const auto read = KeyFile::parse(file.text());
  REQUIRE(read);
  CHECK(read->key.text() == third.text());
  CHECK(read->hand_overs == chain);
  CHECK_FALSE(KeyFile::parse(KeyFile{first, chain}.text()));
  CHECK_FALSE(KeyFile::parse(KeyFile{third, {chain[1], chain[0]}}.text()));
  CHECK_FALSE(KeyFile::parse("no key\n"));
}

}  // namespace
}  // namespace bahi::proofs
