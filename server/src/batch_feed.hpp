// Stored batches that hold matching events, piece by piece, from any offset up to the durable end and on.
//
// Catching up and following are the same walk: a subscription keeps only the offset where it goes on, and reads from
// there whatever is durable by now. So there is no seam between history and live events at which one could be lost or
// repeated.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bahi/base/result.hpp"
#include "bahi/engine/engine.hpp"

namespace bahi::server {

struct Slice {
  enum class Then : std::uint8_t {
    kMore,  ///< there may be more right now
    kWait,  ///< everything durable was given; more comes with new events
    kEnd,   ///< the read is finished
  };
  std::string batches;               ///< stored batches, one after the other
  std::vector<std::uint32_t> sizes;  ///< of each
  Offset next;                       ///< where the read goes on; the batches' events up to here are meant
  Then then = Then::kMore;
};

/// Not thread-safe; the engine must outlive it.
class BatchFeed {
 public:
  /// `follow`: goes on with new events; forward only. Errors: kInvalidArgument, kUnknownTenant, kOffsetOutOfRange.
  [[nodiscard]] static Result<BatchFeed> open(const Engine& engine, ReadRequest request, bool follow);

  /// The next batches: about `bytes_max` bytes, but at least one batch, unless none matches in a bounded part of the
  /// log. Errors: those of the engine's cursors.
  [[nodiscard]] Result<Slice> next(std::size_t bytes_max);

  [[nodiscard]] TenantId tenant() const noexcept { return request_.tenant; }
  [[nodiscard]] Offset position() const noexcept { return next_; }
  [[nodiscard]] bool follows() const noexcept { return follow_; }
  /// Durable offsets that have not been looked at yet.
  [[nodiscard]] std::uint64_t lag() const;

 private:
  BatchFeed(const Engine& engine, ReadRequest request, bool follow);
  [[nodiscard]] bool forward() const noexcept { return request_.direction == Direction::kForward; }
  /// The part of the log that is left: [first, second).
  [[nodiscard]] std::pair<Offset, Offset> rest() const;
  Status take_all(std::size_t bytes_max, Slice& slice);
  Status take_matching(std::size_t bytes_max, Slice& slice);
  [[nodiscard]] Result<bool> take_window(Offset from, Offset to, std::size_t bytes_max,
                                         std::optional<BatchHeader>& last, Slice& slice);
  Status take_batch_at(Offset offset, BatchHeader& header, Slice& slice);
  void count(std::uint64_t events);

  const Engine* engine_;
  ReadRequest request_;  // `limit` is what is left of it
  bool follow_;
  Offset end_;  // forward: the read stops before; backward: at
  Offset next_;
  std::uint64_t window_;  // offsets looked at in one go
};

}  // namespace bahi::server
