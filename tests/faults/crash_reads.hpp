// What readers saw, held against the log: the history checks 7 to 9 of bahi_crash.
//
//  7. a read is a prefix of the final log (of what it selects), as long as everything acknowledged before it began;
//  8. a reader that saw offset p never learns later of an offset q < p that it did not see;
//  9. a subscription is strictly increasing and without a gap, also over reconnects and where it is resumed.
//
// All three are one rule: the next event that a reader sees is the next one of the final log that it selects. What was
// seen is judged only after the server that showed it has died, so what was shown before it was durable is gone by
// then.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "crash_history.hpp"
#include "crash_message.hpp"

namespace bahi::faults {

/// Not thread-safe.
class ReadChecker {
 public:
  using Report = std::function<void(std::string)>;

  /// `acked_end`: what was acknowledged before the read began.
  void begin(const ReadStart& start, std::uint64_t acked_end);
  void take(const Seen& seen);
  void take(const ReadEnd& end);
  /// Compares what was taken since the last time with the log; each contradiction is reported once.
  void judge(const std::vector<TenantHistory>& histories, const Report& report);
  /// A subscription that has not seen everything it selects, and what is due; nothing: all have.
  [[nodiscard]] std::optional<std::string> behind(const std::vector<TenantHistory>& histories) const;
  /// Reads that ended, and events that readers saw; for the summary.
  [[nodiscard]] std::uint64_t reads_ended() const { return reads_ended_; }
  [[nodiscard]] std::uint64_t sightings() const { return sightings_; }

 private:
  struct Reader {
    ReadStart start;
    std::uint64_t acked_end = 0;
    std::uint64_t next = 0;              // forward: seen up to here
    std::optional<std::uint64_t> below;  // backward: seen down to here
    std::uint64_t count = 0;
    std::vector<Sighting> waiting;  // not judged yet
    std::optional<ReadEnd> end;
  };

  [[nodiscard]] static std::string name_of(const Reader& reader);
  /// What is wrong, if anything.
  [[nodiscard]] static std::string judge_next(Reader& reader, const TenantHistory& history, const Sighting& sighting);
  [[nodiscard]] static std::string judge_forward(const Reader& reader, const TenantHistory& history,
                                                 std::uint64_t offset);
  [[nodiscard]] static std::string judge_backward(const Reader& reader, const TenantHistory& history,
                                                  std::uint64_t offset);
  [[nodiscard]] static std::string judge_end(const Reader& reader, const TenantHistory& history);

  std::map<std::uint64_t, Reader> readers_;
  std::uint64_t reads_ended_ = 0;
  std::uint64_t sightings_ = 0;
};

}  // namespace bahi::faults
