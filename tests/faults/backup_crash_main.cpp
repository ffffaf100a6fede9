// bahi_backup_crash: kills processes that take backups under concurrent appends, and processes that restore them. After
// each death every backup that was complete is as it was, the next one completes what was interrupted and leaves no
// file behind, and an interrupted restore is no store until it is run again, which then holds exactly what the backup
// holds.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "backup_crash_child.hpp"
#include "bahi/engine/engine.hpp"
#include "bahi/snapshots/backup.hpp"
#include "crash_process.hpp"

namespace bahi::faults {
namespace {

using std::chrono::milliseconds;

constexpr std::uint32_t kStoreCyclesMax = 25;

struct Settings {
  std::uint32_t cycles = 200;
  std::uint64_t seed = 1;
  std::filesystem::path directory;
  std::string planted_bug;
  bool expect_violation = false;
};

Death at_point(Random& random, std::string_view point, std::uint64_t passes_max) {
  Death death;
  death.name = point;
  death.failpoints = fmt::format("{}=kill@{}", point, random.between(1, passes_max));
  death.after_start = milliseconds(3'000);
  return death;
}

Death random_backup_death(Random& random) {
  switch (random.below(7)) {
    case 0:
    case 1: return at_point(random, "backup_segment", 20);
    case 2: return at_point(random, "backup_before_manifest", 3);
    case 3: return at_point(random, "backup_after_manifest", 3);
    case 4: {
      Death death;
      death.name = "backups closed";
      death.run_ms = static_cast<std::uint32_t>(random.between(50, 400));
      return death;
    }
    default: {
      Death death;
      death.name = "backup, any moment";
      death.after_start = milliseconds(random.between(20, 600));
      return death;
    }
  }
}

Death random_restore_death(Random& random) {
  switch (random.below(4)) {
    case 0: return at_point(random, "store_copy_batch", 200);
    case 1: return at_point(random, "store_copy_finish", 1);
    default: {
      Death death;
      death.name = "restore, any moment";
      death.after_start = milliseconds(random.between(1, 150));
      return death;
    }
  }
}

Error violation(std::string what) {
  return {ErrorCode::kInternal, std::move(what)};
}

class BackupHarness {
 public:
  BackupHarness(Settings settings, std::string program)
      : settings_(std::move(settings)), program_(std::move(program)), random_(settings_.seed) {}

  int run() {
    std::uint32_t cycle = 0;
    for (; cycle < settings_.cycles && violation_.empty(); ++cycle) {
      if (cycle % kStoreCyclesMax == 0) begin_store();
      const Status checked = random_.one_in(3) && !complete_.empty() ? restore_cycle() : backup_cycle();
      if (!checked) violation_ = checked.error().message();
    }
    std::string ends;
    for (const auto& [name, count] : deaths_) ends += fmt::format(" {}={}", name, count);
    fmt::print("summary: cycles={} backups={} interrupted_backups={} restores={} interrupted_restores={}\nends:{}\n",
               cycle, backups_, interrupted_backups_, restores_, interrupted_restores_, ends);
    if (settings_.expect_violation) {
      fmt::print("{}{}\n", violation_.empty() ? "no violation found, though one was expected" : "found, as expected: ",
                 violation_);
      return violation_.empty() ? 1 : 0;
    }
    if (!violation_.empty()) fmt::print(stderr, "VIOLATION in cycle {}: {}\n", cycle, violation_);
    return violation_.empty() ? 0 : 1;
  }

 private:
  void begin_store() {
    directory_ = std::make_unique<TemporaryDirectory>(settings_.directory);
    places_ = std::make_unique<BackupPlaces>(directory_->path());
    complete_.clear();
  }

  Status kill_one(const Death& death, const std::string& what) {
    ProcessOptions options;
    options.death = death;
    options.planted_bug = settings_.planted_bug;
    options.arguments = {program_, what, directory_->path().string(), std::to_string(random_.next()),
                         std::to_string(death.run_ms)};
    options.take = [](const Message&) {};
    ++deaths_[death.name];
    CrashProcess process(options);
    const std::string wrong = process.follow();
    return wrong.empty() ? Status{} : violation(fmt::format("{} ({})", wrong, death.name));
  }

  // --- backups

  Status backup_cycle() {
    BAHI_TRY(kill_one(random_backup_death(random_), "--backup"));
    if (std::filesystem::exists(places_->backups)) BAHI_TRY(check_backups());
    // The next one completes what was begun: while others append, or in this process, where nobody does.
    const bool alone = settings_.planted_bug.empty() && random_.one_in(2);
    if (!alone) {
      Death none;
      none.name = "the next backup";
      none.run_ms = 1;
      BAHI_TRY(kill_one(none, "--backup"));
    }
    BAHI_ASSIGN(const auto engine, Engine::open(places_->store, backup_engine_options()));
    if (alone) BAHI_TRY(create_backup(*engine, places_->backups, small_segments()));
    BAHI_TRY(check_backups());
    BAHI_TRY(check_no_leftovers());
    return compare_with_store(*engine, alone);
  }

  /// What was complete is as it was; what is complete now is whole.
  Status check_backups() {
    std::map<std::string, FileState> found;
    for (const FileState& file : list_files(places_->backups)) found.emplace(file.path, file);
    for (const auto& [name, file] : complete_) {
      const auto now = found.find(name);
      if (now == found.end()) return violation(fmt::format("{} of a complete backup is gone", name));
      if (!(now->second == file)) return violation(fmt::format("{} of a complete backup was changed", name));
    }
    const auto listed = list_backups(places_->backups);
    if (!listed && listed.error().code() == ErrorCode::kNotABackup && complete_.empty()) {
      if (!found.empty()) ++interrupted_backups_;
      return {};
    }
    BAHI_TRY(listed);
    BAHI_ASSIGN(const BackupReport report, verify_backup(places_->backups, {}));
    if (report.damage) return violation(report.damage->to_string());
    backups_ += listed->size() - std::min<std::size_t>(listed->size(), known_backups());
    bool leftovers = false;
    for (const auto& [name, file] : found) {
      const bool of_complete = belongs(name, listed->size());
      if (of_complete) complete_.insert_or_assign(name, file);
      leftovers = leftovers || (!of_complete && name != "LOCK");
    }
    interrupted_backups_ += leftovers ? 1 : 0;
    return {};
  }

  /// Number of backups that were complete at the last look.
  [[nodiscard]] std::size_t known_backups() const {
    return static_cast<std::size_t>(std::count_if(complete_.begin(), complete_.end(),
                                                  [](const auto& each) { return !each.first.ends_with(".seg"); }));
  }
  /// Whether the file's name has the number of one of the first `count` backups.
  static bool belongs(const std::string& name, std::size_t count) {
    constexpr std::string_view kPrefix = "backup-";
    if (!name.starts_with(kPrefix) || name.ends_with(".new")) return false;
    return std::strtoull(name.c_str() + kPrefix.size(), nullptr, 10) <= count;
  }

  /// Every file is one that a manifest counts.
  Status check_no_leftovers() {
    BAHI_ASSIGN(const auto listed, list_backups(places_->backups));
    std::uint64_t expected = 1;  // LOCK
    for (const BackupInfo& info : listed) expected += 1 + info.segments;
    const std::size_t found = list_files(places_->backups).size();
    if (found == expected) return {};
    return violation(fmt::format("{} files in the directory of backups, the manifests count {}", found, expected));
  }

  /// `whole`: nothing was appended since.
  Status compare_with_store(const Engine& engine, bool whole) {
    BAHI_ASSIGN(const auto listed, list_backups(places_->backups));
    for (const BackupTenant& tenant : tenants_held(listed)) {
      const auto& [id, end, chain] = tenant.mark;
      const Offset durable = engine.durable_offset(id);
      if (durable < end || (whole && durable != end)) {
        return violation(fmt::format("the backup holds tenant {} up to {}, the store up to {}", tenant.name, end.value,
                                     durable.value));
      }
      BAHI_ASSIGN(const auto batch, engine.batch_at(id, end - 1));
      if (batch->header().chain_hash != chain) return violation(fmt::format("tenant {}: another history", tenant.name));
    }
    return {};
  }

  // --- restores

  Status restore_cycle() {
    BAHI_TRY(kill_one(random_restore_death(random_), "--restore"));
    ++restores_;
    EngineOptions options = backup_engine_options();
    options.create_if_missing = false;
    if (!std::filesystem::exists(places_->restored / "BAHI")) {
      ++interrupted_restores_;
      const auto opened = Engine::open(places_->restored, options);
      if (opened) return violation("an interrupted restore opens as a store");
      const ErrorCode code = opened.error().code();
      if (code != ErrorCode::kRestoreUnfinished && code != ErrorCode::kStoreMissing) {
        return violation("an interrupted restore is taken for something else: " + opened.error().to_string());
      }
      RestoreOptions again;
      again.engine = backup_engine_options();
      BAHI_TRY(restore_backup(places_->backups, places_->restored, again));
    }
    {
      BAHI_ASSIGN(const auto engine, Engine::open(places_->restored, options));
      BAHI_TRY(check_restored(*engine));
    }
    BAHI_TRY(check_restored_files());
    std::filesystem::remove_all(places_->restored);
    return {};
  }

  Status check_restored(const Engine& engine) {
    BAHI_ASSIGN(const auto listed, list_backups(places_->backups));
    for (const BackupTenant& tenant : tenants_held(listed)) {
      const auto& [id, end, chain] = tenant.mark;
      const Offset durable = engine.durable_offset(id);
      if (durable != end) {
        return violation(
            fmt::format("tenant {} was restored up to {}, the backup has {}", tenant.name, durable.value, end.value));
      }
      BAHI_ASSIGN(const auto batch, engine.batch_at(id, end - 1));
      if (batch->header().chain_hash != chain) return violation(fmt::format("tenant {}: another history", tenant.name));
    }
    BAHI_ASSIGN(const VerifyReport report, engine.verify());
    return report.findings.empty() ? Status{} : violation(report.findings.front().error.to_string());
  }

  Status check_restored_files() {
    for (const auto& entry : std::filesystem::directory_iterator(places_->restored)) {
      const std::string name = entry.path().filename().string();
      constexpr std::array<std::string_view, 6> kKnown{"BAHI", "LOCK", "ANCHOR", "RESERVE", "log", "idx"};
      if (std::find(kKnown.begin(), kKnown.end(), name) == kKnown.end()) {
        return violation(fmt::format("{} was left in a restored store", name));
      }
    }
    return {};
  }

  const Settings settings_;
  const std::string program_;
  Random random_;
  std::unique_ptr<TemporaryDirectory> directory_;
  std::unique_ptr<BackupPlaces> places_;
  std::map<std::string, FileState> complete_;  // files of complete backups, by name
  std::map<std::string, std::uint32_t> deaths_;
  std::uint64_t backups_ = 0;
  std::uint64_t interrupted_backups_ = 0;
  std::uint64_t restores_ = 0;
  std::uint64_t interrupted_restores_ = 0;
  std::string violation_;
};

int usage() {
  fmt::print(stderr,
             "usage: bahi_backup_crash [--cycles N] [--seed S] [--dir D] [--planted keep_unfinished|marker_first]\n"
             "         [--expect-violation]\n"
             "  kills processes that take backups or restore them N times, and looks at what they left.\n");
  return 2;
}

/// The process that is killed. Nothing: this is not one.
std::optional<int> run_child(int argc, char** argv) {
  if (argc != 5) return std::nullopt;
  const std::string_view what = argv[1];
  const BackupPlaces places(argv[2]);
  const std::uint64_t seed = std::strtoull(argv[3], nullptr, 10);
  const auto run_ms = static_cast<std::uint32_t>(std::strtoul(argv[4], nullptr, 10));
  if (what == "--backup") return run_backups(places, seed, run_ms);
  if (what == "--restore") return run_restore(places);
  return std::nullopt;
}

}  // namespace

int backup_crash_main(int argc, char** argv) {
  if (const auto code = run_child(argc, argv)) return *code;
  Settings settings;
  for (int index = 1; index < argc; ++index) {
    const std::string_view name = argv[index];
    if (name == "--expect-violation") {
      settings.expect_violation = true;
      continue;
    }
    if (index + 1 == argc) return usage();
    const char* const value = argv[++index];
    if (name == "--cycles") {
      settings.cycles = static_cast<std::uint32_t>(std::strtoul(value, nullptr, 10));
    } else if (name == "--seed") {
      settings.seed = std::strtoull(value, nullptr, 10);
    } else if (name == "--dir") {
      settings.directory = value;
    } else if (name == "--planted") {
      settings.planted_bug = value;
    } else {
      return usage();
    }
  }
  fmt::print("bahi_backup_crash: {} cycles, seed {}\n", settings.cycles, settings.seed);
  return BackupHarness(settings, argv[0]).run();
}

}  // namespace bahi::faults

int main(int argc, char** argv) {
  return bahi::faults::backup_crash_main(argc, argv);
}
