// Saved servers: a TOML file with a table per server, so that its address and token need not be given every time.
//
//   default = "shop"               # used when neither a server nor a directory is named
//   [profile.shop]
//   server = "127.0.0.1:7440"
//   token = "bahi_…"               # or token_file = "/run/secrets/bahi"
//   tls = true                     # and ca, cert, key, tls_name: as the options of the same names
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "bahi/base/result.hpp"
#include "bahi/tls/settings.hpp"

namespace bahi::cli {

struct Profile {
  std::string server;      ///< HOST:PORT
  std::string token;       ///< at most one of these two
  std::string token_file;  ///< holds the token on its first line
  bool tls = false;
  tls::ClientSettings tls_settings;
};

/// Not thread-safe.
struct Profiles {
  std::map<std::string, Profile> all;
  std::string default_name;  ///< empty: none

  /// $XDG_CONFIG_HOME/bahi/profile.toml, or that below ~/.config; kInvalidArgument when neither variable is set.
  [[nodiscard]] static Result<std::filesystem::path> path();
  /// Empty when there is no file. Errors: kInvalidArgument (names line and field), kPermissionDenied (it holds a token
  /// and others may read it), kIoError.
  [[nodiscard]] static Result<Profiles> load(const std::filesystem::path& path);
  /// Writes the file anew, readable for its owner only. kIoError.
  [[nodiscard]] Status save(const std::filesystem::path& path) const;
  /// kInvalidArgument names those there are.
  [[nodiscard]] Result<Profile> find(const std::string& name) const;
};

/// a-z, A-Z, 0-9, '-', '_'. kInvalidArgument.
[[nodiscard]] Status check_profile_name(const std::string& name);

/// The profile's token, read from its file if it names one; may be empty. kIoError; kPermissionDenied (others may read
/// the file).
[[nodiscard]] Result<std::string> token_of(const Profile& profile);

}  // namespace bahi::cli
