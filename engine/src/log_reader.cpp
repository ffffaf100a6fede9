#include "log_reader.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "bahi/schemas/body_matcher.hpp"
#include "event_cursor.hpp"
#include "keys.hpp"

namespace bahi {
namespace {

class StoredBatchCursor final : public BatchCursor {
 public:
  StoredBatchCursor(std::unique_ptr<LogCursor> cursor, Offset from, Offset to, Direction direction)
      : cursor_(std::move(cursor)), from_(from), to_(to), direction_(direction) {}

  Result<bool> next() override {
    if (from_ >= to_) return false;
    if (!started_) {
      started_ = true;
      direction_ == Direction::kForward ? cursor_->seek(from_) : cursor_->seek_backward(to_ - 1);
    } else {
      direction_ == Direction::kForward ? cursor_->next() : cursor_->previous();
    }
    BAHI_TRY(cursor_->status());
    if (!cursor_->valid()) return false;
    BAHI_ASSIGN(header_, decode_batch_header(cursor_->stored()));
    return direction_ == Direction::kForward ? header_.first_offset < to_ : header_.last_offset() >= from_;
  }
  [[nodiscard]] std::string_view stored() const override { return cursor_->stored(); }
  [[nodiscard]] const BatchHeader& header() const override { return header_; }

