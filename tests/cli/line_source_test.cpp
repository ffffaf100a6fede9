#include "bahi/cli/line_source.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <catch2/catch.hpp>

using namespace bahi;
using namespace bahi::cli;

namespace {

/// A file with the given bytes, for the length of a test.
class InputFile {
 public:
  explicit InputFile(std::string_view bytes) {
    std::string name = (std::filesystem::temp_directory_path() / "bahi-lines-XXXXXX").string();
    const int descriptor = ::mkstemp(name.data());
    REQUIRE(descriptor >= 0);
    path_ = name;
    std::ofstream(path_, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  }
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;
  ~InputFile() { std::filesystem::remove(path_); }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

using Lines = std::vector<std::pair<std::uint64_t, std::string>>;

Lines lines_of(std::string_view bytes) {
  const InputFile file(bytes);
  auto source = LineSource::open(file.path());
  REQUIRE(source.has_value());
  Lines lines;
  std::string_view line;
  for (;;) {
    const auto more = source->next(line);
    REQUIRE(more.has_value());
    if (!*more) break;
    lines.emplace_back(source->line_number(), std::string(line));
  }
  CHECK(source->bytes_consumed() == bytes.size());
  return lines;
}

}  // namespace

TEST_CASE("lines: split, numbered, blank ones left out", "[cli][lines]") {
  CHECK(lines_of("").empty());
  CHECK(lines_of("\n \n\t\r\n").empty());
  CHECK(lines_of("a") == Lines{{1, "a"}});
  CHECK(lines_of("a\nb\n") == Lines{{1, "a"}, {2, "b"}});
  CHECK(lines_of("\n\na\r\n \nb") == Lines{{3, "a\r"}, {5, "b"}});
  CHECK(lines_of("\xEF\xBB\xBF"
                 "a\n\xEF\xBB\xBF"
                 "b\n") == Lines{{1, "a"},
                                 {2,
                                  "\xEF\xBB\xBF"
                                  "b"}});
}

TEST_CASE("lines: of all lengths around the size of a read", "[cli][lines]") {
  std::string bytes;
  Lines expected;
  std::uint64_t number = 0;
  for (const std::size_t size : {1U << 20U, (1U << 20U) - 1, 1U, (2U << 20U) - 1, 2U << 20U, 5U << 20U, 3U}) {
    const std::string line(size, static_cast<char>('a' + number));
    bytes += line + '\n';
    expected.emplace_back(++number, line);
  }
  CHECK(lines_of(bytes) == expected);
}

TEST_CASE("lines: one longer than the limit is an error with its number", "[cli][lines]") {
  const std::string longest(kLineBytesMax, 'x');
  CHECK(lines_of(longest + "\n").size() == 1);
  const InputFile file("ok\n" + longest + "x\n");
  auto source = LineSource::open(file.path());
  REQUIRE(source.has_value());
  std::string_view line;
  REQUIRE(source->next(line).value());
  const auto more = source->next(line);
  REQUIRE(more.has_error());
  CHECK(more.error().code() == ErrorCode::kEventTooLarge);
  CHECK_THAT(more.error().message(), Catch::StartsWith("line 2, column 25165825: "));
}

TEST_CASE("lines: a file that cannot be opened or read is named", "[cli][lines]") {
  const auto missing = LineSource::open("/nonexistent/file");
  REQUIRE(missing.has_error());
  CHECK(missing.error().message() == "cannot open the input file /nonexistent/file: No such file or directory");
  auto directory = LineSource::open("/");
  REQUIRE(directory.has_value());
  std::string_view line;
  const auto more = directory->next(line);
  REQUIRE(more.has_error());
  CHECK(more.error().message() == "cannot read /: Is a directory");
}
