// The leaf hashes of a range of a tenant's log, read batch by batch.
#pragma once

#include <memory>
#include <string>

#include "bahi/engine/engine.hpp"
#include "bahi/proofs/merkle.hpp"

namespace bahi::proofs {

/// Hashes the events of `batch` with offsets in [from, to) onto `leaves`. `scratch` is reused.
void hash_events(const DecodedBatch& batch, LeafRange range, std::string& scratch, HashList& leaves);

/// Events [from, to) as far as they are durable. Not thread-safe; must not outlive the engine.
class LeafScan {
 public:
  LeafScan(const Engine& engine, TenantId tenant, LeafRange range) : engine_(engine), tenant_(tenant), range_(range) {}
  /// Replaces `leaves` by those of the next batch. False: there is none. Errors: kCorruptLog, kIoError.
  [[nodiscard]] Result<bool> next(HashList& leaves);

 private:
  const Engine& engine_;
  const TenantId tenant_;
  const LeafRange range_;
  std::unique_ptr<BatchCursor> cursor_;
  std::string scratch_;
};

}  // namespace bahi::proofs
