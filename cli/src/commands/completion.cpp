// Completion scripts, made from the very options that the program parses.
#include <algorithm>
#include <vector>

#include <fmt/format.h>
#include <unistd.h>

#include "bahi/cli/output.hpp"
#include "commands.hpp"

namespace bahi::cli {
namespace {

struct OptionInfo {
  std::vector<std::string> names;  // with their dashes
  std::string description;         // its first sentence
  bool takes_value = false;
  std::vector<std::string> choices;  // empty: anything
};

struct CommandInfo {
  std::string path;                                           // "bench append"; "" for the program
  std::vector<std::pair<std::string, std::string>> commands;  // below it, with their descriptions
  std::vector<OptionInfo> options;
};

/// Of CLI11's "TEXT:{a,b,c}".
std::vector<std::string> choices_of(const std::string& type) {
  std::vector<std::string> choices;
  const std::size_t begin = type.find(":{");
  const std::size_t end = type.find('}', begin);
  if (begin == std::string::npos || end == std::string::npos) return choices;
  for (std::size_t at = begin + 2; at < end;) {
    const std::size_t comma = std::min(type.find(',', at), end);
    choices.push_back(type.substr(at, comma - at));
    at = comma + 1;
  }
  return choices;
}

/// Fit to stand between single quotes in any of the shells.
std::string plain(const std::string& text) {
  std::string result = text.substr(0, std::min(text.find(';'), text.find('\n')));
  for (char& c : result) {
    if (c == '\'' || c == '\\' || c == ':' || c == '[' || c == ']' || c == '`') c = ' ';
  }
  return result;
}

OptionInfo describe(const CLI::Option& option) {
  OptionInfo info;
  for (const std::string& name : option.get_snames()) info.names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) info.names.push_back("--" + name);
  info.description = plain(option.get_description());
  info.takes_value = option.get_items_expected_max() > 0;
  info.choices = choices_of(option.get_type_name());
  return info;
}

/// The command and all below it. CLI11 gives `const` commands no options, hence no `const` here.
void collect(CLI::App& app, const std::string& path, const std::vector<OptionInfo>& inherited,
             std::vector<CommandInfo>& all) {
  CommandInfo info{path, {}, inherited};
  for (CLI::Option* option : app.get_options()) {
    if (!option->get_positional()) info.options.push_back(describe(*option));
  }
  const auto below = app.get_subcommands([](const CLI::App*) { return true; });
  for (CLI::App* command : below) info.commands.emplace_back(command->get_name(), plain(command->get_description()));
  // The program's options may stand behind its commands too; --help and --version are asked of one place.
  std::vector<OptionInfo> general = inherited;
  if (path.empty()) {
    for (const OptionInfo& option : info.options) {
      if (option.takes_value) general.push_back(option);
    }
  }
  all.push_back(std::move(info));
  for (CLI::App* command : below) {
    collect(*command, path.empty() ? command->get_name() : path + ' ' + command->get_name(), general, all);
  }
}

std::string joined(const std::vector<std::string>& words, char between = ' ') {
  std::string text;
  for (const std::string& word : words) {
    if (!text.empty()) text += between;
    text += word;
  }
  return text;
}

/// `case` branches that follow the words of the line down the tree; `at` is where they lead.
std::string path_cases(const std::vector<CommandInfo>& all) {
  std::string text;
  for (const CommandInfo& command : all) {
    for (const auto& [name, description] : command.commands) {
      text += fmt::format("      '{}/{}') at='{}' ;;\n", command.path, name,
                          command.path.empty() ? name : command.path + ' ' + name);
    }
  }
  return text;
}

/// `case` branches by path and the word before: what an option's value may be.
std::string value_cases(const std::vector<CommandInfo>& all, std::string_view give_choices,
                        std::string_view give_files) {
  std::string text;
  for (const CommandInfo& command : all) {
    for (const OptionInfo& option : command.options) {
      if (!option.takes_value) continue;
      std::vector<std::string> patterns;
      for (const std::string& name : option.names) patterns.push_back(fmt::format("'{}/{}'", command.path, name));
      const std::string give = option.choices.empty() ? std::string(give_files)
                                                      : fmt::format(fmt::runtime(give_choices), joined(option.choices));
      text += fmt::format("    {}) {} ;;\n", joined(patterns, '|'), give);
    }
  }
  return text;
}

std::string bash_script(const std::vector<CommandInfo>& all) {
  std::string words;
  for (const CommandInfo& command : all) {
    std::vector<std::string> names;
    for (const auto& [name, description] : command.commands) names.push_back(name);
    for (const OptionInfo& option : command.options)
      names.insert(names.end(), option.names.begin(), option.names.end());
    words += fmt::format("    '{}') words='{}' ;;\n", command.path, joined(names));
  }
  return fmt::format(R"(# bash completion of bahi; load it with: source <(bahi completion bash)
_bahi() {{
  local current=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD-1]}} at= words= i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$at/${{COMP_WORDS[i]}}" in
{}    esac
  done
  COMPREPLY=()
  case "$at/$before" in
{}  esac
  case "$at" in
{}  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}}
complete -o default -F _bahi bahi
)",
                     path_cases(all),
                     value_cases(all, R"(COMPREPLY=($(compgen -W "{}" -- "$current")); return)", "return"), words);
}

