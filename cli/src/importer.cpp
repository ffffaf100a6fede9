#include "bahi/cli/importer.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "bahi/base/text.hpp"
#include "bahi/schemas/hash.hpp"

namespace bahi::cli {
namespace {

/// The first field in which the line and the stored event differ; empty when none does.
/// What the line leaves out was filled in when it was imported, and is not compared.
std::string_view difference(const EventLine& line, const EventView& stored) {
  const NewEvent& given = line.event;
  if (given.stream != stored.stream) return "stream";
  if (given.type != stored.type) return "type";
  if (given.data != stored.data) return "data";
  if (given.content_type != stored.content_type) return "content_type";
  if (given.tags != stored.tags) return "tags";
  if (given.metadata != stored.metadata) return "metadata";
  if (given.id && *given.id != stored.id) return "id";
  if (line.has_occurred_at && given.occurred_at != stored.occurred_at) return "occurred_at";
  return {};
}

}  // namespace

Uuid source_producer(std::string_view name) {
  return uuid_of("bahi import, named source: ", name);
}
Uuid content_producer(std::string_view first_line) {
  return uuid_of("bahi import, first line: ", first_line);
}

Result<StoredEvents> StoredEvents::open(const TenantLog& log, const AppendResult& stored) {
  ReadRequest request;
  request.from = stored.first_offset;
  request.to = stored.first_offset + stored.event_count;
  StoredEvents events;
  BAHI_ASSIGN(events.cursor_, log.read(std::move(request)));
  events.left_ = stored.event_count;
  return events;
}

Status StoredEvents::expect(const EventLine& line, std::uint64_t line_number) {
  BAHI_ASSIGN(const bool found, cursor_->next(event_));
  if (!found) return Error{ErrorCode::kCorruptLog, "the log ends before the events of an append it remembers"};
  --left_;
  const std::string_view field = difference(line, event_);
  if (field.empty()) return {};
  return Error{ErrorCode::kInvalidArgument,
               fmt::format("line {}: its {} differs from what was imported from this source before (offset {}). What "
                           "is in the log stays; if this is other input, give it a name with --source",
                           line_number, field, event_.offset.value)};
}

/// Lines on their way into the log. Their text is kept until the answer is there.
struct Importer::Batch {
  struct Place {
    std::uint64_t number;
    std::size_t begin;
    std::size_t size;
  };

  std::uint64_t first_event = 0;
  std::vector<Place> places;
  std::string text;

