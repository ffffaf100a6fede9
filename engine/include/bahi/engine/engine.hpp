// The storage engine: a durable, multi-tenant, append-only event log with its index.
//
// Durability point: an append is answered, and visible to any reader, only after the sync
// that covers it has returned. See docs/crash_safety.md for the argument.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bahi/base/result.hpp"
#include "bahi/engine/append.hpp"
#include "bahi/engine/options.hpp"
#include "bahi/engine/read.hpp"
#include "bahi/engine/recover.hpp"
#include "bahi/engine/tenant_mark.hpp"

namespace bahi {

class LogStore;

struct TenantInfo {
  TenantId id;
  std::string name;
  Offset durable_offset;  ///< number of durable events
};

/// Counters since the engine was opened, unless said otherwise.
struct EngineStats {
  std::uint64_t appended_events = 0;
  std::uint64_t appended_batches = 0;
  std::uint64_t appended_stored_bytes = 0;  ///< headers and bodies as stored
  std::uint64_t appended_raw_bytes = 0;     ///< bodies before compression
  std::uint64_t commit_groups = 0;
  std::uint64_t syncs = 0;
  std::uint64_t sync_nanos = 0;                 ///< that they took, in all
  std::uint64_t duplicates = 0;
  std::uint64_t conflicts = 0;
  std::uint64_t overloads = 0;
  std::uint64_t queued_bytes = 0;           ///< now
  std::uint64_t index_postings_in_memory = 0;  ///< now
  std::uint64_t log_bytes_on_disk = 0;      ///< now: sorted files of the log
  std::uint64_t wal_bytes_on_disk = 0;      ///< now
  std::uint64_t index_bytes_on_disk = 0;    ///< now
  std::uint64_t disk_bytes_written = 0;     ///< by log and index, write-ahead log included
  std::uint64_t free_bytes = 0;             ///< of the file system, now
  bool read_only = false;
  std::string read_only_reason;             ///< the failure that made it so, if any
};

/// One thing wrong, as found by `verify`.
struct Finding {
  TenantId tenant;
  Offset offset;  ///< the first bad offset
  Error error;
};

struct VerifyReport {
  std::uint64_t tenants = 0;
  std::uint64_t batches = 0;
  std::uint64_t events = 0;
  std::uint64_t stored_bytes = 0;
  std::uint64_t postings = 0;
  std::vector<Finding> findings;  ///< empty: all is well
};

/// Thread-safe, except for `close` and the destructor.
class Engine {
 public:
  /// Opens the store in `directory`; first checks that nothing acknowledged is missing
  /// (head anchor) and touches nothing if so. Recovery replays at most the write-ahead log
  /// and the part of the index that was in memory. Errors: kStoreMissing, kNotAStore, kDirectoryInUse,
  /// kPermissionDenied, kNewerFormat, kAcknowledgedDataMissing, kAnchorDamaged, kCorruptLog, kIoError, kDiskFull.
  [[nodiscard]] static Result<std::unique_ptr<Engine>> open(const std::filesystem::path& directory,
                                                            EngineOptions options);
  /// An engine on another log store, with its index in memory; for tests and simulation.
  [[nodiscard]] static Result<std::unique_ptr<Engine>> open(std::unique_ptr<LogStore> store, EngineOptions options);

  /// Compares the log with what the anchor promised, also in a store that `open` refuses. With
  /// `accept_loss` it vouches for what the log holds: sets aside, without deleting, what no longer counts, records what was lost in the
  /// system tenant's log (stream `recovery-store`), builds the index anew and writes a new anchor; then `open` succeeds.
  /// The store must not be open. Errors: those of `open`; kCorruptLog also when the chain of batches is broken.
  [[nodiscard]] static Result<RecoverReport> recover(const std::filesystem::path& directory,
                                                     const RecoverOptions& options);

  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;
  /// Closes; every pending request is finished first.
  ~Engine();
  /// Stops accepting, finishes what was accepted, flushes, closes the files. Idempotent.
  Status close();

  /// A tenant is an event in the system tenant's log; durable when this returns.
  [[nodiscard]] Result<TenantId> create_tenant(std::string_view name);
  [[nodiscard]] Result<TenantId> find_tenant(std::string_view name) const;
  /// Without the system tenant, in the order of creation.
  [[nodiscard]] std::vector<TenantInfo> tenants() const;

