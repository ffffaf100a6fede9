// `bahi completion`: what the shells are told.
#include <algorithm>
#include <cstdlib>
#include <sstream>

#include <catch2/catch.hpp>

#include "bahi_process.hpp"

namespace bahi::test {
namespace {

/// What bash would offer for the line, whose last word is the one to complete.
std::vector<std::string> offered(const Arguments& line) {
  const Outcome script = run({"completion", "bash"});
  REQUIRE(script.exit_code == 0);
  const TempDirectory directory;
  std::string words = "COMP_WORDS=(";
  for (const std::string& word : line) words += "'" + word + "' ";
  const std::string text = script.out + words + ")\nCOMP_CWORD=" + std::to_string(line.size() - 1) +
                           "\n_bahi\nprintf '%s\\n' \"${COMPREPLY[@]}\"\n";
  Process bash({directory.file("script", text)}, "", {}, "/bin/bash");
  const Outcome outcome = bash.wait();
  CAPTURE(outcome.err);
  REQUIRE(outcome.exit_code == 0);
  return split_lines(outcome.out);
}

bool holds(const std::vector<std::string>& words, const std::string& word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

using Words = std::vector<std::string>;

TEST_CASE("completion: bash is offered commands, options and choices", "[cli][completion]") {
  CHECK(offered({"bahi", "te"}) == Words{"tenant"});
  CHECK(offered({"bahi", "bench", "app"}) == Words{"append"});
  CHECK(offered({"bahi", "bench", "append", "--codec", "l"}) == Words{"lz4"});
  CHECK(offered({"bahi", "bench", "append", "--codec", ""}) == Words{"none", "lz4", "zstd"});
  CHECK(offered({"bahi", "token", "create", "--role", "au"}) == Words{"auditor"});
  CHECK(holds(offered({"bahi", "read", "--"}), "--follow"));
  CHECK(holds(offered({"bahi", "read", "--s"}), "--server"));
  CHECK_FALSE(holds(offered({"bahi", "tenant", "list", "--"}), "--follow"));
  // Behind an option that takes a file or a text, the shell's own completion is asked.
  CHECK(offered({"bahi", "import", "--tenant", ""}) == Words{""});
  CHECK(offered({"bahi", "--server", "h", "tok"}) == Words{"token"});
}

TEST_CASE("completion: every command of the help is in every script", "[cli][completion]") {
  std::istringstream help(run({"--help"}).out);
  Words commands;
  bool below = false;
  for (std::string line; std::getline(help, line);) {
    if (below && line.starts_with("  ") && line[2] != ' ') commands.push_back(line.substr(2, line.find(' ', 2) - 2));
    below = below ? !line.empty() : line == "Subcommands:";
  }
  REQUIRE(commands.size() > 10);
  const Words all = offered({"bahi", ""});
  for (const std::string& command : commands) {
    CAPTURE(command);
    CHECK(holds(all, command));
    for (const char* shell : {"zsh", "fish"}) {
      CHECK(run({"completion", shell}).out.find("'/" + command + "'") != std::string::npos);
    }
  }
  CHECK(run({"completion", "tcsh"}).exit_code == 2);
}

TEST_CASE("completion: the other shells accept their scripts, where they are installed", "[cli][completion]") {
  const TempDirectory directory;
  for (const char* shell : {"bash", "zsh", "fish"}) {
    const std::string program = std::string("/usr/bin/") + shell;
    if (!std::filesystem::exists(program)) continue;
    CAPTURE(shell);
    const std::string script = directory.file(shell, run({"completion", shell}).out);
    Process check({"-n", script}, "", {}, program);
    const Outcome outcome = check.wait();
    CHECK(outcome.exit_code == 0);
    CHECK(outcome.err.empty());
  }
}

}  // namespace
}  // namespace bahi::test
