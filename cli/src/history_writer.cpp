#include "bahi/cli/history_writer.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace bahi::cli {
namespace {
constexpr std::size_t kInFlightBytesMax = std::size_t{32} << 20U;
}  // namespace

HistoryWriter::HistoryWriter(TenantLog& log, const workload::HistoryOptions& history, HistoryWriterOptions options)
    : history_options_(history),
      options_(std::move(options)),
      log_(log),
      producer_(workload::producer_of(history)),
      history_(workload::make_history(history)),
      builder_(BatchBuilderOptions{.codec = options_.codec}),
      window_(log) {}

Status HistoryWriter::run() {
  const Status status = write_all();
  failed_ = !status;
  // What an error left behind is counted, but only the first error matters.
  while (!window_.empty()) static_cast<void>(settle(0, 0));
  return status;
}

Status HistoryWriter::write_all() {
  BAHI_TRY(skip_present());
  if (position_ != 0) careful_appends_ = kHistoryInFlightMax;
  while (position_ < options_.events) {
    if (options_.stopped && options_.stopped()) {
      BAHI_TRY(settle(0, 0));
      return Error{ErrorCode::kCancelled, "stopped"};
    }
    BAHI_TRY(append_part());
    if (options_.progress) options_.progress(summary_.events_present + summary_.events_written);
  }
  return settle(0, 0);
}

const NewEvent& HistoryWriter::peek() {
  if (!held_) history_->next(event_);
  held_ = true;
  return event_;
}

Status HistoryWriter::skip_present() {
  while (position_ < options_.events) {
    if (options_.stopped && options_.stopped()) return {};
    builder_.clear();
    BAHI_TRY(builder_.add(peek()));
    BAHI_ASSIGN(EncodedBody body, builder_.finish());
    BAHI_ASSIGN(const auto stored, find_append(log_, {producer_, position_}, std::move(body), event_.stream));
    if (!stored) return {};
    const std::uint64_t events = std::min<std::uint64_t>(stored->event_count, options_.events - position_);
    for (std::uint64_t i = 0; i < events; ++i) {
      static_cast<void>(peek());
      take();
    }
    position_ += events;
    summary_.events_present += events;
    if (options_.progress) options_.progress(summary_.events_present);
  }
  return {};
}

Status HistoryWriter::append_part() {
  Part part{position_, 0};
  AppendRequest request;
  request.producer = ProducerPosition{producer_, position_};
  builder_.clear();
  // All histories of a kind begin on the same stream, so that one is not mixed into another.
  if (position_ == 0) request.expectations.push_back({std::string(peek().stream), ExpectedVersion::no_stream()});
  while (part.events < options_.batch_events && position_ < options_.events) {
    if (const Status added = builder_.add(peek()); !added) {
      if (added.error().code() == ErrorCode::kBatchTooLarge && part.events != 0) break;
      return added;
    }
    take();
    ++part.events;
    ++position_;
  }
  BAHI_ASSIGN(request.body, builder_.finish());
  const std::size_t room = kInFlightBytesMax - std::min<std::size_t>(kInFlightBytesMax, request.body.raw_size);
  BAHI_TRY(settle(options_.in_flight_max - 1, room));
  window_.submit(std::move(request), part);
  if (careful_appends_ == 0) return {};
  --careful_appends_;
  return settle(0, 0);
}

Status HistoryWriter::settle(std::size_t count_max, std::size_t bytes_max) {
  return window_.settle(count_max, bytes_max, [this](const Part& part, const Result<AppendResult>& answer) {
    return take_answer(part, answer);
  });
}

Status HistoryWriter::take_answer(const Part& part, const Result<AppendResult>& answer) {
  if (!answer) {
    const Error& error = answer.error();
    if (part.first != 0 || error.code() != ErrorCode::kWrongExpectedVersion) {
      return Error{error.code(),
                   fmt::format("events {} to {}: {}", part.first, part.first + part.events - 1, error.message())};
    }
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("the tenant has another {} history already, of another seed, start or scale; name another "
                             "tenant with --tenant",
                             to_string(history_options_.kind))};
  }
  if (!answer->duplicate) {
    summary_.events_written += answer->event_count;
    ++summary_.batches_written;
    return {};
  }
  // Only behind a gap: an earlier run had one append refused and the next one stored.
  summary_.events_present += answer->event_count;
  if (answer->event_count == part.events || failed_) return {};
  return Error{ErrorCode::kInvalidArgument,
               fmt::format("events from {} on are stored already in appends of another size; run the same command once "
                           "more to go on behind them",
                           part.first)};
}

}  // namespace bahi::cli
