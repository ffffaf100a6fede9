#include "bahi/cli/profile.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string_view>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>
#include <toml++/toml.h>

#include "bahi/cli/private_file.hpp"

namespace bahi::cli {
namespace {

namespace fs = std::filesystem;

Error wrong(std::string message) {
  return {ErrorCode::kInvalidArgument, std::move(message)};
}

Error io_error(const fs::path& path, std::string_view what) {
  return {ErrorCode::kIoError, fmt::format("{}: {}: {}", path.string(), what, std::strerror(errno))};
}

/// A field of a profile that is a text, as it is called in the file.
struct Text {
  const char* name;
  std::string& (*of)(Profile&);
};

constexpr std::array kTexts{
    Text{"server", [](Profile& p) -> std::string& { return p.server; }},
    Text{"token", [](Profile& p) -> std::string& { return p.token; }},
    Text{"token_file", [](Profile& p) -> std::string& { return p.token_file; }},
    Text{"ca", [](Profile& p) -> std::string& { return p.tls_settings.ca_file; }},
    Text{"cert", [](Profile& p) -> std::string& { return p.tls_settings.certificate_file; }},
    Text{"key", [](Profile& p) -> std::string& { return p.tls_settings.key_file; }},
    Text{"tls_name", [](Profile& p) -> std::string& { return p.tls_settings.server_name; }},
};

Result<Profile> parse_profile(std::string_view file, std::string_view name, const toml::node& node) {
  const toml::table* const table = node.as_table();
  if (table == nullptr) return wrong(fmt::format("{}: profile.{} must be a table", file, name));
  Profile profile;
  for (const auto& [key, value] : *table) {
    const std::string_view field = key.str();
    const std::string where = fmt::format("{}, line {}: profile.{}.{}", file, value.source().begin.line, name, field);
    if (field == "tls") {
      if (!value.is_boolean()) return wrong(where + ": must be true or false");
      profile.tls = value.as_boolean()->get();
      continue;
    }
    const auto* const text = std::find_if(kTexts.begin(), kTexts.end(), [&](const Text& t) { return t.name == field; });
    if (text == kTexts.end()) {
      return wrong(where +
                   ": there is no such field; there are server, token, token_file, tls, ca, cert, key, tls_name");
    }
    if (!value.is_string()) return wrong(where + ": must be a text");
    text->of(profile) = value.as_string()->get();
  }
  if (profile.server.empty()) return wrong(fmt::format("{}: profile.{}: server is missing", file, name));
  if (!profile.token.empty() && !profile.token_file.empty())
    return wrong(fmt::format("{}: profile.{}: give token or token_file, not both", file, name));
  return profile;
}

Result<Profiles> parse(const fs::path& path, const std::string& text) {
  Profiles profiles;
  const std::string file = path.string();
  toml::table table;
  try {  // Debian's library is the one that throws
    table = toml::parse(text);
  } catch (const toml::parse_error& problem) {
    const auto& place = problem.source().begin;
    return wrong(fmt::format("{}, line {}, column {}: {}", file, place.line, place.column, problem.description()));
  }
  for (const auto& [key, node] : table) {
    const std::string where = fmt::format("{}, line {}: {}", file, node.source().begin.line, key.str());
    if (key.str() == "default" && node.is_string()) {
      profiles.default_name = node.as_string()->get();
    } else if (key.str() == "profile" && node.is_table()) {
      for (const auto& [name, profile] : *node.as_table()) {
        BAHI_ASSIGN(profiles.all[std::string(name.str())], parse_profile(file, name.str(), profile));
      }
    } else {
      return wrong(where + ": expected default = \"NAME\" and tables [profile.NAME]");
    }
  }
  return profiles;
}

bool holds_token(const Profiles& profiles) {
  return std::any_of(profiles.all.begin(), profiles.all.end(), [](const auto& p) { return !p.second.token.empty(); });
}

}  // namespace

Status check_profile_name(const std::string& name) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  };
  if (!name.empty() && std::all_of(name.begin(), name.end(), allowed)) return {};
  return wrong(fmt::format("profile name: '{}' is not made of a-z, A-Z, 0-9, '-' and '_'", name));
}

Result<fs::path> Profiles::path() {
  if (const char* configuration = std::getenv("XDG_CONFIG_HOME"); configuration != nullptr && *configuration != '\0')
    return fs::path(configuration) / "bahi" / "profile.toml";
  if (const char* home = std::getenv("HOME"); home != nullptr && *home != '\0')
    return fs::path(home) / ".config" / "bahi" / "profile.toml";
  return wrong("profiles: neither XDG_CONFIG_HOME nor HOME says where they are");
}

Result<Profiles> Profiles::load(const fs::path& path) {
  std::error_code problem;
  if (!fs::exists(path, problem) && !problem) return Profiles{};
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (!file) return io_error(path, "reading it");
  text << file.rdbuf();
  BAHI_ASSIGN(Profiles profiles, parse(path, text.str()));
  if (holds_token(profiles)) BAHI_TRY(check_private(path, "a token"));
  return profiles;
}

Status Profiles::save(const fs::path& path) const {
  toml::table tables;
  for (const auto& [name, profile] : all) {
    toml::table table;
    Profile copy = profile;
    for (const Text& text : kTexts) {
      if (const std::string& value = text.of(copy); !value.empty()) table.insert(text.name, value);
    }
    if (profile.tls) table.insert("tls", true);
    tables.insert(name, std::move(table));
  }
  toml::table root;
  if (!default_name.empty()) root.insert("default", default_name);
  if (!tables.empty()) root.insert("profile", std::move(tables));
  std::ostringstream out;
  out << root << '\n';
  const std::string text = out.str();

  std::error_code problem;
  fs::create_directories(path.parent_path(), problem);
  if (problem) return Error{ErrorCode::kIoError, fmt::format("{}: {}", path.parent_path().string(), problem.message())};
  const fs::path fresh = path.string() + ".new";
  ::unlink(fresh.c_str());  // one that a crash left behind might be readable for others
  const int descriptor = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (descriptor < 0) return io_error(fresh, "writing it");
  const bool written =
      ::write(descriptor, text.data(), text.size()) == static_cast<ssize_t>(text.size()) && ::fsync(descriptor) == 0;
  const bool closed = ::close(descriptor) == 0;
  if (!written || !closed || ::rename(fresh.c_str(), path.c_str()) != 0) return io_error(path, "writing it");
  return {};
}

Result<Profile> Profiles::find(const std::string& name) const {
  if (const auto found = all.find(name); found != all.end()) return found->second;
  std::string names;
  for (const auto& [known, profile] : all) names += (names.empty() ? "" : ", ") + known;
  return wrong(fmt::format("profile: there is none called '{}'{}", name,
                           names.empty() ? "; `bahi profile set` makes one" : "; there are " + names));
}

Result<std::string> token_of(const Profile& profile) {
  if (profile.token_file.empty()) return profile.token;
  BAHI_TRY(check_private(profile.token_file, "a token"));
  std::ifstream file(profile.token_file);
  std::string token;
  if (!std::getline(file, token)) return io_error(profile.token_file, "reading the token");
  return token;
}

}  // namespace bahi::cli
