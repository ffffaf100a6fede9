// From batches to matching events: where the batches come from, and the walk through each.
#pragma once

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "bahi/engine/log_store.hpp"
#include "bahi/engine/read.hpp"
#include "bahi/schemas/body_matcher.hpp"
#include "term_index.hpp"

namespace bahi {

class LogReader;

/// Gives the batches that may hold matching events, in the direction of the read.
class BatchSource {
 public:
  BatchSource() = default;
  BatchSource(const BatchSource&) = delete;
  BatchSource& operator=(const BatchSource&) = delete;
  virtual ~BatchSource() = default;
  /// Null at the end.
  [[nodiscard]] virtual Result<std::shared_ptr<const DecodedBatch>> next() = 0;
  /// An event of the batch that probably has the wanted term.
  [[nodiscard]] virtual std::optional<std::uint32_t> hint() const { return std::nullopt; }
};

class EmptySource final : public BatchSource {
 public:
  Result<std::shared_ptr<const DecodedBatch>> next() override { return std::shared_ptr<const DecodedBatch>(); }
};

/// Every batch that overlaps [from, to).
class ScanSource final : public BatchSource {
 public:
  ScanSource(std::unique_ptr<LogCursor> cursor, Offset from, Offset to, Direction direction)
      : cursor_(std::move(cursor)), from_(from), to_(to), direction_(direction) {}
  Result<std::shared_ptr<const DecodedBatch>> next() override;

 private:
  std::unique_ptr<LogCursor> cursor_;
  Offset from_;
  Offset to_;
  Direction direction_;
  bool started_ = false;
  std::optional<Offset> expected_;  // where the next batch must begin, or end
};

/// The batches that the postings of any of some terms name.
class PostingSource final : public BatchSource {
 public:
  PostingSource(const LogReader& reader, std::vector<std::unique_ptr<PostingCursor>> postings, TenantId tenant,
                Offset from, Offset to, Direction direction)
      : reader_(&reader), postings_(std::move(postings)), tenant_(tenant), from_(from), to_(to), direction_(direction) {}
  Result<std::shared_ptr<const DecodedBatch>> next() override;
  [[nodiscard]] std::optional<std::uint32_t> hint() const override { return hint_; }

 private:
  Result<std::shared_ptr<const DecodedBatch>> next_forward();
  Result<std::shared_ptr<const DecodedBatch>> next_backward();

  const LogReader* reader_;
  std::vector<std::unique_ptr<PostingCursor>> postings_;
  TenantId tenant_;
  Offset from_;
  Offset to_;
  Direction direction_;
  bool started_ = false;
  std::unique_ptr<LogCursor> log_;
  std::optional<std::uint32_t> hint_;
};

/// Gives the events of the source's batches that lie in [request.from, to) and match.
class FilteringCursor final : public EventCursor {
 public:
  FilteringCursor(std::unique_ptr<BatchSource> source, ReadRequest request, Offset to)
      : source_(std::move(source)), request_(std::move(request)), to_(to) {}
  Result<bool> next(EventView& event) override;

 private:
  [[nodiscard]] Result<bool> next_batch();
  [[nodiscard]] bool next_in_batch(EventView& event);
  /// Moves `place_` to the next match within the range.
  [[nodiscard]] bool find_match();
  [[nodiscard]] bool at_range_end() const;

  std::unique_ptr<BatchSource> source_;
  ReadRequest request_;
  Offset to_;
  std::uint64_t given_ = 0;
  std::shared_ptr<const DecodedBatch> batch_;
  std::optional<BodyMatcher> matcher_;                    // none: every event matches
  EventPlace place_;                                      // with a filter: the next event to look at
  std::optional<BatchWalker> walker_;                     // without a filter
  std::vector<std::pair<EventPlace, Version>> matches_;   // backward; the next one is the last
};

}  // namespace bahi
