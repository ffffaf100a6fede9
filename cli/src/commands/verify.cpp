#include <optional>
#include <vector>

#include <fmt/format.h>

#include "bahi/cli/json_text.hpp"
#include "bahi/cli/output.hpp"
#include "bahi/cli/progress_bar.hpp"
#include "commands.hpp"

#include <unistd.h>

namespace bahi::cli {
namespace {

struct Arguments {
  std::string tenant;
  bool as_json = false;
};

/// A damaged index must not keep the log from being checked.
Result<std::unique_ptr<Engine>> open_to_verify(const Context& context, std::vector<Finding>& findings) {
  EngineOptions options;
  options.read_only = true;
  auto engine = open_engine(context, options);
  if (engine || engine.error().code() != ErrorCode::kIndexDamaged) return engine;
  findings.push_back({kSystemTenant, {}, engine.error()});
  options.without_index = true;
  return open_engine(context, options);
}

std::string tenant_name(const Engine& engine, TenantId id) {
  if (id == kSystemTenant) return "(system)";
  for (const TenantInfo& tenant : engine.tenants()) {
    if (tenant.id == id) return tenant.name;
  }
  return fmt::format("(number {})", id.value);
}

void append_json(const Engine& engine, const VerifyReport& result, const std::vector<Finding>& findings,
                 std::string& text) {
  text += fmt::format(R"({{"ok":{},"tenants":{},"events":{},"batches":{},"stored_bytes":{},"postings":{},"findings":[)",
                      findings.empty(), result.tenants, result.events, result.batches, result.stored_bytes,
                      result.postings);
  for (const Finding& finding : findings) {
    if (&finding != findings.data()) text += ',';
    text += R"({"tenant":)";
    append_json_string(tenant_name(engine, finding.tenant), text);
    text += fmt::format(R"(,"offset":{},"error":"{}","number":{},"message":)", finding.offset.value,
                        finding.error.info().name, static_cast<unsigned>(finding.error.code()));
    append_json_string(finding.error.message(), text);
    text += '}';
  }
  text += "]}\n";
}

void append_text(const Engine& engine, const VerifyReport& result, const std::vector<Finding>& findings,
                 std::string& text) {
  for (const Finding& finding : findings) {
    text += fmt::format("DAMAGED  tenant {}, first bad offset {}: {}\n", tenant_name(engine, finding.tenant),
                        finding.offset.value, finding.error.to_string());
    text += fmt::format("         {}\n", finding.error.info().text);
  }
  text += fmt::format("checked {} events in {} batches of {} tenants, {} stored, {} index entries: {}\n",
                      grouped(result.events), grouped(result.batches), result.tenants, human_bytes(result.stored_bytes),
                      grouped(result.postings),
                      findings.empty() ? "all is well" : fmt::format("{} findings", findings.size()));
}

Result<ExitCode> run_verify(const Context& context, const Arguments& arguments) {
  std::vector<Finding> findings;
  BAHI_ASSIGN(const auto engine, open_to_verify(context, findings));
  std::optional<TenantId> only;
  if (!arguments.tenant.empty()) {
    BAHI_ASSIGN(only, engine->find_tenant(arguments.tenant));
  }
  ProgressBar bar("verifying", "events");
  BAHI_ASSIGN(const VerifyReport result,
              engine->verify([&bar](std::uint64_t done, std::uint64_t total) { bar.update(done, total); }, only));
  bar.wipe();
  findings.insert(findings.end(), result.findings.begin(), result.findings.end());
  Output output(STDOUT_FILENO);
  if (arguments.as_json) {
    append_json(*engine, result, findings, output.text());
  } else {
    append_text(*engine, result, findings, output.text());
  }
  BAHI_TRY(output.flush());
  return findings.empty() ? ExitCode::kOk : ExitCode::kDamaged;
}

}  // namespace

void add_verify_command(CLI::App& app, Context& context) {
  CLI::App* const verify = app.add_subcommand("verify", "Check every byte of the log, and the index against it");
  auto arguments = std::make_shared<Arguments>();
  verify->add_option("--tenant,-t", arguments->tenant, "Check only the log and the index of this tenant");
  verify->add_flag("--json", arguments->as_json, "Print the report as one JSON object");
  verify->footer(
      "Changes nothing, and may run beside a writer.\n"
      "Example:\n  bahi verify --data /var/lib/bahi && echo sound");
  verify->callback(
      [&context, arguments] { context.action = [&context, arguments] { return run_verify(context, *arguments); }; });
}

}  // namespace bahi::cli
