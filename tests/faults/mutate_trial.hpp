// One trial of bahi_mutate: a copy of a store, one mutation, and the verdict.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "mutate_store.hpp"
#include "workload.hpp"

namespace bahi::faults {

enum class Mutation : std::uint8_t { kFlippedBit, kTruncated, kZeroedSector, kMissing, kOlderFile, kOlderLog };
inline constexpr std::array<std::string_view, 6> kMutationNames{"flipped bit", "truncated",  "zeroed sector",
                                                                "missing",     "older file", "older log"};

enum class Outcome : std::uint8_t {
  kHarmless,     ///< everything reads as before, and verify is clean
  kRefused,      ///< open said why; no file was touched
  kRefusedLate,  ///< refused once the log was open: nothing of the log is lost, and it stays detected
  kReadError,    ///< a read reported it
  kVerifyOnly,   ///< reads reported nothing, verify did
  kSilent,       ///< a difference that nothing reported
  kBroken,       ///< a crash, a hang, an error outside the catalogue's class, or a file touched that must not be
};
inline constexpr std::array<std::string_view, 7> kOutcomeNames{
    "harmless", "refused", "refused late", "read error", "verify only", "SILENT", "BROKEN"};

/// A built store and what must be in it.
struct Specimen {
  std::filesystem::path directory;
  Content content;
  std::vector<FileState> files;  ///< of `now`
};

struct TrialPlan {
  std::size_t specimen = 0;
  Mutation mutation = Mutation::kFlippedBit;
  std::string file;         ///< relative; "log" for kOlderLog
  std::string older;        ///< "old0" or "old1"
  std::uint64_t place = 0;  ///< byte
  unsigned bit = 0;
  [[nodiscard]] std::string text() const;
};

struct Verdict {
  Outcome outcome = Outcome::kBroken;
  std::string text;
};

/// The kind of a file of a store, for the table: "log/wal", "idx/sorted file", "ANCHOR".
[[nodiscard]] std::string file_kind(const std::string& path);

/// The same plan for the same seed, number and specimens.
[[nodiscard]] TrialPlan plan_trial(const std::vector<Specimen>& specimens, std::uint64_t seed, std::uint64_t number);

/// Every bit of footer, metaindex and properties of the smallest sorted file of log and of index of the first specimen;
/// at most `count_max` of them, evenly spread.
[[nodiscard]] std::vector<TrialPlan> plan_table_ends(const std::vector<Specimen>& specimens, std::uint64_t count_max);

/// Copies, damages, opens, reads, judges. Runs the engine: call it in a process of its own.
[[nodiscard]] Verdict run_trial(const Specimen& specimen, const TrialPlan& plan, const std::filesystem::path& copy);

}  // namespace bahi::faults
