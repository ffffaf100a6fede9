#include "flow.hpp"

namespace bahi::client {

Flow::Flow(ReadRequest request, bool follow) : follow_(follow), request_(std::move(request)) {}

ReadRequest Flow::request() const {
  const std::scoped_lock lock(mutex_);
  return request_;
}

void Flow::put(std::string bytes, std::vector<std::uint32_t> sizes, Offset next) {
  std::unique_lock lock(mutex_);
  Piece piece{std::move(bytes), std::move(sizes), {}, {}};
  if (request_.direction == Direction::kForward) {
    piece.from = request_.from;
    piece.to = request_.from = next;
  } else {
    piece.from = next;
    piece.to = request_.to.value_or(kOffsetMax);
    request_.to = next;
  }
  pieces_.push_back(std::move(piece));
  hand_over(lock);
}

void Flow::note_caught_up() {
  const std::scoped_lock lock(mutex_);
  caught_up_ = true;
}

void Flow::finish(std::optional<Error> error) {
  std::unique_lock lock(mutex_);
  if (finished_) return;
  finished_ = true;
  error_ = std::move(error);
  hand_over(lock);
}

bool Flow::finished() const {
  const std::scoped_lock lock(mutex_);
  return finished_;
}

bool Flow::caught_up() const {
  const std::scoped_lock lock(mutex_);
  return caught_up_;
}

std::optional<Result<std::optional<Piece>>> Flow::take_now() {
  using Taken = Result<std::optional<Piece>>;
  if (!pieces_.empty()) {
    Taken taken(std::optional<Piece>(std::move(pieces_.front())));
    pieces_.pop_front();
    return taken;
  }
  if (!finished_) return std::nullopt;
  return error_ ? Taken(*error_) : Taken(std::optional<Piece>());
}

void Flow::hand_over(std::unique_lock<std::mutex>& lock) {
  changed_.notify_one();
  if (!taker_) return;
  auto taken = take_now();
  if (!taken) return;
  const Taker taker = std::exchange(taker_, nullptr);
  lock.unlock();
  taker(std::move(*taken));
}

Result<std::optional<Piece>> Flow::take(std::chrono::nanoseconds timeout) {
  const auto longest = std::chrono::hours(24 * 365);
  const auto deadline = std::chrono::steady_clock::now() + std::min<std::chrono::nanoseconds>(timeout, longest);
  std::unique_lock lock(mutex_);
  changed_.wait_until(lock, deadline, [this] { return !pieces_.empty() || finished_; });
  auto taken = take_now();
  if (!taken) return Error{ErrorCode::kDeadlineExceeded, "no event came in time"};
  return std::move(*taken);
}

void Flow::take(Taker taker) {
  std::unique_lock lock(mutex_);
  taker_ = std::move(taker);
  hand_over(lock);
}

PieceWalker::PieceWalker(const ReadRequest& request)
    : filter_(request.filter),
      forward_(request.direction == Direction::kForward),
      left_(request.limit),
      position_(forward_ ? request.from : request.to.value_or(kOffsetMax)),
      piece_{{}, {}, position_, position_} {}

void PieceWalker::enter(Piece piece) {
  walker_.reset();
  matches_.clear();
  matcher_.reset();
  batch_.reset();
  piece_ = std::move(piece);
  next_size_ = next_byte_ = 0;
}

Result<bool> PieceWalker::next(EventView& event) {
  while (!done()) {
    if (batch_ && next_in_batch(event)) {
      position_ = forward_ ? event.offset + 1 : event.offset;
      if (left_) --*left_;
      return true;
    }
    BAHI_ASSIGN(const bool more, next_batch());
    if (more) continue;
    position_ = forward_ ? piece_.to : piece_.from;
    return false;
  }
  return false;
}

Result<bool> PieceWalker::next_batch() {
  if (next_size_ == piece_.sizes.size()) return false;
  const std::size_t size = piece_.sizes[next_size_++];
  BAHI_ASSIGN(batch_, DecodedBatch::decode(std::string_view(piece_.bytes).substr(next_byte_, size)));
  next_byte_ += size;
  matcher_.reset();
  if (!filter_.empty()) matcher_.emplace(batch_->body(), filter_);
  walker_.emplace(*batch_);
  if (piece_.from > walker_->offset() && !walker_->at_end()) {
    const std::uint64_t skipped = piece_.from - walker_->offset();
    if (skipped >= batch_->header().event_count)
      return Error{ErrorCode::kMalformedFrame, "a batch that was not asked for"};
    walker_->skip_to(static_cast<std::uint32_t>(skipped));
  }
  if (forward_) return true;
  matches_.clear();
  for (; !walker_->at_end() && walker_->offset() < piece_.to; walker_->next()) {
    if (!matcher_ || matcher_->matches(walker_->place())) matches_.emplace_back(walker_->place(), walker_->version());
  }
  return true;
}

bool PieceWalker::next_in_batch(EventView& event) {
  if (!forward_) {
    if (matches_.empty()) return false;
    batch_->read(matches_.back().first, matches_.back().second, event);
    matches_.pop_back();
    return true;
  }
  for (; !walker_->at_end() && walker_->offset() < piece_.to; walker_->next()) {
    if (matcher_ && !matcher_->matches(walker_->place())) continue;
    walker_->read(event);
    walker_->next();
    return true;
  }
  return false;
}

}  // namespace bahi::client
