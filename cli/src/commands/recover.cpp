#include <algorithm>
#include <cstdlib>

#include <fmt/format.h>

#include "bahi/base/text.hpp"
#include "bahi/cli/console.hpp"
#include "bahi/cli/output.hpp"
#include "bahi/cli/progress_bar.hpp"
#include "commands.hpp"

#include <pwd.h>
#include <unistd.h>

namespace bahi::cli {
namespace {

struct Arguments {
  bool accept_loss = false;
  std::string accepted_by;
};

/// The user whom the operating system knows.
std::string login_name() {
  const passwd* const entry = ::getpwuid(::geteuid());
  return entry != nullptr ? entry->pw_name : fmt::format("uid {}", ::geteuid());
}

std::string name_of(const TenantRecovery& tenant) {
  return tenant.name.empty() ? fmt::format("(number {})", tenant.tenant.value) : tenant.name;
}

void append_text(const RecoverReport& result, const std::string& directory, std::string& text) {
  std::size_t width = std::string_view("TENANT").size();
  for (const TenantRecovery& tenant : result.tenants) width = std::max(width, name_of(tenant).size());
  text += fmt::format("{:<{}}  {:>20}  {:>20}\n", "TENANT", width, "ACKNOWLEDGED", "IN THE LOG");
  for (const TenantRecovery& tenant : result.tenants) {
    text += fmt::format("{:<{}}  {:>20}  {:>20}", name_of(tenant), width,
                        tenant.promised ? grouped(tenant.promised->value) : "not known", grouped(tenant.held.value));
    if (tenant.first_lost) {
      text += fmt::format("  lost from offset {} on; expected chain hash {}", tenant.first_lost->value,
                          format_hash(tenant.promised_hash));
    }
    text += '\n';
  }
  if (!result.refusal) {
    text += "the log holds everything that was acknowledged: there is nothing to recover\n";
    return;
  }
  text += fmt::format("refused: {}\n", result.refusal->to_string());
  if (!result.accepted) {
    text +=
        "Nothing was changed. Restore a backup if there is one.\n"
        "To go on with what the log holds, and record that: bahi recover --accept-loss\n";
    return;
  }
  text += fmt::format(
      "The loss is accepted and recorded: bahi read --tenant system --stream recovery-store\n"
      "What no longer counts is kept in {}; delete it when it is not needed.\n"
      "Now check the log: bahi verify --data {}\n",
      result.kept.string(), directory);
}

Result<ExitCode> run_recover(const Context& context, const Arguments& arguments) {
  ProgressBar bar("rebuilding the index", "events");
  RecoverOptions options;
  options.accept_loss = arguments.accept_loss;
  options.accepted_by = arguments.accepted_by.empty() ? login_name() : arguments.accepted_by;
  options.engine.log = console_log();
  options.engine.progress = [&bar](std::uint64_t done, std::uint64_t total) { bar.update(done, total); };
  BAHI_ASSIGN(const RecoverReport result, Engine::recover(context.directory, options));
  bar.wipe();
  Output output(STDOUT_FILENO);
  append_text(result, context.directory, output.text());
  BAHI_TRY(output.flush());
  return result.refusal && !result.accepted ? ExitCode::kDamaged : ExitCode::kOk;
}

}  // namespace

void add_recover_command(CLI::App& app, Context& context) {
  CLI::App* const recover =
      app.add_subcommand("recover", "Show what acknowledged data is missing; with --accept-loss, go on without it");
  auto arguments = std::make_shared<Arguments>();
  recover->add_flag("--accept-loss", arguments->accept_loss,
                    "Vouch for what the log holds, although more was acknowledged or the anchor is lost");
  recover->add_option("--by", arguments->accepted_by,
                      "Who accepts it, for the record in the system tenant's log; without it, the user's login name");
  recover->footer(
      "Without --accept-loss it changes nothing, and exits with 6 if there is something to accept.\n"
      "It refuses while another process has the store open. No file of the log is deleted.\n"
      "Examples:\n  bahi recover --data /var/lib/bahi\n"
      "  bahi recover --accept-loss --by 'A. Rao, ticket 4711' --data /var/lib/bahi");
  recover->callback(
      [&context, arguments] { context.action = [&context, arguments] { return run_recover(context, *arguments); }; });
}

}  // namespace bahi::cli
