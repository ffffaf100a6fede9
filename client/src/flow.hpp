// The receiving end of one read or subscription: pieces of the log on their way from the link to whoever reads them.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "bahi/base/result.hpp"
#include "bahi/schemas/body_matcher.hpp"
#include "bahi/schemas/decoded_batch.hpp"
#include "bahi/schemas/event_filter.hpp"

namespace bahi::client {

/// Stored batches of which the events in [from, to) are meant.
struct Piece {
  std::string bytes;
  std::vector<std::uint32_t> sizes;
  Offset from;
  Offset to;
};

/// Thread-safe: the link puts pieces in, one reader takes them out.
class Flow {
 public:
  /// Called on the link's thread, or at once on the caller's. No value: the read has ended.
  using Taker = std::function<void(Result<std::optional<Piece>>)>;

  Flow(ReadRequest request, bool follow);

  // --- the link's side
  /// What to ask for: the read, from where it stands.
  [[nodiscard]] ReadRequest request() const;
  [[nodiscard]] bool follows() const noexcept { return follow_; }
  void put(std::string bytes, std::vector<std::uint32_t> sizes, Offset next);
  void note_caught_up();
  void finish(std::optional<Error> error);
  [[nodiscard]] bool finished() const;

  // --- the reader's side
  /// The next piece; nothing at the end. kDeadlineExceeded after `timeout`.
  [[nodiscard]] Result<std::optional<Piece>> take(std::chrono::nanoseconds timeout);
  /// As `take`; one at a time.
  void take(Taker taker);
  /// The server had nothing more that was durable, at least once.
  [[nodiscard]] bool caught_up() const;

 private:
  [[nodiscard]] std::optional<Result<std::optional<Piece>>> take_now();
  void hand_over(std::unique_lock<std::mutex>& lock);

  const bool follow_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  ReadRequest request_;  // protected by mutex_; moves on with what was received
  std::deque<Piece> pieces_;
  bool finished_ = false;
  bool caught_up_ = false;
  std::optional<Error> error_;
  Taker taker_;
};

/// The matching events of pieces, one by one. Not thread-safe.
class PieceWalker {
 public:
  explicit PieceWalker(const ReadRequest& request);

  void enter(Piece piece);
  /// False: the piece is used up. Views live until the next call. Errors: kCorruptLog, kMalformedFrame.
  [[nodiscard]] Result<bool> next(EventView& event);
  /// The limit is reached.
  [[nodiscard]] bool done() const noexcept { return left_ == std::uint64_t{0}; }
  /// Where a new read that goes on behind the last event given would begin (backward: end).
  [[nodiscard]] Offset position() const noexcept { return position_; }

 private:
  [[nodiscard]] Result<bool> next_batch();
  [[nodiscard]] bool next_in_batch(EventView& event);

  const EventFilter filter_;
  const bool forward_;
  std::optional<std::uint64_t> left_;
  Offset position_;
  Piece piece_;  // at first an empty one, where the read begins
  std::size_t next_size_ = 0;  // place in piece_.sizes
  std::size_t next_byte_ = 0;  // place in piece_.bytes
  std::shared_ptr<const DecodedBatch> batch_;
  std::optional<BodyMatcher> matcher_;
  std::optional<BatchWalker> walker_;                    // forward
  std::vector<std::pair<EventPlace, Version>> matches_;  // backward; the next one is the last
};

}  // namespace bahi::client
