#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "bahi/base/text.hpp"
#include "bahi/server/access.hpp"

namespace bahi::server {
namespace {

enum class Scope : std::uint8_t { kAnyTenant, kNotSystem, kWholeStore };

struct Rule {
  std::string_view request;
  Scope scope;
  bool admin, writer, reader, auditor;
};

/// Every request; what is not listed nobody may do.
constexpr std::array kRules{
    // request, scope, admin, writer, reader, auditor
    Rule{"Append", Scope::kNotSystem, true, true, false, false},
    Rule{"Read", Scope::kAnyTenant, true, true, true, true},
    Rule{"CreateToken", Scope::kAnyTenant, true, false, false, false},
    Rule{"RevokeToken", Scope::kAnyTenant, true, false, false, false},
    Rule{"ListTokens", Scope::kAnyTenant, true, false, false, true},
    Rule{"CreateTenant", Scope::kWholeStore, true, false, false, false},
    Rule{"SetTenantLimits", Scope::kWholeStore, true, false, false, false},
    Rule{"ListTenants", Scope::kWholeStore, true, false, false, true},
    Rule{"GetStatus", Scope::kWholeStore, true, false, false, true},
    Rule{"Query", Scope::kAnyTenant, true, true, true, true},
    Rule{"Command", Scope::kNotSystem, true, true, false, false},
    Rule{"ManageProjection", Scope::kAnyTenant, true, false, false, false},
    Rule{"ListProjections", Scope::kAnyTenant, true, true, true, true},
    Rule{"GetCheckpoint", Scope::kAnyTenant, true, false, true, true},
    Rule{"GetProof", Scope::kAnyTenant, true, false, true, true},
    Rule{"ManageSnapshots", Scope::kWholeStore, true, false, false, false},
    Rule{"VerifyStore", Scope::kWholeStore, true, false, false, true},
    Rule{"CreateBackup", Scope::kWholeStore, true, false, false, false},
};

bool allows(const Rule& rule, Role role) {
  switch (role) {
    case Role::kAdmin: return rule.admin;
    case Role::kWriter: return rule.writer;
    case Role::kReader: return rule.reader;
    case Role::kAuditor: return rule.auditor;
  }
  return false;
}

}  // namespace

Status check_permission(const Credential& credential, const wire::Message& request) {
  const std::string_view name = wire::name_of(request);
  const auto* const rule =
      std::find_if(kRules.begin(), kRules.end(), [name](const Rule& known) { return known.request == name; });
  if (rule == kRules.end() || !allows(*rule, credential.role)) {
    return Error{ErrorCode::kForbidden,
                 fmt::format("{}: the role {} does not allow it", name, to_string(credential.role))};
  }
  if (rule->scope == Scope::kWholeStore && !credential.whole_store) {
    return Error{ErrorCode::kForbidden, fmt::format("{}: only a token of the tenant 'system' allows it", name)};
  }
  if (rule->scope == Scope::kNotSystem && credential.tenant == kSystemTenant) {
    return Error{ErrorCode::kForbidden, fmt::format("{}: only the server itself writes to the tenant 'system'", name)};
  }
  const auto* token = std::get_if<wire::CreateToken>(&request);
  if (token != nullptr && !credential.whole_store && !token->tenant.empty() &&
      token->tenant != credential.tenant_name) {
    return Error{ErrorCode::kForbidden, "CreateToken: a token of this tenant allows it for this tenant only"};
  }
  return {};
}

std::string Credential::label() const {
  if (token_id.is_nil()) return "anonymous";
  return name.empty() ? fmt::format("token {}", format_uuid(token_id))
                      : fmt::format("token {} ({})", format_uuid(token_id), name);
}

}  // namespace bahi::server
