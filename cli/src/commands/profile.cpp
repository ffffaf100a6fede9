#include <fmt/format.h>
#include <unistd.h>

#include "bahi/cli/json_text.hpp"
#include "bahi/cli/output.hpp"
#include "bahi/cli/profile.hpp"
#include "commands.hpp"

namespace bahi::cli {

Status apply_profile(Context& context) {
  const bool named = !context.profile.empty();
  if (!named && (context.remote() || !context.directory.empty())) return {};
  BAHI_ASSIGN(const std::filesystem::path path, Profiles::path());
  BAHI_ASSIGN(const Profiles profiles, Profiles::load(path));
  if (!named && profiles.default_name.empty()) return {};
  BAHI_ASSIGN(const Profile profile, profiles.find(named ? context.profile : profiles.default_name));
  if (context.server.empty()) context.server = profile.server;
  // Token and TLS settings are for the server that they were saved with; a token is not told to another.
  if (context.server != profile.server) return {};
  if (context.token.empty()) {
    BAHI_ASSIGN(context.token, token_of(profile));
  }
  context.tls = context.tls || profile.tls;
  const auto fill = [](std::string& place, const std::string& saved) {
    if (place.empty()) place = saved;
  };
  fill(context.tls_settings.ca_file, profile.tls_settings.ca_file);
  fill(context.tls_settings.certificate_file, profile.tls_settings.certificate_file);
  fill(context.tls_settings.key_file, profile.tls_settings.key_file);
  fill(context.tls_settings.server_name, profile.tls_settings.server_name);
  return {};
}

namespace {

Result<ExitCode> set_profile(const Context& context, const std::string& name, const std::string& token_file) {
  BAHI_TRY(check_profile_name(name));
  if (!context.remote()) return Error{ErrorCode::kInvalidArgument, "profile set: name the server with --server"};
  if (!context.token.empty() && !token_file.empty())
    return Error{ErrorCode::kInvalidArgument, "profile set: give --token (or BAHI_TOKEN) or --token-file, not both"};
  std::string host = "127.0.0.1";
  std::uint16_t port = 7440;
  BAHI_TRY(parse_endpoint(context.server, host, port));
  BAHI_ASSIGN(const std::filesystem::path path, Profiles::path());
  BAHI_ASSIGN(Profiles profiles, Profiles::load(path));
  profiles.all[name] = {context.server, context.token, token_file, context.tls, context.tls_settings};
  if (profiles.default_name.empty()) profiles.default_name = name;
  BAHI_TRY(profiles.save(path));
  fmt::print("profile {} saved in {}{}\n", name, path.string(),
             profiles.default_name == name ? "; it is the default" : "");
  return ExitCode::kOk;
}

Result<ExitCode> list_profiles(bool as_json) {
  BAHI_ASSIGN(const std::filesystem::path path, Profiles::path());
  BAHI_ASSIGN(const Profiles profiles, Profiles::load(path));
  Output output(STDOUT_FILENO);
  std::string& text = output.text();
  for (const auto& [name, profile] : profiles.all) {
    const bool is_default = name == profiles.default_name;
    const std::string_view token = !profile.token.empty()        ? "saved"
                                   : !profile.token_file.empty() ? std::string_view(profile.token_file)
                                                                 : "none";
    if (!as_json) {
      text += fmt::format("{} {:<16} {:<24} token: {}\n", is_default ? '*' : ' ', name, profile.server, token);
      continue;
    }
    text += R"({"name":)";
    append_json_string(name, text);
    text += R"(,"server":)";
    append_json_string(profile.server, text);
    text += fmt::format(R"(,"default":{},"has_token":{}}})", is_default,
                        !profile.token.empty() || !profile.token_file.empty());
    text += '\n';
  }
  BAHI_TRY(output.flush());
  return ExitCode::kOk;
}

Result<ExitCode> use_profile(const std::string& name) {
  BAHI_ASSIGN(const std::filesystem::path path, Profiles::path());
  BAHI_ASSIGN(Profiles profiles, Profiles::load(path));
  BAHI_TRY(profiles.find(name));
  profiles.default_name = name;
  BAHI_TRY(profiles.save(path));
  return ExitCode::kOk;
}

Result<ExitCode> remove_profile(const std::string& name) {
  BAHI_ASSIGN(const std::filesystem::path path, Profiles::path());
  BAHI_ASSIGN(Profiles profiles, Profiles::load(path));
  BAHI_TRY(profiles.find(name));
  profiles.all.erase(name);
  if (profiles.default_name == name) profiles.default_name.clear();
  BAHI_TRY(profiles.save(path));
  return ExitCode::kOk;
}

}  // namespace

void add_profile_commands(CLI::App& app, Context& context) {
  CLI::App* const profile = app.add_subcommand("profile", "Save servers and their tokens under a name");
  profile->require_subcommand(1);
  const auto run_without = [&context](std::function<Result<ExitCode>()> action) {
    context.needs_directory = context.uses_profile = false;
    context.action = std::move(action);
  };
  const auto name = std::make_shared<std::string>();
  const auto token_file = std::make_shared<std::string>();
  const auto as_json = std::make_shared<bool>(false);

  CLI::App* const set = profile->add_subcommand(
      "set", "Save --server, and what is given of --token (or BAHI_TOKEN), --tls, --ca, --cert, --key");
  set->add_option("NAME", *name, "Letters, digits, '-' and '_'")->required();
  set->add_option("--token-file", *token_file, "Instead of a token: the file that holds it, readable for you only");
  set->footer(
      "The first one saved is the default.\nExample:\n  BAHI_TOKEN=… bahi profile set shop --server 10.0.0.5:7440");
  set->callback([=, &context] { run_without([=, &context] { return set_profile(context, *name, *token_file); }); });
  CLI::App* const list = profile->add_subcommand("list", "List them; the default has a star");
  list->add_flag("--json", *as_json, "One JSON object per line");
  list->callback([=] { run_without([=] { return list_profiles(*as_json); }); });
  CLI::App* const use = profile->add_subcommand("use", "Make one the default");
  use->add_option("NAME", *name, "As listed")->required();
  use->callback([=] { run_without([=] { return use_profile(*name); }); });
  CLI::App* const remove = profile->add_subcommand("remove", "Forget one, and its token");
  remove->add_option("NAME", *name, "As listed")->required();
  remove->callback([=] { run_without([=] { return remove_profile(*name); }); });
}

}  // namespace bahi::cli
