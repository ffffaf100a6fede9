// Ctrl-C and SIGTERM as something to ask for and to wait on.
#pragma once

namespace bahi::cli {

/// From its construction to the end of the process SIGINT and SIGTERM no longer kill, but set a flag; a second
/// SIGINT kills as usual. SIGPIPE is ignored: a closed pipe shows as a failed write.
class StopSignal {
 public:
  static const StopSignal& instance();

  [[nodiscard]] bool requested() const noexcept;
  /// A descriptor that becomes readable with the first signal, and stays so.
  [[nodiscard]] int descriptor() const noexcept;

 private:
  StopSignal();
};

}  // namespace bahi::cli
