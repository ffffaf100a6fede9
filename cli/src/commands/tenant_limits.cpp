// `bahi tenant limit` and `bahi tenant show`.
#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>

#include <fmt/format.h>

#include "bahi/cli/json_text.hpp"
#include "bahi/cli/output.hpp"
#include "bahi/cli/progress_bar.hpp"
#include "bahi/server/quotas.hpp"
#include "commands.hpp"

#include <unistd.h>

namespace bahi::cli {
namespace {

constexpr std::string_view kLocalActor = "bahi tenant, in the directory";

struct LimitOption {
  TenantLimit limit;
  const char* option;
  const char* help;
};
constexpr std::array kLimitOptions{
    LimitOption{TenantLimit::kBytesPerSecond, "--bytes-per-second", "Bytes of appends per second, as they are sent"},
    LimitOption{TenantLimit::kEventsPerSecond, "--events-per-second", "Events appended per second"},
    LimitOption{TenantLimit::kConnections, "--connections", "Connections at a time"},
    LimitOption{TenantLimit::kSubscriptions, "--subscriptions", "Subscriptions at a time"},
    LimitOption{TenantLimit::kStoredBytes, "--stored-bytes", "Bytes of its log on the disk, without the index"}};

struct Arguments {
  std::string tenant;
  std::array<std::string, kLimitOptions.size()> values;  // as given; empty: not given
  bool as_json = false;
};

Result<wire::SetTenantLimits> parse_change(const Arguments& arguments) {
  wire::SetTenantLimits change;
  change.tenant = arguments.tenant;
  for (std::size_t i = 0; i < kLimitOptions.size(); ++i) {
    const std::string& text = arguments.values[i];
    if (text.empty()) continue;
    std::uint64_t value = 0;
    if (text == "default") {
      value = wire::SetTenantLimits::kDefault;
    } else if (text != "none") {
      const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
      if (problem != std::errc{} || end != text.data() + text.size() || value == 0) {
        return Error{ErrorCode::kInvalidArgument,
                     fmt::format("{}: '{}' is not a whole number from 1 on, 'none' or 'default'",
                                 kLimitOptions[i].option, text)};
      }
    }
    change.entries.push_back({kLimitOptions[i].limit, value});
  }
  if (change.entries.empty()) {
    return Error{ErrorCode::kInvalidArgument, "tenant limit: name a limit, as --events-per-second 1000"};
  }
  return change;
}

Result<ExitCode> set_limits(const Context& context, const Arguments& arguments) {
  BAHI_ASSIGN(const wire::SetTenantLimits change, parse_change(arguments));
  if (context.remote()) {
    BAHI_ASSIGN(const auto client, connect(context));
    BAHI_TRY(client->set_tenant_limits(change));
  } else {
    BAHI_ASSIGN(const auto engine, open_engine(context, {}));
    BAHI_ASSIGN(const auto quotas, server::Quotas::load(*engine));
    BAHI_TRY(quotas->set(change, kLocalActor, SystemClock::instance().now()));
    BAHI_TRY(engine->close());
  }
  fmt::print("limits of tenant {} set\n", change.tenant);
  return ExitCode::kOk;
}

Result<wire::TenantList::Entry> find_tenant(const Context& context, const std::string& name) {
  BAHI_ASSIGN(const auto tenants, all_tenants(context));
  const auto found = std::find_if(tenants.begin(), tenants.end(), [&name](const auto& t) { return t.name == name; });
  if (found != tenants.end()) return *found;
  return Error{ErrorCode::kUnknownTenant,
               fmt::format("tenant '{}' does not exist; `bahi tenant list` shows those that do", name)};
}

/// Who decided: the tenant's own limits win over the server's defaults, which a directory does not know.
std::string_view origin(const wire::TenantList::Entry& tenant, TenantLimit limit, bool remote) {
  if ((tenant.limits_own >> static_cast<unsigned>(limit) & 1U) != 0) return "set for this tenant";
  return remote ? "the server's default" : "not set; the server's default holds";
}

void append_text(const wire::TenantList::Entry& tenant, bool remote, std::string& text) {
  const auto row = [&text](std::string_view name, std::uint64_t value) {
    text += fmt::format("{:<20}{:>20}\n", name, grouped(value));
  };
  text += fmt::format("{:<20}{:>20}\n", "tenant", tenant.name);
  row("events", tenant.events);
  row("stored bytes", tenant.stored_bytes);
  if (remote) {
    row("connections", tenant.connections);
    row("subscriptions", tenant.subscriptions);
  }
  for (const auto& [limit, option, help] : kLimitOptions) {
    const std::uint64_t value = tenant.limits[limit];
    text += fmt::format("{:<20}{:>20}  {}\n", to_string(limit), value == 0 ? "no limit" : grouped(value),
                        origin(tenant, limit, remote));
  }
}

Result<ExitCode> show_tenant(const Context& context, const Arguments& arguments) {
  BAHI_ASSIGN(const auto tenant, find_tenant(context, arguments.tenant));
  Output output(STDOUT_FILENO);
  if (arguments.as_json) {
    append_tenant_json(tenant, output.text());
  } else {
    append_text(tenant, context.remote(), output.text());
  }
  BAHI_TRY(output.flush());
  return ExitCode::kOk;
}

}  // namespace

void append_tenant_json(const wire::TenantList::Entry& tenant, std::string& text) {
  text += R"({"tenant":)";
  append_json_string(tenant.name, text);
  text += fmt::format(R"(,"id":{},"events":{},"stored_bytes":{},"connections":{},"subscriptions":{},"limits":{{)",
                      tenant.id.value, tenant.events, tenant.stored_bytes, tenant.connections, tenant.subscriptions);
  for (const auto& [limit, option, help] : kLimitOptions) {
    const std::uint64_t value = tenant.limits[limit];
    text += fmt::format(R"({}"{}":{})", limit == kLimitOptions.front().limit ? "" : ",", to_string(limit),
                        value == 0 ? "null" : std::to_string(value));
  }
  text += "}}\n";
}

void add_tenant_limit_commands(CLI::App& tenant, Context& context) {
  CLI::App* const limit = tenant.add_subcommand("limit", "Set what a tenant may use of the server");
  auto arguments = std::make_shared<Arguments>();
  limit->add_option("NAME", arguments->tenant, "The tenant")->required();
  for (std::size_t i = 0; i < kLimitOptions.size(); ++i) {
    limit->add_option(kLimitOptions[i].option, arguments->values[i],
                      fmt::format("{}; 'none', or 'default' for the server's", kLimitOptions[i].help));
  }
  limit->footer(
      "Limits that are not named stay as they are. With --server they hold at once, otherwise from the server's next "
      "start.\n"
      "Example:\n  bahi tenant limit shop --events-per-second 5000 --stored-bytes 10000000000");
  limit->callback(
      [&context, arguments] { context.action = [&context, arguments] { return set_limits(context, *arguments); }; });

  CLI::App* const show = tenant.add_subcommand("show", "Show a tenant's use and its limits");
  show->add_option("NAME", arguments->tenant, "The tenant")->required();
  show->add_flag("--json", arguments->as_json, "Print one JSON object");
  show->footer("Example:\n  bahi tenant show shop --server 127.0.0.1:7440");
  show->callback(
      [&context, arguments] { context.action = [&context, arguments] { return show_tenant(context, *arguments); }; });
}

}  // namespace bahi::cli
