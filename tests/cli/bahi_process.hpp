// Runs the real program as a user would.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace bahi::test {

/// A directory of its own for each test case, removed at the end.
class TempDirectory {
 public:
  TempDirectory();
  ~TempDirectory();
  TempDirectory(const TempDirectory&) = delete;
  TempDirectory& operator=(const TempDirectory&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  /// Writes a file into it; returns its path.
  [[nodiscard]] std::string file(const std::string& name, std::string_view bytes) const;

 private:
  std::filesystem::path path_;
};

struct Outcome {
  int exit_code = -1;  ///< -1: ended by a signal
  std::string out;
  std::string err;
};

using Arguments = std::vector<std::string>;

/// A program that runs beside the test.
class Process {
 public:
  /// Standard input is `input`'s file; "" is /dev/null. `environment` entries are NAME=VALUE. `program`: bahi itself
  /// when empty.
  Process(const Arguments& arguments, const std::string& input_path, const Arguments& environment = {},
          const std::string& program = "");
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  void signal(int number) const;
  /// Waits for the end.
  Outcome wait();
  /// What it has written to standard output so far.
  [[nodiscard]] std::string out() const;
  /// Waits until standard output holds `count` lines; false after `timeout`, or when it ended with fewer.
  [[nodiscard]] bool wait_for_lines(std::size_t count, std::chrono::seconds timeout = std::chrono::seconds(60)) const;

 private:
  TempDirectory directory_;
  pid_t pid_ = -1;
};

/// Runs bahi to its end.
Outcome run(const Arguments& arguments, std::string_view input = "", const Arguments& environment = {});

/// A store in a directory of its own.
class Store {
 public:
  /// With the tenant "shop".
  Store();
  [[nodiscard]] std::string path() const { return (directory_.path() / "store").string(); }
  [[nodiscard]] const TempDirectory& directory() const { return directory_; }
  /// Runs `bahi --data PATH arguments…`.
  [[nodiscard]] Outcome bahi(const Arguments& arguments, std::string_view input = "") const;
  [[nodiscard]] Arguments command(const Arguments& arguments) const;
  /// The log of `tenant` as lines; checks that the program succeeded.
  [[nodiscard]] std::vector<std::string> read(const Arguments& more = {}, const std::string& tenant = "shop") const;

 private:
  TempDirectory directory_;
};

[[nodiscard]] std::vector<std::string> split_lines(std::string_view text);
/// The text behind `"name":` up to the next ',' or '}'.
[[nodiscard]] std::string member(std::string_view line, std::string_view name);
/// Lines of distinct small events, numbered `from` to `to` (excluded), in streams of ten.
[[nodiscard]] std::string event_lines(std::size_t from, std::size_t to);
/// The values of "n" in the data of these lines, in their order.
[[nodiscard]] std::vector<std::size_t> numbers_of(const std::vector<std::string>& lines);
[[nodiscard]] std::vector<std::size_t> range(std::size_t from, std::size_t to);

}  // namespace bahi::test
