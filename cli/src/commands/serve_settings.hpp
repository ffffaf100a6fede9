// The settings of `bahi serve`: each may stand on the command line, in the environment, in the configuration file.
// The first of these that gives it wins.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <CLI/App.hpp>

#include "bahi/base/result.hpp"
#include "bahi/engine/options.hpp"
#include "bahi/server/options.hpp"

namespace bahi::cli {

struct ServeSettings {
  server::ServerOptions server;
  tls::ServerSettings tls;  ///< becomes server.tls when it names a file
  EngineOptions engine;
  std::string checkpoint_key;  ///< file; empty: nothing is signed
  std::string witness_dir;     ///< empty: in the store's directory
};

/// One setting; its name as in the file. The option is --NAME with dashes, the variable BAHI_NAME in capitals.
struct Setting {
  std::string name;
  std::string help;  ///< with its unit
  bool is_text = false;
  std::function<Status(ServeSettings&, const std::string&)> set;
  std::function<std::string(const ServeSettings&)> get;

  std::string value;              // as given on the command line or in the environment
  CLI::Option* option = nullptr;  // of the command line
};

[[nodiscard]] std::vector<Setting> serve_settings();

/// Adds the option of every setting; `settings` must outlive the command line.
void add_options(CLI::App& app, std::vector<Setting>& settings);

/// The defaults, changed by the file (if one is named), then by the environment and the command line, and checked as a
/// whole. kInvalidArgument names the setting and where it came from; kIoError.
[[nodiscard]] Result<ServeSettings> resolve(const std::vector<Setting>& settings, const std::string& file);

}  // namespace bahi::cli