std::string zsh_script(const std::vector<CommandInfo>& all) {
  std::string words;
  for (const CommandInfo& command : all) {
    words += fmt::format("    '{}')\n", command.path);
    if (!command.commands.empty()) {
      words += "      commands=(";
      for (const auto& [name, description] : command.commands) words += fmt::format(" '{}:{}'", name, description);
      words += " )\n";
    }
    words += "      options=(";
    for (const OptionInfo& option : command.options) {
      for (const std::string& name : option.names) words += fmt::format(" '{}:{}'", name, option.description);
    }
    words += " ) ;;\n";
  }
  return fmt::format(R"(#compdef bahi
# zsh completion of bahi; load it with: source <(bahi completion zsh)
_bahi() {{
  local i
  local -a commands options
  local at=
  for ((i = 2; i < CURRENT; i++)); do
    case "$at/${{words[i]}}" in
{}    esac
  done
  case "$at/${{words[CURRENT-1]}}" in
{}  esac
  case "$at" in
{}  esac
  (( $#commands )) && _describe 'command' commands
  _describe 'option' options
}}
compdef _bahi bahi
)",
                     path_cases(all), value_cases(all, "compadd -- {}; return", "_files; return"), words);
}

std::string fish_script(const std::vector<CommandInfo>& all) {
  std::string cases;
  std::string lines;
  for (const CommandInfo& command : all) {
    const std::string condition = fmt::format("-n 'test \"$(__bahi_path)\" = \"{}\"'", command.path);
    for (const auto& [name, description] : command.commands) {
      cases += fmt::format("      case '{}/{}'\n        set at '{}'\n", command.path, name,
                           command.path.empty() ? name : command.path + ' ' + name);
      lines += fmt::format("complete -c bahi -f {} -a {} -d '{}'\n", condition, name, description);
    }
    for (const OptionInfo& option : command.options) {
      lines += fmt::format("complete -c bahi {}", condition);
      for (const std::string& name : option.names) {
        lines += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
      }
      if (!option.choices.empty()) {
        lines += fmt::format(" -x -a '{}'", joined(option.choices));
      } else if (option.takes_value) {
        lines += " -r";
      }
      lines += fmt::format(" -d '{}'\n", option.description);
    }
  }
  return fmt::format(R"(# fish completion of bahi; load it with: bahi completion fish | source
function __bahi_path
  set -l at ''
  for word in (commandline -opc)[2..]
    switch "$at/$word"
{}    end
  end
  echo -n $at
end
{})",
                     cases, lines);
}

Result<ExitCode> run_completion(CLI::App& app, const std::string& shell) {
  std::vector<CommandInfo> all;
  collect(app, "", {}, all);
  Output output(STDOUT_FILENO);
  output.text() = shell == "bash" ? bash_script(all) : shell == "zsh" ? zsh_script(all) : fish_script(all);
  BAHI_TRY(output.flush());
  return ExitCode::kOk;
}

}  // namespace

void add_completion_command(CLI::App& app, Context& context) {
  CLI::App* const completion = app.add_subcommand("completion", "Write a script that completes commands in your shell");
  const auto shell = std::make_shared<std::string>();
  completion->add_option("SHELL", *shell, "Which shell")->required()->check(CLI::IsMember({"bash", "zsh", "fish"}));
  completion->footer(
      "Examples:\n"
      "  source <(bahi completion bash)\n"
      "  bahi completion fish | source");
  completion->callback([&app, &context, shell] {
    context.needs_directory = context.uses_profile = false;
    context.action = [&app, shell] { return run_completion(app, *shell); };
  });
}

}  // namespace bahi::cli
