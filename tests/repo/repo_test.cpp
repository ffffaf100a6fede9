// The conventions, checked on the whole source tree.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "checks.hpp"
#include "error_page.hpp"

namespace bahi::repo {
namespace {

namespace fs = std::filesystem;

const fs::path kRoot = BAHI_SOURCE_DIR;

std::string contents_of(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  REQUIRE(in);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

bool is_code(const fs::path& path) {
  const std::string extension = path.extension();
  return extension == ".cpp" || extension == ".hpp" || extension == ".h";
}

bool is_text(const fs::path& path) {
  const std::string extension = path.extension();
  const std::string name = path.filename();
  return is_code(path) || extension == ".md" || extension == ".fbs" || extension == ".cmake" || extension == ".sh" ||
         extension == ".py" || name == "CMakeLists.txt" || name == "dev" || (name == "run" && path.parent_path().filename() == ".ci");
}

/// Paths relative to the root, of every file that is the project's own.
std::vector<fs::path> source_files() {
  std::vector<fs::path> files;
  for (auto it = fs::recursive_directory_iterator(kRoot); it != fs::recursive_directory_iterator(); ++it) {
    const std::string name = it->path().filename();
    if (it->is_directory() && (name == "build" || name == ".git" || name == ".cache")) {
      it.disable_recursion_pending();
    } else if (it->is_regular_file() && is_text(it->path())) {
      files.push_back(fs::relative(it->path(), kRoot));
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

TEST_CASE("repo: includes follow the architecture", "[repo]") {
  std::size_t checked = 0;
  for (const fs::path& path : source_files()) {
    if (!is_code(path)) continue;
    ++checked;
    for (const std::string& problem : check_includes(path.string(), contents_of(kRoot / path))) FAIL_CHECK(problem);
  }
  CHECK(checked > 30);
}

TEST_CASE("repo: files are tidy", "[repo]") {
  const auto files = source_files();
  CHECK(files.size() > 40);
  for (const fs::path& path : files) {
    for (const std::string& problem : check_style(path.string(), contents_of(kRoot / path))) FAIL_CHECK(problem);
  }
}

TEST_CASE("repo: docs/errors.md agrees with the error catalogue", "[repo]") {
  INFO("./dev docs writes it anew");
  CHECK(contents_of(kRoot / "docs/errors.md") == error_page(error_catalogue()));
}

TEST_CASE("repo: a page that disagrees in number, name, action or text would be noticed", "[repo]") {
  const ErrorInfo entry{ErrorCode::kOverloaded, "overloaded", Action::kRetry, "The queue is full."};
  const auto page = [](ErrorInfo info) { return error_page({&info, 1}); };
  const std::string right = page(entry);
  CHECK(right.find("| 400 | `overloaded` | retry | The queue is full. |") != std::string::npos);
  CHECK(page({ErrorCode::kDiskFull, entry.name, entry.action, entry.text}) != right);
  CHECK(page({entry.code, "overload", entry.action, entry.text}) != right);
  CHECK(page({entry.code, entry.name, Action::kNeverRetry, entry.text}) != right);
  CHECK(page({entry.code, entry.name, entry.action, "Full."}) != right);
}

// Not a check: `./dev docs` runs it.
TEST_CASE("repo: write docs/errors.md", "[.][write]") {
  std::ofstream out(kRoot / "docs/errors.md", std::ios::binary);
  out << error_page(error_catalogue());
  out.close();
  REQUIRE(out);
}

}  // namespace
}  // namespace bahi::repo
