#include "bahi/cli/importer.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "bahi/base/text.hpp"
#include "bahi/schemas/hash.hpp"

namespace bahi::cli {
namespace {

/// A UUID of version 8 (RFC 9562: made by the application's own rule).
Uuid uuid_of(std::string_view kind, std::string_view text) {
  const Hash128 hash = xxh3_128(kind, text);
  return {(hash.high & ~0xF000ULL) | 0x8000ULL, (hash.low & ~(0b11ULL << 62U)) | (0b10ULL << 62U)};
}

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

Uuid source_producer(std::string_view name) { return uuid_of("bahi import, named source: ", name); }
Uuid content_producer(std::string_view first_line) { return uuid_of("bahi import, first line: ", first_line); }

Result<StoredEvents> StoredEvents::open(const Engine& engine, TenantId tenant, const AppendResult& stored) {
  ReadRequest request;
  request.tenant = tenant;
  request.from = stored.first_offset;
  request.to = stored.first_offset + stored.event_count;
  StoredEvents events;
  BAHI_ASSIGN(events.cursor_, engine.read(std::move(request)));
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
  std::size_t body_bytes = 0;
  std::optional<Result<AppendResult>> answer;

  [[nodiscard]] std::size_t size() const { return places.size(); }
  [[nodiscard]] Line line(std::size_t i) const {
    return {places[i].number, std::string_view(text).substr(places[i].begin, places[i].size)};
  }
  void add(const Line& line) {
    places.push_back({line.number, text.size(), line.text.size()});
    text.append(line.text);
  }
};

Importer::Importer(Engine& engine, LineSource& input, ImportOptions options)
    : engine_(engine),
      input_(input),
      options_(std::move(options)),
      builder_(BatchBuilderOptions{.codec = options_.codec}),
      batch_events_(options_.batch_events) {
  if (!options_.source.empty()) producer_ = source_producer(options_.source);
}

Importer::~Importer() = default;

Status Importer::run() {
  const Status status = import_all();
  failed_ = !status;
  const std::uint64_t next_line = summary_.next_line;
  // The answers refer to this object, so wait for all of them. What an error left behind is counted, but
  // only the first error matters.
  while (!in_flight_.empty()) static_cast<void>(settle(0, 0));
  if (failed_) summary_.next_line = next_line;
  ahead_.reset();  // it reads from the engine, which may be closed after this
  return status;
}

Status Importer::import_all() {
  for (;;) {
    auto batch = std::make_unique<Batch>();
    if (Status filled = fill(*batch); !filled) {
      BAHI_TRY(settle(0, 0));  // an error in flight lies before this line
      return filled;
    }
    if (batch->size() == 0) {
      BAHI_TRY(settle(0, 0));
      return {};
    }
    BAHI_TRY(submit(std::move(batch)));
    if (options_.progress) options_.progress(input_.bytes_consumed());
  }
}

Result<bool> Importer::next_line(Line& line) {
  while (!backlog_.empty() && backlog_.front().next == backlog_.front().batch->size()) backlog_.pop_front();
  if (!backlog_.empty()) {
    line = backlog_.front().batch->line(backlog_.front().next);
    return true;
  }
  if (!held_) {
    std::string_view text;
    BAHI_ASSIGN(const bool more, input_.next(text));
    if (!more) return false;
    held_ = Line{input_.line_number(), text};
  }
  line = *held_;
  return true;
}

void Importer::drop_line() {
  if (!backlog_.empty()) {
    ++backlog_.front().next;
  } else {
    held_.reset();
  }
}

Status Importer::fill(Batch& batch) {
  builder_.clear();
  batch.first_event = next_event_;
  while (batch.size() < batch_events_) {
    Line line;
    BAHI_ASSIGN(const bool more, next_line(line));
    if (!more) return {};
    BAHI_ASSIGN(const bool taken, take_line(batch, line));
    if (!taken) return {};
    drop_line();
  }
  return {};
}

Result<bool> Importer::take_line(Batch& batch, const Line& line) {
  if (batch.size() != 0 && batch.text.size() + line.text.size() > options_.batch_bytes) return false;
  BAHI_ASSIGN(const EventLine* event, reader_.parse(line.text, line.number));
  if (!producer_) producer_ = content_producer(line.text);
  if (ahead_) {
    BAHI_TRY(ahead_->expect(*event, line.number));
    if (ahead_->at_end()) ahead_.reset();
    ++summary_.events_present;
    summary_.next_line = line.number + 1;
    batch.first_event = ++next_event_;
    return true;
  }
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
  const std::size_t room = options_.in_flight_bytes_max - std::min<std::size_t>(options_.in_flight_bytes_max, body.raw_size);
  BAHI_TRY(settle(options_.in_flight_max - 1, room));
  launch(std::move(batch), std::move(body));
  return probing_ ? settle(0, 0) : Status{};
}

void Importer::launch(std::unique_ptr<Batch> batch, EncodedBody body) {
  batch->body_bytes = body.raw_size;
  AppendRequest request;
  request.tenant = options_.tenant;
  request.body = std::move(body);
  request.producer = ProducerPosition{*producer_, batch->first_event};
  Batch* const waiting = batch.get();
  in_flight_bytes_ += batch->body_bytes;
  in_flight_.push_back(std::move(batch));
  engine_.submit(std::move(request), [this, waiting](Result<AppendResult> answer) {
    const std::lock_guard lock(mutex_);
    waiting->answer = std::move(answer);
    answered_.notify_one();
  });
}

Status Importer::settle(std::size_t count_max, std::size_t bytes_max) {
  while (in_flight_.size() > count_max || in_flight_bytes_ > bytes_max) {
    {
      std::unique_lock lock(mutex_);
      answered_.wait(lock, [this] { return in_flight_.front()->answer.has_value(); });
    }
    std::unique_ptr<Batch> batch = std::move(in_flight_.front());
    in_flight_.pop_front();
    in_flight_bytes_ -= batch->body_bytes;
    BAHI_TRY(take_answer(std::move(batch)));
  }
  return {};
}

Status Importer::take_answer(std::unique_ptr<Batch> batch) {
  if (!*batch->answer) return about(*batch, batch->answer->error());
  const AppendResult stored = **batch->answer;
  if (stored.duplicate) return failed_ ? Status{} : take_duplicate(std::move(batch), stored);
  probing_ = false;
  batch_events_ = options_.batch_events;
  summary_.events_imported += stored.event_count;
  ++summary_.batches_imported;
  summary_.next_line = batch->places.back().number + 1;
  return {};
}

Status Importer::take_duplicate(std::unique_ptr<Batch> batch, const AppendResult& stored) {
  BAHI_ASSIGN(StoredEvents events, StoredEvents::open(engine_, options_.tenant, stored));
  std::size_t present = 0;
  for (; present < batch->size() && !events.at_end(); ++present) {
    const Line line = batch->line(present);
    BAHI_ASSIGN(const EventLine* event, reader_.parse(line.text, line.number));
    BAHI_TRY(events.expect(*event, line.number));
    ++summary_.events_present;
    summary_.next_line = line.number + 1;
  }
  const bool is_short = present < batch->size();
  if (!probing_) {
    if (is_short) return resend(*batch, present);
    if (events.at_end()) return {};
    // The batches behind this one are under way already, cut at other places than in the earlier run.
    return about(*batch, Error{ErrorCode::kInvalidArgument,
                               "an earlier run that failed stored this part in larger batches; run again with the "
                               "--batch-events of that run"});
  }
  // One short answer is the tail of a source that has grown; two are an earlier run with smaller batches.
  if (!is_short || was_short_) batch_events_ = std::min<std::size_t>(options_.batch_events, stored.event_count);
  was_short_ = is_short;
  if (is_short) {
    next_event_ = batch->first_event + present;
    backlog_.push_front({std::move(batch), present});
  } else if (!events.at_end()) {
    ahead_ = std::move(events);
  }
  return {};
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
  return {error.code(), fmt::format("lines {} to {}: {}", batch.places.front().number, batch.places.back().number,
                                    error.message())};
}

}  // namespace bahi::cli
