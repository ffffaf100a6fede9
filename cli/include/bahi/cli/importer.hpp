// Brings lines of NDJSON into a tenant's log, exactly once however often it is run.
//
// How: every batch carries a producer position: the producer is the source, the sequence
// is the number of events of the source before the batch. So the log itself remembers
// which parts of a source it holds. A run begins by asking for the batch that begins at its
// first event, with an append that can only be answered from memory. As long as the
// answer is "already there, k events", those are compared with the lines, and the run goes
// on behind them, wherever the earlier run cut. What is new then goes out in batches,
// several in flight.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bahi/base/result.hpp"
#include "bahi/cli/append_window.hpp"
#include "bahi/cli/event_line.hpp"
#include "bahi/cli/line_source.hpp"
#include "bahi/cli/tenant_log.hpp"

namespace bahi::cli {

struct ImportOptions {
  std::string source;  ///< names the source; empty: its first line does
  std::uint32_t batch_events = 1000;
  std::size_t batch_bytes = std::size_t{4} << 20U;  ///< of text; a single event may have more
  std::size_t in_flight_max = 8;                    ///< batches submitted and not yet answered
  std::size_t in_flight_bytes_max = std::size_t{32} << 20U;
  Codec codec = Codec::kLz4;
  /// Called after every batch with the bytes of input consumed; may be empty.
  std::function<void(std::uint64_t bytes)> progress;
};

struct ImportSummary {
  std::uint64_t events_imported = 0;
  std::uint64_t events_present = 0;  ///< already there
  std::uint64_t batches_imported = 0;
  std::uint64_t next_line = 1;  ///< every event of the lines before it is in the log
};

/// The producer that stands for a source.
[[nodiscard]] Uuid source_producer(std::string_view name);
/// The producer of a source without a name, by its first line that is not blank.
[[nodiscard]] Uuid content_producer(std::string_view first_line);

/// Walks events that the log holds, and compares them with lines.
class StoredEvents {
 public:
  [[nodiscard]] static Result<StoredEvents> open(const TenantLog& log, const AppendResult& stored);
  [[nodiscard]] bool at_end() const noexcept { return left_ == 0; }
  /// Takes the next stored event; an error when `line` says something else.
  Status expect(const EventLine& line, std::uint64_t line_number);

 private:
  std::unique_ptr<EventCursor> cursor_;
  EventView event_;
  std::uint32_t left_ = 0;
};

/// One run. Not thread-safe; the log and the input must outlive it.
class Importer {
 public:
  Importer(TenantLog& log, LineSource& input, ImportOptions options);
  ~Importer();
  Importer(const Importer&) = delete;
  Importer& operator=(const Importer&) = delete;

  /// Imports everything, or stops at the first error; when it returns, nothing is in flight any more. Errors: those of
  /// EventLineReader (nothing of the batch with that line is imported), LineSource and TenantLog::submit;
  /// kInvalidArgument when the source differs from what was imported of it before.
  Status run();
  /// True also after an error.
  [[nodiscard]] const ImportSummary& summary() const noexcept { return summary_; }

 private:
  struct Batch;
  struct Line {
    std::uint64_t number = 0;
    std::string_view text;
  };

  Status import_all();
  /// Passes over the lines whose events the log holds.
  Status skip_present();
  /// The stored append that begins with `event`, the next of the source; nothing if there is none.
  [[nodiscard]] Result<std::optional<AppendResult>> find_present(const EventLine& event);
  /// Takes lines into `batch` until it is full or the input ends.
  Status fill(Batch& batch);
  /// The next line, which stays the next one until it is dropped. False: there is none.
  [[nodiscard]] Result<bool> next_line(Line& line);
  /// False: `batch` is full and the line stays for the next one.
  [[nodiscard]] Result<bool> take_line(Batch& batch, const Line& line);
  Status submit(std::unique_ptr<Batch> batch);
  void launch(std::unique_ptr<Batch> batch, EncodedBody body);
  /// Handles answers until at most `count_max` batches with `bytes_max` bytes are in flight.
  Status settle(std::size_t count_max, std::size_t bytes_max);
  Status take_answer(const Batch& batch, const Result<AppendResult>& answer);
  Status take_duplicate(const Batch& batch, const AppendResult& stored);
  Status resend(const Batch& batch, std::size_t from);
  [[nodiscard]] static Error about(const Batch& batch, const Error& error);

  TenantLog& log_;
  LineSource& input_;
  const ImportOptions options_;
  ImportSummary summary_;
  EventLineReader reader_;
  BatchBuilder builder_;
  std::optional<Uuid> producer_;
  std::uint64_t next_event_ = 0;  // of the source, not yet in a batch
  std::optional<Line> held_;      // the line that was looked at last, if not dropped
  bool failed_ = false;
  AppendWindow<std::unique_ptr<Batch>> window_;
};

}  // namespace bahi::cli
