// A stored batch, checked and decompressed, ready to be read event by event.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "bahi/base/result.hpp"
#include "bahi/schemas/batch_body.hpp"
#include "bahi/schemas/batch_header.hpp"
#include "bahi/schemas/event.hpp"

namespace bahi {

/// Immutable, so thread-safe; owns its bytes. Event views live as long as the batch.
class DecodedBatch {
 public:
  /// Checks header, body hash and body of a stored batch and decompresses it. Errors: kCorruptLog, kNewerFormat.
  [[nodiscard]] static Result<std::shared_ptr<const DecodedBatch>> decode(std::string_view stored);

  [[nodiscard]] const BatchHeader& header() const noexcept { return header_; }
  [[nodiscard]] const BatchBody& body() const noexcept { return body_; }
  /// One per stream of the body's dictionary.
  [[nodiscard]] const std::vector<std::int64_t>& first_versions() const noexcept { return first_versions_; }
  [[nodiscard]] std::size_t memory_bytes() const noexcept;
  /// Version of event `index` in its stream; O(index) comparisons of two bytes.
  [[nodiscard]] Version version_of(std::uint32_t index) const noexcept;
  /// Fills `event` with the one at `place`, whose version the caller knows.
  void read(const EventPlace& place, Version version, EventView& event) const;

 private:
  BatchHeader header_;
  std::vector<std::int64_t> first_versions_;
  AlignedBytes raw_;
  BatchBody body_;
};

/// Walks the events of one batch forward. The batch must outlive the walker and the
/// views it gives. Not thread-safe.
class BatchWalker {
 public:
  explicit BatchWalker(const DecodedBatch& batch);

  [[nodiscard]] bool at_end() const noexcept { return place_.index == batch_->body().event_count(); }
  [[nodiscard]] std::uint32_t index() const noexcept { return place_.index; }
  [[nodiscard]] Offset offset() const noexcept { return batch_->header().first_offset + place_.index; }
  void next();
  /// Moves forward to event `index`.
  void skip_to(std::uint32_t index);
  [[nodiscard]] const EventPlace& place() const noexcept { return place_; }
  /// Version of the event in its stream.
  [[nodiscard]] Version version() const noexcept { return {next_versions_[batch_->body().stream_ref(place_.index)]}; }
  /// Fills `event` (its tag vector is reused).
  void read(EventView& event) const { batch_->read(place_, version(), event); }

 private:
  const DecodedBatch* batch_;
  EventPlace place_;
  std::vector<std::int64_t> next_versions_;
};

}  // namespace bahi
