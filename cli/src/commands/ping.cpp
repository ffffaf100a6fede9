#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "bahi/cli/stop_signal.hpp"
#include "commands.hpp"

namespace bahi::cli {
namespace {

Result<ExitCode> run_ping(const Context& context, std::uint32_t count) {
  if (!context.remote()) return Error{ErrorCode::kInvalidArgument, "ping: name a server with --server"};
  const StopSignal& stop = StopSignal::instance();
  BAHI_ASSIGN(const auto client, connect(context));
  const wire::Welcome& welcome = client->welcome();
  fmt::print("{} speaks protocol {}.{}; tenant {}, role {}\n", welcome.server, welcome.major, welcome.minor,
             welcome.tenant, to_string(welcome.role));
  std::vector<double> micros;
  while (micros.size() < count && !stop.requested()) {
    BAHI_ASSIGN(const std::chrono::nanoseconds time, client->ping());
    micros.push_back(std::chrono::duration<double, std::micro>(time).count());
  }
  std::sort(micros.begin(), micros.end());
  if (!micros.empty()) {
    fmt::print("{} round trips: fastest {:.0f} us, median {:.0f} us, slowest {:.0f} us\n", micros.size(),
               micros.front(), micros[micros.size() / 2], micros.back());
  }
  return ExitCode::kOk;
}

}  // namespace

void add_ping_command(CLI::App& app, Context& context) {
  CLI::App* const ping = app.add_subcommand("ping", "Ask a server whether it answers, and how fast");
  auto count = std::make_shared<std::uint32_t>(10);
  ping->add_option("--count", *count, "Round trips")->check(CLI::PositiveNumber)->capture_default_str();
  ping->footer("Example:\n  bahi ping --server 127.0.0.1:7440");
  ping->callback([&context, count] {
    context.needs_directory = false;
    context.action = [&context, count] { return run_ping(context, *count); };
  });
}

}  // namespace bahi::cli
