// What is kept on disk of one tenant's tree: the roots of its complete tiles of 256 leaves, 32 bytes each, one after
// the other; and beside it a text that says up to where they count. All of it is derived from the log.
//
//   TENANT.tiles   { root:32 }, the n-th that of the leaves [256n, 256n + 256)
//   TENANT.head    "bahi tree 1\n" STORE-ID " " TENANT "\n" TILES "\n" CHAIN-HASH "\n" ROOT "\n"
//
// TENANT is the number in six digits or more; TILES says how many roots count, what follows them is passed over.
// CHAIN-HASH is that of the batch which holds the last event of the last tile, ROOT (base64) that of the tree of these
// tiles. So tiles of another log, of an older state of it, or with a byte changed are noticed.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include "bahi/base/posix_file.hpp"
#include "bahi/base/types.hpp"
#include "bahi/proofs/tile_roots.hpp"

namespace bahi::proofs {

/// Not thread-safe, but `read` may run beside `append`.
class TreeFile {
 public:
  struct Head {
    std::uint64_t tiles = 0;
    Hash128 chain_hash;
    TreeHash root{};
  };

  /// `directory` is made when it is missing, unless `read_only`.
  TreeFile(std::filesystem::path directory, const Uuid& store_id, TenantId tenant, bool read_only);
  /// Nothing: there is none, or not one of this tenant and store. kIoError.
  [[nodiscard]] Result<std::optional<Head>> read_head() const;
  /// Opens the tiles and drops those from `tiles` on.
  Status open(std::uint64_t tiles);
  /// Roots [first, first + count). kHistoryChanged when the file is shorter.
  [[nodiscard]] Result<HashList> read(std::uint64_t first, std::size_t count) const;
  /// Behind the last one; not durable.
  Status append(const HashList& roots);
  /// Makes what was appended durable, and then the head.
  Status save(const Head& head);

 private:
  [[nodiscard]] std::string title() const;

  const std::filesystem::path directory_;
  const Uuid store_id_;
  const TenantId tenant_;
  const bool read_only_;
  const std::filesystem::path tiles_path_;
  const std::filesystem::path head_path_;
  PosixFile file_;
  std::uint64_t count_ = 0;
};

}  // namespace bahi::proofs
