// Any bytes as compressed bytes; and what is compressed must come back.
#include "bahi/schemas/limits.hpp"
#include "checked_batch.hpp"

using namespace bahi;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 4) return 0;
  const auto codec = static_cast<Codec>(data[0] % 4);
  const std::size_t announced = data[1] | std::size_t{data[2]} << 8U | std::size_t{data[3]} << 16U;
  const std::string_view bytes = fuzz::view_of(data + 4, size - 4);
  if (const auto raw = decompress(codec, bytes, announced)) {
    fuzz::require(raw->size() == announced, "decompress restores exactly the announced size");
    std::uint64_t sum = 0;
    for (const char byte : raw->view()) sum += static_cast<unsigned char>(byte);  // all of it was written
    fuzz::require(sum <= 255 * announced, "a sum of bytes");
  }
  for (const Codec wanted : {Codec::kNone, Codec::kLz4, Codec::kZstd}) {
    std::string stored;
    const Codec used = compress(wanted, 1 + data[0] % 3, bytes, stored);
    fuzz::require(stored.size() <= bytes.size(), "compression makes nothing larger");
    const auto raw = decompress(used, stored, bytes.size());
    fuzz::require(raw.has_value() && raw->view() == bytes, "what was compressed comes back");
  }
  return 0;
}
