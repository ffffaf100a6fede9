// Where an audit bundle is made from: a server, or a directory.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bahi/engine/read.hpp"
#include "bahi/proofs/checkpoint.hpp"
#include "commands.hpp"

namespace bahi::cli {

struct AuditCheckpoint {
  proofs::Checkpoint checkpoint;
  std::string note;
  std::vector<std::string> hand_overs;
};

/// Of one tenant's log. Not thread-safe.
class AuditSource {
 public:
  AuditSource() = default;
  AuditSource(const AuditSource&) = delete;
  AuditSource& operator=(const AuditSource&) = delete;
  virtual ~AuditSource() = default;
  /// The tenant of the request is filled in.
  [[nodiscard]] virtual Result<std::unique_ptr<EventCursor>> read(ReadRequest request) = 0;
  /// One that covers at least `size` events.
  [[nodiscard]] virtual Result<AuditCheckpoint> checkpoint(std::uint64_t size) = 0;
  [[nodiscard]] virtual Result<proofs::HashList> ranges(const std::vector<proofs::LeafRange>& ranges,
                                                        std::uint64_t size) = 0;
  [[nodiscard]] virtual Result<proofs::HashList> consistency(std::uint64_t old_size, std::uint64_t size) = 0;
};

/// Of the directory: signs with the key in `key_file`, or without one takes the newest checkpoint that was signed.
[[nodiscard]] Result<std::unique_ptr<AuditSource>> open_audit_source(const Context& context, const std::string& tenant,
                                                                     const std::string& key_file);

}  // namespace bahi::cli
