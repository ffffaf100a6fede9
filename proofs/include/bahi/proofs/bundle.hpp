// What an auditor takes away: events in canonical form, a signed checkpoint, and the proof that the events stand in the
// log that was signed. One self-contained file, checked without any server. Lines end with "\n", numbers are decimal,
// hashes base64:
//
//   bahi audit bundle 1
//   range FROM TO | stream BYTES | correlation BYTES      what was selected; of the last two the name follows: BYTES,
//   "\n" hand-overs COUNT                                      each: hand-over BYTES "\n" note checkpoint BYTES "\n"
//   note previous BYTES "\n" note                              an earlier checkpoint; 0 bytes: none consistency COUNT
//   RFC 9162's proof from it; each hash on a line gaps COUNT                                            hashes of the
//   subtrees between the events; each on a line events COUNT                                          each: event
//   OFFSET BYTES LEAF-HASH "\n" canonical event "\n"
//
// The leaf hashes say which event was altered; the proof is over those computed from the events.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bahi/base/result.hpp"
#include "bahi/proofs/checkpoint.hpp"
#include "bahi/proofs/merkle.hpp"
#include "bahi/schemas/event.hpp"

namespace bahi::proofs {

/// What the events are, and so what must not be missing among them.
struct Selection {
  enum class Kind : std::uint8_t {
    kRange,        ///< all events of [from, to)
    kStream,       ///< events of one stream, whose versions leave nothing out between the first and the last
    kCorrelation,  ///< events with one correlation id; that there are no others is not proven
  };
  Kind kind = Kind::kRange;
  LeafRange range;   ///< kRange
  std::string name;  ///< the others
  bool operator==(const Selection&) const = default;
};

struct Bundle {
  Selection selection;
  std::vector<std::string> hand_overs;
  std::string checkpoint;  ///< a note
  std::string previous;    ///< a note; empty: none
  HashList consistency;
  HashList gap_hashes;
  std::vector<std::string> events;  ///< canonical, ascending
};
/// The file's bytes. The events must be canonical.
[[nodiscard]] std::string encode_bundle(const Bundle& bundle);

/// What an auditor brings along.
struct Trust {
  VerifierKey key;                      ///< pinned
  std::optional<std::string> previous;  ///< note of the checkpoint kept from last time
  std::string origin;                   ///< of the log that is meant; empty: any that the key signs
};

struct VerifiedBundle {
  Checkpoint checkpoint;
  std::string checkpoint_note;         ///< to be kept for next time
  std::optional<Checkpoint> previous;  ///< that the log was proven to extend
  Selection selection;
  std::vector<std::string_view> events;  ///< canonical; views into the bundle's bytes
  std::uint64_t first = 0;               ///< offset
  std::uint64_t last = 0;
  bool from_first_version = false;  ///< kStream: nothing of the stream is missing in front
};

/// Checks the bundle link by link: signatures, log, earlier checkpoint, each event, completeness, proof to the root.
/// Errors name what is wrong and where: kMalformedBundle, kUntrustedKey, kOtherLog, kForkedHistory, kProofFailed,
/// kEventsLeftOut.
[[nodiscard]] Result<VerifiedBundle> verify_bundle(std::string_view bytes, const Trust& trust);

}  // namespace bahi::proofs
