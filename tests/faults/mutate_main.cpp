// bahi_mutate: damages copies of a store in one place each, and shows that no damage passes unnoticed.
//
// Two stores, one closed cleanly and one killed, are built once. Each trial copies one, applies one mutation to one
// file, opens it read-write, reads everything by scan, by stream and by tag, verifies it, and compares with what was
// stored. Each trial is a process of its own, so that a crash or a hang is a verdict and not the end.
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mutate_trial.hpp"

namespace bahi::faults {
namespace {

namespace fs = std::filesystem;

constexpr unsigned kTrialSecondsMax = 60;

struct Settings {
  std::uint64_t trials = 5000;
  std::uint64_t seed = 1;
  unsigned jobs = 2;
  std::optional<std::uint64_t> only_trial;
  bool table_ends = false;
  fs::path stores;  ///< built there, or used again
};

using Row = std::array<std::uint64_t, kOutcomeNames.size()>;

class Campaign {
 public:
  Campaign(Settings settings, fs::path work) : settings_(std::move(settings)), work_(std::move(work)) {}

  Status prepare() {
    const fs::path stores = settings_.stores.empty() ? work_ / "stores" : settings_.stores;
    for (const Ending ending : {Ending::kClosed, Ending::kKilled}) {
      Specimen specimen;
      specimen.directory = stores / (ending == Ending::kClosed ? "closed" : "killed");
      if (!fs::exists(specimen.directory / "content"))
        BAHI_TRY(build_store(specimen.directory, ending, settings_.seed));
      specimen.content = load_content(specimen.directory / "content");
      specimen.files = list_contents(specimen.directory / "now");
      std::uint64_t bytes = 0;
      std::size_t events = 0;
      for (const FileState& file : specimen.files) bytes += file.size;
      for (const TenantContent& tenant : specimen.content) events += tenant.events.size();
      fmt::print("{}: {} files, {} bytes, {} events\n", specimen.directory.string(), specimen.files.size(), bytes,
                 events);
      if (events == 0) return Error{ErrorCode::kInternal, "the store is empty"};
      specimens_.push_back(std::move(specimen));
    }
    if (settings_.table_ends) {
      table_ends_ = plan_table_ends(specimens_, settings_.trials);
      if (table_ends_.empty()) return Error{ErrorCode::kInternal, "the store has no sorted file"};
      fmt::print("{} bits of the ends of sorted files\n", table_ends_.size());
    }
    return {};
  }

  int run() {
    const auto start = std::chrono::steady_clock::now();
    std::map<pid_t, std::uint64_t> running;
    std::uint64_t next = settings_.only_trial.value_or(0);
    const std::uint64_t all = settings_.table_ends ? table_ends_.size() : settings_.trials;
    const std::uint64_t end = settings_.only_trial ? next + 1 : all;
    while (next < end || !running.empty()) {
      while (next < end && running.size() < settings_.jobs) {
        running[start_trial(next)] = next;
        ++next;
      }
      int status = 0;
      const pid_t child = ::wait(&status);
      const auto found = running.find(child);
      if (found == running.end()) continue;
      record(found->second, status);
      running.erase(found);
    }
    print_table();
    fmt::print("{} trials, {:.1f} s, {} failures\n", end - settings_.only_trial.value_or(0),
               std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(), failures_);
    return failures_ == 0 ? 0 : 1;
  }

 private:
  [[nodiscard]] fs::path trial_path(std::uint64_t number) const { return work_ / fmt::format("trial-{}", number); }
  [[nodiscard]] fs::path verdict_path(std::uint64_t number) const { return work_ / fmt::format("verdict-{}", number); }
  [[nodiscard]] fs::path output_path(std::uint64_t number) const { return work_ / fmt::format("output-{}", number); }

  [[nodiscard]] TrialPlan plan_of(std::uint64_t number) const {
    return settings_.table_ends ? table_ends_.at(number) : plan_trial(specimens_, settings_.seed, number);
  }

