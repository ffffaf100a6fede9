// What the program says to people.
#pragma once

#include <string_view>

#include "bahi/base/error.hpp"
#include "bahi/cli/exit_code.hpp"
#include "bahi/engine/options.hpp"

namespace bahi::cli {

/// "bahi: name (number): message", what a conflict found, and what to do; on standard error.
ExitCode report(const Error& error);
/// One line on standard error, behind "bahi: ".
void note(std::string_view line);
/// Warnings and errors of the engine on standard error.
[[nodiscard]] LogSink console_log();

}  // namespace bahi::cli
