#include <algorithm>
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

std::string tenant_name(const std::vector<TenantInfo>& tenants, TenantId id) {
  if (id == kSystemTenant) return "(system)";
  for (const TenantInfo& tenant : tenants) {
    if (tenant.id == id) return tenant.name;
  }
  return fmt::format("(number {})", id.value);
}

void append_json(const std::vector<TenantInfo>& tenants, const VerifyReport& result,
                 const std::vector<Finding>& findings, std::string& text) {
  text += fmt::format(R"({{"ok":{},"tenants":{},"events":{},"batches":{},"stored_bytes":{},"postings":{},"findings":[)",
                      findings.empty(), result.tenants, result.events, result.batches, result.stored_bytes,
                      result.postings);
  for (const Finding& finding : findings) {
    if (&finding != findings.data()) text += ',';
    text += R"({"tenant":)";
    append_json_string(tenant_name(tenants, finding.tenant), text);
    text += fmt::format(R"(,"offset":{},"error":"{}","number":{},"message":)", finding.offset.value,
                        finding.error.info().name, static_cast<unsigned>(finding.error.code()));
    append_json_string(finding.error.message(), text);
    text += '}';
  }
  text += "]}\n";
}

void append_text(const std::vector<TenantInfo>& tenants, const VerifyReport& result,
                 const std::vector<Finding>& findings, std::string& text) {
  for (const Finding& finding : findings) {
    text += fmt::format("DAMAGED  tenant {}, first bad offset {}: {}\n", tenant_name(tenants, finding.tenant),
                        finding.offset.value, finding.error.to_string());
    text += fmt::format("         {}\n", finding.error.info().text);
  }
  text += fmt::format("checked {} events in {} batches of {} tenants, {} stored, {} index entries: {}\n",
                      grouped(result.events), grouped(result.batches), result.tenants, human_bytes(result.stored_bytes),
                      grouped(result.postings),
                      findings.empty() ? "all is well" : fmt::format("{} findings", findings.size()));
}

/// What a verification found, wherever it ran.
struct Verified {
  VerifyReport report;
  std::vector<Finding> findings;
  std::vector<TenantInfo> tenants;
};

/// A server verifies the whole store; `tenant` only chooses what is told of it.
Result<Verified> verify_remotely(const Context& context, const std::string& only) {
  BAHI_ASSIGN(const auto client, connect(context));
  BAHI_ASSIGN(const wire::TenantList tenants, client->tenants());
  const auto id_of = [&tenants](const std::string& name) -> std::optional<TenantId> {
    if (name == "system") return kSystemTenant;
    const auto found = std::find_if(tenants.tenants.begin(), tenants.tenants.end(),
                                    [&name](const auto& tenant) { return tenant.name == name; });
    return found == tenants.tenants.end() ? std::nullopt : std::optional(found->id);
  };
  const std::optional<TenantId> only_id = id_of(only);
  if (!only.empty() && !only_id) {
    return Error{ErrorCode::kUnknownTenant, fmt::format("tenant '{}' does not exist", only)};
  }
  BAHI_ASSIGN(const wire::VerifyReport remote, client->verify());
  Verified verified;
  verified.report = {remote.tenants, remote.batches, remote.events, remote.stored_bytes, remote.postings, {}};
  for (const auto& tenant : tenants.tenants) {
    verified.tenants.push_back({tenant.id, tenant.name, Offset{tenant.events}});
  }
  for (const auto& finding : remote.findings) {
    const TenantId id = id_of(finding.tenant).value_or(kSystemTenant);
    if (only_id && id != *only_id && id != kSystemTenant) continue;
    verified.findings.push_back({id, finding.offset, finding.error});
  }
  return verified;
}

Result<Verified> verify_locally(const Context& context, const std::string& tenant) {
  Verified verified;
  BAHI_ASSIGN(const auto engine, open_to_verify(context, verified.findings));
  std::optional<TenantId> only;
  if (!tenant.empty()) {
    BAHI_ASSIGN(only, engine->find_tenant(tenant));
  }
  ProgressBar bar("verifying", "events");
  BAHI_ASSIGN(verified.report,
              engine->verify([&bar](std::uint64_t done, std::uint64_t total) { bar.update(done, total); }, only));
  bar.wipe();
  verified.tenants = engine->tenants();
  verified.findings.insert(verified.findings.end(), verified.report.findings.begin(), verified.report.findings.end());
  return verified;
}

Result<ExitCode> run_verify(const Context& context, const Arguments& arguments) {
  BAHI_ASSIGN(Verified verified, context.remote() ? verify_remotely(context, arguments.tenant)
                                                    : verify_locally(context, arguments.tenant));
  auto& [result, findings, tenants] = verified;
  Output output(STDOUT_FILENO);
  if (arguments.as_json) {
    append_json(tenants, result, findings, output.text());
  } else {
    append_text(tenants, result, findings, output.text());
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
