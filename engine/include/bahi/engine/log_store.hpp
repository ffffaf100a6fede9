// The seam below the engine: where stored batches live.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "bahi/base/result.hpp"
#include "bahi/base/types.hpp"

namespace bahi {

/// One batch on its way into the log. Views must live until `append` returns.
struct LogRecord {
  TenantId tenant;
  Offset first_offset;  ///< must be the tenant's next offset
  Offset last_offset;
  std::string_view header;  ///< header and version section
  std::string_view body;    ///< as stored, behind the header
  std::uint64_t tenant_bytes = 0;  ///< stored bytes of the tenant's batches up to and with this one
};

/// Reads the batches of one tenant in offset order. Not thread-safe. Sees at least what was
/// appended before it was made; may see batches that are not durable yet.
class LogCursor {
 public:
  LogCursor() = default;
  LogCursor(const LogCursor&) = delete;
  LogCursor& operator=(const LogCursor&) = delete;
  virtual ~LogCursor() = default;
  /// To the batch that holds `offset`, or the first one after it.
  virtual void seek(Offset offset) = 0;
  /// To the last batch that begins at or before `offset`.
  virtual void seek_backward(Offset offset) = 0;
  virtual void next() = 0;
  virtual void previous() = 0;
  [[nodiscard]] virtual bool valid() const = 0;
  /// Not OK when the cursor became invalid because of damage.
  [[nodiscard]] virtual Status status() const = 0;
  [[nodiscard]] virtual Offset last_offset() const = 0;
  /// Header and body as stored; holds until the cursor moves.
  [[nodiscard]] virtual std::string_view stored() const = 0;
  /// LogRecord::tenant_bytes of the batch, if the store keeps it and did so when the batch was written.
  [[nodiscard]] virtual std::optional<std::uint64_t> tenant_bytes() const { return std::nullopt; }
};

enum class CacheUse : std::uint8_t {
  kFill,
  kScan,    ///< read far ahead, leave the cache alone
  kPart,    ///< of a few hundred KiB of neighbours: read ahead that far, leave the cache alone
  kSparse,  ///< leave the cache alone; read ahead only where batches turn out to be neighbours
};

struct LogStoreStats {
  std::uint64_t file_bytes = 0;
  std::uint64_t wal_bytes = 0;
  std::uint64_t written_bytes = 0;
};

/// One writer thread calls `append`, one thread `sync`; everything else is thread-safe.
/// After an error of `append` or `sync` the store must not be written to again.
class LogStore {
 public:
  LogStore() = default;
  LogStore(const LogStore&) = delete;
  LogStore& operator=(const LogStore&) = delete;
  virtual ~LogStore() = default;
  /// Appends all records or none; not durable before `sync`.
  virtual Status append(std::span<const LogRecord> records) = 0;
  /// Everything appended before the call is durable when it returns.
  virtual Status sync() = 0;
  [[nodiscard]] virtual std::unique_ptr<LogCursor> cursor(TenantId tenant, CacheUse use) const = 0;
  /// Tenants that have at least one batch, ascending.
  [[nodiscard]] virtual Result<std::vector<TenantId>> tenants() const = 0;
  virtual Status flush() = 0;
  [[nodiscard]] virtual LogStoreStats stats() const = 0;
};


}  // namespace bahi
