#include "bahi/cli/stop_signal.hpp"

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>

#include <sys/eventfd.h>
#include <unistd.h>

namespace bahi::cli {
namespace {

std::atomic<bool> stop_requested{false};
std::atomic<int> stop_descriptor{-1};

void on_signal(int number) {
  const int saved_errno = errno;
  stop_requested.store(true);
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(stop_descriptor.load(), &one, sizeof one);
  if (number == SIGINT) std::signal(SIGINT, SIG_DFL);
  errno = saved_errno;
}

}  // namespace

StopSignal::StopSignal() {
  stop_descriptor.store(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  struct sigaction action = {};
  action.sa_handler = on_signal;
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

const StopSignal& StopSignal::instance() {
  static const StopSignal signal;
  return signal;
}

bool StopSignal::requested() const noexcept {
  return stop_requested.load();
}
int StopSignal::descriptor() const noexcept {
  return stop_descriptor.load();
}

}  // namespace bahi::cli
