// The lines of a file or of standard input.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bahi/base/result.hpp"

namespace bahi::cli {

/// Longer lines are refused: the largest event as base64, with room for its names.
inline constexpr std::size_t kLineBytesMax = std::size_t{24} << 20U;

/// Splits at line feeds; the last line needs none. Skips a byte order mark at the start.
/// Stops at a stop signal, also while it waits for input. Not thread-safe.
class LineSource {
 public:
  /// "-" is standard input. Errors: kInvalidArgument, kPermissionDenied.
  [[nodiscard]] static Result<LineSource> open(const std::string& path);
  LineSource(LineSource&& other) noexcept;
  LineSource& operator=(LineSource&&) = delete;
  ~LineSource();

  /// True: `line` is the next one that is not blank, without its line feed; it holds until the next call.
  /// False: the input has ended. Errors: kCancelled after a stop signal, kEventTooLarge, kIoError.
  [[nodiscard]] Result<bool> next(std::string_view& line);

  /// Of the line given last, from 1; blank lines count.
  [[nodiscard]] std::uint64_t line_number() const noexcept { return line_number_; }
  [[nodiscard]] std::uint64_t bytes_consumed() const noexcept { return consumed_bytes_; }
  /// Of a regular file; nothing for a pipe.
  [[nodiscard]] std::optional<std::uint64_t> size_bytes() const noexcept { return size_bytes_; }
  [[nodiscard]] const std::string& name() const noexcept { return name_; }

 private:
  LineSource(int descriptor, bool owned, std::string name);
  /// Reads more; false at the end of the input.
  [[nodiscard]] Result<bool> refill();
  [[nodiscard]] Result<bool> next_raw(std::string_view& line);

  int descriptor_;
  bool owned_;
  std::string name_;
  std::optional<std::uint64_t> size_bytes_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0;    // of what is not given yet
  std::size_t scanned_ = 0;  // up to here there is no line feed
  std::size_t end_ = 0;
  bool at_end_ = false;
  std::uint64_t line_number_ = 0;
  std::uint64_t consumed_bytes_ = 0;
};

/// All bytes of a file ("-": standard input), at most `bytes_max`. Errors: those of LineSource.
[[nodiscard]] Result<std::string> read_all(const std::string& path, std::size_t bytes_max);

}  // namespace bahi::cli