 private:
  std::unique_ptr<LogCursor> cursor_;
  Offset from_;
  Offset to_;
  Direction direction_;
  bool started_ = false;
  BatchHeader header_;
};

/// The terms whose postings cover every event the filter can match; empty: scan.
std::vector<std::uint64_t> covering_terms(const EventFilter& filter) {
  if (filter.stream) return {term_hash(TermKind::kStream, *filter.stream)};
  if (!filter.tags.empty()) return {term_hash(TermKind::kTag, filter.tags.front())};
  if (!filter.types.empty()) {
    std::vector<std::uint64_t> hashes;
    for (const std::string& type : filter.types) hashes.push_back(term_hash(TermKind::kType, type));
    return hashes;
  }
  if (filter.category) return {term_hash(TermKind::kCategory, *filter.category)};
  return {};
}

}  // namespace

Result<std::shared_ptr<const DecodedBatch>> LogReader::batch_at(TenantId tenant, Offset offset) const {
  std::unique_ptr<LogCursor> cursor;
  return batch_at(tenant, offset, cursor);
}

Result<std::shared_ptr<const DecodedBatch>> LogReader::batch_at(TenantId tenant, Offset offset,
                                                                std::unique_ptr<LogCursor>& cursor) const {
  if (auto batch = cache_.find(tenant, offset)) return batch;
  if (!cursor) cursor = store_->cursor(tenant, CacheUse::kFill);
  cursor->seek(offset);
  BAHI_TRY(cursor->status());
  const Error missing{ErrorCode::kCorruptLog,
                      fmt::format("tenant {}: no batch holds offset {}", tenant.value, offset.value)};
  if (!cursor->valid()) return missing;
  BAHI_ASSIGN(auto batch, DecodedBatch::decode(cursor->stored()));
  if (batch->header().tenant != tenant || batch->header().first_offset > offset ||
      batch->header().last_offset() < offset) {
    return missing;
  }
  cache_.put(batch);
  return batch;
}

Result<std::unique_ptr<EventCursor>> LogReader::events(ReadRequest request, Offset end) const {
  const Offset to = request.to ? std::min(*request.to, end) : end;
  std::unique_ptr<BatchSource> source;
  const std::vector<std::uint64_t> terms = index_ ? covering_terms(request.filter) : std::vector<std::uint64_t>{};
  if (request.from >= to) {
    source = std::make_unique<EmptySource>();
  } else if (terms.empty()) {
    source = std::make_unique<ScanSource>(store_->cursor(request.tenant, CacheUse::kScan), request.from, to,
                                          request.direction);
  } else {
    // A posting stands at the last matching event of its batch, which may lie at or past `to`.
    std::vector<std::unique_ptr<PostingCursor>> postings;
    for (const std::uint64_t hash : terms) {
      postings.push_back(index_->postings(request.tenant, hash, request.from, end));
    }
    source = std::make_unique<PostingSource>(*this, std::move(postings), request.tenant, request.from, to,
                                             request.direction);
  }
  return std::unique_ptr<EventCursor>(std::make_unique<FilteringCursor>(std::move(source), std::move(request), to));
}

Result<std::unique_ptr<BatchCursor>> LogReader::batches(TenantId tenant, Offset from, Offset to,
                                                        Direction direction, CacheUse use) const {
  return std::unique_ptr<BatchCursor>(
      std::make_unique<StoredBatchCursor>(store_->cursor(tenant, use), from, to, direction));
}

Result<Head> LogReader::stream_head(TenantId tenant, std::string_view stream, Offset end) const {
  if (!index_) {
    ReadRequest request{.tenant = tenant, .from = {0}, .to = {}, .direction = Direction::kBackward, .filter = {}, .limit = 1};
    request.filter.stream = std::string(stream);
    BAHI_ASSIGN(const auto cursor, events(std::move(request), end));
    EventView event;
    BAHI_ASSIGN(const bool found, cursor->next(event));
    return found ? Head{event.version.value, event.offset.value} : Head{};
  }
  if (end.value == 0) return Head{};
  const auto postings = index_->postings(tenant, term_hash(TermKind::kStream, stream), {0}, end);
  std::unique_ptr<LogCursor> log;
  for (postings->seek_backward(end.value - 1); postings->valid(); postings->previous()) {
    const Posting posting = postings->posting();
    BAHI_ASSIGN(const auto batch, batch_at(tenant, {posting.offset}, log));
    const auto index = static_cast<std::uint32_t>(Offset{posting.offset} - batch->header().first_offset);
    // Another stream may have the same hash.
    if (batch->body().stream_name(batch->body().stream_ref(index)) != stream) continue;
    return Head{static_cast<std::int64_t>(posting.version), posting.offset};
  }
  BAHI_TRY(postings->status());
  return Head{};
}

Result<Head> LogReader::producer_head(TenantId tenant, const Uuid& producer) const {
  if (!index_) return Error{ErrorCode::kInternal, "producers need the index"};
  BAHI_ASSIGN(const auto sequence, index_->highest_sequence(tenant, producer));
  if (!sequence) return Head{};
  // Sequences beyond the signed range are only ever found by exact look-up.
  constexpr std::uint64_t kMax = std::uint64_t{1} << 62U;
  return Head{static_cast<std::int64_t>(std::min(*sequence, kMax)), 0};
}

Result<std::optional<AppendResult>> LogReader::earlier_result(TenantId tenant,
                                                              const ProducerPosition& producer) const {
  if (!index_) return Error{ErrorCode::kInternal, "producers need the index"};
  BAHI_ASSIGN(const auto offset, index_->producer_offset(tenant, producer.id, producer.sequence));
  if (!offset) return std::optional<AppendResult>();
  const auto cursor = store_->cursor(tenant, CacheUse::kFill);
  cursor->seek(*offset);
  BAHI_TRY(cursor->status());
  if (!cursor->valid()) return Error{ErrorCode::kIndexDamaged, "the index names a batch that the log does not hold"};
  BAHI_ASSIGN(const BatchHeader header, decode_batch_header(cursor->stored()));
  if (header.producer_id != producer.id || header.producer_sequence != producer.sequence) {
    return Error{ErrorCode::kIndexDamaged, "the index names another producer's batch"};
  }
  AppendResult result;
  result.first_offset = header.first_offset;
  result.event_count = header.event_count;
  result.recorded_at = header.recorded_at;
  BAHI_ASSIGN(result.first_versions, decode_first_versions(header, cursor->stored()));
  result.duplicate = true;
  return std::optional(std::move(result));
}

Result<std::optional<Offset>> LogReader::find_match(TenantId tenant, const EventQuery& query, Offset begin,
                                                    Offset end) const {
  std::optional<Offset> newest;
  for (const QueryItem& item : query.items) {
    ReadRequest request{.tenant = tenant, .from = newest ? *newest + 1 : begin, .to = {}, .direction = Direction::kBackward,
                        .filter = {}, .limit = 1};
    request.filter.types = item.types;
    request.filter.tags = item.tags;
    BAHI_ASSIGN(const auto cursor, events(std::move(request), end));
    EventView event;
    BAHI_ASSIGN(const bool found, cursor->next(event));
    if (found) newest = event.offset;
  }
  return newest;
}

}  // namespace bahi
