// What bahi_crash knows about a store from the outside, and the comparison with what the store holds.
//
// Checked (the history checks of the crash-safety promise):
//  1. offsets and versions are dense and unique, and batches whole;
//  2. a request acknowledged before another was submitted has the smaller offset;
//  3. the expectation and the condition of every stored request held where it was stored;
//  4. every conflict answer was true: it names a state that existed and contradicts the request;
//  5. unknown outcomes are stored 0 or 1 times, refused requests never, acknowledged ones exactly once,
//     where, when and as the answer says;
//  6. every answer to the same producer sequence is the same.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "bahi/engine/engine.hpp"
#include "crash_message.hpp"
#include "workload.hpp"

namespace bahi::faults {

struct LedgerTotals {
  std::uint64_t acks = 0;
  std::uint64_t duplicate_answers = 0;
  std::uint64_t conflicts = 0;
  std::uint64_t refusals = 0;
  std::uint64_t unknown_stored = 0;
  std::uint64_t unknown_absent = 0;
  std::uint64_t events = 0;
};

/// One store's life over many crashes. Not thread-safe.
class Ledger {
 public:
  explicit Ledger(LedgerTotals& totals) : totals_(totals) {}

  /// Takes messages in the order in which they came through the pipe.
  void take(const Message& message);
  /// Reads what was appended since the last check, and settles every open request.
  void check_tail(const Engine& engine, Random& random);
  /// Reads everything again, by offset and by stream, and runs the engine's own verification.
  void check_all(const Engine& engine, Random& random);
  /// Requests that the next writer should submit again: unknown outcomes, and acknowledged ones.
  [[nodiscard]] std::vector<Intent> choose_retries(Random& random) const;

  [[nodiscard]] const std::vector<std::string>& violations() const { return violations_; }
  [[nodiscard]] std::uint64_t event_count() const;

 private:
  struct Request {
    Intent intent;
    std::uint32_t attempts = 0;
    std::uint32_t refusals = 0;       // answers that promise that nothing was stored
    std::uint64_t offset_floor = 0;   // acknowledged by the tenant before the first attempt
    std::int64_t version_floor = -1;  // of the expected stream, likewise
    std::optional<Answer> answer;     // the first acknowledgement
    bool answered_as_new = false;     // one answer without the duplicate mark
    bool stored = false;
    bool settled = false;  // absent when its last process was dead
    std::uint64_t first_offset = 0;
  };
  struct EventPlace {
    std::uint64_t request_id = 0;
    std::uint32_t index = 0;
  };
  struct Tenant {
    /// -1: no such stream.
    [[nodiscard]] std::int64_t version_of(const std::string& name) const;
    std::optional<TenantId> id;
    std::uint64_t acked_end = 0;
    std::vector<EventPlace> events;                                       // by offset
    std::unordered_map<std::string, std::vector<std::uint64_t>> streams;  // name -> offsets, by version
    std::unordered_map<std::string, std::vector<std::uint64_t>> tags;
    std::unordered_map<std::string, std::int64_t> acked_versions;
  };
  /// A batch while it is being read.
  struct Batch {
    Request* request = nullptr;
    std::vector<PlannedEvent> events;
    std::vector<std::string> streams;  // in order of first mention
    std::vector<std::int64_t> first_versions;
    std::size_t next = 0;
  };

  void violation(std::string text);
  void take_intent(const Intent& intent);
  void take_answer(const Answer& answer);
  void take_acknowledgement(Request& request, const Answer& answer);
  void check_tenants(const Engine& engine);
  void scan_tail(const Engine& engine, std::uint32_t number);
  bool take_event(std::uint32_t number, Batch& batch, const EventView& event);
  bool begin_batch(std::uint32_t number, Batch& batch, const EventView& event);
  void end_batch(const Batch& batch);
  void check_demands(std::uint32_t number, const Request& request, std::uint64_t offset);
  void settle();
  void check_conflicts();
  void check_stream(const Engine& engine, const Tenant& tenant, const std::string& name);
  void check_tag(const Engine& engine, const Tenant& tenant, const std::string& name);
  void check_offsets(const Engine& engine, ReadRequest request, const std::vector<std::uint64_t>& expected,
                     const std::string& what);
  void rescan(const Engine& engine, std::uint32_t number);

  LedgerTotals& totals_;
  std::vector<Tenant> tenants_{kCrashTenants};
  std::unordered_map<std::uint64_t, Request> requests_;
  std::vector<std::uint64_t> open_;     // requests touched since the last check
  std::vector<std::uint64_t> unknown_;  // outcomes unknown to the last writer, with a producer
  std::vector<Answer> conflicts_;       // since the last check
  std::vector<std::string> violations_;
};

}  // namespace bahi::faults
