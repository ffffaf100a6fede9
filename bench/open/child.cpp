#include "child.hpp"

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <semaphore>
#include <system_error>

#include <spawn.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bahi/engine/engine.hpp"
#include "bahi/schemas/batch_builder.hpp"
#include "machine.hpp"
#include "scratch.hpp"
#include "workload.hpp"

extern "C" char** environ;  // NOLINT(readability-redundant-declaration)

namespace bahi::bench {
namespace {

constexpr std::ptrdiff_t kInFlight = 16;
constexpr std::string_view kTenant = "bench";

std::unique_ptr<Engine> open_store(const std::filesystem::path& directory) {
  EngineOptions options;
  options.create_if_missing = true;
  return require(Engine::open(directory, std::move(options)), "opening the store");
}

Workload make_workload() {
  WorkloadOptions options;
  options.streams = kStreams;
  return Workload(options);
}

/// A child whose standard output the parent reads.
class Child {
 public:
  explicit Child(const std::vector<std::string>& arguments) {
    int ends[2];
    if (pipe(ends) != 0) fail("pipe failed");
    std::vector<std::string> own{"engine_open"};
    own.insert(own.end(), arguments.begin(), arguments.end());
    std::vector<char*> argv;
    for (std::string& argument : own) argv.push_back(argument.data());
    argv.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_addclose(&actions, ends[0]);
    const int error = posix_spawn(&pid_, "/proc/self/exe", &actions, nullptr, argv.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    output_ = ends[0];
    if (error != 0) fail(fmt::format("starting a child: {}", std::generic_category().message(error)));
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() { close(output_); }

  /// Exactly `size` bytes, or false at the end of the output.
  bool read_exactly(void* to, std::size_t size) const {
    auto* place = static_cast<char*>(to);
    while (size > 0) {
      const ssize_t got = ::read(output_, place, size);
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) return false;
      place += got;
      size -= static_cast<std::size_t>(got);
    }
    return true;
  }
  [[nodiscard]] std::string read_all() const {
    std::string text;
    for (char c = 0; read_exactly(&c, 1);) text += c;
    return text;
  }
  void kill_now() const { ::kill(pid_, SIGKILL); }
  int wait() const {
    int status = 0;
    while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    return status;
  }

 private:
  pid_t pid_ = -1;
  int output_ = -1;
};

}  // namespace

void append_until_killed(const std::filesystem::path& directory, std::size_t batch, std::uint64_t seed) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const auto engine = open_store(directory);
  const Result<TenantId> found = engine->find_tenant(kTenant);
  const TenantId tenant = found ? *found : require(engine->create_tenant(kTenant), "creating the tenant");
  const Workload workload = make_workload();
  EventSource source(workload, seed);
  BatchBuilder builder;
  NewEvent event;
  std::counting_semaphore<kInFlight> free_slots(kInFlight);
  std::atomic<std::uint64_t> acknowledged{engine->durable_offset(tenant).value};
  for (;;) {
    while (builder.event_count() < batch) {
      source.next(event);
      require(builder.add(event), "building a batch");
    }
    AppendRequest request;
    request.tenant = tenant;
    request.body = require(builder.finish(), "building a batch");
    free_slots.acquire();
    engine->submit(std::move(request), [&](Result<AppendResult> result) {
      acknowledged += require(std::move(result), "append").event_count;
      free_slots.release();
    });
    const std::uint64_t now = acknowledged.load();
    if (::write(STDOUT_FILENO, &now, sizeof now) != sizeof now) std::_Exit(1);
  }
}

int open_and_measure(const std::filesystem::path& directory) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const Workload workload = make_workload();
  EventSource source(workload, 31337);
  BatchBuilder builder;
  NewEvent event;
  source.next(event);
  require(builder.add(event), "building a batch");
  AppendRequest append;
  append.body = require(builder.finish(), "building a batch");

  const std::uint64_t start = now_nanos();
  const auto engine = open_store(directory);
  const std::uint64_t opened = now_nanos();
  append.tenant = require(engine->find_tenant(kTenant), "finding the tenant");
  const Offset before = engine->durable_offset(append.tenant);
  ReadRequest read;
  read.tenant = append.tenant;
  require(engine->append(std::move(append)), "append");
  const std::uint64_t appended = now_nanos();
  read.filter.stream = stream_name(kStreams / 2);
  read.limit = 10;
  const auto cursor = require(engine->read(std::move(read)), "read");
  EventView view;
  std::uint64_t events = 0;
  while (require(cursor->next(view), "read")) ++events;
  const std::uint64_t answered = now_nanos();
  if (events == 0) fail("the stream read has no events");
  fmt::print("{} {} {} {}\n", opened - start, appended - start, answered - start, before.value);
  return 0;
}

std::uint64_t run_and_kill(const std::vector<std::string>& arguments, std::uint64_t events) {
  const Child child(arguments);
  std::uint64_t acknowledged = 0;
  while (acknowledged < events) {
    if (!child.read_exactly(&acknowledged, sizeof acknowledged)) fail("the appending child ended by itself");
  }
  child.kill_now();
  // What it still reported before it died was acknowledged, too.
  for (std::uint64_t more = 0; child.read_exactly(&more, sizeof more);) acknowledged = more;
  child.wait();
  return acknowledged;
}

OpenTimes run_and_measure(const std::vector<std::string>& arguments) {
  const Child child(arguments);
  const std::string text = child.read_all();
  unsigned long long open = 0;
  unsigned long long append = 0;
  unsigned long long read = 0;
  unsigned long long events = 0;
  if (child.wait() != 0 || std::sscanf(text.c_str(), "%llu %llu %llu %llu", &open, &append, &read, &events) != 4) {
    fail("the opening child failed");
  }
  return {static_cast<double>(open) / 1e6, static_cast<double>(append) / 1e6, static_cast<double>(read) / 1e6, events};
}

}  // namespace bahi::bench
