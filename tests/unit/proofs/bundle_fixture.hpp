// Logs made of nothing but their events' canonical bytes, and bundles of them.
#pragma once

#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "bahi/proofs/bundle.hpp"
#include "catch_result.hpp"

namespace bahi::test {

/// Events that can be changed at will, and the tree over them.
class LogOfBytes {
 public:
  explicit LogOfBytes(std::size_t count);
  [[nodiscard]] std::vector<std::string>& events() { return events_; }
  [[nodiscard]] proofs::TreeHead head(std::uint64_t size) const;
  [[nodiscard]] std::string checkpoint(std::uint64_t size, const proofs::SigningKey& key,
                                       const std::string& origin = "bahi/store/shop") const;
  /// The events at these offsets, with the proof, of a checkpoint at `size`; `previous` 0: none.
  [[nodiscard]] proofs::Bundle bundle(const std::vector<std::uint64_t>& offsets, std::uint64_t size,
                                      std::uint64_t previous, const proofs::SigningKey& key) const;
  /// All events of the range.
  [[nodiscard]] proofs::Bundle range(proofs::LeafRange range, std::uint64_t size, std::uint64_t previous,
                                     const proofs::SigningKey& key) const;

 private:
  [[nodiscard]] proofs::NodeReader nodes() const;
  std::vector<std::string> events_;
};

/// Stream "item-N" of event n is n % 3, the version n / 3.
std::string canonical_event_at(std::uint64_t offset, const std::string& data);

}  // namespace bahi::test
