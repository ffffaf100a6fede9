#include "bahi/cli/line_source.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "bahi/cli/stop_signal.hpp"

namespace bahi::cli {
namespace {

constexpr std::size_t kReadBytes = std::size_t{1} << 20U;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

Error cancelled() {
  return {ErrorCode::kCancelled, "stopped by a signal"};
}

/// `read`, giving way to a stop signal; 0 at the end of the input.
Result<std::size_t> read_some(int descriptor, const std::string& name, char* into, std::size_t bytes) {
  const StopSignal& stop = StopSignal::instance();
  for (;;) {
    std::array<pollfd, 2> waits{{{descriptor, POLLIN, 0}, {stop.descriptor(), POLLIN, 0}}};
    if (::poll(waits.data(), waits.size(), -1) < 0 && errno != EINTR) break;
    if (stop.requested()) return cancelled();
    if (waits[0].revents == 0) continue;
    const ssize_t got = ::read(descriptor, into, bytes);
    if (got >= 0) return static_cast<std::size_t>(got);
    if (errno != EINTR && errno != EAGAIN) break;
  }
  const int problem = errno;
  return Error{problem == EISDIR ? ErrorCode::kInvalidArgument : ErrorCode::kIoError,
               fmt::format("cannot read {}: {}", name, std::strerror(problem))};
}

}  // namespace

Result<LineSource> LineSource::open(const std::string& path) {
  if (path == "-") return LineSource(STDIN_FILENO, false, "standard input");
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) {
    const int problem = errno;
    return Error{problem == EACCES ? ErrorCode::kPermissionDenied : ErrorCode::kInvalidArgument,
                 fmt::format("cannot open the input file {}: {}", path, std::strerror(problem))};
  }
  return LineSource(descriptor, true, path);
}

LineSource::LineSource(int descriptor, bool owned, std::string name)
    : descriptor_(descriptor), owned_(owned), name_(std::move(name)) {
  struct stat status = {};
  if (::fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode)) {
    size_bytes_ = static_cast<std::uint64_t>(status.st_size);
  }
}

LineSource::LineSource(LineSource&& other) noexcept
    : descriptor_(other.descriptor_),
      owned_(std::exchange(other.owned_, false)),
      name_(std::move(other.name_)),
      size_bytes_(other.size_bytes_),
      buffer_(std::move(other.buffer_)),
      begin_(other.begin_),
      scanned_(other.scanned_),
      end_(other.end_),
      at_end_(other.at_end_),
      line_number_(other.line_number_),
      consumed_bytes_(other.consumed_bytes_) {}

LineSource::~LineSource() {
  if (owned_) ::close(descriptor_);
}

Result<bool> LineSource::refill() {
  if (at_end_) return false;
  if (begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    scanned_ -= begin_;
    begin_ = 0;
  }
  if (buffer_.size() - end_ < kReadBytes) buffer_.resize(end_ + 2 * kReadBytes);
  BAHI_ASSIGN(const std::size_t got, read_some(descriptor_, name_, buffer_.data() + end_, buffer_.size() - end_));
  at_end_ = got == 0;
  end_ += got;
  return !at_end_;
}

Result<bool> LineSource::next_raw(std::string_view& line) {
  for (;;) {
    const char* const from = buffer_.data() + scanned_;
    const auto* const feed =
        scanned_ == end_ ? nullptr : static_cast<const char*>(std::memchr(from, '\n', end_ - scanned_));
    const std::size_t size = feed != nullptr ? static_cast<std::size_t>(feed - buffer_.data()) - begin_ : end_ - begin_;
    if (size > kLineBytesMax) {
      return Error{ErrorCode::kEventTooLarge, fmt::format("line {}, column {}: the line is longer than {} bytes",
                                                          line_number_ + 1, kLineBytesMax + 1, kLineBytesMax)};
    }
    if (feed != nullptr || (at_end_ && size > 0)) {
      line = {buffer_.data() + begin_, size};
      const std::size_t taken = size + (feed != nullptr ? 1 : 0);
      begin_ += taken;
      scanned_ = begin_;
      consumed_bytes_ += taken;
      ++line_number_;
      return true;
    }
    scanned_ = end_;
    if (at_end_) return false;
    BAHI_TRY(refill());
  }
}

Result<bool> LineSource::next(std::string_view& line) {
  for (;;) {
    if (StopSignal::instance().requested()) return cancelled();
    BAHI_ASSIGN(const bool more, next_raw(line));
    if (!more) return false;
    if (line_number_ == 1 && line.starts_with(kByteOrderMark)) line.remove_prefix(kByteOrderMark.size());
    if (line.find_first_not_of(" \t\r") != std::string_view::npos) return true;
  }
}

Result<std::string> read_all(const std::string& path, std::size_t bytes_max) {
  const bool is_stdin = path == "-";
  const int descriptor = is_stdin ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) {
    const int problem = errno;
    return Error{problem == EACCES ? ErrorCode::kPermissionDenied : ErrorCode::kInvalidArgument,
                 fmt::format("cannot open {}: {}", path, std::strerror(problem))};
  }
  std::string bytes;
  Result<std::string> answer = [&]() -> Result<std::string> {
    for (;;) {
      const std::size_t size = bytes.size();
      bytes.resize(size + kReadBytes);
      BAHI_ASSIGN(const std::size_t got, read_some(descriptor, path, bytes.data() + size, kReadBytes));
      bytes.resize(size + got);
      if (got == 0) return std::move(bytes);
      if (bytes.size() > bytes_max) {
        return Error{ErrorCode::kEventTooLarge, fmt::format("{} is longer than {} bytes", path, bytes_max)};
      }
    }
  }();
  if (!is_stdin) ::close(descriptor);
  return answer;
}

}  // namespace bahi::cli
