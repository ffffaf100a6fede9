// What the program's exit status means; documented in docs/cli.md and in `bahi --help`.
#pragma once

#include <string>

#include "bahi/base/error.hpp"

namespace bahi::cli {

/// Stable: scripts depend on the numbers.
enum class ExitCode : int {
  kOk = 0,
  kInternal = 1,      ///< unexpected; a defect
  kUsage = 2,         ///< the command line is wrong
  kBadInput = 3,      ///< the data given is wrong
  kConflict = 4,      ///< a condition of the append does not hold, or the name is taken
  kNotFound = 5,      ///< no such tenant, or no store
  kDamaged = 6,       ///< the store is damaged or needs an operator
  kRetry = 7,         ///< busy, overloaded, disk full: the same command may succeed later
  kPermission = 8,    ///< the operating system denies access
  kInterrupted = 130  ///< stopped by Ctrl-C or SIGTERM before the end
};

/// The exit code of every entry of the error catalogue.
[[nodiscard]] ExitCode exit_code_of(ErrorCode code) noexcept;

/// One line per exit code, for `--help`.
[[nodiscard]] std::string exit_code_help();

}  // namespace bahi::cli
