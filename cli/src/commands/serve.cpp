#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>

#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bahi/base/text.hpp"
#include "bahi/cli/stop_signal.hpp"
#include "bahi/engine/store_id.hpp"
#include "bahi/server/server.hpp"
#include "commands.hpp"
#include "key_file.hpp"
#include "serve_settings.hpp"

namespace bahi::cli {
namespace {

struct Arguments {
  std::string config;
  bool only_check = false;
  std::vector<Setting> settings = serve_settings();
};

std::string_view name_of(LogLevel level) {
  switch (level) {
    case LogLevel::kInfo: return "info";
    case LogLevel::kWarning: return "warning";
    case LogLevel::kError: return "error";
  }
  return "unknown";
}

/// One line an event, on standard error.
void log_line(LogLevel level, std::string_view line) {
  const std::string text =
      fmt::format("{} {:<7} {}\n", format_timestamp(SystemClock::instance().now()), name_of(level), line);
  std::fwrite(text.data(), 1, text.size(), stderr);
}

/// Every connection needs a descriptor: use as many as the system lets us.
void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

void print_settings(const Arguments& arguments, const ServeSettings& settings) {
  for (const Setting& setting : arguments.settings) {
    const std::string value = setting.get(settings);
    fmt::print("{} = {}\n", setting.name, setting.is_text ? '"' + value + '"' : value);
  }
}

/// Readable when a SIGHUP has come.
std::atomic<int> reload_descriptor{-1};

void on_hangup(int) {
  const int saved_errno = errno;
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(reload_descriptor.load(), &one, sizeof one);
  errno = saved_errno;
}

void listen_for_reload() {
  reload_descriptor.store(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  struct sigaction action = {};
  action.sa_handler = on_hangup;
  sigemptyset(&action.sa_mask);
  sigaction(SIGHUP, &action, nullptr);
}

/// Meanwhile a SIGHUP makes the server read its certificates anew.
void wait_for_stop(const StopSignal& stop, server::Server& server) {
  while (!stop.requested()) {
    std::array<pollfd, 2> states{pollfd{stop.descriptor(), POLLIN, 0}, pollfd{reload_descriptor.load(), POLLIN, 0}};
    if (::poll(states.data(), states.size(), -1) < 0 && errno != EINTR) return;
    std::uint64_t count = 0;
    if (::read(reload_descriptor.load(), &count, sizeof count) != sizeof count) continue;
    const Status reloaded = server.reload_certificates();
    if (!reloaded) log_line(LogLevel::kError, "certificates not reloaded: " + reloaded.error().to_string());
  }
}

/// Whoever can change the log must not be able to sign it as well.
bool lies_inside(const std::filesystem::path& file, const std::filesystem::path& directory) {
  std::error_code problem;
  const auto inner = std::filesystem::weakly_canonical(file, problem);
  const auto outer = std::filesystem::weakly_canonical(directory, problem);
  return !problem && std::mismatch(outer.begin(), outer.end(), inner.begin(), inner.end()).first == outer.end();
}

/// What keeps the Merkle trees of the store, which is open.
Result<proofs::TreesOptions> trees_of(const std::string& directory, const ServeSettings& settings,
                                      std::optional<proofs::KeyFile> key) {
  proofs::TreesOptions trees;
  trees.directory = std::filesystem::path(directory) / "tree";
  BAHI_ASSIGN(trees.store_id, read_store_id(directory));
  trees.witness = settings.witness_dir;
  if (key && lies_inside(settings.checkpoint_key, directory)) {
    log_line(LogLevel::kWarning,
             fmt::format("the checkpoint key {} lies in the store's directory: whoever can change the log can "
                         "also sign it; keep the key elsewhere",
                         settings.checkpoint_key));
  }
  trees.key = std::move(key);
  return trees;
}

Result<ExitCode> run_serve(const Context& context, const Arguments& arguments) {
  BAHI_ASSIGN(ServeSettings settings, resolve(arguments.settings, arguments.config));
  std::optional<proofs::KeyFile> key;
  if (!settings.checkpoint_key.empty()) {
    BAHI_ASSIGN(key, read_key_file(settings.checkpoint_key));
  }
  if (arguments.only_check) {
    print_settings(arguments, settings);
    return ExitCode::kOk;
  }
  if (context.directory.empty())
    return Error{ErrorCode::kInvalidArgument, "serve: name the store's directory with --data"};
  const StopSignal& stop = StopSignal::instance();
  listen_for_reload();
  raise_descriptor_limit();
  settings.engine.create_if_missing = true;
  settings.engine.log = log_line;
  settings.server.log = log_line;
  settings.server.views = std::filesystem::path(context.directory) / "views";
  log_line(LogLevel::kInfo, fmt::format("opening {}", context.directory));
  BAHI_ASSIGN(const auto engine, Engine::open(context.directory, settings.engine));
  BAHI_ASSIGN(settings.server.trees, trees_of(context.directory, settings, std::move(key)));
  BAHI_ASSIGN(const auto server, server::Server::start(*engine, settings.server));
  // For scripts: everything is ready when this line is there.
  fmt::print("ready on {}:{}\n", settings.server.address, server->port());
  std::fflush(stdout);
  wait_for_stop(stop, *server);
  log_line(LogLevel::kInfo, "stopping");
  server->stop();
  BAHI_TRY(engine->close());
  log_line(LogLevel::kInfo, "stopped");
  return ExitCode::kOk;
}

}  // namespace

void add_serve_command(CLI::App& app, Context& context) {
  CLI::App* const serve = app.add_subcommand("serve", "Offer the store in the directory to clients over TCP");
  auto arguments = std::make_shared<Arguments>();
  serve->add_option("--config", arguments->config, "TOML file with the settings below, dashes as underscores")
      ->envname("BAHI_CONFIG");
  serve->add_flag("--check-config", arguments->only_check, "Check the settings, print them all, and end");
  add_options(*serve, arguments->settings);
  serve->footer(
      "The command line wins over the environment, that over the file, that over the default.\n"
      "SIGTERM or Ctrl-C stops it: what is in flight is answered first. SIGHUP: it reads its certificates anew.\n"
      "Examples:\n"
      "  bahi serve --data /var/lib/bahi\n"
      "  bahi serve --data /var/lib/bahi --config /etc/bahi.toml --check-config");
  serve->callback([&context, arguments] {
    context.needs_directory = context.uses_profile = false;
    context.action = [&context, arguments] { return run_serve(context, *arguments); };
  });
}

}  // namespace bahi::cli
