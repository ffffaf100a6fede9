#include "bahi/cli/console.hpp"

#include <cstdio>

#include <fmt/format.h>

namespace bahi::cli {

ExitCode report(const Error& error) {
  fmt::print(stderr, "bahi: {}\n", error.to_string());
  if (const Conflict* conflict = error.conflict()) {
    if (error.code() == ErrorCode::kWrongExpectedVersion) {
      fmt::print(stderr, "  stream: {}\n  actual version: {}\n", conflict->stream,
                 conflict->actual_version < 0 ? "no-stream" : std::to_string(conflict->actual_version));
    } else {
      fmt::print(stderr, "  conflicting offset: {}\n", conflict->offset);
    }
  }
  fmt::print(stderr, "  {} ({})\n", error.info().text, to_string(error.info().action));
  return exit_code_of(error.code());
}

void note(std::string_view line) {
  fmt::print(stderr, "bahi: {}\n", line);
}

LogSink console_log() {
  return [](LogLevel level, std::string_view line) {
    if (level != LogLevel::kInfo) note(line);
  };
}

}  // namespace bahi::cli
