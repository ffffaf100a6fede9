#include "bahi/proofs/bundle.hpp"

#include <random>

#include "bahi/proofs/canonical_event.hpp"
#include "bundle_fixture.hpp"

namespace bahi::proofs {
namespace {

using test::canonical_event_at;
using test::LogOfBytes;

struct Audit {
  LogOfBytes log{100};
  SigningKey key = SigningKey::generate("log").value();
  Trust trust{key.verifier(), log.checkpoint(60, key), "bahi/store/shop"};
  Bundle bundle = log.range({20, 50}, 97, 60, key);

  [[nodiscard]] Result<void> verdict(const Bundle& tampered) const { return verdict(encode_bundle(tampered)); }
  [[nodiscard]] Result<void> verdict(const std::string& bytes) const {
    const auto verified = verify_bundle(bytes, trust);
    return verified ? Status{} : Status{verified.error()};
  }
  void check_refused(const std::string& bytes, ErrorCode code, const std::string& words) const {
    const auto verified = verify_bundle(bytes, trust);
    REQUIRE_FALSE(verified);
    INFO(verified.error().to_string());
    CHECK(verified.error().code() == code);
    CHECK(verified.error().message().find(words) != std::string::npos);
  }
  void check_refused(const Bundle& tampered, ErrorCode code, const std::string& words) const {
    check_refused(encode_bundle(tampered), code, words);
  }
};

TEST_CASE("bundle: what is right verifies", "[proofs][bundle]") {
  Audit audit;
  const std::string bytes = encode_bundle(audit.bundle);
  const auto verified = verify_bundle(bytes, audit.trust);
  REQUIRE(verified);
  CHECK(verified->checkpoint.tree == audit.log.head(97));
  CHECK(verified->previous->tree == audit.log.head(60));
  CHECK(verified->events.size() == 30);
  CHECK(verified->first == 20);
  CHECK(verified->last == 49);
  CHECK(verified->events.front() == audit.log.events()[20]);
  CHECK(verified->checkpoint_note == audit.bundle.checkpoint);
  // Without anything pinned, the earlier checkpoint in the bundle is checked all the same.
  audit.trust.previous.reset();
  CHECK(audit.verdict(bytes));
  audit.trust.previous = audit.log.checkpoint(97, audit.key);
  CHECK(audit.verdict(bytes));
}

TEST_CASE("bundle: a stream and a correlation", "[proofs][bundle]") {
  Audit audit;
  Bundle stream = audit.log.bundle({1, 4, 7, 10}, 97, 60, audit.key);
  stream.selection = {Selection::Kind::kStream, {}, "item-1"};
  const std::string bytes = encode_bundle(stream);
  const auto verified = verify_bundle(bytes, audit.trust);
  REQUIRE(verified);
  CHECK(verified->from_first_version);
  Bundle gap = audit.log.bundle({1, 4, 10}, 97, 60, audit.key);
  gap.selection = stream.selection;
  audit.check_refused(gap, ErrorCode::kEventsLeftOut, "between the one at offset 4 and the one at offset 10");
  gap.selection.name = "item-2";
  audit.check_refused(gap, ErrorCode::kProofFailed, "is of 'item-1', the bundle claims to be about 'item-2'");

  Bundle story = audit.log.bundle({3, 5, 95}, 97, 60, audit.key);
  story.selection = {Selection::Kind::kCorrelation, {}, "odd"};
  CHECK(audit.verdict(story));
  story.selection.name = "even";
  audit.check_refused(story, ErrorCode::kProofFailed, "offset 3 is of 'odd'");
}

TEST_CASE("bundle: what is wrong is named, with its place", "[proofs][bundle]") {
  Audit audit;
  const std::string right = encode_bundle(audit.bundle);
  SECTION("a byte of an event") {
    std::string bytes = right;
    const std::size_t place = bytes.find(audit.log.events()[33]) + 60;
    bytes[place] = static_cast<char>(bytes[place] ^ 1);
    audit.check_refused(bytes, ErrorCode::kProofFailed, "the event at offset 33 does not match");
  }
  SECTION("an event altered and hashed again") {
    audit.bundle.events[13] = canonical_event_at(33, "other");
    audit.check_refused(audit.bundle, ErrorCode::kProofFailed, "do not lead to the root");
  }
  SECTION("an event left out") {
    audit.bundle.events.erase(audit.bundle.events.begin() + 13);
    audit.check_refused(audit.bundle, ErrorCode::kEventsLeftOut, "those at offsets 33 to 33");
  }
  SECTION("the end left out") {
    audit.bundle.events.resize(20);
    audit.check_refused(audit.bundle, ErrorCode::kEventsLeftOut, "at the end: those at offsets 40 to 49");
  }
  SECTION("an event inserted") {
    audit.bundle.events.insert(audit.bundle.events.begin() + 5, audit.bundle.events[5]);
    audit.check_refused(audit.bundle, ErrorCode::kProofFailed, "reordered or repeated");
  }
  SECTION("events swapped") {
    std::swap(audit.bundle.events[3], audit.bundle.events[4]);
    audit.check_refused(audit.bundle, ErrorCode::kProofFailed, "offset 23 stands behind the one at offset 24");
  }
  SECTION("the file cut off") {
    audit.check_refused(right.substr(0, right.size() / 2), ErrorCode::kMalformedBundle, "cut off");
    audit.check_refused(right + "more", ErrorCode::kMalformedBundle, "4 bytes follow the end");
    audit.check_refused("", ErrorCode::kMalformedBundle, "byte 0");
  }
  SECTION("another key") {
    audit.bundle.checkpoint = audit.log.checkpoint(97, SigningKey::generate("log").value());
    audit.check_refused(audit.bundle, ErrorCode::kUntrustedKey, "signed by the key log+");
  }
  SECTION("another log") {
    audit.bundle.checkpoint = audit.log.checkpoint(97, audit.key, "bahi/store/other");
    audit.check_refused(audit.bundle, ErrorCode::kOtherLog, "'bahi/store/other'");
    audit.trust.origin.clear();
    audit.check_refused(audit.bundle, ErrorCode::kOtherLog, "'bahi/store/other'");
  }
  SECTION("no event at all") {
    audit.bundle.events.clear();
    audit.check_refused(audit.bundle, ErrorCode::kEventsLeftOut, "no event");
  }
  SECTION("no proof from the checkpoint that was kept") {
    audit.check_refused(audit.log.range({20, 50}, 97, 0, audit.key), ErrorCode::kProofFailed, "size 60");
    audit.check_refused(audit.log.range({20, 50}, 97, 59, audit.key), ErrorCode::kProofFailed,
                        "export it with --previous");
  }
  SECTION("older than what was kept") {
    audit.check_refused(audit.log.range({20, 50}, 55, 0, audit.key), ErrorCode::kForkedHistory, "60 events");
  }
}

TEST_CASE("bundle: a history rewritten and signed again is a fork", "[proofs][bundle]") {
  Audit audit;
  // Whoever has the whole data directory, and the key, changes an event below what the auditor kept.
  audit.log.events()[7] = canonical_event_at(7, "rewritten");
  SECTION("the earlier checkpoint signed anew too") {
    audit.check_refused(audit.log.range({20, 50}, 97, 60, audit.key), ErrorCode::kForkedHistory,
                        "two histories of the same size 60");
  }
  SECTION("with the true earlier checkpoint") {
    Bundle forged = audit.log.range({20, 50}, 97, 60, audit.key);
    forged.previous = audit.bundle.previous;
    audit.check_refused(forged, ErrorCode::kForkedHistory, "not proven to extend the one of size 60");
    forged.consistency = audit.bundle.consistency;
    audit.check_refused(forged, ErrorCode::kForkedHistory, "not proven to extend");
  }
  SECTION("of the same size") {
    audit.trust.previous = audit.bundle.checkpoint;
    audit.check_refused(audit.log.range({20, 50}, 97, 60, audit.key), ErrorCode::kForkedHistory,
                        "two histories of the same size 97");
  }
  SECTION("without any earlier checkpoint") {
    audit.check_refused(audit.log.range({20, 50}, 97, 0, audit.key), ErrorCode::kProofFailed, "size 60");
  }
}

/// One tampering at random, of the bytes or of the parts; never one that changes nothing.
std::string tamper(const Audit& audit, std::mt19937_64& random) {
  const std::string right = encode_bundle(audit.bundle);
  std::string bytes = right;
  Bundle bundle = audit.bundle;
  const auto below = [&random](std::size_t count) { return static_cast<std::size_t>(random() % count); };
  const auto place = static_cast<std::ptrdiff_t>(below(bundle.events.size()));
  switch (random() % 10) {
    case 0:
    case 1:
    case 2: bytes[below(bytes.size())] ^= static_cast<char>(1U << below(8)); return bytes;
    case 3: bytes.resize(below(bytes.size())); return bytes;
    case 4: bytes.erase(below(bytes.size()), 1 + below(200)); return bytes;
    case 5: bytes.insert(below(bytes.size() + 1), std::string(1 + below(4), static_cast<char>(random()))); return bytes;
    case 6: bundle.events.erase(bundle.events.begin() + place); break;
    case 7: bundle.events.insert(bundle.events.begin() + place, bundle.events[below(bundle.events.size())]); break;
    case 8: std::swap(bundle.events[below(15)], bundle.events[15 + below(15)]); break;
    default: {
      // Rewritten below the checkpoint that was kept, and signed again.
      LogOfBytes log = audit.log;
      const std::uint64_t offset = below(60);
      log.events()[offset] = canonical_event_at(offset, "rewritten " + std::to_string(random()));
      bundle = log.range(bundle.selection.range, 97, 60, audit.key);
      if (random() % 2 == 0) bundle.previous = audit.bundle.previous;
    }
  }
  return encode_bundle(bundle);
}

TEST_CASE("bundle: 1,000 random tamperings are all noticed", "[proofs][bundle]") {
  const Audit audit;
  REQUIRE(audit.verdict(audit.bundle));
  const auto seed = GENERATE(20'261'121U);
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  const std::string right = encode_bundle(audit.bundle);
  std::size_t done = 0;
  while (done < 1'000) {
    const std::string bytes = tamper(audit, random);
    if (bytes == right) continue;  // an erased run may have been followed by its repetition
    ++done;
    const bool passed = static_cast<bool>(audit.verdict(bytes));
    if (passed) FAIL_CHECK("tampering " << done << " went unnoticed");
  }
}

TEST_CASE("bundle: any one bit of a small bundle counts", "[proofs][bundle]") {
  const LogOfBytes log(5);
  const SigningKey old_key = SigningKey::generate("log").value();
  const SigningKey key = SigningKey::generate("log").value();
  Bundle bundle = log.range({1, 3}, 5, 0, key);
  bundle.hand_overs = {sign_hand_over(old_key, key.verifier()).value()};
  const std::string right = encode_bundle(bundle);
  const Trust trust{old_key.verifier(), {}, {}};
  REQUIRE(verify_bundle(right, trust));
  std::size_t missed = 0;
  for (std::size_t bit = 0; bit < right.size() * 8; ++bit) {
    std::string bytes = right;
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8));
    if (verify_bundle(bytes, trust)) ++missed;
  }
  CHECK(missed == 0);
}

}  // namespace
}  // namespace bahi::proofs
