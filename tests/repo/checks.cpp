#include "checks.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include <fmt/format.h>

namespace bahi::repo {
namespace {

struct Folder {
  std::string_view name;
  std::vector<std::string_view> may_include;  // modules, besides itself
};

/// Folders that are not listed (tests, bench, examples, packaging) may include anything.
const std::vector<Folder>& folders() {
  static const std::vector<Folder> all{
      {"base", {}},
      {"tls", {"base"}},
      {"schemas", {"base"}},
      {"webhooks", {"schemas", "base"}},
      {"engine", {"schemas", "base"}},
      {"snapshots", {"engine", "schemas", "base"}},
      {"proofs", {"engine", "schemas", "base"}},
      {"projections", {"snapshots", "engine", "schemas", "base"}},
      {"server", {"projections", "proofs", "snapshots", "engine", "schemas", "tls", "base"}},
      {"client", {"schemas", "tls", "base"}},
      {"workload", {"schemas", "base"}},
      {"cli", {"client", "webhooks", "workload", "schemas", "tls", "base", "engine", "proofs", "snapshots", "server"}},
  };
  return all;
}

const Folder* folder_of(std::string_view path) {
  const std::string_view first = path.substr(0, path.find('/'));
  const auto found = std::find_if(folders().begin(), folders().end(), [&](const Folder& f) { return f.name == first; });
  return found == folders().end() ? nullptr : &*found;
}

bool is_one_of(std::string_view name, const std::vector<std::string_view>& names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// What the line includes, without quotes or brackets.
std::optional<std::string_view> included_file(std::string_view line) {
  const auto skip_blanks = [&line] { line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size())); };
  skip_blanks();
  if (!line.starts_with('#')) return std::nullopt;
  line.remove_prefix(1);
  skip_blanks();
  if (!line.starts_with("include")) return std::nullopt;
  line.remove_prefix(7);
  skip_blanks();
  if (line.empty() || (line.front() != '"' && line.front() != '<')) return std::nullopt;
  line.remove_prefix(1);
  return line.substr(0, line.find_first_of("\">"));
}

template <class Visit>
void for_each_line(std::string_view text, Visit visit) {
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    visit(number, text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

bool may_use_rocksdb(std::string_view path, const Folder& folder) {
  return path.starts_with("engine/src/") || folder.name == "snapshots" || folder.name == "projections";
}

bool is_word(char c) {
  return c == '_' || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/// `mark` as a word of its own in `line`.
bool holds_word(std::string_view line, std::string_view mark) {
  for (auto at = line.find(mark); at != std::string_view::npos; at = line.find(mark, at + 1)) {
    const bool begins = at == 0 || !is_word(line[at - 1]);
    const bool ends = at + mark.size() == line.size() || !is_word(line[at + mark.size()]);
    if (begins && ends) return true;
  }
  return false;
}

}  // namespace

Problems check_includes(std::string_view path, std::string_view text) {
  Problems problems;
  const Folder* folder = folder_of(path);
  if (folder == nullptr) return problems;
  for_each_line(text, [&](std::size_t number, std::string_view line) {
    const auto file = included_file(line);
    if (!file) return;
    const auto complain = [&](std::string_view why) {
      problems.push_back(fmt::format("{}:{}: includes '{}': {}", path, number, *file, why));
    };
    if (file->find("..") != std::string_view::npos) complain("no way around the folders");
    if (file->starts_with("rocksdb/") && !may_use_rocksdb(path, *folder)) {
      complain("RocksDB belongs to engine/src, snapshots and projections");
    }
    if ((file->starts_with("boost/asio") || file->starts_with("asio")) && folder->name != "server" &&
        folder->name != "client") {
      complain("Asio belongs to server and client");
    }
    std::string_view target = *file;
    if (target.starts_with("bahi/")) {
      target.remove_prefix(5);
    } else if (folder_of(target) != nullptr && target.find("/src/") != std::string_view::npos) {
      complain("a source folder is private");
    } else {
      return;
    }
    const std::string_view module = target.substr(0, target.find('/'));
    if (module != folder->name && !is_one_of(module, folder->may_include)) {
      complain(fmt::format("{} may not include {}", folder->name, module));
    }
  });
  return problems;
}

Problems check_style(std::string_view path, std::string_view text) {
  // In two parts, so that this file does not hold them.
  static const std::array<std::string, 4> kMarks{std::string("TO") + "DO", std::string("FIX") + "ME",
                                                 std::string("XX") + "X", std::string("HA") + "CK"};
  Problems problems;
  std::size_t lines = 0;
  for_each_line(text, [&](std::size_t number, std::string_view line) {
    lines = number;
    const auto complain = [&](std::string_view what) {
      problems.push_back(fmt::format("{}:{}: {}", path, number, what));
    };
    if (line.find('\t') != std::string_view::npos) complain("a tab");
    if (line.ends_with(' ') || line.ends_with('\r')) complain("a blank at the end of the line");
    for (const std::string& mark : kMarks) {
      if (holds_word(line, mark)) complain("a left-over mark: " + mark);
    }
  });
  if (lines > kLinesMax) problems.push_back(fmt::format("{}: {} lines; at most {}", path, lines, kLinesMax));
  if (!text.empty() && text.back() != '\n') problems.push_back(fmt::format("{}: no newline at the end", path));
  return problems;
}

}  // namespace bahi::repo
