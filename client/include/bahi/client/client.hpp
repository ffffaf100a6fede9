// The blocking client. async_client.hpp offers the same to coroutines.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

#include "bahi/base/result.hpp"
#include "bahi/client/options.hpp"
#include "bahi/schemas/append_request.hpp"
#include "bahi/schemas/event.hpp"
#include "bahi/schemas/event_filter.hpp"
#include "bahi/schemas/wire.hpp"

namespace bahi::client {

/// Events of a read or a subscription. One thread at a time; may outlive the client, but then gives kCancelled.
class EventReader {
 public:
  ~EventReader();  ///< ends the read
  EventReader(const EventReader&) = delete;
  EventReader& operator=(const EventReader&) = delete;

  /// True: `event` is the next one; its views hold until the next call. False: there is no more, which of a
  /// subscription is never true before its limit. Waits for at most `timeout`. Errors: kDeadlineExceeded (call again),
  /// kCorruptLog (a batch that fails its checksum), kConnectionLost, and those of the engine's cursors.
  [[nodiscard]] Result<bool> next(EventView& event, std::chrono::nanoseconds timeout = std::chrono::nanoseconds::max());
  /// Where a new read that goes on behind the last event given would begin (of a backward one: end). To be kept by a
  /// consumer that wants to resume after its own restart.
  [[nodiscard]] Offset position() const noexcept;
  /// The subscription had, at least once, nothing more to wait for than new events.
  [[nodiscard]] bool caught_up() const;

 private:
  friend class Client;
  class Impl;
  explicit EventReader(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// Called once, on the client's thread; must not block.
using AppendHandler = std::function<void(Result<AppendResult>)>;

/// A client with a thread of its own. Thread-safe. Everything that is asked for survives lost connections, see
/// ClientOptions::retry_for: an append is sent again with the same producer position and so is stored once, a read goes
/// on behind what it has received. After a reconnect an answer may say `duplicate` for what this client appended
/// itself.
///
/// An append that was sent on a connection that broke, and is refused when it is sent again (`overloaded`, `disk_full`,
/// …), fails with kConnectionLost: it may be stored.
///
/// Errors of all requests: those of the server (docs/errors.md), kConnectionLost, kUnauthenticated, kForbidden,
/// kUnknownTenant (of the options), kUnsupportedProtocol, kCancelled (the client was closed).
class Client {
 public:
  /// Returns when the server has let the client in, or will not. kConnectionLost after `retry_for`.
  [[nodiscard]] static Result<std::unique_ptr<Client>> connect(ClientOptions options);
  ~Client();  ///< fails what is waiting with kCancelled
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  /// What the server said about itself when it let the client in: tenant, role, limits.
  [[nodiscard]] const wire::Welcome& welcome() const noexcept;

  /// Durable when it returns. `request.tenant` is not used: the tenant is the credential's.
  [[nodiscard]] Result<AppendResult> append(AppendRequest request);
  /// Many may be under way; they are sequenced in the order of the calls as long as the connection lasts.
  void submit(AppendRequest request, AppendHandler done);

  /// Events as `request` says; its tenant is not used. Errors come from the reader.
  [[nodiscard]] std::unique_ptr<EventReader> read(ReadRequest request);
  /// The same, and then every event that becomes durable, for good. Forward only.
  [[nodiscard]] std::unique_ptr<EventReader> subscribe(ReadRequest request);

  /// Asks a read model; the answer is JSON. With `min_offset` behind an append of one's own, one reads one's own writes.
  [[nodiscard]] Result<wire::QueryAnswer> query(const wire::Query& query);
  /// Lets a read model decide and append. Without a producer position it gets one, so it is done once however often the
  /// connection breaks.
  [[nodiscard]] Result<wire::CommandAnswer> command(wire::Command command);
  using CommandHandler = std::function<void(Result<wire::CommandAnswer>)>;
  /// Many may be under way.
  void submit(wire::Command command, CommandHandler done);
  Status manage_projection(const wire::ManageProjection& request);
  /// JSON: `projections`, a list.
  [[nodiscard]] Result<wire::QueryAnswer> projections();
  /// JSON: `snapshots`, a list of those that were made, listed or deleted.
  [[nodiscard]] Result<wire::QueryAnswer> manage_snapshots(const wire::ManageSnapshots& request);

  /// A checkpoint of the tenant's log, signed unless asked otherwise, and proofs for it. What they are worth only who verifies
  /// them knows: proofs/include/bahi/proofs.
  [[nodiscard]] Result<wire::Checkpoint> checkpoint(const wire::GetCheckpoint& request);
  [[nodiscard]] Result<wire::Proof> proof(const wire::GetProof& request);

  /// A message to the server and back; the time that it took.
  [[nodiscard]] Result<std::chrono::nanoseconds> ping();
  Status create_tenant(std::string_view name);
  [[nodiscard]] Result<wire::TenantList> tenants();
  Status set_tenant_limits(const wire::SetTenantLimits& change);
  [[nodiscard]] Result<wire::TokenCreated> create_token(const wire::CreateToken& token);
  [[nodiscard]] Result<wire::TokenList> tokens();
  Status revoke_token(const Uuid& id);
  [[nodiscard]] Result<wire::Status> status();
  [[nodiscard]] Result<wire::VerifyReport> verify();
  /// Answered when the backup is complete, which may take long; it goes on when the connection breaks.
  [[nodiscard]] Result<wire::BackupCreated> create_backup(std::uint64_t bytes_per_second_max = 0);

 private:
  class Impl;
  explicit Client(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace bahi::client
