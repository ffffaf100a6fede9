// bahi_fold_crash: kills a process that folds read models again and again. After each death every instance in the
// views, those too that were being built, must hold exactly what a fresh fold of the log up to its checkpoint gives,
// and so must every snapshot that is listed. Now and then the views are lost, and come back from a snapshot.
#include <array>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <ranges>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "bahi/engine/engine.hpp"
#include "bahi/snapshots/snapshot_set.hpp"
#include "crash_process.hpp"
#include "fold_crash_child.hpp"
#include "instance.hpp"
#include "row_codec.hpp"
#include "view_store.hpp"

namespace bahi::faults {
namespace {

using projections::Checkpoint;
using projections::Instance;
using projections::InstanceFact;
using projections::InstanceId;
using projections::RowScan;
using projections::StateView;
using projections::ViewStore;
using std::chrono::milliseconds;

constexpr std::uint32_t kStoreCyclesMax = 25;

struct Settings {
  std::uint32_t cycles = 200;
  std::uint64_t seed = 1;
  std::filesystem::path directory;
  std::string planted_bug;
  std::string without;  ///< a projection that is not compared
  bool expect_violation = false;
};

Death random_fold_death(Random& random, bool planted) {
  Death death;
  const auto at_point = [&](std::string_view point) {
    death.name = point;
    death.failpoints = fmt::format("{}=kill@{}", point, random.between(1, 30));
    death.after_start = milliseconds(3'000);
  };
  constexpr std::array<std::string_view, 3> kSnapshotPoints{"snapshot_filled", "snapshot_written", "snapshot_removing"};
  switch (random.below(planted ? 4 : 11)) {
    case 0: at_point("projection_checkpoint"); break;  // passed by the planted bug only
    case 1: at_point("projection_commit_before"); break;
    case 2: at_point("projection_commit_after"); break;
    case 3:
      death.name = "closed";
      death.run_ms = static_cast<std::uint32_t>(random.between(50, 600));
      break;
    case 4:
    case 5:
    case 6: at_point(kSnapshotPoints[random.below(kSnapshotPoints.size())]); break;
    default: death.name = "any moment"; death.after_start = milliseconds(random.between(20, 900));
  }
  return death;
}

/// A fresh fold of [0, to) into `store`.
Result<InstanceId> fresh_fold(const Engine& engine, ViewStore& store, const InstanceFact& of, Offset to) {
  InstanceFact fact = of;
  fact.id = store.add_instance();
  fact.from = {};
  fact.to = to;
  fact.kept = false;
  projections::FoldMemory memory(std::size_t{64} << 20U);
  Instance instance(engine, store, memory, *projections::find_projection(of.projection), fact, {});
  while (instance.run_slice(std::chrono::seconds(10), true) == Instance::Next::kMore) {
  }
  if (const auto status = instance.status(); status.next != to) {
    return Error{ErrorCode::kInternal, fmt::format("the fresh fold is {} at {}: {}", to_string(status.state),
                                                   status.next.value, status.parked_because)};
  }
  return fact.id;
}

std::string hex(std::string_view bytes) {
  constexpr std::size_t kShown = 120;
  return fmt::format(
      "{:02x}{}",
      fmt::join(bytes.substr(0, kShown) | std::views::transform([](char c) { return static_cast<unsigned char>(c); }),
                ""),
      bytes.size() > kShown ? "..." : "");
}

/// The first rows that two instances do not have in common, in words.
std::string difference(const StateView& found, const StateView& expected) {
  constexpr int kShownMax = 20;
  std::string text;
  int shown = 0;
  const auto show = [&](int table, const char* what, const RowScan& row) {
    if (++shown > kShownMax) return;
    text += fmt::format("\n  table {}: {} {} = {}", table, what, hex(row.key()), hex(row.value()));
  };
  for (int table = 1; table <= UINT8_MAX; ++table) {
    RowScan left = found.scan(static_cast<std::uint8_t>(table));
    RowScan right = expected.scan(static_cast<std::uint8_t>(table));
    left.seek_first();
    right.seek_first();
    while (left.valid() || right.valid()) {
      const int order = !right.valid() ? -1 : !left.valid() ? 1 : left.key().compare(right.key());
      if (order < 0) show(table, "has besides", left);
      if (order > 0) show(table, "lacks", right);
      if (order == 0 && left.value() != right.value()) {
        show(table, "has", left);
        show(table, "not", right);
      }
      if (order <= 0) left.next();
      if (order >= 0) right.next();
    }
  }
  return text + fmt::format("\n  {} rows shown of {}", std::min(shown, kShownMax), shown);
}

class FoldHarness {
 public:
  FoldHarness(Settings settings, std::string program)
      : settings_(std::move(settings)), program_(std::move(program)), random_(settings_.seed) {}

  int run() {
    std::uint32_t cycle = 0;
    for (; cycle < settings_.cycles && violation_.empty(); ++cycle) {
      if (cycle % kStoreCyclesMax == 0) store_ = std::make_unique<TemporaryDirectory>(settings_.directory);
      run_cycle();
      if (violation_.empty()) check_views();
      if (random_.one_in(12)) std::filesystem::remove_all(views_of(store_->path()));
    }
    std::string ends;
    for (const auto& [name, count] : deaths_) ends += fmt::format(" {}={}", name, count);
    fmt::print(
        "summary: cycles={} instances={} of_those_being_built={} at_the_end_of_the_log={} snapshots={} "
        "states_in_snapshots={} unfinished={}\nends:{}\n",
        cycle, instances_, building_, at_end_, snapshots_, snapshot_states_, unfinished_, ends);
    if (settings_.expect_violation) {
      fmt::print("{}{}\n", violation_.empty() ? "no violation found, though one was expected" : "found, as expected: ",
                 violation_);
      return violation_.empty() ? 1 : 0;
    }
    if (!violation_.empty()) fmt::print(stderr, "VIOLATION in cycle {}: {}\n", cycle, violation_);
    return violation_.empty() ? 0 : 1;
  }

 private:
  void run_cycle() {
    ProcessOptions options;
    options.death = random_fold_death(random_, !settings_.planted_bug.empty());
    options.planted_bug = settings_.planted_bug;
    options.arguments = {program_, "--folder", store_->path().string(), std::to_string(random_.next()),
                         std::to_string(options.death.run_ms)};
    options.take = [](const Message&) {};
    ++deaths_[options.death.name];
    CrashProcess process(options);
    const std::string wrong = process.follow();
    if (!wrong.empty()) violation_ = fmt::format("{} ({})", wrong, options.death.name);
  }

  void check_views() {
    if (!std::filesystem::exists(views_of(store_->path()))) return;  // died before it made them
    if (const Status checked = check_all(); !checked) violation_ = checked.error().to_string();
  }

  Status check_all() {
    EngineOptions options;
    options.reserve_bytes = 0;
    options.free_bytes_min = 0;
    BAHI_ASSIGN(const auto engine, Engine::open(log_of(store_->path()), options));
    BAHI_ASSIGN(const auto store, ViewStore::open(views_of(store_->path()), {}));
    const TemporaryDirectory fresh(settings_.directory);
    BAHI_ASSIGN(const auto fresh_store, ViewStore::open(fresh.path(), {}));
    BAHI_ASSIGN(const auto facts, store->facts());
    for (const auto& [key, row] : facts) {
      InstanceFact fact;
      if (!projections::decode_row(row, fact)) return Error{ErrorCode::kInternal, "a fact is malformed"};
      if (fact.projection == settings_.without) continue;
      BAHI_TRY(check_instance(*engine, *store, *fresh_store, fact));
    }
    return check_snapshots(*engine, *fresh_store);
  }

  Status check_snapshots(const Engine& engine, ViewStore& fresh) {
    const auto wrong = [](std::string what) { return Error{ErrorCode::kInternal, std::move(what)}; };
    const auto root = snapshots_of(store_->path());
    const auto count = [&root] {
      return std::distance(std::filesystem::directory_iterator(root), std::filesystem::directory_iterator());
    };
    if (!std::filesystem::exists(root)) return {};
    const auto before = count();
    std::string warning;
    const auto log = [&warning](LogLevel, std::string_view line) { warning = line; };
    BAHI_ASSIGN(const auto set, snapshots::SnapshotSet::open(root, log));
    if (!warning.empty()) return wrong(warning);
    const auto all = set->list();
    unfinished_ += before - count();
    if (static_cast<std::size_t>(count()) != all.size()) return wrong("a leftover beside the snapshots stays");
    // The first of the hour, the newest, one that the next thinning removes; at the turn of an hour one more.
    if (all.size() > 4) return wrong(fmt::format("{} snapshots are left, more than are kept", all.size()));
    std::error_code none;  // it died before it made the directory
    const std::filesystem::directory_iterator past(past_of(store_->path()), none);
    if (std::distance(past, {}) > 4) return wrong("states of the past pile up");
    for (const snapshots::Snapshot& snapshot : all) {
      ++snapshots_;
      const TemporaryDirectory copy(settings_.directory);
      BAHI_TRY(set->copy_to(snapshot.id, copy.path() / "state"));
      BAHI_ASSIGN(const auto store, ViewStore::open(copy.path() / "state", {}));
      BAHI_ASSIGN(const auto facts, store->facts());
      for (const snapshots::SnapshotState& state : snapshot.states) {
        if (state.name == settings_.without) continue;
        const auto fact = find_fact(facts, state.instance);
        if (!fact) return wrong(fmt::format("snapshot {} lacks an instance of its manifest", snapshot.id));
        BAHI_ASSIGN(const Checkpoint checkpoint, store->view(fact->id)->checkpoint());
        if (checkpoint.next != state.next) {
          return wrong(fmt::format("snapshot {}: {} is at {}, not at {}", snapshot.id, state.name,
                                   checkpoint.next.value, state.next.value));
        }
        ++snapshot_states_;
        BAHI_TRY(check_instance(engine, *store, fresh, *fact));
      }
    }
    return {};
  }

  static std::optional<InstanceFact> find_fact(const std::vector<std::pair<std::string, std::string>>& facts,
                                               std::uint32_t instance) {
    for (const auto& [key, row] : facts) {
      InstanceFact fact;
      if (projections::decode_row(row, fact) && fact.id.value == instance) return fact;
    }
    return std::nullopt;
  }

  Status check_instance(const Engine& engine, const ViewStore& store, ViewStore& fresh, const InstanceFact& fact) {
    BAHI_ASSIGN(const Checkpoint checkpoint, store.view(fact.id)->checkpoint());
    const Offset end = engine.durable_offset(fact.tenant);
    ++instances_;
    building_ += fact.kept ? 0 : 1;
    at_end_ += checkpoint.next == end ? 1 : 0;
    if (checkpoint.next > end) {
      return Error{ErrorCode::kInternal, fmt::format("{} of tenant {} is at {}, behind the end of the log, {}",
                                                     fact.name, fact.tenant.value, checkpoint.next.value, end.value)};
    }
    BAHI_ASSIGN(const Hash128 found, store.fingerprint(fact.id));
    BAHI_ASSIGN(const InstanceId folded, fresh_fold(engine, fresh, fact, checkpoint.next));
    BAHI_ASSIGN(const Hash128 expected, fresh.fingerprint(folded));
    if (found == expected) return {};
    return Error{ErrorCode::kInternal,
                 fmt::format("{} of tenant {} (instance {}), {}, differs from a fresh fold up to its checkpoint, {}:{}",
                             fact.name, fact.tenant.value, fact.id.value, fact.kept ? "live" : "being built",
                             checkpoint.next.value, difference(*store.view(fact.id), *fresh.view(folded)))};
  }

  const Settings settings_;
  const std::string program_;
  Random random_;
  std::unique_ptr<TemporaryDirectory> store_;
  std::map<std::string, std::uint32_t> deaths_;
  std::uint64_t instances_ = 0;
  std::uint64_t building_ = 0;
  std::uint64_t at_end_ = 0;
  std::uint64_t snapshots_ = 0;
  std::uint64_t snapshot_states_ = 0;
  std::int64_t unfinished_ = 0;  // snapshots that a death cut short
  std::string violation_;
};

int usage() {
  fmt::print(stderr,
             "usage: bahi_fold_crash [--cycles N] [--seed S] [--dir D] [--without PROJECTION] [--planted "
             "checkpoint_apart] [--expect-violation]\n"
             "  kills a process that folds read models N times, and compares what it left with fresh folds.\n");
  return 2;
}

}  // namespace

int fold_crash_main(int argc, char** argv) {
  if (argc == 5 && std::string_view(argv[1]) == "--folder") {
    return run_folder(
        {argv[2], std::strtoull(argv[3], nullptr, 10), static_cast<std::uint32_t>(std::strtoul(argv[4], nullptr, 10))});
  }
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
    } else if (name == "--without") {
      settings.without = value;
    } else if (name == "--planted" && std::string_view(value) == "checkpoint_apart") {
      settings.planted_bug = value;
    } else {
      return usage();
    }
  }
  fmt::print("bahi_fold_crash: {} cycles, seed {}\n", settings.cycles, settings.seed);
  return FoldHarness(settings, argv[0]).run();
}

}  // namespace bahi::faults

int main(int argc, char** argv) {
  return bahi::faults::fold_crash_main(argc, argv);
}
