#include "crash_process.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crash_recorder.hpp"

namespace bahi::faults {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kPatience{30'000};
/// So much longer than it should does a process live that acknowledges too little.
constexpr milliseconds kFewAcksPatience{300};

}  // namespace

CrashProcess::CrashProcess(const ProcessOptions& options) : options_(options) {
  const Death& death = options.death;
  kill_at_ = start_ + (death.after_start.count() > 0 ? death.after_start : kPatience);
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) std::abort();
  // Above the child's descriptor, so that dup2 in the child always clears the close-on-exec mark.
  const int writing = ::fcntl(ends[1], F_DUPFD_CLOEXEC, 10);
  pipe_ = ::fcntl(ends[0], F_DUPFD_CLOEXEC, 10);
  ::close(ends[0]);
  ::close(ends[1]);
  ::fcntl(pipe_, F_SETPIPE_SZ, 1 << 20);
  spawn(writing);
  ::close(writing);
}

CrashProcess::~CrashProcess() {
  if (child_ > 0) {
    kill();
    ::waitpid(child_, nullptr, 0);
  }
  ::close(pipe_);
}

void CrashProcess::spawn(int pipe) {
  // The environment is made up here rather than set: other threads of this process read it.
  std::vector<std::string> variables{"BAHI_FAILPOINTS=" + options_.death.failpoints,
                                     "BAHI_PLANTED_BUG=" + options_.planted_bug};
  for (char** variable = environ; *variable != nullptr; ++variable) {
    if (std::strncmp(*variable, "BAHI_", 5) != 0) variables.emplace_back(*variable);
  }
  const auto pointers_of = [](const std::vector<std::string>& texts) {
    std::vector<char*> pointers;
    for (const std::string& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));
    pointers.push_back(nullptr);
    return pointers;
  };
  std::vector<char*> arguments = pointers_of(options_.arguments);
  std::vector<char*> environment = pointers_of(variables);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, pipe, kChildDescriptor);
  if (::posix_spawn(&child_, "/proc/self/exe", &actions, nullptr, arguments.data(), environment.data()) != 0) {
    fmt::print(stderr, "cannot start a process\n");
    std::exit(2);
  }
  ::posix_spawn_file_actions_destroy(&actions);
}

void CrashProcess::take(const Message& message) {
  const Death& death = options_.death;
  if (message.kind == Message::Kind::kOpenFailed && death.errors) return;
  options_.take(message);
  if (death.after_ack.count() == 0 || message.kind != Message::Kind::kAnswer || message.answer.code != 0) return;
  ++acks_;
  if (acks_ == 1) kill_at_ = std::min(kill_at_, Clock::now() + death.after_ack + kFewAcksPatience);
  if (acks_ == death.acks_first) kill_at_ = std::min(kill_at_, Clock::now() + death.after_ack);
}

void CrashProcess::take_from_clients() {
  if (options_.clients == nullptr) return;
  for (const Message& message : options_.clients->take()) take(message);
}

bool CrashProcess::listen(Time deadline) {
  std::array<pollfd, 2> waits{{{pipe_, POLLIN, 0}, {-1, POLLIN, 0}}};
  if (options_.clients != nullptr) waits[1].fd = options_.clients->descriptor();
  const auto left = std::chrono::duration_cast<milliseconds>(deadline - Clock::now()).count();
  ::poll(waits.data(), waits.size(), static_cast<int>(std::clamp<std::int64_t>(left + 1, 0, 60'000)));
  take_from_clients();
  if (waits[0].revents == 0) return true;
  Message message;
  const ssize_t size = ::read(pipe_, &message, sizeof message);
  if (size == 0) return false;
  if (size != sizeof message) std::abort();  // whole messages only, by the pipe's promise
  take(message);
  return true;
}

bool CrashProcess::listen_until(const std::function<bool()>& done) {
  while (!done()) {
    if (!listen(Clock::now() + milliseconds(5))) return false;
  }
  return true;
}

std::string CrashProcess::follow() {
  while (listen(killed_ ? Clock::now() + kPatience : kill_at_)) {
    if (killed_ || Clock::now() < kill_at_) continue;
    const bool hung = kill_at_ - start_ >= kPatience;
    kill();
    if (!hung) continue;
    static_cast<void>(wait());
    return "the process hung";
  }
  return wait();
}

std::string CrashProcess::stop() {
  ::kill(child_, SIGTERM);
  kill_at_ = Clock::now() + kPatience;
  while (listen(kill_at_)) {
    if (Clock::now() < kill_at_) continue;
    kill();
    static_cast<void>(wait());
    return "the process did not stop";
  }
  return wait();
}

void CrashProcess::kill() {
  ::kill(child_, SIGKILL);
  killed_ = true;
}

std::string CrashProcess::wait() {
  int status = 0;
  ::waitpid(child_, &status, 0);
  child_ = -1;
  take_from_clients();
  if (WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL) {
    return fmt::format("the process died of signal {}", WTERMSIG(status));
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) != 0 && !(options_.death.errors && WEXITSTATUS(status) == 3)) {
    return fmt::format("the process ended with code {}", WEXITSTATUS(status));
  }
  return {};
}

}  // namespace bahi::faults
