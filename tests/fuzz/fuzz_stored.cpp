// Any bytes as a whole stored batch, as they are and with the header's hashes made right.
#include "checked_batch.hpp"

using namespace bahi;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string stored(fuzz::view_of(data, size));
  if (const auto batch = DecodedBatch::decode(stored)) fuzz::read_everything(**batch);
  fuzz::mend_header(stored);
  if (const auto batch = DecodedBatch::decode(stored)) {
    fuzz::read_everything(**batch);
    // And one flipped bit, in a place the input chooses, is noticed.
    const std::size_t bit = (*batch)->header().chain_hash.low % (stored.size() * 8);
    stored[bit / 8] = static_cast<char>(stored[bit / 8] ^ (1 << bit % 8));
    fuzz::require(!DecodedBatch::decode(stored), "a flipped bit is noticed");
  }
  return 0;
}