  /// Checks the request on the calling thread (decompression, structure), then queues it.
  /// `done` is called once its outcome is durable, or at once when it is refused. Requests
  /// submitted by one thread are sequenced in that order.
  /// Errors: those of BatchBody::parse and check_domain_events, kUnknownTenant, kWrongExpectedVersion, kConditionFailed, kOverloaded, kDiskFull,
  /// kReadOnly, kWriteFailed, kShuttingDown.
  /// `waker`, if there is one, is told when a run of answers is over; the engine holds it until then.
  void submit(AppendRequest request, AppendCallback done, std::shared_ptr<AnswerWaker> waker = nullptr);
  /// `submit`, waiting for the answer.
  [[nodiscard]] Result<AppendResult> append(AppendRequest request);
  /// What the append of this producer position was answered, if there was one: a look before deciding what to append.
  [[nodiscard]] Result<std::optional<AppendResult>> find_append(TenantId tenant, const ProducerPosition& producer) const;

  /// Everything below it is durable; grows only.
  [[nodiscard]] Offset durable_offset(TenantId tenant) const;
  /// Bytes of the tenant's batches in the log, headers included; also of appends that are about to become durable.
  [[nodiscard]] Result<std::uint64_t> stored_bytes(TenantId tenant) const;
  /// Version of the stream's last durable event, kNoStream if it has none.
  [[nodiscard]] Result<Version> stream_version(TenantId tenant, std::string_view stream) const;
  [[nodiscard]] Result<std::unique_ptr<EventCursor>> read(ReadRequest request) const;
  /// The batch that holds the offset, decoded; those read lately are kept. Errors: kOffsetOutOfRange when nothing is
  /// durable there; kCorruptLog, kIoError.
  [[nodiscard]] Result<std::shared_ptr<const DecodedBatch>> batch_at(TenantId tenant, Offset offset) const;
  /// Batches that overlap [from, to), in ascending or descending order. `bytes_wanted`: what the caller will take, about,
  /// so that no more is read ahead.
  [[nodiscard]] Result<std::unique_ptr<BatchCursor>> read_batches(
      TenantId tenant, Offset from, Offset to, Direction direction = Direction::kForward,
      std::size_t bytes_wanted = std::numeric_limits<std::size_t>::max()) const;
  /// The batches of all tenants that are durable now, in the order in which they were committed: a prefix of what the
  /// store holds at any later time. With `after`, those behind the batch of `after->tenant` that ends there.
  /// Errors: kOffsetOutOfRange when no batch ends there; kInvalidArgument when the log is in memory.
  [[nodiscard]] Result<std::unique_ptr<BatchCursor>> read_commits(const std::optional<TenantMark>& after = {}) const;
  /// Which store this is, for ever; nil: one in memory.
  [[nodiscard]] Uuid store_id() const;
  /// Returns as soon as the durable offset exceeds `offset`; kDeadlineExceeded after `timeout`, kShuttingDown on close.
  Status wait_for(TenantId tenant, Offset offset, std::chrono::nanoseconds timeout) const;
  /// Calls `notify` once, on a thread of the engine (or at once, on this one), when the durable
  /// offset exceeds `offset` or the engine closes. Returns a handle for `cancel_notify`.
  std::uint64_t notify_after(TenantId tenant, Offset offset, std::function<void()> notify);
  /// After it returns, `notify` will not be called any more.
  void cancel_notify(std::uint64_t handle);

  /// Walks every byte of the log: checksums, chain, density of offsets and versions, the
  /// anchor, and the index against the log. Appends go on meanwhile. With `only`, of one tenant, whose batches
  /// alone are read. An error means that the check could not run (kUnknownTenant); what it found wrong is in the report.
  [[nodiscard]] Result<VerifyReport> verify(const Progress& progress = {}, std::optional<TenantId> only = {}) const;
  /// Order-independent hash of all index entries of the tenant; equal for equal logs.
  [[nodiscard]] Result<Hash128> index_fingerprint(TenantId tenant) const;
  /// Writes the index postings held in memory to a sorted file, and the memtable of the log.
  Status flush();
  /// Read-only engines: takes in what the writer has made durable since. True: there was something.
  [[nodiscard]] Result<bool> refresh();

  [[nodiscard]] EngineStats stats() const;

 private:
  class Impl;
  explicit Engine(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace bahi
