// bahi_crash: kills a writing process again and again, and checks after each death that the store kept the promise:
// what was acknowledged is there, once, unaltered, in order. See crash_ledger.hpp for the list of checks.
//
// The writer runs on a lossy file system (fault_env.hpp), so a kill loses what was not synced, as a power loss does.
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crash_ledger.hpp"
#include "crash_writer.hpp"
#include "fault_env.hpp"

namespace bahi::faults {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr std::uint64_t kStoreEventsMax = 150'000;
constexpr std::uint32_t kStoreCyclesMax = 50;
constexpr milliseconds kWriterPatience{30'000};
constexpr int kWriterDescriptor = 3;

struct Settings {
  std::uint32_t cycles = 500;
  std::uint64_t seed = 1;
  std::filesystem::path directory;
  bool expect_violation = false;
  bool keep = false;
};

/// How one writer ends.
struct Death {
  std::string name;             ///< for the summary
  std::string failpoints;       ///< armed in the writer
  milliseconds after_start{0};  ///< killed so long after it was started; 0 = no
  milliseconds after_ack{0};    ///< killed so long after its first acknowledgement; 0 = no
  std::uint32_t run_ms = 0;     ///< ends by itself
  bool errors = false;          ///< a failpoint reports an error
};

#ifdef BAHI_FAILPOINTS
constexpr std::array<std::string_view, 7> kPoints{
    "before_wal", "after_wal", "after_sync", "before_ack", "anchor_write", "index_ingest_before", "index_ingest_after"};

std::string random_point(Random& random, std::string_view action, std::string& name) {
  const std::size_t number = random.below(kPoints.size());
  name = kPoints[number];
  const std::uint64_t pass = number >= 5 ? random.between(1, 6) : random.between(1, random.one_in(2) ? 10 : 150);
  return fmt::format("{}={}@{}", name, action, pass);
}
#endif

Death random_death(Random& random) {
  Death death;
  const std::uint64_t dice = random.below(100);
#ifdef BAHI_FAILPOINTS
  if (dice < 50) {
    death.failpoints = random_point(random, "kill", death.name);
    death.after_ack = milliseconds(150);
  } else if (dice < 58) {
    death.failpoints = random_point(random, "error", death.name);
    death.name = "error at " + death.name;
    death.run_ms = static_cast<std::uint32_t>(random.between(20, 100));
    death.errors = true;
    return death;
  }
  if (random.one_in(5)) {
    std::string ignored;
    death.failpoints += ";" + random_point(random, "sleep:3", ignored);
  }
  if (!death.name.empty()) return death;
#endif
  if (dice < 88) {
    death.name = "timer";
    death.after_ack = milliseconds(random.between(1, 80));
  } else if (dice < 95) {
    death.name = "recovery";
    death.after_start = milliseconds(random.between(1, 40));
  } else {
    death.name = "clean close";
    death.run_ms = static_cast<std::uint32_t>(random.between(5, 60));
    if (random.one_in(2)) death.after_ack = milliseconds(death.run_ms + random.below(10));
  }
  return death;
}

class Harness {
 public:
  Harness(Settings settings, std::string program)
      : settings_(std::move(settings)), program_(std::move(program)), random_(settings_.seed) {}

  int run() {
    const auto start = Clock::now();
    std::uint32_t cycle = 0;
    for (; cycle < settings_.cycles && !found(); ++cycle) {
      if (!store_ || cycles_of_store_ >= kStoreCyclesMax || ledger_->event_count() > kStoreEventsMax) begin_store();
      run_cycle(cycle);
      if ((cycle + 1) % 50 == 0) progress(cycle + 1, start);
    }
    if (!found()) finish_store();
    progress(cycle, start);
    std::string deaths;
    for (const auto& [name, count] : deaths_) deaths += fmt::format(" {}={}", name, count);
    fmt::print(
        "summary: cycles={} acks={} duplicate_answers={} conflicts={} refusals={} unknown_stored={} "
        "unknown_absent={} events={} names_forgotten={}\nends:{}\n",
        cycle, totals_.acks, totals_.duplicate_answers, totals_.conflicts, totals_.refusals, totals_.unknown_stored,
        totals_.unknown_absent, totals_.events, names_forgotten_, deaths);
    return verdict(cycle);
  }

 private:
  [[nodiscard]] bool found() const { return ledger_ && !ledger_->violations().empty(); }

  void progress(std::uint32_t cycle, Clock::time_point start) const {
    fmt::print("cycle {} of {}: {} acknowledged, {:.1f} s\n", cycle, settings_.cycles, totals_.acks,
               std::chrono::duration<double>(Clock::now() - start).count());
    std::fflush(stdout);
  }

  int verdict(std::uint32_t cycle) {
    if (settings_.expect_violation) {
      if (found()) fmt::print("found, as expected: {}\n", ledger_->violations().front());
      if (!found()) fmt::print(stderr, "no violation found, though one was expected\n");
      return found() ? 0 : 1;
    }
    if (!found()) return totals_.acks > 0 ? 0 : 1;
    store_->keep();
    fmt::print(stderr, "VIOLATION in cycle {} (--seed {}), ended by {}; store kept in {}\n", cycle, settings_.seed,
               last_death_, store_->path().string());
    for (const std::string& text : ledger_->violations()) fmt::print(stderr, "  {}\n", text);
    return 1;
  }

  void begin_store() {
    finish_store();
    if (found()) return;
    store_ = std::make_unique<TemporaryDirectory>(settings_.directory);
    if (settings_.keep) store_->keep();
    ledger_ = std::make_unique<Ledger>(totals_);
    cycles_of_store_ = 0;
  }

  void finish_store() {
    if (store_ && ledger_->event_count() > 0) check(true);
  }

  void run_cycle(std::uint32_t cycle) {
    if (found()) return;
    const Death death = random_death(random_);
    last_death_ = fmt::format("{} [{}]", death.name, death.failpoints);
    ++deaths_[death.name];
    ++cycles_of_store_;
    write_retries();
    run_writer_process(cycle, death);
    names_forgotten_ += forget_unsynced_names(store_->path() / "names", random_.next());
    // Now and then the next writer recovers alone, on its lossy file system.
    if (!found() && !random_.one_in(5)) check(cycles_of_store_ % 20 == 0);
  }

  void write_retries() const {
    const std::vector<Intent> retries = ledger_->choose_retries(retry_random_);
    std::ofstream out(store_->path() / "retries", std::ios::binary | std::ios::trunc);
    for (const Intent& intent : retries) out.write(reinterpret_cast<const char*>(&intent), sizeof intent);
  }

  pid_t spawn(std::uint32_t cycle, const Death& death, int pipe) {
    const std::vector<std::string> arguments{program_,
                                             "--writer",
                                             (store_->path() / "store").string(),
                                             (store_->path() / "retries").string(),
                                             (store_->path() / "names").string(),
                                             std::to_string(random_.next()),
                                             std::to_string(cycle),
                                             std::to_string(death.run_ms)};
    std::vector<char*> pointers;
    for (const std::string& argument : arguments) pointers.push_back(const_cast<char*>(argument.c_str()));
    pointers.push_back(nullptr);
    ::setenv("BAHI_FAILPOINTS", death.failpoints.c_str(), 1);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, pipe, kWriterDescriptor);
    pid_t child = -1;
    if (::posix_spawn(&child, "/proc/self/exe", &actions, nullptr, pointers.data(), environ) != 0) child = -1;
    ::posix_spawn_file_actions_destroy(&actions);
    ::unsetenv("BAHI_FAILPOINTS");
    return child;
  }

  void run_writer_process(std::uint32_t cycle, const Death& death) {
    std::array<int, 2> ends{};
    // Descriptor 3 is taken first, so that dup2 in the child always clears the close-on-exec mark.
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) std::abort();
    const int writing = ::fcntl(ends[1], F_DUPFD_CLOEXEC, 10);
    ::close(ends[1]);
    ::fcntl(ends[0], F_SETPIPE_SZ, 1 << 20);
    const pid_t child = spawn(cycle, death, writing);
    ::close(writing);
    if (child < 0) {
      fmt::print(stderr, "cannot start the writer\n");
      std::exit(2);
    }
    follow(child, ends[0], death);
    ::close(ends[0]);
    int status = 0;
    ::waitpid(child, &status, 0);
    if (WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL) {
      fault(fmt::format("the writer died of signal {}", WTERMSIG(status)));
    } else if (WIFEXITED(status) && WEXITSTATUS(status) != 0 && !(death.errors && WEXITSTATUS(status) == 3)) {
      fault(fmt::format("the writer ended with code {}", WEXITSTATUS(status)));
    }
  }

