// The head anchor: how far the durable log reached, kept outside RocksDB.
//
// File layout, pages of 4096 bytes, integers little-endian:
//
//   page 0, page 1       store record, copies A and B
//   page 2+2k, 3+2k      tenant slots 64k … 64k+63, copies A and B
//
//   store record         magic "BAHIANCH", format u32, state u32, generation u64, store id 16,
//                        tenant count u32, 0 u32, MANIFEST of log and of idx {number u64, size u64, XXH3-128},
//                        XXH3-64 of all that
//   tenant slot (64)     tenant u32, 0 u32, generation u64, next offset u64, chain hash 16, 0 u64 * 2,
//                        XXH3-64 of all that
//
// A record is rewritten in the copy that its generation's parity names, so the other copy stays whole while it
// is written. On reading, the valid copy with the higher generation counts. A tenant slot is written once per commit,
// so its other copy is one commit behind; the store record is written to both copies at every change.
#pragma once

#include <cstdint>
#include <filesystem>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "bahi/base/posix_file.hpp"
#include "bahi/base/result.hpp"
#include "bahi/base/types.hpp"
#include "bahi/engine/tenant_mark.hpp"

namespace bahi {

/// A prefix of a MANIFEST file, which RocksDB only ever appends to.
struct ManifestMark {
  std::uint64_t number = 0;  ///< 0 = none recorded
  std::uint64_t size = 0;
  Hash128 hash;
  bool operator==(const ManifestMark&) const = default;
};

struct StoreRecord {
  enum class State : std::uint32_t {
    kCreating = 1,  ///< no tenant has been acknowledged anything
    kOpening = 2,   ///< RocksDB may be replacing its MANIFEST: the marks do not bind
    kOpen = 3,
    kClosed = 4,
  };
  State state = State::kCreating;
  Uuid store_id;
  std::uint32_t tenant_count = 0;
  ManifestMark log_manifest;
  ManifestMark index_manifest;
};

/// Thread-safe: one thread publishes marks, another keeps the store record.
class HeadAnchor {
 public:
  struct Contents {
    StoreRecord record;
    std::vector<TenantMark> tenants;  ///< by tenant id
  };

  /// Writes a new anchor in state kCreating. The file must not exist.
  [[nodiscard]] static Result<std::unique_ptr<HeadAnchor>> create(const std::filesystem::path& path, Uuid store_id);
  /// Reads without opening for writing. kAnchorDamaged when it is missing or no copy of some record is valid.
  [[nodiscard]] static Result<Contents> read(const std::filesystem::path& path);
  [[nodiscard]] static Result<std::unique_ptr<HeadAnchor>> open(const std::filesystem::path& path);

  /// What the file held when it was opened, with later changes of the store record.
  [[nodiscard]] const std::vector<TenantMark>& tenants_at_open() const { return contents_.tenants; }
  [[nodiscard]] StoreRecord record() const;

  /// Makes room for tenants below `count`; durable when it returns.
  Status ensure_tenants(std::uint32_t count);
  /// Hands the marks to the operating system: they survive the death of the process, and a
  /// power loss after the next `sync`.
  Status publish(std::span<const TenantMark> marks);
  /// Durable when it returns.
  Status update_record(const StoreRecord& record);
  Status sync();

 private:
  HeadAnchor(PosixFile file, Contents contents) : file_(std::move(file)), contents_(std::move(contents)) {}
  Status write_record_locked();

  PosixFile file_;
  mutable std::mutex mutex_;
  Contents contents_;                         // record: protected by mutex_
  std::uint64_t record_generation_ = 0;       // protected by mutex_
  std::vector<std::uint64_t> generations_;    // by tenant id; protected by mutex_
};

}  // namespace bahi
