// Brings a made-up history into a tenant's log, exactly once however often it is run.
//
// Every append carries a producer position: the producer is the history, the sequence the number of its events before
// the append. A run begins by asking how far the log holds the history, whatever the sizes of the appends that brought
// it there, and goes on behind that.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "bahi/cli/append_window.hpp"
#include "bahi/schemas/batch_builder.hpp"
#include "bahi/workload/history.hpp"

namespace bahi::cli {

inline constexpr std::uint32_t kHistoryInFlightMax = 64;

struct HistoryWriterOptions {
  std::uint64_t events = 0;  ///< of the history that the log shall hold
  std::uint32_t batch_events = 1000;
  std::uint32_t in_flight_max = 4;  ///< appends without an answer; at most kHistoryInFlightMax
  Codec codec = Codec::kZstd;
  /// Called after every append with the events that the log holds, of those asked for; may be empty.
  std::function<void(std::uint64_t done)> progress;
  /// Asked before every append; true ends the run with kCancelled. May be empty.
  std::function<bool()> stopped;
};

struct HistorySummary {
  std::uint64_t events_written = 0;
  std::uint64_t events_present = 0;  ///< already there
  std::uint64_t batches_written = 0;
};

/// One run. Not thread-safe; the log must outlive it.
class HistoryWriter {
 public:
  HistoryWriter(TenantLog& log, const workload::HistoryOptions& history, HistoryWriterOptions options);
  HistoryWriter(const HistoryWriter&) = delete;
  HistoryWriter& operator=(const HistoryWriter&) = delete;

  /// When it returns, nothing is under way any more. Errors: those of TenantLog::submit, kCancelled,
  /// kInvalidArgument (the tenant has another history of this kind, or parts of other sizes behind a gap).
  Status run();
  /// True also after an error.
  [[nodiscard]] const HistorySummary& summary() const noexcept { return summary_; }

 private:
  struct Part {
    std::uint64_t first = 0;
    std::uint32_t events = 0;
  };

  Status write_all();
  /// Passes over what the log holds.
  Status skip_present();
  /// The next event of the history, which stays the next one until it is taken.
  const NewEvent& peek();
  void take() { held_ = false; }
  Status append_part();
  [[nodiscard]] Status settle(std::size_t count_max, std::size_t bytes_max);
  Status take_answer(const Part& part, const Result<AppendResult>& answer);

  const workload::HistoryOptions history_options_;
  const HistoryWriterOptions options_;
  TenantLog& log_;
  const Uuid producer_;
  std::unique_ptr<workload::History> history_;
  BatchBuilder builder_;
  NewEvent event_;
  bool held_ = false;
  std::uint64_t position_ = 0;  // events taken
  /// So many appends go one at a time, because an earlier run may have had one refused and later ones stored.
  std::uint32_t careful_appends_ = 1;
  bool failed_ = false;
  HistorySummary summary_;
  AppendWindow<Part> window_;
};

}  // namespace bahi::cli
