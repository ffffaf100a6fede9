// What bahi_crash knows about a store from the outside, and the comparison with what the store holds.
//
// Checked (the history checks of the crash-safety promise):
//  1. offsets and versions are dense and unique, and batches whole;
//  2. a request acknowledged before another was submitted has the smaller offset;
//  3. the expectation and the condition of every stored request held where it was stored;
//  4. every conflict answer was true: it names a state that existed and contradicts the request;
//  5. unknown outcomes are stored 0 or 1 times, refused requests never, acknowledged ones exactly once,
//     where, when and as the answer says;
//  6. every answer to the same producer sequence is the same;
//  7. to 9.: what readers saw; see crash_reads.hpp.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "bahi/engine/engine.hpp"
#include "crash_history.hpp"
#include "crash_message.hpp"
#include "crash_reads.hpp"
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
  std::uint64_t late_answers = 0;  ///< to calls that are older than the last check
  std::uint64_t sightings = 0;     ///< events that readers saw
};

/// What becomes of calls without an answer when the process with the store dies.
enum class Calls {
  kEndWithStore,  ///< they were made in that process
  kOutliveStore,  ///< clients make them, and send them again until each is answered
};

/// One store's life over many crashes. Not thread-safe.
class Ledger {
 public:
  explicit Ledger(LedgerTotals& totals, Calls calls = Calls::kEndWithStore) : totals_(totals), calls_(calls) {}

  /// Takes messages in the order in which things happened.
  void take(const Message& message);
  /// Reads what was appended since the last check, settles every request that nobody repeats any more, and judges
  /// what readers saw. Whoever served the store must be dead.
  void check_tail(const Engine& engine, Random& random);
  /// Reads everything again, by offset and by stream, and runs the engine's own verification.
  void check_all(const Engine& engine, Random& random);
  /// Requests that the next writer should submit again: unknown outcomes, and acknowledged ones.
  [[nodiscard]] std::vector<Intent> choose_retries(Random& random) const;

  /// Judges what readers saw since the last check; nothing may have been written since.
  void check_reads();
  /// A subscription that has not seen everything yet; nothing: all have.
  [[nodiscard]] std::optional<std::string> subscription_behind() const { return reads_.behind(tenants_); }

  [[nodiscard]] const std::vector<std::string>& violations() const { return violations_; }
  [[nodiscard]] std::uint64_t event_count() const;

 private:
  struct Request {
    Intent intent;
    std::uint32_t attempts = 0;
    std::uint32_t open = 0;           // attempts without an answer
    std::uint32_t carried = 0;        // of these, begun before the last check
    std::uint32_t refusals = 0;       // answers that promise that nothing was stored
    std::uint64_t offset_floor = 0;   // acknowledged by the tenant before the first attempt
    std::int64_t version_floor = -1;  // of the expected stream, likewise
    std::optional<Placement> answer;  // the first acknowledgement
    std::optional<Placement> placed;  // as found in the log
    bool answered_as_new = false;     // one answer without the duplicate mark
    bool settled = false;             // absent when its last process was dead
  };
  /// A batch while it is being read.
  struct Batch {
    Request* request = nullptr;
    std::vector<PlannedEvent> events;
    std::vector<std::string> streams;  // in order of first mention
    Placement place;
    std::size_t next = 0;
  };

  void violation(std::string text);
  void take_intent(const Intent& intent);
  void take_answer(const Answer& answer);
  void take_acknowledgement(Request& request, const Answer& answer, bool late);
  void compare(std::uint64_t id, const Request& request);
  void check_tenants(const Engine& engine);
  void scan_tail(const Engine& engine, std::uint32_t number);
  bool take_event(std::uint32_t number, Batch& batch, const EventView& event);
  bool begin_batch(std::uint32_t number, Batch& batch, const EventView& event);
  void end_batch(const Batch& batch);
  void check_demands(std::uint32_t number, const Request& request, std::uint64_t offset);
  void settle();
  void check_conflicts();
  void check_stream(const Engine& engine, const TenantHistory& tenant, const std::string& name);
  void check_tag(const Engine& engine, const TenantHistory& tenant, const std::string& name);
  void check_offsets(const Engine& engine, ReadRequest request, const std::vector<std::uint64_t>& expected,
                     const std::string& what);
  void rescan(const Engine& engine, std::uint32_t number);

  LedgerTotals& totals_;
  const Calls calls_;
  std::vector<TenantHistory> tenants_{kCrashTenants};
  ReadChecker reads_;
  std::unordered_map<std::uint64_t, Request> requests_;
  std::vector<std::uint64_t> open_;     // requests touched since the last check
  std::vector<std::uint64_t> unknown_;  // outcomes unknown to the last writer, with a producer
  std::vector<Answer> conflicts_;       // since the last check
  std::vector<std::string> violations_;
};

}  // namespace bahi::faults
