// Who may do what: tokens, the credentials they stand for, and the permissions of the roles.
//
// A token is 256 random bits behind the id of its credential. Only its SHA-256 is kept, in the system tenant's log:
// stream token-ID, types bahi.token-created and bahi.token-revoked.
#pragma once

#include <array>
#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "bahi/base/result.hpp"
#include "bahi/engine/engine.hpp"
#include "bahi/schemas/wire.hpp"

namespace bahi::server {

/// What an authenticated peer is. Immutable but for `revoked`, so thread-safe.
struct Credential {
  Uuid token_id;  ///< nil: the server asks for no credentials
  TenantId tenant;
  std::string tenant_name;
  Role role = Role::kReader;
  std::string name;
  Timestamp created_at;
  Timestamp expires_at;  ///< 0 = never
  /// May administer the store as a whole: of the system tenant, or a peer of a server without credentials.
  bool whole_store = false;
  std::array<unsigned char, 32> token_hash{};
  std::atomic<bool> revoked{false};

  [[nodiscard]] bool live(Timestamp now) const noexcept {
    return !revoked.load(std::memory_order_acquire) && (expires_at.nanos == 0 || now < expires_at);
  }
  /// For the log: "token ID (name)" or "anonymous".
  [[nodiscard]] std::string label() const;
};
using CredentialPtr = std::shared_ptr<const Credential>;

/// kForbidden unless the credential allows the request (messages that are no requests: always). See the table in
/// docs/wire_protocol.md.
Status check_permission(const Credential& credential, const wire::Message& request);

struct NewToken {
  std::string tenant;
  Role role = Role::kReader;
  std::string name;      ///< at most 512 bytes of UTF-8; for people
  Timestamp expires_at;  ///< 0 = never
};

/// The tokens of one store. Thread-safe; the engine must outlive it.
class Access {
 public:
  /// Reads the tokens from the system tenant's log. Errors: those of Engine::read; kCorruptLog.
  [[nodiscard]] static Result<std::unique_ptr<Access>> load(Engine& engine);

  /// Errors: kUnauthenticated, which does not say why.
  [[nodiscard]] Result<CredentialPtr> authenticate(std::string_view token, Timestamp now) const;
  /// Creates a token; durable when this returns. `actor` is recorded as who did it. Errors: kUnknownTenant,
  /// kInvalidArgument; those of Engine::append.
  [[nodiscard]] Result<wire::TokenCreated> create(const NewToken& token, std::string_view actor, Timestamp now);
  /// Ends a token; no session that it opened is served any more. `within`: only a token of this tenant, kSystemTenant:
  /// any. Errors: kUnknownToken; those of Engine::append.
  Status revoke(const Uuid& id, TenantId within, std::string_view actor, Timestamp now);
  /// The live tokens of a tenant (kSystemTenant: of all), in the order of their ids.
  [[nodiscard]] std::vector<wire::TokenList::Entry> list(TenantId within, Timestamp now) const;
  /// Whether any token was ever created.
  [[nodiscard]] bool empty() const;

 private:
  explicit Access(Engine& engine) : engine_(engine) {}
  Status take_in(const EventView& event);
  Status record(const Credential& credential, std::string_view type, std::string_view data, std::string_view actor,
                Timestamp now);

  Engine& engine_;
  std::mutex change_mutex_;  // one change at a time
  mutable std::mutex mutex_;
  std::map<Uuid, std::shared_ptr<Credential>> credentials_;  // protected by mutex_; revoked ones stay
};

}  // namespace bahi::server
