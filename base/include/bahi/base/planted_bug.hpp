// Known bugs that a test build can be made to have, to show that the tests find them.
//
// Compiled in only with -DBAHI_PLANTED_BUGS=ON; otherwise there is none. The environment chooses one before the process
// starts: BAHI_PLANTED_BUG=skip_deduplication. An unknown name ends the process, so that no test passes by a typo.
#pragma once

#include <array>
#include <string_view>

namespace bahi {

enum class PlantedBug {
  kNone,
  kAckBeforeSync,         ///< ack_before_sync: what is not synced is acknowledged
  kSkipDeduplication,     ///< skip_deduplication: a repeat of a producer position is stored again
  kPublishBeforeDurable,  ///< publish_before_durable: readers are shown what is not synced
  kGapAtSeam,             ///< gap_at_seam: a subscription goes on behind what came while it caught up
  kCheckpointApart,       ///< checkpoint_apart: a read model's checkpoint is written after its rows, not with them
  kKeepUnfinished,        ///< keep_unfinished: what an interrupted backup left is not deleted
  kMarkerFirst,           ///< marker_first: a directory passes for a store before it is restored
};

inline constexpr std::array<std::string_view, 7> kPlantedBugNames{
    "ack_before_sync", "skip_deduplication", "publish_before_durable", "gap_at_seam", "checkpoint_apart",
    "keep_unfinished", "marker_first"};

#ifdef BAHI_PLANTED_BUGS
/// Whether this process has the bug. Thread-safe.
[[nodiscard]] bool planted(PlantedBug bug);
#else
[[nodiscard]] constexpr bool planted(PlantedBug) {
  return false;
}
#endif

}  // namespace bahi
