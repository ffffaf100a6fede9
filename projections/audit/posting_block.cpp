#include "audit/posting_block.hpp"

#include <bit>

namespace bahi::projections::audit {
namespace {

constexpr char kDistances = 0;
constexpr char kBits = 1;

/// Calls `visit` for each place. False: malformed.
template <class Visit>
bool walk(std::string_view distances, Visit visit) {
  std::uint32_t end = 0;
  while (!distances.empty()) {
    auto distance = static_cast<std::uint32_t>(static_cast<unsigned char>(distances[0]));
    distances.remove_prefix(1);
    if (distance >= 0x80) {
      if (distances.empty()) return false;
      distance = (distance & 0x7FU) | static_cast<std::uint32_t>(static_cast<unsigned char>(distances[0])) << 7U;
      distances.remove_prefix(1);
    }
    const std::uint32_t place = end + distance;
    if (place >= kBlockOffsets) return false;
    visit(static_cast<Place>(place));
    end = place + 1;
  }
  return true;
}

}  // namespace

void encode_block(std::string_view distances, std::string& row) {
  row.clear();
  if (distances.size() <= kBitmapBytes) {
    row.push_back(kDistances);
    row.append(distances);
    return;
  }
  row.assign(1 + kBitmapBytes, '\0');
  row[0] = kBits;
  (void)walk(distances, [&row](Place place) {
    row[1 + place / 8] = static_cast<char>(static_cast<unsigned char>(row[1 + place / 8]) | 1U << (place % 8U));
  });
}

bool decode_distances(std::string_view distances, std::vector<Place>& places) {
  places.clear();
  return walk(distances, [&places](Place place) { places.push_back(place); });
}

bool decode_block(std::string_view row, std::vector<Place>& places) {
  places.clear();
  if (row.empty()) return false;
  const char form = row[0];
  row.remove_prefix(1);
  if (form == kDistances) return decode_distances(row, places);
  if (form != kBits || row.size() != kBitmapBytes) return false;
  for (std::size_t byte = 0; byte < row.size(); ++byte) {
    for (unsigned bits = static_cast<unsigned char>(row[byte]); bits != 0; bits &= bits - 1) {
      places.push_back(static_cast<Place>(8 * byte + static_cast<std::size_t>(std::countr_zero(bits))));
    }
  }
  return true;
}

}  // namespace bahi::projections::audit
