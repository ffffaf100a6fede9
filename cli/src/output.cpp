#include "bahi/cli/output.hpp"

#include <cerrno>
#include <cstring>
#include <string_view>

#include <poll.h>
#include <unistd.h>

#include <fmt/format.h>

#include "bahi/cli/stop_signal.hpp"

namespace bahi::cli {

Status Output::flush() {
  std::string_view rest = text_;
  while (!rest.empty() && !closed_) {
    const ssize_t written = ::write(descriptor_, rest.data(), rest.size());
    if (written >= 0) {
      rest.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EPIPE) {
      closed_ = true;
    } else if (errno == EAGAIN) {
      pollfd wait{descriptor_, POLLOUT, 0};
      ::poll(&wait, 1, -1);
    } else if (errno != EINTR) {
      const int problem = errno;
      text_.clear();
      return Error{problem == ENOSPC ? ErrorCode::kDiskFull : ErrorCode::kIoError,
                   fmt::format("cannot write the output: {}", std::strerror(problem))};
    } else if (StopSignal::instance().requested()) {
      closed_ = true;  // asked to stop while nobody reads
    }
  }
  text_.clear();
  return {};
}

}  // namespace bahi::cli
