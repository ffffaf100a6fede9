#include "event_cursor.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "log_reader.hpp"

namespace bahi {

Result<std::shared_ptr<const DecodedBatch>> ScanSource::next() {
  if (!started_) {
    started_ = true;
    direction_ == Direction::kForward ? cursor_->seek(from_) : cursor_->seek_backward(to_ - 1);
  } else {
    direction_ == Direction::kForward ? cursor_->next() : cursor_->previous();
  }
  BAHI_TRY(cursor_->status());
  const bool forward = direction_ == Direction::kForward;
  const bool finished = expected_ && (forward ? *expected_ >= to_ : *expected_ <= from_);
  if (finished) return std::shared_ptr<const DecodedBatch>();
  const auto gap = [this] {
    return Error{ErrorCode::kCorruptLog,
                 fmt::format("the log has a gap at offset {}", expected_ ? expected_->value : from_.value)};
  };
  // Offsets are dense and `to` lies within the log, so an early end or a jump is damage.
  if (!cursor_->valid()) return gap();
  BAHI_ASSIGN(auto batch, DecodedBatch::decode(cursor_->stored()));
  const BatchHeader& header = batch->header();
  const Offset edge = forward ? header.first_offset : header.next_offset();
  if (expected_ ? edge != *expected_ : (forward ? edge > from_ : edge < to_)) return gap();
  expected_ = forward ? header.next_offset() : header.first_offset;
  return batch;
}

Result<std::shared_ptr<const DecodedBatch>> PostingSource::next() {
  return direction_ == Direction::kForward ? next_forward() : next_backward();
}

Result<std::shared_ptr<const DecodedBatch>> PostingSource::next_forward() {
  if (!started_) {
    started_ = true;
    for (const auto& postings : postings_) postings->seek(from_.value);
  }
  std::optional<std::uint64_t> nearest;
  for (const auto& postings : postings_) {
    BAHI_TRY(postings->status());
    if (!postings->valid()) continue;
    nearest = std::min(nearest.value_or(~std::uint64_t{0}), postings->posting().offset);
  }
  if (!nearest) return std::shared_ptr<const DecodedBatch>();
  BAHI_ASSIGN(auto batch, reader_->batch_at(tenant_, {*nearest}, log_));
  if (batch->header().first_offset >= to_) return std::shared_ptr<const DecodedBatch>();
  hint_ = static_cast<std::uint32_t>(Offset{*nearest} - batch->header().first_offset);
  for (const auto& postings : postings_) {
    while (postings->valid() && postings->posting().offset <= batch->header().last_offset().value) postings->next();
  }
  return batch;
}

Result<std::shared_ptr<const DecodedBatch>> PostingSource::next_backward() {
  std::optional<std::uint64_t> nearest;
  if (!started_) {
    // The batch at the range's end may hold matches below it although its posting stands above.
    started_ = true;
    nearest = to_.value - 1;
    hint_.reset();
  } else {
    for (const auto& postings : postings_) {
      BAHI_TRY(postings->status());
      if (postings->valid()) nearest = std::max(nearest.value_or(0), postings->posting().offset);
    }
  }
  if (!nearest || *nearest < from_.value) return std::shared_ptr<const DecodedBatch>();
  BAHI_ASSIGN(auto batch, reader_->batch_at(tenant_, {*nearest}, log_));
  const Offset first = batch->header().first_offset;
  if (*nearest + 1 != to_.value) hint_ = static_cast<std::uint32_t>(Offset{*nearest} - first);
  for (const auto& postings : postings_) {
    if (first.value == 0) {
      postings->seek_backward(0);
      while (postings->valid()) postings->previous();
    } else {
      postings->seek_backward(first.value - 1);
    }
  }
  return batch;
}

Result<bool> FilteringCursor::next_batch() {
  walker_.reset();
  matcher_.reset();
  matches_.clear();
  BAHI_ASSIGN(batch_, source_->next());
  if (!batch_) return false;
  const BatchBody& body = batch_->body();
  const Offset first = batch_->header().first_offset;
  const std::uint32_t begin = request_.from > first ? static_cast<std::uint32_t>(request_.from - first) : 0;
  place_ = body.place_of(begin);
  if (!request_.filter.empty()) {
    matcher_.emplace(body, request_.filter, source_->hint());
    if (matcher_->none()) place_.index = body.event_count();
  } else {
    walker_.emplace(*batch_);
    walker_->skip_to(begin);
  }
  if (request_.direction == Direction::kForward) return true;
  if (walker_) {
    for (; !walker_->at_end() && walker_->offset() < to_; walker_->next()) {
      matches_.emplace_back(walker_->place(), walker_->version());
    }
  } else {
    for (; find_match(); body.advance(place_)) matches_.emplace_back(place_, batch_->version_of(place_.index));
  }
  return true;
}

bool FilteringCursor::find_match() {
  const BatchBody& body = batch_->body();
  while (!at_range_end()) {
    const std::uint32_t candidate = matcher_->next_candidate(place_.index);
    if (candidate > place_.index) place_ = body.place_of(candidate);
    if (at_range_end()) return false;
    if (matcher_->matches(place_)) return true;
    body.advance(place_);
  }
  return false;
}

bool FilteringCursor::at_range_end() const {
  return place_.index >= batch_->body().event_count() || batch_->header().first_offset + place_.index >= to_;
}

bool FilteringCursor::next_in_batch(EventView& event) {
  if (request_.direction == Direction::kBackward) {
    if (matches_.empty()) return false;
    batch_->read(matches_.back().first, matches_.back().second, event);
    matches_.pop_back();
    return true;
  }
  if (walker_) {
    if (walker_->at_end() || walker_->offset() >= to_) return false;
    walker_->read(event);
    walker_->next();
    return true;
  }
  if (!find_match()) return false;
  batch_->read(place_, batch_->version_of(place_.index), event);
  batch_->body().advance(place_);
  return true;
}

Result<bool> FilteringCursor::next(EventView& event) {
  if (request_.limit && given_ >= *request_.limit) return false;
  while (!batch_ || !next_in_batch(event)) {
    BAHI_ASSIGN(const bool more, next_batch());
    if (!more) return false;
  }
  ++given_;
  return true;
}

}  // namespace bahi
