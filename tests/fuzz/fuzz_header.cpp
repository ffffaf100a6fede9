// Any bytes as a header and version section; what decodes must encode to the same bytes.
#include "checked_batch.hpp"

using namespace bahi;

namespace {

void check(std::string_view stored) {
  const auto header = decode_batch_header(stored);
  if (!header) return;
  fuzz::require(header->event_count > 0, "a header has events");
  fuzz::require(header->next_offset() > header->first_offset, "offsets do not wrap around");
  fuzz::require(stored_body(*header, stored).size() == header->stored_size, "the body is all there");
  const auto versions = decode_first_versions(*header, stored);
  if (!versions) return;
  fuzz::require(versions->size() == header->stream_count, "one version per stream");
  for (const std::int64_t version : *versions) fuzz::require(version >= 0, "versions count from 0");
  BatchHeader again = *header;
  std::string encoded;
  encode_batch_header(again, *versions, encoded);
  const bool canonical = again.version_bytes == header->version_bytes;  // LEB128 may be padded by another writer
  fuzz::require(!canonical || stored.substr(0, encoded.size()) == encoded, "encoding what was decoded gives its bytes");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string stored(fuzz::view_of(data, size));
  check(stored);
  fuzz::mend_header(stored);
  check(stored);
  return 0;
}
