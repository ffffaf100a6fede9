#include "bahi_process.hpp"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <thread>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>
#include <catch2/catch.hpp>

extern char** environ;

namespace bahi::test {
namespace {

std::string contents(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> result;
  for (std::string& text : strings) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

}  // namespace

TempDirectory::TempDirectory() {
  std::string name = (std::filesystem::temp_directory_path() / "bahi-cli-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
  path_ = name;
}

TempDirectory::~TempDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string TempDirectory::file(const std::string& name, std::string_view bytes) const {
  const std::filesystem::path path = path_ / name;
  std::ofstream(path, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  return path.string();
}

Process::Process(const Arguments& arguments, const std::string& input_path, const Arguments& environment,
                 const std::string& program) {
  Arguments words{program.empty() ? BAHI_PROGRAM : program};
  words.insert(words.end(), arguments.begin(), arguments.end());
  // Nothing of the developer's own: no variables, and no profiles unless the test has some. The first of a name counts.
  Arguments variables = environment;
  variables.push_back("XDG_CONFIG_HOME=" + directory_.path().string());
  for (char** entry = environ; *entry != nullptr; ++entry) {
    if (!std::string_view(*entry).starts_with("BAHI_")) variables.emplace_back(*entry);
  }
  const std::string out = (directory_.path() / "out").string();
  const std::string err = (directory_.path() / "err").string();
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  const std::string input = input_path.empty() ? "/dev/null" : input_path;
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, input.c_str(), O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, err.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  const int problem = ::posix_spawn(&pid_, words.front().c_str(), &actions, nullptr, pointers(words).data(),
                                    pointers(variables).data());
  posix_spawn_file_actions_destroy(&actions);
  if (problem != 0) throw std::runtime_error("cannot start " + words.front());
}

Process::~Process() {
  if (pid_ < 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

void Process::signal(int number) const {
  ::kill(pid_, number);
}

Outcome Process::wait() {
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  Outcome outcome;
  if (WIFEXITED(status)) outcome.exit_code = WEXITSTATUS(status);
  outcome.out = out();
  outcome.err = contents(directory_.path() / "err");
  return outcome;
}

std::string Process::out() const {
  return contents(directory_.path() / "out");
}

bool Process::wait_for_lines(std::size_t count, std::chrono::seconds timeout) const {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  while (split_lines(out()).size() < count) {
    siginfo_t state = {};
    const bool ended =
        ::waitid(P_PID, static_cast<id_t>(pid_), &state, WEXITED | WNOHANG | WNOWAIT) == 0 && state.si_pid != 0;
    if (ended || std::chrono::steady_clock::now() > deadline) return split_lines(out()).size() >= count;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

Outcome run(const Arguments& arguments, std::string_view input, const Arguments& environment) {
  const TempDirectory directory;
  Process process(arguments, input.empty() ? "" : directory.file("in", input), environment);
  return process.wait();
}

Store::Store() {
  const Outcome created = bahi({"tenant", "create", "shop"});
  CAPTURE(created.err);
  REQUIRE(created.exit_code == 0);
}

Arguments Store::command(const Arguments& arguments) const {
  Arguments words{"--data", path()};
  words.insert(words.end(), arguments.begin(), arguments.end());
  return words;
}

Outcome Store::bahi(const Arguments& arguments, std::string_view input) const {
  return run(command(arguments), input);
}

std::vector<std::string> Store::read(const Arguments& more, const std::string& tenant) const {
  Arguments words{"read", "--tenant", tenant};
  words.insert(words.end(), more.begin(), more.end());
  const Outcome outcome = bahi(words);
  CAPTURE(outcome.err);
  REQUIRE(outcome.exit_code == 0);
  return split_lines(outcome.out);
}

std::vector<std::string> split_lines(std::string_view text) {
  std::vector<std::string> lines;
  for (auto end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  return lines;
}

std::string member(std::string_view line, std::string_view name) {
  const std::string key = fmt::format("\"{}\":", name);
  const auto begin = line.find(key);
  if (begin == std::string_view::npos) return {};
  const std::string_view rest = line.substr(begin + key.size());
  return std::string(rest.substr(0, rest.find_first_of(",}")));
}

std::string event_lines(std::size_t from, std::size_t to) {
  std::string text;
  for (std::size_t n = from; n < to; ++n) {
    text += fmt::format(R"({{"stream":"{}-{}","type":"{}","data":{{"n":{}}},"tags":["mod:{}","all"]}})",
                        n % 2 == 0 ? "even" : "odd", n / 10, n % 3 == 0 ? "third" : "other", n, n % 7);
    text += '\n';
  }
  return text;
}

std::vector<std::size_t> numbers_of(const std::vector<std::string>& lines) {
  std::vector<std::size_t> numbers;
  for (const std::string& line : lines) numbers.push_back(std::stoul(member(line, "n")));
  return numbers;
}

std::vector<std::size_t> range(std::size_t from, std::size_t to) {
  std::vector<std::size_t> numbers;
  for (std::size_t n = from; n < to; ++n) numbers.push_back(n);
  return numbers;
}

}  // namespace bahi::test
