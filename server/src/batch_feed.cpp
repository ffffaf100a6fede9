#include "batch_feed.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "bahi/base/failpoint.hpp"
#include "bahi/base/planted_bug.hpp"

namespace bahi::server {
namespace {

/// A filtered read looks at so many offsets before it lets others go on; four times as many after a part of
/// the log without any match, which costs little.
constexpr std::uint64_t kWindowMin = 4096;
constexpr std::uint64_t kWindowMax = std::uint64_t{1} << 40U;
constexpr int kWindowsPerSlice = 8;

}  // namespace

BatchFeed::BatchFeed(const Engine& engine, ReadRequest request, bool follow)
    : engine_(&engine), request_(std::move(request)), follow_(follow), window_(kWindowMin) {}

Result<BatchFeed> BatchFeed::open(const Engine& engine, ReadRequest request, bool follow) {
  const bool forward = request.direction == Direction::kForward;
  if (follow && !forward) {
    return Error{ErrorCode::kInvalidArgument, "read: a subscription goes forward only"};
  }
  const Offset durable = engine.durable_offset(request.tenant);
  if (request.from > durable) {
    return Error{ErrorCode::kOffsetOutOfRange, fmt::format("from: offset {} lies beyond the end of the log at {}",
                                                           request.from.value, durable.value)};
  }
  BatchFeed feed(engine, std::move(request), follow);
  const Offset to = feed.request_.to.value_or(kOffsetMax);
  const Offset bound = follow ? to : std::min(to, durable);
  feed.end_ = forward ? bound : feed.request_.from;
  feed.next_ = forward ? feed.request_.from : std::max(bound, feed.request_.from);
  return feed;
}

std::pair<Offset, Offset> BatchFeed::rest() const {
  if (!forward()) return {end_, next_};
  return {next_, std::min(end_, engine_->durable_offset(request_.tenant))};
}

std::uint64_t BatchFeed::lag() const {
  const auto [from, to] = rest();
  return to > from ? to - from : 0;
}

void BatchFeed::count(std::uint64_t events) {
  if (request_.limit) *request_.limit -= std::min(*request_.limit, events);
}

Result<Slice> BatchFeed::next(std::size_t bytes_max) {
  Slice slice;
  if (request_.filter.empty()) {
    BAHI_TRY(take_all(bytes_max, slice));
  } else {
    BAHI_TRY(take_matching(bytes_max, slice));
  }
  slice.next = next_;
  const auto [from, to] = rest();
  if (request_.limit == std::uint64_t{0} || (forward() ? next_ >= end_ : next_ <= end_)) {
    slice.then = Slice::Then::kEnd;
  } else if (from >= to) {
    slice.then = Slice::Then::kWait;
    (void)failpoint::hit("caught_up");
    if (planted(PlantedBug::kGapAtSeam)) next_ = std::max(next_, engine_->durable_offset(request_.tenant));
  }
  return slice;
}

Status BatchFeed::take_all(std::size_t bytes_max, Slice& slice) {
  const auto [from, to] = rest();
  if (from >= to || request_.limit == std::uint64_t{0}) return {};
  BAHI_ASSIGN(const auto cursor, engine_->read_batches(request_.tenant, from, to, request_.direction, bytes_max));
  while (slice.batches.size() < bytes_max && request_.limit != std::uint64_t{0}) {
    BAHI_ASSIGN(const bool more, cursor->next());
    if (!more) break;
    const BatchHeader& header = cursor->header();
    slice.batches.append(cursor->stored());
    slice.sizes.push_back(static_cast<std::uint32_t>(cursor->stored().size()));
    const Offset first = std::max(header.first_offset, from);
    const Offset last = std::min(header.next_offset(), to);
    count(last - first);
    next_ = forward() ? last : first;
  }
  if (slice.sizes.empty()) {
    return Error{ErrorCode::kCorruptLog,
                 fmt::format("no batch holds offset {}", forward() ? from.value : to.value - 1)};
  }
  return {};
}

Status BatchFeed::take_matching(std::size_t bytes_max, Slice& slice) {
  std::optional<BatchHeader> last;  // of the slice; it may lie across the end of a window
  for (int i = 0; i < kWindowsPerSlice && slice.batches.size() < bytes_max; ++i) {
    const auto [from, to] = rest();
    if (from >= to || request_.limit == std::uint64_t{0}) return {};
    const std::uint64_t width = std::min(window_, to - from);
    const Offset begin = forward() ? from : to - width;
    const Offset end = forward() ? from + width : to;
    BAHI_ASSIGN(const bool found, take_window(begin, end, bytes_max, last, slice));
    window_ = found ? kWindowMin : std::min(window_ * 4, kWindowMax);
  }
  return {};
}

/// True: something matched. Moves `next_` to the window's far end, or to the first match that found no room.
Result<bool> BatchFeed::take_window(Offset from, Offset to, std::size_t bytes_max, std::optional<BatchHeader>& last,
                                    Slice& slice) {
  ReadRequest part = request_;
  part.from = from;
  part.to = to;
  BAHI_ASSIGN(const auto cursor, engine_->read(std::move(part)));
  std::uint64_t matches = 0;
  EventView event;
  for (;;) {
    BAHI_ASSIGN(const bool more, cursor->next(event));
    if (!more) {
      next_ = forward() ? to : from;
      break;
    }
    const bool taken = last && event.offset >= last->first_offset && event.offset <= last->last_offset();
    if (!taken) {
      if (!slice.sizes.empty() && slice.batches.size() >= bytes_max) {
        next_ = forward() ? event.offset : event.offset + 1;
        break;
      }
      BAHI_TRY(take_batch_at(event.offset, last.emplace(), slice));
    }
    ++matches;
  }
  count(matches);
  return matches != 0;
}

Status BatchFeed::take_batch_at(Offset offset, BatchHeader& header, Slice& slice) {
  BAHI_ASSIGN(const auto cursor, engine_->read_batches(request_.tenant, offset, offset + 1, Direction::kForward, 1));
  BAHI_ASSIGN(const bool found, cursor->next());
  if (!found) return Error{ErrorCode::kCorruptLog, fmt::format("no batch holds offset {}", offset.value)};
  header = cursor->header();
  slice.batches.append(cursor->stored());
  slice.sizes.push_back(static_cast<std::uint32_t>(cursor->stored().size()));
  return {};
}

}  // namespace bahi::server
