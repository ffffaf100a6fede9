#include "bahi/cli/store_watch.hpp"

#include <array>
#include <cerrno>
#include <cstring>

#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <fmt/format.h>

#include "bahi/cli/stop_signal.hpp"

namespace bahi::cli {
namespace {

constexpr const char* kAnchorName = "ANCHOR";

Error failure(std::string_view what) {
  const int problem = errno;
  const bool exhausted = problem == EMFILE || problem == ENFILE || problem == ENOSPC;
  return {exhausted ? ErrorCode::kTooManyOpenFiles : ErrorCode::kIoError,
          fmt::format("cannot {}: {}", what, std::strerror(problem))};
}

}  // namespace

Result<std::unique_ptr<StoreWatch>> StoreWatch::open(const std::filesystem::path& directory) {
  const int descriptor = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  if (descriptor < 0) return failure("watch the store (inotify)");
  std::unique_ptr<StoreWatch> watch(new StoreWatch(descriptor));
  const std::filesystem::path anchor = directory / kAnchorName;
  if (::inotify_add_watch(descriptor, anchor.c_str(), IN_MODIFY | IN_CLOSE_WRITE | IN_DELETE_SELF | IN_MOVE_SELF) < 0) {
    return failure(fmt::format("watch {} (inotify)", anchor.string()));
  }
  return watch;
}

StoreWatch::~StoreWatch() {
  ::close(descriptor_);
}

Status StoreWatch::wait(int output) {
  std::array<pollfd, 3> waits{
      {{descriptor_, POLLIN, 0}, {StopSignal::instance().descriptor(), POLLIN, 0}, {output, 0, 0}}};
  if (::poll(waits.data(), waits.size(), -1) < 0 && errno != EINTR) return failure("wait for the store");
  // The events say no more than that something happened: take them all.
  std::array<char, 4096> events;
  while (::read(descriptor_, events.data(), events.size()) > 0) {
  }
  return {};
}

}  // namespace bahi::cli