  pid_t start_trial(std::uint64_t number) {
    const TrialPlan plan = plan_of(number);
    if (settings_.only_trial) fmt::print("trial {}: {}\n", number, describe(plan));
    std::fflush(nullptr);
    const pid_t child = ::fork();
    if (child != 0) return child;
    const int output = ::open(output_path(number).c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ::dup2(output, STDERR_FILENO);
    ::alarm(kTrialSecondsMax);
    const Verdict verdict = run_trial(specimens_[plan.specimen], plan, trial_path(number));
    {
      std::ofstream out(verdict_path(number));
      out << static_cast<unsigned>(verdict.outcome) << ' ' << verdict.text << '\n';
    }
    std::_Exit(0);
  }

  void record(std::uint64_t number, int status) {
    Verdict verdict;
    std::ifstream in(verdict_path(number));
    unsigned outcome = 0;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0 && in >> outcome) {
      verdict.outcome = static_cast<Outcome>(outcome);
      std::getline(in >> std::ws, verdict.text);
    } else {
      verdict.text = WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM
                         ? "the process hung"
                         : fmt::format("the process died (wait status {}): {}", status, last_output(number));
    }
    const TrialPlan plan = plan_of(number);
    ++table_[{std::string(kMutationNames[static_cast<std::size_t>(plan.mutation)]), file_kind(plan.file)}]
            [static_cast<std::size_t>(verdict.outcome)];
    const bool failed = verdict.outcome == Outcome::kSilent || verdict.outcome == Outcome::kBroken;
    if (failed || settings_.only_trial) {
      fmt::print("trial {}: {}\n  {}: {}\n", number, describe(plan),
                 kOutcomeNames[static_cast<std::size_t>(verdict.outcome)], verdict.text);
    }
    if (failed) {
      ++failures_;
      fmt::print("  reproduce: bahi_mutate --seed {} --stores {} --only-trial {}{}; left in {}\n", settings_.seed,
                 specimens_[0].directory.parent_path().string(), number,
                 settings_.table_ends ? fmt::format(" --table-ends {}", settings_.trials) : "",
                 trial_path(number).string());
    } else if (!settings_.only_trial) {
      std::error_code ignored;
      for (const fs::path& path : {trial_path(number), verdict_path(number), output_path(number)}) {
        fs::remove_all(path, ignored);
      }
    }
    std::fflush(stdout);
  }

  [[nodiscard]] std::string describe(const TrialPlan& plan) const {
    return fmt::format("{} store, {}", specimens_[plan.specimen].directory.filename().string(), plan.text());
  }

  [[nodiscard]] std::string last_output(std::uint64_t number) const {
    std::ifstream in(output_path(number));
    std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    return text.size() <= 600 ? text : text.substr(text.size() - 600);
  }

  void print_table() const {
    fmt::print("{:<14} {:<18}", "mutation", "file");
    for (const std::string_view name : kOutcomeNames) fmt::print(" {:>12}", name);
    fmt::print("\n");
    Row total{};
    for (const auto& [key, row] : table_) {
      fmt::print("{:<14} {:<18}", key.first, key.second);
      for (std::size_t column = 0; column < row.size(); ++column) {
        fmt::print(" {:>12}", row[column]);
        total[column] += row[column];
      }
      fmt::print("\n");
    }
    fmt::print("{:<33}", "all");
    for (const std::uint64_t count : total) fmt::print(" {:>12}", count);
    fmt::print("\n");
  }

  const Settings settings_;
  const fs::path work_;
  std::vector<Specimen> specimens_;
  std::vector<TrialPlan> table_ends_;  // empty: trials are drawn by lot
  std::map<std::pair<std::string, std::string>, Row> table_;
  std::uint64_t failures_ = 0;
};

int usage() {
  fmt::print(
      stderr,
      "usage: bahi_mutate [--trials N | --table-ends N] [--seed S] [--jobs J] [--only-trial K] [--stores DIR]\n"
      "  damages copies of a store in one place each and checks that nothing passes unnoticed.\n"
      "  --table-ends: instead, flips N bits (all when N is large) of the footer, metaindex and properties of the\n"
      "  smallest sorted file of log and index.\n"
      "  --stores: build the stores there, or use those that are there, to repeat a trial exactly.\n");
  return 2;
}

}  // namespace

int mutate_main(int argc, char** argv) {
  Settings settings;
  for (int index = 1; index < argc; index += 2) {
    const std::string_view name = argv[index];
    if (index + 1 == argc) return usage();
    const char* value = argv[index + 1];
    if (name == "--trials") {
      settings.trials = std::strtoull(value, nullptr, 10);
    } else if (name == "--table-ends") {
      settings.table_ends = true;
      settings.trials = std::strtoull(value, nullptr, 10);
    } else if (name == "--seed") {
      settings.seed = std::strtoull(value, nullptr, 10);
    } else if (name == "--jobs") {
      settings.jobs = std::max(1U, static_cast<unsigned>(std::strtoul(value, nullptr, 10)));
    } else if (name == "--only-trial") {
      settings.only_trial = std::strtoull(value, nullptr, 10);
    } else if (name == "--stores") {
      settings.stores = value;
    } else {
      return usage();
    }
  }
  TemporaryDirectory work(::access("/dev/shm", W_OK) == 0 ? fs::path("/dev/shm") : fs::path());
  fmt::print("bahi_mutate: {} {}, seed {}\n", settings.trials, settings.table_ends ? "bits at most" : "trials",
             settings.seed);
  Campaign campaign(settings, work.path());
  if (const Status status = campaign.prepare(); !status) {
    fmt::print(stderr, "{}\n", status.error().to_string());
    return 2;
  }
  const int code = campaign.run();
  if (code != 0) work.keep();
  return code;
}

}  // namespace bahi::faults

int main(int argc, char** argv) {
  return bahi::faults::mutate_main(argc, argv);
}
