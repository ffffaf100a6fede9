// The form of a bundle: its bytes taken apart, nothing verified.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bahi/proofs/bundle.hpp"

namespace bahi::proofs {

struct BundleEvent {
  std::uint64_t offset = 0;
  TreeHash leaf{};
  std::string_view bytes;
};

/// Views are into the bundle's bytes.
struct BundleText {
  Selection selection;
  std::vector<std::string> hand_overs;
  std::string_view checkpoint;
  std::string_view previous;
  HashList consistency;
  HashList gap_hashes;
  std::vector<BundleEvent> events;
};

/// Exactly one byte string stands for a bundle. kMalformedBundle names the place.
[[nodiscard]] Result<BundleText> parse_bundle(std::string_view bytes);

}  // namespace bahi::proofs
