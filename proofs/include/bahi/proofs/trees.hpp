// The Merkle trees of all tenants of an engine: built behind the durable offset by one thread of low priority, signed
// once a second when there is news, and asked for proofs.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "bahi/engine/engine.hpp"
#include "bahi/proofs/checkpoint.hpp"
#include "bahi/proofs/tenant_tree.hpp"

namespace bahi::proofs {

struct TreesOptions {
  std::filesystem::path directory;  ///< of the trees' files, which are derived
  Uuid store_id;
  std::optional<KeyFile> key;  ///< absent: nothing is signed
  /// Where each signed checkpoint goes before anybody gets it; empty: `directory`/checkpoints.
  std::filesystem::path witness;
  std::chrono::milliseconds checkpoint_interval{1000};
  LogSink log;
};

struct SignedCheckpoint {
  Checkpoint checkpoint;
  std::string note;
};

/// Thread-safe, except `close` and the destructor.
class Trees {
 public:
  /// Checks that every log extends the last checkpoint that was put into the witness directory, building what is
  /// missing of its tree for that, and then starts the thread. What of a tree comes from its file is compared with the
  /// log: before this returns, where there is such a checkpoint and it is at most about a million events, or else by
  /// the thread. Errors: kHistoryChanged says which tenant's log is shorter or differs, and below which offset;
  /// kMalformedBundle for a checkpoint there that is none; those of a tree.
  [[nodiscard]] static Result<std::unique_ptr<Trees>> open(Engine& engine, TreesOptions options);
  Trees(const Trees&) = delete;
  Trees& operator=(const Trees&) = delete;
  /// Closes.
  ~Trees();
  /// Ends the thread and saves the trees. Waiting calls get kShuttingDown. Idempotent.
  void close();

  /// A signed checkpoint that covers at least `size` events, waiting for the tree to grow so far; 0: the newest there
  /// is. It is in the witness directory when this returns. Errors: kNoCheckpointKey, kOffsetOutOfRange beyond the
  /// durable offset, kDeadlineExceeded, kHistoryChanged, kIoError, kDiskFull.
  [[nodiscard]] Result<SignedCheckpoint> checkpoint(TenantId tenant, std::uint64_t size,
                                                    std::chrono::milliseconds timeout);
  /// The same without a signature.
  [[nodiscard]] Result<Checkpoint> unsigned_checkpoint(TenantId tenant, std::uint64_t size,
                                                       std::chrono::milliseconds timeout);
  /// Hand-overs that led to the key, the oldest first.
  [[nodiscard]] const std::vector<std::string>& hand_overs() const noexcept;
  /// To be asked for proofs; lives as long as this. kUnknownTenant.
  [[nodiscard]] Result<const TenantTree*> tree(TenantId tenant);

 private:
  class Impl;
  explicit Trees(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace bahi::proofs