  [[nodiscard]] std::size_t size() const { return places.size(); }
  [[nodiscard]] Line line(std::size_t i) const {
    return {places[i].number, std::string_view(text).substr(places[i].begin, places[i].size)};
  }
  void add(const Line& line) {
    places.push_back({line.number, text.size(), line.text.size()});
    text.append(line.text);
  }
};

Importer::Importer(TenantLog& log, LineSource& input, ImportOptions options)
    : log_(log),
      input_(input),
      options_(std::move(options)),
      builder_(BatchBuilderOptions{.codec = options_.codec}),
      window_(log) {
  if (!options_.source.empty()) producer_ = source_producer(options_.source);
}

Importer::~Importer() = default;

Status Importer::run() {
  const Status status = import_all();
  failed_ = !status;
  const std::uint64_t next_line = summary_.next_line;
  // The answers refer to this object, so wait for all of them. What an error left behind is counted, but
  // only the first error matters.
  while (!window_.empty()) static_cast<void>(settle(0, 0));
  if (failed_) summary_.next_line = next_line;
  return status;
}

Status Importer::import_all() {
  BAHI_TRY(skip_present());
  for (;;) {
    auto batch = std::make_unique<Batch>();
    if (Status filled = fill(*batch); !filled) {
      BAHI_TRY(settle(0, 0));  // an error in flight lies before this line
      return filled;
    }
    if (batch->size() == 0) return settle(0, 0);
    BAHI_TRY(submit(std::move(batch)));
    if (options_.progress) options_.progress(input_.bytes_consumed());
  }
}

Status Importer::skip_present() {
  std::optional<StoredEvents> stored;
  for (;;) {
    Line line;
    BAHI_ASSIGN(const bool more, next_line(line));
    if (!more) return {};
    BAHI_ASSIGN(const EventLine* event, reader_.parse(line.text, line.number));
    if (!producer_) producer_ = content_producer(line.text);
    if (!stored || stored->at_end()) {
      BAHI_ASSIGN(const std::optional<AppendResult> present, find_present(*event));
      if (!present) return {};
      BAHI_ASSIGN(stored, StoredEvents::open(log_, *present));
      if (options_.progress) options_.progress(input_.bytes_consumed());
    }
    BAHI_TRY(stored->expect(*event, line.number));
    ++next_event_;
    ++summary_.events_present;
    summary_.next_line = line.number + 1;
    held_.reset();
  }
}

Result<std::optional<AppendResult>> Importer::find_present(const EventLine& event) {
  builder_.clear();
  if (const Status added = builder_.add(event.event); !added) return reader_.locate(added.error());
  BAHI_ASSIGN(EncodedBody body, builder_.finish());
  return find_append(log_, {*producer_, next_event_}, std::move(body), event.event.stream);
}

Result<bool> Importer::next_line(Line& line) {
  if (!held_) {
    std::string_view text;
    BAHI_ASSIGN(const bool more, input_.next(text));
    if (!more) return false;
    held_ = Line{input_.line_number(), text};
  }
  line = *held_;
  return true;
}

Status Importer::fill(Batch& batch) {
  builder_.clear();
  batch.first_event = next_event_;
  while (batch.size() < options_.batch_events) {
    Line line;
    BAHI_ASSIGN(const bool more, next_line(line));
    if (!more) return {};
    BAHI_ASSIGN(const bool taken, take_line(batch, line));
    if (!taken) return {};
    held_.reset();
  }
  return {};
}

Result<bool> Importer::take_line(Batch& batch, const Line& line) {
  if (batch.size() != 0 && batch.text.size() + line.text.size() > options_.batch_bytes) return false;
  BAHI_ASSIGN(const EventLine* event, reader_.parse(line.text, line.number));
  if (const Status added = builder_.add(event->event); !added) {
    if (added.error().code() == ErrorCode::kBatchTooLarge && batch.size() != 0) return false;
    return reader_.locate(added.error());
  }
  batch.add(line);
  ++next_event_;
  return true;
}

Status Importer::submit(std::unique_ptr<Batch> batch) {
  BAHI_ASSIGN(EncodedBody body, builder_.finish());
  const std::size_t room =
      options_.in_flight_bytes_max - std::min<std::size_t>(options_.in_flight_bytes_max, body.raw_size);
  BAHI_TRY(settle(options_.in_flight_max - 1, room));
  launch(std::move(batch), std::move(body));
  return {};
}

void Importer::launch(std::unique_ptr<Batch> batch, EncodedBody body) {
  AppendRequest request;
  request.body = std::move(body);
  request.producer = ProducerPosition{*producer_, batch->first_event};
  window_.submit(std::move(request), std::move(batch));
}

Status Importer::settle(std::size_t count_max, std::size_t bytes_max) {
  return window_.settle(count_max, bytes_max,
                        [this](std::unique_ptr<Batch>&& batch, const Result<AppendResult>& answer) {
                          return take_answer(*batch, answer);
                        });
}

Status Importer::take_answer(const Batch& batch, const Result<AppendResult>& answer) {
  if (!answer) return about(batch, answer.error());
  const AppendResult& stored = *answer;
  if (stored.duplicate) return failed_ ? Status{} : take_duplicate(batch, stored);
  summary_.events_imported += stored.event_count;
  ++summary_.batches_imported;
  summary_.next_line = batch.places.back().number + 1;
  return {};
}

/// Only behind a gap: an earlier run had one batch refused (the disk was full) and the next one stored.
Status Importer::take_duplicate(const Batch& batch, const AppendResult& stored) {
  if (stored.event_count > batch.size()) {
    // The batches behind this one are under way already, cut at other places than in the earlier run.
    return about(batch, Error{ErrorCode::kInvalidArgument,
                              "an earlier run that failed stored this part in larger batches; run again with the "
                              "--batch-events of that run"});
  }
  BAHI_ASSIGN(StoredEvents events, StoredEvents::open(log_, stored));
  std::size_t present = 0;
  for (; !events.at_end(); ++present) {
    const Line line = batch.line(present);
    BAHI_ASSIGN(const EventLine* event, reader_.parse(line.text, line.number));
    BAHI_TRY(events.expect(*event, line.number));
    ++summary_.events_present;
    summary_.next_line = line.number + 1;
  }
  return present < batch.size() ? resend(batch, present) : Status{};
}

Status Importer::resend(const Batch& batch, std::size_t from) {
  auto rest = std::make_unique<Batch>();
  rest->first_event = batch.first_event + from;
  BatchBuilder builder(BatchBuilderOptions{.codec = options_.codec});
  for (std::size_t i = from; i < batch.size(); ++i) {
    const Line line = batch.line(i);
    BAHI_ASSIGN(const EventLine* event, reader_.parse(line.text, line.number));
    BAHI_TRY(builder.add(event->event));
    rest->add(line);
  }
  BAHI_ASSIGN(EncodedBody body, builder.finish());
  launch(std::move(rest), std::move(body));
  return {};
}

Error Importer::about(const Batch& batch, const Error& error) {
  return {error.code(),
          fmt::format("lines {} to {}: {}", batch.places.front().number, batch.places.back().number, error.message())};
}

}  // namespace bahi::cli