  /// Reads the writer's messages until the pipe ends; kills the writer when its time has come.
  void follow(pid_t child, int pipe, const Death& death) {
    const auto start = Clock::now();
    Clock::time_point kill_at = start + (death.after_start.count() > 0 ? death.after_start : kWriterPatience);
    bool acked = false;
    bool killed = false;
    Message message;
    while (true) {
      pollfd wait{pipe, POLLIN, 0};
      const auto left = std::chrono::duration_cast<milliseconds>(kill_at - Clock::now());
      const int ready = ::poll(&wait, 1, killed ? -1 : static_cast<int>(std::max<std::int64_t>(0, left.count())));
      if (!killed && Clock::now() >= kill_at) {
        ::kill(child, SIGKILL);
        killed = true;
        if (kill_at - start >= kWriterPatience) fault("the writer hung");
      }
      if (ready <= 0) continue;
      const ssize_t size = ::read(pipe, &message, sizeof message);
      if (size == 0) return;
      if (size != sizeof message) std::abort();  // whole messages only, by the pipe's promise
      if (message.kind == Message::Kind::kOpenFailed && death.errors) continue;
      ledger_->take(message);
      if (!acked && message.kind == Message::Kind::kAnswer && message.answer.code == 0) {
        acked = true;
        if (death.after_ack.count() > 0) kill_at = std::min(kill_at, Clock::now() + death.after_ack);
      }
    }
  }

