#include "bahi/server/access.hpp"

#include <algorithm>
#include <cstring>

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include <fmt/format.h>

#include "bahi/base/text.hpp"
#include "bahi/schemas/limits.hpp"
#include "json.hpp"

namespace bahi::server {
namespace {

constexpr std::string_view kCategory = "token";
constexpr std::string_view kCreated = "bahi.token-created";
constexpr std::string_view kRevoked = "bahi.token-revoked";
constexpr std::string_view kTokenPrefix = "bahi_";
constexpr std::size_t kIdDigits = 32;
constexpr std::size_t kSecretBytes = 32;
constexpr std::size_t kTokenBytes = kTokenPrefix.size() + kIdDigits + 1 + 2 * kSecretBytes;

using TokenHash = std::array<unsigned char, 32>;

TokenHash hash_of(std::string_view token) {
  TokenHash hash{};
  SHA256(reinterpret_cast<const unsigned char*>(token.data()), token.size(), hash.data());
  return hash;
}

std::string hex(const unsigned char* bytes, std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += fmt::format("{:02x}", bytes[i]);
  return text;
}

bool parse_hash(std::string_view text, TokenHash& hash) {
  if (text.size() != 2 * hash.size()) return false;
  for (std::size_t half = 0; half < 2; ++half) {
    const auto part = parse_uuid(text.substr(half * 32, 32));
    if (!part) return false;
    for (std::size_t i = 0; i < 8; ++i) {
      hash[half * 16 + i] = static_cast<unsigned char>(part->high >> (56 - 8 * i));
      hash[half * 16 + 8 + i] = static_cast<unsigned char>(part->low >> (56 - 8 * i));
    }
  }
  return true;
}

Error unauthenticated() {
  return {ErrorCode::kUnauthenticated, "the token is missing, unknown, expired or revoked"};
}

std::string stream_of(const Uuid& id) {
  return fmt::format("{}-{}", kCategory, format_uuid(id));
}

}  // namespace

Result<std::unique_ptr<Access>> Access::load(Engine& engine) {
  std::unique_ptr<Access> access(new Access(engine));
  ReadRequest request;
  request.tenant = kSystemTenant;
  request.filter.category = std::string(kCategory);
  BAHI_ASSIGN(const auto cursor, engine.read(std::move(request)));
  EventView event;
  for (;;) {
    BAHI_ASSIGN(const bool more, cursor->next(event));
    if (!more) return access;
    BAHI_TRY(access->take_in(event));
  }
}

Status Access::take_in(const EventView& event) {
  const auto damaged = [&event](std::string_view what) {
    return Error{ErrorCode::kCorruptLog, fmt::format("system tenant, offset {}: token: {}", event.offset.value, what)};
  };
  const auto id = parse_uuid(event.stream.substr(kCategory.size() + 1));
  if (!id) return damaged("its stream has no id");
  if (event.type == kRevoked) {
    const auto found = credentials_.find(*id);
    if (found == credentials_.end()) return damaged("revoked without having been created");
    found->second->revoked.store(true, std::memory_order_release);
    return {};
  }
  if (event.type != kCreated) return {};
  const auto fields = parse_json_object(event.data);
  if (!fields) return damaged(fields.error().message());
  auto credential = std::make_shared<Credential>();
  const auto role = parse_role(fields->text("role"));
  if (!role || !parse_hash(fields->text("sha256"), credential->token_hash)) return damaged("a field is missing");
  const auto tenant = engine_.find_tenant(fields->text("tenant"));
  if (!tenant) return damaged(tenant.error().message());
  credential->token_id = *id;
  credential->tenant = *tenant;
  credential->tenant_name = fields->text("tenant");
  credential->role = *role;
  credential->name = fields->text("name");
  credential->created_at = event.occurred_at;
  credential->expires_at = Timestamp{fields->number("expires_at")};
  credential->whole_store = *tenant == kSystemTenant;
  credentials_.insert_or_assign(*id, std::move(credential));
  return {};
}

Result<CredentialPtr> Access::authenticate(std::string_view token, Timestamp now) const {
  if (token.size() != kTokenBytes || !token.starts_with(kTokenPrefix)) return unauthenticated();
  const auto id = parse_uuid(token.substr(kTokenPrefix.size(), kIdDigits));
  if (!id) return unauthenticated();
  std::shared_ptr<Credential> credential;
  {
    const std::scoped_lock lock(mutex_);
    const auto found = credentials_.find(*id);
    if (found != credentials_.end()) credential = found->second;
  }
  const TokenHash hash = hash_of(token);
  if (!credential || CRYPTO_memcmp(hash.data(), credential->token_hash.data(), hash.size()) != 0 ||
      !credential->live(now)) {
    return unauthenticated();
  }
  return CredentialPtr(std::move(credential));
}

Result<wire::TokenCreated> Access::create(const NewToken& token, std::string_view actor, Timestamp now) {
  BAHI_ASSIGN(const TenantId tenant, engine_.find_tenant(token.tenant));
  if (token.name.size() > kNameBytesMax || !is_printable_utf8(token.name)) {
    return Error{ErrorCode::kInvalidArgument,
                 "token name: must be at most 512 bytes of UTF-8 without control characters"};
  }
  if (token.expires_at.nanos != 0 && token.expires_at <= now) {
    return Error{ErrorCode::kInvalidArgument, "token expiry: lies in the past"};
  }
  std::array<unsigned char, kSecretBytes> secret{};
  if (RAND_bytes(secret.data(), static_cast<int>(secret.size())) != 1) {
    return Error{ErrorCode::kInternal, "the generator of random numbers failed"};
  }
  auto credential = std::make_shared<Credential>();
  credential->token_id = random_uuid();
  credential->tenant = tenant;
  credential->tenant_name = token.tenant;
  credential->role = token.role;
  credential->name = token.name;
  credential->created_at = now;
  credential->expires_at = token.expires_at;
  credential->whole_store = tenant == kSystemTenant;
  std::string id = format_uuid(credential->token_id);
  id.erase(std::remove(id.begin(), id.end(), '-'), id.end());
  wire::TokenCreated created{credential->token_id,
                             fmt::format("{}{}_{}", kTokenPrefix, id, hex(secret.data(), secret.size()))};
  credential->token_hash = hash_of(created.secret);
  OPENSSL_cleanse(secret.data(), secret.size());

  const std::string data = JsonObject()
                               .add("tenant", token.tenant)
                               .add("role", to_string(token.role))
                               .add("name", token.name)
                               .add("expires_at", token.expires_at.nanos)
                               .add("sha256", hex(credential->token_hash.data(), credential->token_hash.size()))
                               .finish();
  const std::scoped_lock changing(change_mutex_);
  BAHI_TRY(record(*credential, kCreated, data, actor, now));
  const std::scoped_lock lock(mutex_);
  credentials_.emplace(created.id, std::move(credential));
  return created;
}

Status Access::revoke(const Uuid& id, TenantId within, std::string_view actor, Timestamp now) {
  const std::scoped_lock changing(change_mutex_);
  std::shared_ptr<Credential> credential;
  {
    const std::scoped_lock lock(mutex_);
    const auto found = credentials_.find(id);
    if (found != credentials_.end()) credential = found->second;
  }
  const bool in_reach = credential && (within == kSystemTenant || credential->tenant == within);
  if (!in_reach || credential->revoked.load(std::memory_order_acquire)) {
    return Error{ErrorCode::kUnknownToken, fmt::format("token {}: there is no live token of this id", format_uuid(id))};
  }
  BAHI_TRY(record(*credential, kRevoked, "{}", actor, now));
  credential->revoked.store(true, std::memory_order_release);
  return {};
}

Status Access::record(const Credential& credential, std::string_view type, std::string_view data,
                      std::string_view actor, Timestamp now) {
  const std::string stream = stream_of(credential.token_id);
  const std::string tag = "tenant:" + credential.tenant_name;
  NewEvent event;
  event.stream = stream;
  event.type = type;
  event.data = data;
  event.occurred_at = now;
  event.tags = {tag};
  event.metadata.actor = actor;
  BatchBuilder builder({Codec::kNone, 0});
  BAHI_TRY(builder.add(event));
  AppendRequest request;
  request.tenant = kSystemTenant;
  BAHI_ASSIGN(request.body, builder.finish());
  BAHI_TRY(engine_.append(std::move(request)));
  return {};
}

std::vector<wire::TokenList::Entry> Access::list(TenantId within, Timestamp now) const {
  std::vector<wire::TokenList::Entry> entries;
  const std::scoped_lock lock(mutex_);
  for (const auto& [id, credential] : credentials_) {
    if (!credential->live(now) || (within != kSystemTenant && credential->tenant != within)) continue;
    entries.push_back({id, credential->tenant_name, credential->role, credential->name, credential->created_at,
                       credential->expires_at});
  }
  return entries;
}

bool Access::empty() const {
  const std::scoped_lock lock(mutex_);
  return credentials_.empty();
}

}  // namespace bahi::server
