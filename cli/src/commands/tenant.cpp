#include <algorithm>
#include <cstdio>

#include <fmt/format.h>

#include "bahi/cli/output.hpp"
#include "bahi/cli/progress_bar.hpp"
#include "bahi/server/quotas.hpp"
#include "commands.hpp"

#include <unistd.h>

namespace bahi::cli {
namespace {

Status create_locally(const Context& context, const std::string& name) {
  EngineOptions options;
  options.create_if_missing = true;
  BAHI_ASSIGN(const auto engine, open_engine(context, std::move(options)));
  BAHI_TRY(engine->create_tenant(name));
  return engine->close();
}

Result<ExitCode> create_tenant(const Context& context, const std::string& name) {
  if (context.remote()) {
    BAHI_ASSIGN(const auto client, connect(context));
    BAHI_TRY(client->create_tenant(name));
  } else {
    BAHI_TRY(create_locally(context, name));
  }
  fmt::print("tenant {} created\n", name);
  return ExitCode::kOk;
}

Result<ExitCode> list_tenants(const Context& context, bool as_json) {
  BAHI_ASSIGN(const auto tenants, all_tenants(context));
  Output output(STDOUT_FILENO);
  std::string& text = output.text();
  std::size_t width = std::string_view("TENANT").size();
  for (const auto& tenant : tenants) width = std::max(width, tenant.name.size());
  if (!as_json) text += fmt::format("{:<{}}  {:>20}  {:>20}\n", "TENANT", width, "EVENTS", "STORED BYTES");
  for (const auto& tenant : tenants) {
    if (as_json) {
      append_tenant_json(tenant, text);
    } else {
      text += fmt::format("{:<{}}  {:>20}  {:>20}\n", tenant.name, width, grouped(tenant.events),
                          grouped(tenant.stored_bytes));
    }
  }
  BAHI_TRY(output.flush());
  return ExitCode::kOk;
}

}  // namespace

Result<std::vector<wire::TenantList::Entry>> all_tenants(const Context& context) {
  if (context.remote()) {
    BAHI_ASSIGN(const auto client, connect(context));
    BAHI_ASSIGN(wire::TenantList list, client->tenants());
    return std::move(list.tenants);
  }
  EngineOptions options;
  options.read_only = true;
  options.without_index = true;
  BAHI_ASSIGN(const auto engine, open_engine(context, std::move(options)));
  BAHI_ASSIGN(const auto quotas, server::Quotas::load(*engine));
  std::vector<wire::TenantList::Entry> tenants;
  for (const TenantInfo& tenant : engine->tenants()) {
    BAHI_ASSIGN(const std::uint64_t stored, engine->stored_bytes(tenant.id));
    const auto [limits, own] = quotas->of(tenant.name);
    tenants.push_back({tenant.id, tenant.name, tenant.durable_offset.value, stored, 0, 0, limits, own});
  }
  return tenants;
}

void add_tenant_commands(CLI::App& app, Context& context) {
  CLI::App* const tenant = app.add_subcommand("tenant", "Create, list and limit tenants");
  tenant->require_subcommand(1);

  CLI::App* const create = tenant->add_subcommand("create", "Create a tenant, and the store if there is none");
  auto name = std::make_shared<std::string>();
  create->add_option("NAME", *name, "1 to 64 characters of a-z, 0-9, '_' and '-', starting with a letter")->required();
  create->footer("Example:\n  bahi tenant create shop --data /var/lib/bahi");
  create->callback([&context, name] { context.action = [&context, name] { return create_tenant(context, *name); }; });

  add_tenant_limit_commands(*tenant, context);
  CLI::App* const list = tenant->add_subcommand("list", "List the tenants with their events and stored bytes");
  auto as_json = std::make_shared<bool>(false);
  list->add_flag("--json", *as_json, "One JSON object per line instead of a table");
  list->footer("Examples:\n  bahi tenant list --data /var/lib/bahi\n  bahi tenant list --json | jq .tenant");
  list->callback(
      [&context, as_json] { context.action = [&context, as_json] { return list_tenants(context, *as_json); }; });
}

}  // namespace bahi::cli