  void fault(const std::string& text) {
    Message message;
    message.kind = Message::Kind::kFault;
    message.announcement = {};
    text.copy(message.announcement.text.data(), message.announcement.text.size() - 1);
    ledger_->take(message);
  }

  void check(bool everything) {
    LossOptions plain;
    plain.sync_reaches_disk = false;
    FaultEnv env(plain);
    EngineOptions options;
    options.env = env.env();
    options.reserve_bytes = std::size_t{1} << 20U;
    options.free_bytes_min = std::size_t{16} << 20U;
    options.write_buffer_bytes = std::size_t{1} << 20U;
    auto engine = Engine::open(store_->path() / "store", options);
    if (!engine) {
      // A writer that died before it had made the store leaves nothing to check.
      const bool unborn = ledger_->event_count() == 0 && engine.error().code() == ErrorCode::kStoreMissing;
      if (!unborn) fault("reopening: " + engine.error().to_string());
      return;
    }
    ledger_->check_tail(**engine, random_);
    if (everything && !found()) ledger_->check_all(**engine, random_);
    if (const Status closed = (*engine)->close(); !closed) fault("closing: " + closed.error().to_string());
  }

  const Settings settings_;
  const std::string program_;
  Random random_;
  mutable Random retry_random_{7};
  LedgerTotals totals_;
  std::unique_ptr<TemporaryDirectory> store_;
  std::unique_ptr<Ledger> ledger_;
  std::uint32_t cycles_of_store_ = 0;
  std::map<std::string, std::uint32_t> deaths_;
  std::string last_death_;
  std::size_t names_forgotten_ = 0;
};

int usage() {
  fmt::print(stderr,
             "usage: bahi_crash [--cycles N] [--seed S] [--dir D] [--expect-violation] [--keep]\n"
             "  kills a writing process N times and checks that nothing acknowledged was lost, altered,\n"
             "  repeated or reordered. --expect-violation: succeed only if something was (planted bugs).\n");
  return 2;
}

}  // namespace

int crash_main(int argc, char** argv) {
  if (argc == 8 && std::string_view(argv[1]) == "--writer") {
    WriterOptions options;
    options.store = argv[2];
    options.retries = argv[3];
    options.names = argv[4];
    options.seed = std::strtoull(argv[5], nullptr, 10);
    options.cycle = static_cast<std::uint32_t>(std::strtoul(argv[6], nullptr, 10));
    options.run_ms = static_cast<std::uint32_t>(std::strtoul(argv[7], nullptr, 10));
    options.pipe = kWriterDescriptor;
    return run_writer(options);
  }
  Settings settings;
  for (int index = 1; index < argc; ++index) {
    const std::string_view name = argv[index];
    const char* value = index + 1 < argc ? argv[index + 1] : nullptr;
    if (name == "--expect-violation") {
      settings.expect_violation = true;
    } else if (name == "--keep") {
      settings.keep = true;
    } else if (value == nullptr) {
      return usage();
    } else if (name == "--cycles") {
      settings.cycles = static_cast<std::uint32_t>(std::strtoul(value, nullptr, 10)), ++index;
    } else if (name == "--seed") {
      settings.seed = std::strtoull(value, nullptr, 10), ++index;
    } else if (name == "--dir") {
      settings.directory = value, ++index;
    } else {
      return usage();
    }
  }
  fmt::print("bahi_crash: {} cycles, seed {}\n", settings.cycles, settings.seed);
  return Harness(settings, argv[0]).run();
}

}  // namespace bahi::faults

int main(int argc, char** argv) {
  return bahi::faults::crash_main(argc, argv);
}
