#include "bahi/schemas/decoded_batch.hpp"

#include <fmt/format.h>

#include "bahi/schemas/hash.hpp"

namespace bahi {
namespace {

/// The body was checked when it was stored, so an error now means damage on disk.
Error damaged(const BatchHeader& header, const std::string& what) {
  return {ErrorCode::kCorruptLog, fmt::format("batch at offset {} of tenant {}: {}", header.first_offset.value,
                                              header.tenant.value, what)};
}

}  // namespace

Result<std::shared_ptr<const DecodedBatch>> DecodedBatch::decode(std::string_view stored) {
  auto batch = std::make_shared<DecodedBatch>();
  BAHI_ASSIGN(batch->header_, decode_batch_header(stored));
  const BatchHeader& header = batch->header_;
  const std::string_view body = stored_body(header, stored);
  if (xxh3_128(body) != header.body_hash) return damaged(header, "the hash of the body does not match");
  BAHI_ASSIGN(batch->first_versions_, decode_first_versions(header, stored));
  auto raw = decompress(header.codec, body, header.raw_size);
  if (!raw) return damaged(header, raw.error().message());
  batch->raw_ = std::move(*raw);
  auto parsed = BatchBody::parse_trusted(batch->raw_.view());
  if (!parsed) return damaged(header, parsed.error().message());
  batch->body_ = *parsed;
  if (batch->body_.event_count() != header.event_count || batch->body_.stream_count() != header.stream_count) {
    return damaged(header, "header and body disagree on the number of events or streams");
  }
  return std::shared_ptr<const DecodedBatch>(std::move(batch));
}

std::size_t DecodedBatch::memory_bytes() const noexcept {
  return sizeof(DecodedBatch) + raw_.size() + first_versions_.capacity() * sizeof(std::int64_t);
}

Version DecodedBatch::version_of(std::uint32_t index) const noexcept {
  return {first_versions_[body_.stream_ref(index)] + body_.earlier_in_stream(index)};
}

void DecodedBatch::read(const EventPlace& place, Version version, EventView& event) const {
  body_.read(place, event);
  event.tenant = header_.tenant;
  event.offset = header_.first_offset + place.index;
  event.version = version;
  event.recorded_at = header_.recorded_at;
}

BatchWalker::BatchWalker(const DecodedBatch& batch) : batch_(&batch), next_versions_(batch.first_versions()) {}

void BatchWalker::next() {
  ++next_versions_[batch_->body().stream_ref(place_.index)];
  batch_->body().advance(place_);
}

void BatchWalker::skip_to(std::uint32_t index) {
  while (place_.index < index) next();
}

}  // namespace bahi
