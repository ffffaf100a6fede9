// An append request after everything that needs no order has been done to it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "bahi/base/result.hpp"
#include "bahi/engine/append.hpp"
#include "bahi/schemas/batch_body.hpp"
#include "bahi/schemas/batch_header.hpp"

namespace bahi {

/// Names a stream or producer in RAM: XXH3-128 seeded per process, so that no one can
/// prepare two names that meet.
[[nodiscard]] Hash128 head_identity(TenantId tenant, std::string_view kind, std::string_view name) noexcept;
[[nodiscard]] Hash128 stream_identity(TenantId tenant, std::string_view stream) noexcept;
[[nodiscard]] Hash128 producer_identity(TenantId tenant, const Uuid& id) noexcept;

/// A term that occurs in a batch, and the last event that has it.
struct TermUse {
  std::uint64_t hash = 0;
  std::uint32_t last_index = 0;
};

struct StreamUse {
  std::uint64_t hash = 0;
  Hash128 identity;
  std::uint32_t count = 0;
  std::uint32_t last_index = 0;
};

/// Body, decompressed and checked, with what the sequencer and the index need of it.
struct PreparedBatch {
  TenantId tenant;
  EncodedBody encoded;
  Hash128 body_hash;
  AlignedBytes raw;
  BatchBody body;
  std::vector<StreamUse> streams;     ///< in dictionary order
  std::vector<TermUse> other_terms;   ///< categories, types, tags

  [[nodiscard]] std::size_t memory_bytes() const;
};

/// Decompresses, checks and hashes the body. Runs on the submitting thread.
[[nodiscard]] Result<PreparedBatch> prepare_batch(TenantId tenant, EncodedBody encoded);
/// The terms of a checked body; also used when the index is rebuilt from the log.
void collect_terms(TenantId tenant, const BatchBody& body, bool with_identities, std::vector<StreamUse>& streams,
                   std::vector<TermUse>& other_terms);

/// A batch that has its place in the log. Immutable once it is handed on.
struct SequencedBatch {
  PreparedBatch prepared;
  BatchHeader header;
  std::vector<std::int64_t> first_versions;
  std::uint64_t tenant_bytes = 0;  // stored bytes of the tenant up to and with this batch
};

}  // namespace bahi
