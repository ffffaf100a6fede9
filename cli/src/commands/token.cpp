#include <fmt/format.h>

#include "bahi/base/text.hpp"
#include "bahi/cli/json_text.hpp"
#include "bahi/cli/output.hpp"
#include "bahi/server/access.hpp"
#include "commands.hpp"

#include <unistd.h>

namespace bahi::cli {
namespace {

constexpr std::string_view kLocalActor = "bahi token, in the directory";

struct NewToken {
  std::string tenant;
  std::string role;
  std::string name;
  std::string expires;
};

Result<wire::TokenCreated> create_locally(const Context& context, const wire::CreateToken& token) {
  BAHI_ASSIGN(const auto engine, open_engine(context, {}));
  BAHI_ASSIGN(const auto access, server::Access::load(*engine));
  BAHI_ASSIGN(wire::TokenCreated created, access->create({token.tenant, token.role, token.name, token.expires_at},
                                                         kLocalActor, SystemClock::instance().now()));
  BAHI_TRY(engine->close());
  return created;
}

Result<ExitCode> create_token(const Context& context, const NewToken& arguments) {
  wire::CreateToken token;
  token.tenant = arguments.tenant;
  BAHI_ASSIGN(token.role, parse_role(arguments.role));
  token.name = arguments.name;
  if (!arguments.expires.empty()) {
    BAHI_ASSIGN(token.expires_at, parse_timestamp(arguments.expires));
  }
  wire::TokenCreated created;
  if (context.remote()) {
    BAHI_ASSIGN(const auto client, connect(context));
    BAHI_ASSIGN(created, client->create_token(token));
  } else {
    BAHI_ASSIGN(created, create_locally(context, token));
  }
  fmt::print(stderr, "token {} created; it is shown this once:\n", format_uuid(created.id));
  fmt::print("{}\n", created.secret);
  return ExitCode::kOk;
}

Result<std::vector<wire::TokenList::Entry>> all_tokens(const Context& context) {
  if (context.remote()) {
    BAHI_ASSIGN(const auto client, connect(context));
    BAHI_ASSIGN(wire::TokenList list, client->tokens());
    return std::move(list.tokens);
  }
  EngineOptions options;
  options.read_only = true;
  BAHI_ASSIGN(const auto engine, open_engine(context, std::move(options)));
  BAHI_ASSIGN(const auto access, server::Access::load(*engine));
  return access->list(kSystemTenant, SystemClock::instance().now());
}

Result<ExitCode> list_tokens(const Context& context, bool as_json) {
  BAHI_ASSIGN(const auto tokens, all_tokens(context));
  Output output(STDOUT_FILENO);
  std::string& text = output.text();
  if (!as_json) text += fmt::format("{:<36}  {:<16}  {:<7}  {:<20}  {}\n", "ID", "TENANT", "ROLE", "EXPIRES", "NAME");
  for (const auto& token : tokens) {
    const std::string expires = token.expires_at.nanos == 0 ? "" : format_timestamp(token.expires_at);
    if (!as_json) {
      text += fmt::format("{:<36}  {:<16}  {:<7}  {:<20}  {}\n", format_uuid(token.id), token.tenant,
                          to_string(token.role), expires.empty() ? "never" : expires, token.name);
      continue;
    }
    text += fmt::format(R"({{"id":"{}","tenant":)", format_uuid(token.id));
    append_json_string(token.tenant, text);
    text += fmt::format(R"(,"role":"{}","name":)", to_string(token.role));
    append_json_string(token.name, text);
    text += fmt::format(R"(,"created_at":"{}","expires_at":{}}})", format_timestamp(token.created_at),
                        expires.empty() ? "null" : '"' + expires + '"');
    text += '\n';
  }
  BAHI_TRY(output.flush());
  return ExitCode::kOk;
}

Result<ExitCode> revoke_token(const Context& context, const std::string& id_text) {
  BAHI_ASSIGN(const Uuid id, parse_uuid(id_text));
  if (context.remote()) {
    BAHI_ASSIGN(const auto client, connect(context));
    BAHI_TRY(client->revoke_token(id));
  } else {
    BAHI_ASSIGN(const auto engine, open_engine(context, {}));
    BAHI_ASSIGN(const auto access, server::Access::load(*engine));
    BAHI_TRY(access->revoke(id, kSystemTenant, kLocalActor, SystemClock::instance().now()));
    BAHI_TRY(engine->close());
  }
  fmt::print("token {} revoked\n", format_uuid(id));
  return ExitCode::kOk;
}

}  // namespace

void add_token_commands(CLI::App& app, Context& context) {
  CLI::App* const token = app.add_subcommand("token", "Create, list and revoke the credentials of a server's clients");
  token->require_subcommand(1);

  CLI::App* const create = token->add_subcommand("create", "Create a token; it is printed, and stored nowhere");
  auto arguments = std::make_shared<NewToken>();
  create
      ->add_option("--tenant,-t", arguments->tenant, "Whose log it opens; 'system' is for administration of the store")
      ->required();
  create->add_option("--role", arguments->role, "What it allows")
      ->required()
      ->check(CLI::IsMember({"admin", "writer", "reader", "auditor"}));
  create->add_option("--name", arguments->name, "Whom it is for");
  create->add_option("--expires", arguments->expires, "RFC 3339; left out: never");
  create->footer(
      "Examples:\n"
      "  bahi token create --tenant system --role admin --name ops --data /var/lib/bahi\n"
      "  bahi token create --tenant shop --role writer --expires 2027-01-01T00:00:00Z --server 127.0.0.1:7440");
  create->callback(
      [&context, arguments] { context.action = [&context, arguments] { return create_token(context, *arguments); }; });

  CLI::App* const list = token->add_subcommand("list", "List the live tokens");
  auto as_json = std::make_shared<bool>(false);
  list->add_flag("--json", *as_json, "One JSON object per line instead of a table");
  list->callback(
      [&context, as_json] { context.action = [&context, as_json] { return list_tokens(context, *as_json); }; });

  CLI::App* const revoke = token->add_subcommand("revoke", "End a token, and every session that it opened, at once");
  auto id = std::make_shared<std::string>();
  revoke->add_option("ID", *id, "As listed")->required();
  revoke->callback([&context, id] { context.action = [&context, id] { return revoke_token(context, *id); }; });
}

}  // namespace bahi::cli
