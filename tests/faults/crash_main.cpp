// bahi_crash: kills the process that holds a store again and again, and checks after each death that the store kept the
// promise: what was acknowledged is there, once, unaltered, in order, and readers saw nothing else. See
// crash_ledger.hpp and crash_reads.hpp for the list of checks.
//
// The process either appends through an engine of its own, or serves clients over TCP that live in the checking process
// and go on when it is started again. It runs on a lossy file system (fault_env.hpp), so a kill loses what was not
// synced, as a power loss does.
#include <algorithm>
#include <cstdlib>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "bahi/base/planted_bug.hpp"
#include "crash_harness.hpp"
#include "crash_server.hpp"
#include "crash_writer.hpp"

namespace bahi::faults {
namespace {

int usage() {
  fmt::print(
      stderr,
      "usage: bahi_crash [--tcp] [--cycles N] [--seed S] [--dir D] [--planted BUG] [--expect-violation] [--keep]\n"
      "  kills a writing process N times and checks that nothing acknowledged was lost, altered,\n"
      "  repeated or reordered. --tcp: kills a server, under clients that write, read and subscribe.\n"
      "  --expect-violation: succeed only if something was. --planted: with one of these bugs\n"
      "  (needs BAHI_PLANTED_BUGS): {}.\n",
      fmt::join(kPlantedBugNames, ", "));
  return 2;
}

bool plantable(std::string_view name) {
#ifdef BAHI_PLANTED_BUGS
  return std::find(kPlantedBugNames.begin(), kPlantedBugNames.end(), name) != kPlantedBugNames.end();
#else
  static_cast<void>(name);
  return false;
#endif
}

std::uint32_t to_number(const char* text) {
  return static_cast<std::uint32_t>(std::strtoul(text, nullptr, 10));
}

void read_child_options(char** argv, ChildOptions& options) {
  options.store = argv[2];
  options.names = argv[3];
  options.seed = std::strtoull(argv[4], nullptr, 10);
  options.run_ms = to_number(argv[5]);
  options.pipe = kChildDescriptor;
}

/// False: not an option, or one without its value.
bool read_setting(std::string_view name, const char* value, Settings& settings) {
  if (value == nullptr) return false;
  if (name == "--cycles") {
    settings.cycles = to_number(value);
  } else if (name == "--seed") {
    settings.seed = std::strtoull(value, nullptr, 10);
  } else if (name == "--dir") {
    settings.directory = value;
  } else if (name == "--planted" && plantable(value)) {
    settings.planted_bug = value;
  } else {
    return false;
  }
  return true;
}

}  // namespace

int crash_main(int argc, char** argv) {
  if (argc == 8 && std::string_view(argv[1]) == "--writer") {
    WriterOptions options;
    read_child_options(argv, options);
    options.retries = argv[6];
    options.cycle = to_number(argv[7]);
    return run_writer(options);
  }
  if (argc == 7 && std::string_view(argv[1]) == "--server") {
    CrashServerOptions options;
    read_child_options(argv, options);
    options.port = static_cast<std::uint16_t>(to_number(argv[6]));
    return run_server(options);
  }
  Settings settings;
  for (int index = 1; index < argc; ++index) {
    const std::string_view name = argv[index];
    if (name == "--expect-violation") {
      settings.expect_violation = true;
    } else if (name == "--keep") {
      settings.keep = true;
    } else if (name == "--tcp") {
      settings.holder = Holder::kServer;
    } else if (index + 1 < argc && read_setting(name, argv[index + 1], settings)) {
      ++index;
    } else {
      return usage();
    }
  }
  fmt::print("bahi_crash: {} cycles{}, seed {}\n", settings.cycles,
             settings.holder == Holder::kServer ? " over TCP" : "", settings.seed);
  return Harness(settings, argv[0]).run();
}

}  // namespace bahi::faults

int main(int argc, char** argv) {
  return bahi::faults::crash_main(argc, argv);
}
