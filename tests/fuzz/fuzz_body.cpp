// Any bytes as the body of a batch: bare, and stored under a header with the right hashes.
#include "checked_batch.hpp"

using namespace bahi;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const AlignedBytes raw = fuzz::aligned_copy(fuzz::view_of(data, size));
  const auto trusted = BatchBody::parse_trusted(raw.view());
  const auto parsed = BatchBody::parse(raw.view());
  fuzz::require(!parsed || trusted.has_value(), "what parse accepts, parse_trusted accepts");
  if (!trusted) return 0;
  fuzz::read_everything(*trusted);
  const std::uint32_t events = trusted->event_count();
  const std::uint32_t streams = trusted->stream_count();
  const auto raw_size = static_cast<std::uint32_t>(size);
  const auto stored = fuzz::with_right_header(raw.view(), Codec::kNone, raw_size, events, streams);
  const auto batch = DecodedBatch::decode(stored);
  // More streams than events cannot be stored; everything else that parses can be read back.
  fuzz::require(batch.has_value() == (streams <= events), "a body that parses decodes under a right header");
  if (batch) fuzz::read_everything(**batch);
  fuzz::require(!DecodedBatch::decode(fuzz::with_right_header(raw.view(), Codec::kNone, raw_size, events + 1, streams)),
                "a header that counts other events than the body is refused");
  return 0;
}
