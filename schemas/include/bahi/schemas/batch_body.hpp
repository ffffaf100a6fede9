// Verified, zero-copy view of a batch body (schemas/batch_body.fbs).
#pragma once

#include <cstdint>
#include <string_view>

#include "bahi/base/result.hpp"
#include "bahi/schemas/event.hpp"

namespace bahi {

namespace schemas::fb {
struct BatchBody;
}

/// Where one event's variable parts begin; lets a reader walk a body without tables.
struct EventPlace {
  std::uint32_t index = 0;
  std::uint32_t data_begin = 0;
  std::uint32_t tag_begin = 0;
};

/// A body whose structure, references and names have all been checked. Views
/// borrow the bytes given to `parse`. Immutable, so thread-safe.
class BatchBody {
 public:
  /// Checks everything a reader relies on: FlatBuffers structure, equal column lengths,
  /// references within their dictionaries, valid names, sizes within `limits.hpp`.
  /// `raw` must be aligned to 8 bytes. Errors: kMalformedBatch, kBatchTooLarge, kInvalidStreamName,
  /// kInvalidArgument, kEventTooLarge.
  [[nodiscard]] static Result<BatchBody> parse(std::string_view raw);
  /// As `parse`, for bytes whose checksum proves that they passed `parse` before: checks
  /// only the structure that memory safety needs.
  [[nodiscard]] static Result<BatchBody> parse_trusted(std::string_view raw);

  [[nodiscard]] std::uint32_t event_count() const noexcept { return event_count_; }
  [[nodiscard]] std::uint32_t stream_count() const noexcept;
  [[nodiscard]] std::uint32_t type_count() const noexcept;
  [[nodiscard]] std::uint32_t tag_count() const noexcept;
  [[nodiscard]] std::string_view stream_name(std::uint32_t ref) const noexcept;
  [[nodiscard]] std::string_view type_name(std::uint32_t ref) const noexcept;
  [[nodiscard]] std::string_view tag_name(std::uint32_t ref) const noexcept;

  [[nodiscard]] std::uint32_t stream_ref(std::uint32_t index) const noexcept;
  [[nodiscard]] std::uint32_t type_ref(std::uint32_t index) const noexcept;
  /// How many events before `index` belong to the same stream.
  [[nodiscard]] std::uint32_t earlier_in_stream(std::uint32_t index) const noexcept;
  /// First event at or after `index` of the stream; the event count when there is none.
  [[nodiscard]] std::uint32_t next_in_stream(std::uint32_t stream_ref, std::uint32_t index) const noexcept;
  /// Number of tags of the event, and the reference of its `k`-th.
  [[nodiscard]] std::uint32_t event_tag_count(std::uint32_t index) const noexcept;
  [[nodiscard]] std::uint32_t tag_ref(std::uint32_t tag_place) const noexcept;

  /// Moves `place` to the next event; O(1).
  void advance(EventPlace& place) const noexcept;
  /// The place of event `index`; O(index) additions.
  [[nodiscard]] EventPlace place_of(std::uint32_t index) const noexcept;
  /// Fills the fields of `event` that the body holds (all but tenant, offset, version, recorded_at).
  void read(const EventPlace& place, EventView& event) const;

 private:
  [[nodiscard]] static Result<BatchBody> parse_structure(std::string_view raw);
  [[nodiscard]] Status check_references() const;
  [[nodiscard]] Status check_names(std::string_view raw) const;

  const schemas::fb::BatchBody* body_ = nullptr;
  std::uint32_t event_count_ = 0;
};

}  // namespace bahi
