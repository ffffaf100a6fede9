// Made-up histories as large as one wants: what `bahi workload` writes, benchmarks fold and tests check.
//
// A history is a sequence without end, given by its options alone: the same on every machine, however it is cut into
// requests. Its events pass the checks of their schemas, carry the tags that the read models' commands rely on, and fit
// together: nobody sells what is not there, edits another's message or refunds what was not captured. Where a history
// contradicts itself, real ones do too: deliveries that come twice, late or out of order, a client's repeated message.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "bahi/base/result.hpp"
#include "bahi/base/types.hpp"
#include "bahi/schemas/event.hpp"

namespace bahi::workload {

enum class Kind : std::uint8_t {
  kChat,      ///< a growing community: rooms, direct conversations, threads, edits, receipts; events `chat.*`
  kPharmacy,  ///< a chain of shops and its warehouse: batches, sales, returns, recalls; `stock.*`
  kPayments,  ///< orders, what a payment provider reports of them, refunds, holds, payouts; `payment.*`
  kAudit,     ///< administrators and what they change, with reasons; `audit.*`, and types without a schema
};
[[nodiscard]] std::string_view to_string(Kind kind) noexcept;

struct HistoryOptions {
  Kind kind = Kind::kChat;
  std::uint64_t seed = 1;
  Timestamp from{1'767'205'800'000'000'000};  ///< of the first event; default: the beginning of 2026 in India
  std::uint64_t events_per_day = 0;           ///< about so many; 0: as suits the kind
  // chat
  std::uint32_t members = 100'000;  ///< that the community grows to
  std::uint32_t rooms = 60;
  // pharmacy
  std::uint32_t shops = 200;
  std::uint32_t items = 2'000;
  // payments
  std::uint32_t customers = 100'000;
  // audit
  std::uint32_t administrators = 200;
  std::uint32_t accounts = 100'000;  ///< that they look after

  /// The data of events as FlatBuffers instead of JSON.
  bool flatbuffers = false;
};

/// kInvalidArgument names the option that is out of range.
Status check(const HistoryOptions& options);

/// Names the history as a producer of appends: histories that differ in any option have different ones.
[[nodiscard]] Uuid producer_of(const HistoryOptions& options);

/// The events of one history, in the order in which they are appended. Memory grows with members, batches and open
/// orders, not with events. Not thread-safe.
class History {
 public:
  virtual ~History() = default;
  History(const History&) = delete;
  History& operator=(const History&) = delete;
  /// The next event. Its views hold until the next call.
  virtual void next(NewEvent& event) = 0;

 protected:
  History() = default;
};

/// At its beginning. `options` must pass `check`.
[[nodiscard]] std::unique_ptr<History> make_history(const HistoryOptions& options);

}  // namespace bahi::workload
